/* SPDX-License-Identifier: MIT */
/* What the C tests share: checks that count and go on, and a last line `N passed, N failed`. A program tests one room;
 * a row of a table carries its own line, so that a failure names the row. */
#ifndef TEST_H
#define TEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_passed, test_failed;

static inline void test_check(const char *file, int line, bool ok, const char *format, ...) {
    if (ok) {
        test_passed++;
        return;
    }
    test_failed++;
    va_list args;
    va_start(args, format);
    printf("%s:%d: ", file, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

#define CHECK_AT(line, ok, ...) test_check(__FILE__, (line), (ok), __VA_ARGS__)
#define CHECK(ok, ...) CHECK_AT(__LINE__, (ok), __VA_ARGS__)

/* The bytes in a block of exactly their size, so that a sanitizer sees a read beyond them. The caller frees it. */
static inline char *test_copy(const char *text, size_t len) {
    char *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) abort();
    memcpy(copy, text, len);
    return copy;
}

/* The program's exit status. */
static inline int test_summary(void) {
    printf("%d passed, %d failed\n", test_passed, test_failed);
    return test_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
