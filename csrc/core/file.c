/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0 && errno != EINTR) return false;
        if (written < 0) continue;
        text += written;
        len -= (size_t)written;
    }
    return true;
}

ho_code ho_write_private(const char *path, const char *text, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0) return HO_FAILED;
    bool written = fchmod(fd, S_IRUSR | S_IWUSR) == 0 && ftruncate(fd, 0) == 0 && write_all(fd, text, len);
    int failed = errno;
    if (close(fd) == 0 && written) return HO_OK;
    if (!written) errno = failed;
    return HO_FAILED;
}
