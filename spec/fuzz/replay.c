/* SPDX-License-Identifier: MIT */
/* Feeds files to a fuzzer of this folder, in place of libFuzzer: what it once found stays mended. A mistake aborts. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* In a block of exactly the file's size, so that a sanitizer sees a read beyond it. */
static bool feed(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) return false;
    long size = ftell(f);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    rewind(f);
    bool ok = data != NULL && size >= 0 && fread(data, 1, (size_t)size, f) == (size_t)size;
    fclose(f);
    if (ok) LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return ok;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        if (feed(argv[i])) continue;
        failed++;
        printf("%s: cannot be read\n", argv[i]);
    }
    printf("%d passed, %d failed\n", argc - 1 - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
