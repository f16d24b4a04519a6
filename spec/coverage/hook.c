/* SPDX-License-Identifier: MIT */
/* Counts the lines of the tree's Lua files that run, in every Lua state that opens the core module of a build for coverage, and in
 * each interpreter from its start, by LUA_INIT; see `make coverage`. What ran is written when the process ends, as lines
 * "SOURCE LINE", to a file of its own in FOLDER. */
#include "../../csrc/binding/compat.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FOLDER /* the build says which */
#define FOLDER "."
#endif

#undef luaopen_handoff_core
HOL_EXPORT int luaopen_handoff_core(lua_State *L);
HOL_EXPORT int ho_coverage_begin(lua_State *L);
int ho_covered_core(lua_State *L); /* the module's own, renamed by this build's CPPFLAGS */

enum { FILES = 1024, LINES = 4096 };

/* Of the whole process: its states in all of its threads. */
static struct source {
    char *name;
    unsigned char ran[LINES];
} * sources[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned hash(const char *name) {
    unsigned h = 2166136261u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

static struct source *source_of(const char *name) {
    unsigned i = hash(name) % FILES;
    for (; sources[i] != NULL; i = (i + 1) % FILES)
        if (strcmp(sources[i]->name, name) == 0) return sources[i];
    sources[i] = calloc(1, sizeof **sources);
    if (sources[i] == NULL || (sources[i]->name = strdup(name)) == NULL) abort();
    return sources[i];
}

static void on_line(lua_State *L, lua_Debug *at) {
    lua_getinfo(L, "Sl", at);
    if (strstr(at->source, "lua/handoff") == NULL && strstr(at->source, "lua/bin/") == NULL) return;
    if (at->currentline < 0 || at->currentline >= LINES) return;
    pthread_mutex_lock(&lock);
    source_of(at->source)->ran[at->currentline] = 1;
    pthread_mutex_unlock(&lock);
}

/* debug.sethook: a hook that is taken away leaves ours. */
static int l_sethook(lua_State *L) {
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, 0);
    if (lua_gethook(L) == NULL) lua_sethook(L, on_line, LUA_MASKLINE, 0);
    return 0;
}

/* Coroutines that are made from here on inherit the hook. */
int ho_coverage_begin(lua_State *L) {
    if (lua_gethook(L) == on_line) return 0;
#ifdef LUAJIT_MODE_ENGINE
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF); /* compiled code calls no hook */
#endif
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "sethook");
    lua_pushcclosure(L, l_sethook, 1);
    lua_setfield(L, -2, "sethook");
    lua_pop(L, 1);
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
    return 0;
}

int luaopen_handoff_core(lua_State *L) {
    ho_coverage_begin(L);
    return ho_covered_core(L);
}

__attribute__((destructor)) static void write_down(void) {
    char path[512];
    snprintf(path, sizeof path, "%s/%ld-%p", FOLDER, (long)getpid(), (void *)&path);
    FILE *file = fopen(path, "w");
    if (file == NULL) return;
    for (size_t i = 0; i < FILES; i++)
        for (int line = 0; sources[i] != NULL && line < LINES; line++)
            if (sources[i]->ran[line]) fprintf(file, "%s %d\n", sources[i]->name, line);
    fclose(file);
}
