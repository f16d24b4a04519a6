/* SPDX-License-Identifier: MIT */
/* A server on loopback, in a thread of its own, that answers as it is told, byte for byte. */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include <lua.h>

/* The module: start() → port; answers(text) → nothing, what the coming requests get: answers with 0xFF between, the last one
 * followed by closed connections; 0xFE within an answer sends what came before it by itself. An answer that does not begin with
 * HTTP/ is the body of a 200; @ is what the last PUT brought, as such. requests() → how many came since. */
int fuzz_open_server(lua_State *L);

#endif
