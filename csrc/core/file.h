/* SPDX-License-Identifier: MIT */
/* Files that are their owner's alone. */
#ifndef HO_FILE_H
#define HO_FILE_H

#include "ho.h"

/* A file that only its owner can read, whatever the umask and whatever mode it had before. HO_FAILED: errno says why. */
ho_code ho_write_private(const char *path, const char *text, size_t len);

#endif
