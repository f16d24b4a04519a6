/* SPDX-License-Identifier: MIT */
/* A Lua state whose memory fails when it is told to:
 *     host SCRIPT WORD…
 * runs SCRIPT with the words and with a module `torture` (see the functions below). Three kinds of memory can fail: `lua` (what
 * the state asks its allocator for), `own` (malloc and its like called by our own modules, which are linked with --wrap for
 * that), `curl` (what libcurl asks for). Blocks of Lua never stay where they are when they grow, and are spoilt when they go, so
 * that what still points to one is seen. */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef enum kind { KIND_LUA, KIND_OWN, KIND_CURL, KINDS } kind;
static const char *const kind_names[] = {"lua", "own", "curl", NULL};

/* Lua 5.4 collects all garbage when memory fails it, and asks again: `once` fails both, `gives` only the first. */
typedef enum mode { ONCE, GIVES, ALL } mode;
static const char *const mode_names[] = {"once", "gives", "all", NULL};

/* One thread at a time arms it. A thread of libcurl's, where a name is looked up because its address was not understood for want
 * of memory, may ask and give back beside it. */
static struct {
    bool armed;
    kind kind;
    mode mode;
    long nth;
    _Atomic long asked[KINDS], failed;
    _Atomic long live[KINDS]; /* blocks that are held */
} memory;

static char last_words[64]; /* what is told of a crash */

static bool fails(kind which) {
    if (!memory.armed) return false;
    long at = ++memory.asked[which];
    if (which != memory.kind || at < memory.nth) return false;
    static const long again[KINDS] = {[KIND_LUA] = LUA_VERSION_NUM >= 504};
    if (memory.mode != ALL && at > memory.nth + (memory.mode == ONCE ? again[which] : 0)) return false;
    memory.failed++;
    errno = ENOMEM;
    return true;
}

/* --- Lua's -------------------------------------------------------------------------------------------------------- */

/* Whether a block of that size is a stack of LuaJIT's: 47 slots of eight bytes, then twice as many and eight more each time. Where
 * one cannot grow, LuaJIT (2.1, 2022) puts the error on it nevertheless, and at a call through pcall or xpcall that may be beyond
 * its end: so theirs never fail. */
static bool is_stack(size_t size) {
    size_t slots = 47;
    while (slots * 8 < size) slots = slots * 2 + 8;
    return LUA_VERSION_NUM < 503 && slots * 8 == size;
}

static void *grow(void *block, size_t old, size_t size) {
    if (!is_stack(old) && fails(KIND_LUA)) return NULL;
    char *fresh = malloc(size);
    if (fresh == NULL) abort();
    memset(fresh, 0xA5, size);
    if (block == NULL) {
        memory.live[KIND_LUA]++;
        return fresh;
    }
    memcpy(fresh, block, old);
    memset(block, 0xDD, old);
    free(block);
    return fresh;
}

static void *lua_memory(void *data, void *block, size_t old, size_t size) {
    (void)data;
    if (size == 0) {
        if (block == NULL) return NULL;
        memory.live[KIND_LUA]--;
        memset(block, 0xDD, old);
        free(block);
        return NULL;
    }
    if (block == NULL || size > old) return grow(block, block == NULL ? 0 : old, size);
    return realloc(block, size); /* Lua relies on less being there always */
}

/* --- our own and libcurl's ---------------------------------------------------------------------------------------- */

static void *counted(kind which, void *block) {
    memory.live[which] += block != NULL;
    return block;
}

static void release(kind which, void *block) {
    memory.live[which] -= block != NULL;
    free(block);
}

static void *regrown(kind which, void *block, size_t size) {
    if (fails(which)) return NULL;
    void *fresh = realloc(block, size);
    memory.live[which] += block == NULL && fresh != NULL;
    return fresh;
}

/* The modules, which are loaded, find them here. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker
 * calls them so. */
#pragma GCC visibility push(default)
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap_free(void *block);
#pragma GCC visibility pop

