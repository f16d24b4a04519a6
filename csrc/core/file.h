/* SPDX-License-Identifier: MIT */
/* Files and folders that are their owner's alone, and locks that end with their holder however it ends. HO_FAILED: errno says
 * why. */
#ifndef HO_FILE_H
#define HO_FILE_H

#include "ho.h"

/* As ho_replace_file, but its owner's alone, whatever mode one that was there had: who has that one open reads nothing of this. */
ho_code ho_write_private(const char *path, const char *text, size_t len);

/* Puts a file in the place of another, or where there is none, at one stroke: who reads meanwhile sees one of the two, and a failure
 * leaves what was there. The mode stays that of the file that was there, if it was this user's; a new one is its owner's alone.
 * HO_INVALID: what is there is no regular file, a link to one among it. */
ho_code ho_replace_file(const char *path, const char *text, size_t len);

/* Makes the file, empty and its owner's alone whatever the umask, where nothing is there; a file that is there stays as it is.
 * HO_INVALID: what is there is no regular file, a link to one among it; HO_FOREIGN: it is another user's, and this one is not root.
 * Nothing is ever opened: whoever closes a file ends every POSIX lock that his process has on it, such as SQLite's. */
ho_code ho_create_private(const char *path);

/* Whether the file may be one that others make and write for us beside ours: HO_OK where it is absent, too; the rest as above. */
ho_code ho_check_own(const char *path);

/* Makes the folder and those above it that are missing, their owner's alone; what is there stays as it is. */
ho_code ho_make_folder(const char *path);

/* What is there, links followed. HO_FAILED: nothing, or nothing that can be seen. */
typedef enum ho_file_kind { HO_FILE_REGULAR, HO_FILE_FOLDER, HO_FILE_OTHER } ho_file_kind;
ho_code ho_file_kind_of(const char *path, ho_file_kind *kind);

/* Which file is there, links followed: no other has both numbers while it is open anywhere. errno is ENOENT: nothing is there. */
typedef struct ho_file_id {
    uint64_t device, number;
} ho_file_id;
ho_code ho_file_id_of(const char *path, ho_file_id *id);

/* Locks by number, from 0 on, on one open file: the system frees them when that is closed or its process ends, by kill -9 too.
 * Two openings of a file keep each other out, within one process as well. The file is made as above, never written or removed. */
ho_code ho_locks_open(const char *path, int *fd);

/* Another descriptor of the same opening: its locks are one's own, and are freed when both are closed. */
ho_code ho_locks_share(int fd, int *other);

/* *taken: nobody else had it. Taking one's own again changes nothing. */
ho_code ho_locks_take(int fd, int64_t number, bool *taken);
ho_code ho_locks_free(int fd, int64_t number);

/* *held: somebody else has it; one's own does not count. Looking disturbs nobody. */
ho_code ho_locks_held(int fd, int64_t number, bool *held);

#endif
