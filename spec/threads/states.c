/* SPDX-License-Identifier: MIT */
/* Many Lua states at once, a thread each, that share nothing but the compiled modules:
 *     states THREADS ROUNDS SCRIPT WORD…
 * Each thread opens a state, runs SCRIPT in it with its own number, the round and the words, closes it, and does so ROUNDS times
 * in all. What races is ThreadSanitizer's to say. Ends with a line `N passed, N failed`, a state each. */
#include "../core/test.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>

enum { MAX_THREADS = 64 };

typedef struct job {
    int number, rounds, words;
    char **argv; /* SCRIPT WORD… */
    pthread_barrier_t *start;
    int passed;
} job;

/* In a state of its own from the first allocation to the last. */
static bool run(const job *j, int round) {
    lua_State *L = luaL_newstate();
    if (L == NULL) abort();
    luaL_openlibs(L);
    int status = luaL_loadfile(L, j->argv[0]);
    if (status == 0) {
        lua_pushinteger(L, j->number);
        lua_pushinteger(L, round);
        for (int i = 1; i < j->words; i++) lua_pushstring(L, j->argv[i]);
        status = lua_pcall(L, j->words + 1, 0, 0);
    }
    if (status != 0) {
        lua_getglobal(L, "tostring");
        lua_insert(L, -2);
        lua_call(L, 1, 1);
        printf("thread %d, round %d: %s\n", j->number, round, lua_tostring(L, -1));
    }
    lua_close(L);
    return status == 0;
}

static void *work(void *data) {
    job *j = data;
    pthread_barrier_wait(j->start); /* so that what is done once a process is asked for by all at once */
    for (int round = 1; round <= j->rounds; round++) j->passed += run(j, round);
    return NULL;
}

int main(int argc, char **argv) {
    int threads = argc > 3 ? atoi(argv[1]) : 0, rounds = argc > 3 ? atoi(argv[2]) : 0;
    if (threads < 1 || threads > MAX_THREADS || rounds < 1) {
        fprintf(stderr, "usage: states THREADS ROUNDS SCRIPT WORD...\n");
        return EXIT_FAILURE;
    }
    pthread_barrier_t start;
    pthread_t ids[MAX_THREADS];
    job jobs[MAX_THREADS];
    if (pthread_barrier_init(&start, NULL, (unsigned)threads)) abort();
    for (int i = 0; i < threads; i++) {
        jobs[i] = (job){.number = i + 1, .rounds = rounds, .words = argc - 3, .argv = argv + 3, .start = &start};
        if (pthread_create(&ids[i], NULL, work, &jobs[i])) abort();
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        test_passed += jobs[i].passed;
        test_failed += rounds - jobs[i].passed;
    }
    return test_summary();
}
