/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRIVATE_FILE = S_IRUSR | S_IWUSR, PRIVATE_FOLDER = S_IRWXU };

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

/* --- put in place at one stroke ----------------------------------------------------------------------------------- */

/* The name of a hidden file for mkostemp in the folder that the path's is in → to be freed, or NULL. */
static char *name_beside(const char *path) {
    static const char hidden[] = ".handoff.XXXXXX";
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
    char *beside = malloc(folder + sizeof hidden);
    if (beside) memcpy(mempcpy(beside, path, folder), hidden, sizeof hidden);
    return beside;
}

/* Closes the file, too, however that ends. */
static bool fill(int fd, mode_t mode, const char *text, size_t len) {
    bool written = fchmod(fd, mode) == 0 && write_all(fd, text, len) && fsync(fd) == 0;
    int failed = errno;
    bool closed = close(fd) == 0;
    if (!written) errno = failed;
    return written && closed;
}

/* `kept`: the bits that stay of the mode of a file that is there, if it is this user's own: one that somebody else put there has the
 * mode that he chose. */
static ho_code put(const char *path, mode_t kept, const char *text, size_t len) {
    struct stat st;
    bool there = lstat(path, &st) == 0;
    if (there && !S_ISREG(st.st_mode)) return HO_INVALID;
    if (!there && errno != ENOENT) return HO_FAILED;
    mode_t mode = there && kept != 0 && st.st_uid == geteuid() ? st.st_mode & kept : PRIVATE_FILE;
    char *beside = name_beside(path);
    int fd = beside ? mkostemp(beside, O_CLOEXEC) : -1;
    bool done = fd >= 0 && fill(fd, mode, text, len) && rename(beside, path) == 0;
    int failed = errno;
    if (fd >= 0 && !done) unlink(beside);
    free(beside);
    errno = failed;
    return done ? HO_OK : HO_FAILED;
}

ho_code ho_replace_file(const char *path, const char *text, size_t len) {
    return put(path, ALLPERMS, text, len);
}

ho_code ho_write_private(const char *path, const char *text, size_t len) {
    return put(path, 0, text, len);
}

/* --- made if absent ----------------------------------------------------------------------------------------------- */

/* A umask can take bits from the owner too. */
static bool is_private(const char *path, const struct stat *st, mode_t mode) {
    return (st->st_mode & ALLPERMS) == mode || fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Root may use the files of others, as SQLite gives what it makes beside them to their owner. */
static ho_code check_own(const struct stat *st) {
    if (!S_ISREG(st->st_mode)) return HO_INVALID;
    return st->st_uid == geteuid() || geteuid() == 0 ? HO_OK : HO_FOREIGN;
}

ho_code ho_create_private(const char *path) {
    struct stat st;
    bool made = mknod(path, S_IFREG | PRIVATE_FILE, 0) == 0;
    if (!made && errno != EEXIST) return HO_FAILED;
    if (lstat(path, &st) != 0) return HO_FAILED;
    ho_code code = check_own(&st);
    return code == HO_OK && made && !is_private(path, &st, PRIVATE_FILE) ? HO_FAILED : code;
}

ho_code ho_check_own(const char *path) {
    struct stat st;
    if (lstat(path, &st) == 0) return check_own(&st);
    return errno == ENOENT ? HO_OK : HO_FAILED;
}

static bool make_one_folder(const char *path) {
    struct stat st;
    if (mkdir(path, PRIVATE_FOLDER) == 0) return lstat(path, &st) == 0 && is_private(path, &st, PRIVATE_FOLDER);
    int failed = errno;
    bool there = stat(path, &st) == 0;
    errno = there && failed == EEXIST ? ENOTDIR : failed;
    return there && S_ISDIR(st.st_mode);
}

ho_code ho_make_folder(const char *path) {
    char *part = strdup(path);
    bool made = part != NULL;
    for (char *at = part; made && *at != '\0'; at++) {
        if (*at != '/' || at == part) continue;
        *at = '\0';
        made = make_one_folder(part);
        *at = '/';
    }
    made = made && make_one_folder(path);
    int failed = errno;
    free(part);
    errno = failed;
    return made ? HO_OK : HO_FAILED;
}

ho_code ho_file_kind_of(const char *path, ho_file_kind *kind) {
    struct stat st;
    if (stat(path, &st) != 0) return HO_FAILED;
    *kind = S_ISREG(st.st_mode) ? HO_FILE_REGULAR : S_ISDIR(st.st_mode) ? HO_FILE_FOLDER : HO_FILE_OTHER;
    return HO_OK;
}

ho_code ho_file_id_of(const char *path, ho_file_id *id) {
    struct stat st;
    if (stat(path, &st) != 0) return HO_FAILED;
    *id = (ho_file_id){.device = (uint64_t)st.st_dev, .number = (uint64_t)st.st_ino};
    return HO_OK;
}

/* --- locks -------------------------------------------------------------------------------------------------------- */

ho_code ho_locks_open(const char *path, int *fd) {
    ho_code code = ho_create_private(path);
    if (code != HO_OK) return code;
    int opened = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (opened < 0) return HO_FAILED;
    *fd = opened;
    return HO_OK;
}

ho_code ho_locks_share(int fd, int *other) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return HO_FAILED;
    *other = copy;
    return HO_OK;
}

/* A lock of an open file description on one byte, which need not exist: unlike a POSIX lock it tells two openings within one
 * process apart, and unlike flock it can be asked for without being taken. */
static int lock_command(int fd, int command, struct flock *lock, short type, int64_t number) {
    *lock = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = number, .l_len = 1};
    return fcntl(fd, command, lock);
}

ho_code ho_locks_take(int fd, int64_t number, bool *taken) {
    struct flock lock;
    bool ok = lock_command(fd, F_OFD_SETLK, &lock, F_WRLCK, number) == 0;
    if (!ok && errno != EAGAIN && errno != EACCES) return HO_FAILED;
    *taken = ok;
    return HO_OK;
}

ho_code ho_locks_free(int fd, int64_t number) {
    struct flock lock;
    return lock_command(fd, F_OFD_SETLK, &lock, F_UNLCK, number) == 0 ? HO_OK : HO_FAILED;
}

ho_code ho_locks_held(int fd, int64_t number, bool *held) {
    struct flock lock;
    if (lock_command(fd, F_OFD_GETLK, &lock, F_WRLCK, number) != 0) return HO_FAILED;
    *held = lock.l_type != F_UNLCK;
    return HO_OK;
}