void *__wrap_malloc(size_t size) {
    return fails(KIND_OWN) ? NULL : counted(KIND_OWN, malloc(size));
}
void *__wrap_calloc(size_t count, size_t size) {
    return fails(KIND_OWN) ? NULL : counted(KIND_OWN, calloc(count, size));
}
void *__wrap_realloc(void *block, size_t size) {
    return regrown(KIND_OWN, block, size);
}
char *__wrap_strdup(const char *text) {
    return fails(KIND_OWN) ? NULL : counted(KIND_OWN, strdup(text));
}
char *__wrap_strndup(const char *text, size_t size) {
    return fails(KIND_OWN) ? NULL : counted(KIND_OWN, strndup(text, size));
}
void __wrap_free(void *block) {
    release(KIND_OWN, block);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void *curl_malloc(size_t size) {
    return fails(KIND_CURL) ? NULL : counted(KIND_CURL, malloc(size));
}
static void *curl_calloc(size_t count, size_t size) {
    return fails(KIND_CURL) ? NULL : counted(KIND_CURL, calloc(count, size));
}
static void *curl_realloc(void *block, size_t size) {
    return regrown(KIND_CURL, block, size);
}
static char *curl_strdup(const char *text) {
    return fails(KIND_CURL) ? NULL : counted(KIND_CURL, strdup(text));
}
static void curl_release(void *block) {
    release(KIND_CURL, block);
}

/* --- the module `torture` ----------------------------------------------------------------------------------------- */

/* Seconds until a call that has not ended never will: it takes milliseconds, on however loaded a machine less than that. */
enum { PATIENCE = 300 };

static void arm(lua_State *L, int first) {
    alarm(PATIENCE);
    memory.kind = (kind)luaL_checkoption(L, first, NULL, kind_names);
    memory.mode = (mode)luaL_checkoption(L, first + 1, NULL, mode_names);
    memory.nth = (long)luaL_checkinteger(L, first + 2);
    memory.failed = 0;
    snprintf(last_words, sizeof last_words, "ended at %s %s %ld\n", kind_names[memory.kind], mode_names[memory.mode],
             memory.nth);
    for (kind which = 0; which < KINDS; which++) memory.asked[which] = 0;
}

/* torture.try(kind, mode, n, fn, …) → how many times memory failed, how many were asked for of that kind, then as pcall: fn is
 * called with the n-th request for memory of that kind failing. */
static int l_try(lua_State *L) {
    arm(L, 1);
    luaL_checkstack(L, 8, NULL);
    int top = lua_gettop(L);
    memory.armed = true;
    int status = lua_pcall(L, top - 4, LUA_MULTRET, 0);
    memory.armed = false;
    lua_pushinteger(L, memory.failed);
    lua_replace(L, 1);
    lua_pushinteger(L, memory.asked[memory.kind]);
    lua_replace(L, 2);
    lua_pushboolean(L, status == 0);
    lua_replace(L, 3);
    return lua_gettop(L);
}

/* torture.pause(fn, …) → what fn returns: meanwhile nothing fails and nothing counts. */
static int l_pause(lua_State *L) {
    bool armed = memory.armed;
    memory.armed = false;
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    memory.armed = armed;
    return status == 0 ? lua_gettop(L) : lua_error(L);
}

static long entries(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) return -1;
    long count = 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

/* torture.holdings() → blocks of our own and of libcurl that are held, descriptors, threads. */
static int l_holdings(lua_State *L) {
    lua_pushinteger(L, memory.live[KIND_OWN]);
    lua_pushinteger(L, memory.live[KIND_CURL]);
    lua_pushinteger(L, entries("/proc/self/fd"));
    lua_pushinteger(L, entries("/proc/self/task"));
    return 4;
}

/* torture.rest(): lets others on, for a millisecond. */
static int l_rest(lua_State *L) {
    (void)L;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return 0;
}

static lua_State *new_state(void) {
    lua_State *L = lua_newstate(lua_memory, NULL);
    if (L == NULL) abort();
    luaL_openlibs(L);
    return L;
}

static int l_fresh(lua_State *L);

static void open_module(lua_State *L) {
    static const luaL_Reg functions[] = {{"try", l_try},   {"pause", l_pause}, {"holdings", l_holdings},
                                         {"rest", l_rest}, {"fresh", l_fresh}, {NULL, NULL}};
    lua_newtable(L);
    for (const luaL_Reg *f = functions; f->name != NULL; f++) {
        lua_pushcfunction(L, f->func);
        lua_setfield(L, -2, f->name);
    }
    lua_setglobal(L, "torture");
}

/* Runs the script with the words at `first` and above of `from`; its one result, or what went wrong, is left as a text on top. */
static int run(lua_State *L, const char *script, lua_State *from, int first) {
    open_module(L);
    int status = luaL_loadfile(L, script);
    int count = lua_gettop(from) - first + 1;
    for (int i = 0; status == 0 && i < count; i++) lua_pushstring(L, lua_tostring(from, first + i));
    if (status == 0) status = lua_pcall(L, count, 1, 0);
    if (!lua_isstring(L, -1)) {
        lua_getglobal(L, "tostring");
        lua_insert(L, -2);
        lua_call(L, 1, 1);
    }
    return status;
}

/* torture.fresh(script, word, …) → the text that the script returns: run in a state of its own, which is closed. Whatever it
 * raises is raised as a text. */
static int l_fresh(lua_State *L) {
    const char *script = luaL_checkstring(L, 1);
    lua_State *other = new_state();
    int status = run(other, script, L, 2);
    lua_pushstring(L, lua_tostring(other, -1));
    lua_close(other);
    return status == 0 ? 1 : lua_error(L);
}

/* A crash names the request that had failed; so does being stopped by whoever waits no longer. */
static void on_crash(int number) {
    if (write(STDOUT_FILENO, last_words, strlen(last_words)) < 0) _exit(EXIT_FAILURE);
    signal(number, SIG_DFL);
    raise(number);
}

static void tell_of_crashes(void) {
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM, SIGALRM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) signal(numbers[i], on_crash);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: host SCRIPT WORD...\n");
        return EXIT_FAILURE;
    }
    tell_of_crashes();
    /* The library's own curl_global_init only counts after this one. */
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release, curl_realloc, curl_strdup, curl_calloc))
        return EXIT_FAILURE;
    lua_State *words = new_state(), *L = new_state();
    for (int i = 2; i < argc; i++) lua_pushstring(words, argv[i]);
    int status = run(L, argv[1], words, 1);
    if (status != 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    lua_close(words);
    curl_global_cleanup();
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
