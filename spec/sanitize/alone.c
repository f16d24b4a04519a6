/* SPDX-License-Identifier: MIT */
/* Preloaded behind the sanitizers of make test-asan: what a process with them starts has them only where it is given them anew.
 * A shell, a compiler or a browser with them is slow, or fails. */
#include <stdlib.h>

__attribute__((constructor)) static void forget(void) {
    unsetenv("LD_PRELOAD");
}
