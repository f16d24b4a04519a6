/* SPDX-License-Identifier: MIT */
/* The fuzzers in Lua, for libFuzzer and for replay.c: a Lua state with the modules compiled in, and what spec/fuzz/NAME.lua
 * returns called with each input. NAME is what HANDOFF_FUZZ says. What that raises is a finding, whatever it is.
 * Under libFuzzer the lines of Lua that ran count as C's branches do. */
#include "../../csrc/binding/compat.h"
#include "server.h"

#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_handoff_core(lua_State *L);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { COUNTERS = 1 << 16, RUNS_A_COLLECTION = 500 };

/* libFuzzer reads what is in this section after each run, and empties it before. */
static uint8_t counters[COUNTERS] __attribute__((section("__libfuzzer_extra_counters")));
static bool is_guided;
static lua_State *state; /* the fuzzer's function is at index 1 */

static uint32_t hash_text(const char *text) {
    uint32_t hash = 5381;
    for (; *text != '\0'; text++) hash = hash * 33 ^ (unsigned char)*text;
    return hash;
}

/* A line of a file; what an input is written in is not counted. */
static void count_line(lua_State *L, lua_Debug *ar) {
    lua_getinfo(L, "S", ar);
    if (ar->source[0] != '@') return;
    uint8_t *counter = &counters[(hash_text(ar->source) + (uint32_t)ar->currentline * 7919) % COUNTERS];
    if (*counter < UINT8_MAX) ++*counter;
}

/* guide(): begins to count lines anew, where a hook of the code's own took the place. */
static int l_guide(lua_State *L) {
    if (is_guided) lua_sethook(L, count_line, LUA_MASKLINE, 0);
    return 0;
}

/* On top of the stack: the error with where it was raised. */
static int l_traceback(lua_State *L) {
    lua_settop(L, 1);
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    lua_getglobal(L, "tostring");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_call(L, 1, 1);
    return 1;
}

static void hold(int status) {
    if (status == LUA_OK) return;
    fprintf(stderr, "%s\n", lua_tostring(state, -1));
    abort();
}

static void preload(const char *name, lua_CFunction open) {
    lua_getglobal(state, "package");
    lua_getfield(state, -1, "preload");
    lua_pushcfunction(state, open);
    lua_setfield(state, -2, name);
    lua_pop(state, 2);
}

static int l_open(lua_State *L) {
    lua_pushcfunction(L, l_guide);
    lua_setglobal(L, "guide");
    lua_getglobal(L, "require");
    lua_pushfstring(L, "fuzz.%s", lua_touserdata(L, 1));
    lua_call(L, 1, 1);
    return 1;
}

static void close_state(void) {
    lua_close(state);
}

static void open_state(void) {
    const char *name = getenv("HANDOFF_FUZZ");
    if (name == NULL || (state = luaL_newstate()) == NULL) abort();
    luaL_openlibs(state);
    atexit(close_state);
    preload("handoff.core", luaopen_handoff_core);
    preload("server", fuzz_open_server);
    lua_pushcfunction(state, l_traceback);
    lua_pushcfunction(state, l_open);
    lua_pushlightuserdata(state, (void *)(uintptr_t)name);
    hold(lua_pcall(state, 1, 1, 1));
    lua_insert(state, 1);
}

/* libFuzzer alone calls this. Compiled code would run without the hook. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    is_guided = true;
    open_state();
#if LUA_VERSION_NUM < 502
    hold(luaL_loadstring(state, "jit.off() jit.flush()") || lua_pcall(state, 0, 0, 0));
#endif
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static unsigned runs;
    if (state == NULL) open_state();
    l_guide(state);
    lua_pushvalue(state, 1);
    lua_pushlstring(state, (const char *)data, len);
    hold(lua_pcall(state, 1, 0, 2));
    lua_sethook(state, NULL, 0, 0);
    if (++runs % RUNS_A_COLLECTION == 0) lua_gc(state, LUA_GCCOLLECT, 0);
    return 0;
}
