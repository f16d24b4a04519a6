/* SPDX-License-Identifier: MIT */
/* Sockets are watched by poll() and reported by curl_multi_socket_action: beside curl_multi_perform + curl_multi_poll
 * this costs the same when answers come at once, and a third less when they take tens of milliseconds, because only the
 * transfers that can move are looked at; epoll costs more, since libcurl drops a socket between two transfers and adds
 * it again. */
#include "transfer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KEEP_CONNECTIONS = 256, /* libcurl's own limit shrinks with what runs, and would close them at the end of a batch */
    SPARE_SOCKETS = 16,
    SOCKETS_EACH = 4 /* of one transfer: two addresses tried at once, the resolver's pair */
};

struct ho_engine {
    CURLM *multi;
    ho_transfer **transfers; /* all of them, by id */
    size_t count, size, running;
    ho_transfer *idle, *first, *last; /* the last used first; the finished, in order */
    struct pollfd *watched, *ready;
    nfds_t watched_count, watched_size;
    bool spoilt;    /* memory failed libcurl: see renew */
    int64_t due_ms; /* when libcurl wants to be called; -1: never */
};

/* --- once a process ----------------------------------------------------------------------------------------------- */

/* A failure is not kept: memory that was short then may be there now. */
static CURLcode initialise(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool done;
    pthread_mutex_lock(&lock);
    CURLcode code = done ? CURLE_OK : curl_global_init(CURL_GLOBAL_DEFAULT);
    done = code == CURLE_OK;
    pthread_mutex_unlock(&lock);
    return code;
}

const char *ho_http_library(void) {
    return curl_version_info(CURLVERSION_NOW)->version;
}

double ho_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the finished ------------------------------------------------------------------------------------------------- */

static void link_finished(ho_transfer *t) {
    ho_engine *engine = t->engine;
    t->state = FINISHED;
    t->next = NULL;
    t->prev = engine->last;
    *(engine->last != NULL ? &engine->last->next : &engine->first) = t;
    engine->last = t;
}

static void unlink_finished(ho_transfer *t) {
    ho_engine *engine = t->engine;
    *(t->prev != NULL ? &t->prev->next : &engine->first) = t->next;
    *(t->next != NULL ? &t->next->prev : &engine->last) = t->prev;
    t->prev = t->next = NULL;
    t->state = TAKEN;
}

static void finish(ho_transfer *t, CURLcode code, ho_http_code cause) {
    curl_multi_remove_handle(t->engine->multi, t->easy);
    t->engine->running--;
    ho_transfer_conclude(t, code, cause);
    t->engine->spoilt = t->engine->spoilt || t->answer.code == HO_HTTP_NOMEM;
    link_finished(t);
}

/* --- transfers ---------------------------------------------------------------------------------------------------- */

static bool grow_transfers(ho_engine *engine) {
    if (engine->count < engine->size) return true;
    size_t size = engine->size == 0 ? 32 : engine->size * 2;
    if (size > SIZE_MAX / sizeof *engine->transfers) return false;
    ho_transfer **grown = realloc(engine->transfers, size * sizeof *grown);
    if (grown == NULL) return false;
    engine->transfers = grown;
    engine->size = size;
    return true;
}

static ho_transfer *new_transfer(ho_engine *engine) {
    ho_transfer *t = grow_transfers(engine) ? ho_transfer_new() : NULL;
    if (t == NULL) return NULL;
    t->engine = engine;
    engine->transfers[engine->count++] = t;
    t->id = engine->count;
    return t;
}

static void make_idle(ho_transfer *t) {
    ho_transfer_empty(t);
    t->state = IDLE;
    t->next = t->engine->idle;
    t->engine->idle = t;
}

size_t ho_transfer_id(const ho_transfer *transfer) {
    return transfer->id;
}

const ho_answer *ho_transfer_answer(const ho_transfer *transfer) {
    return transfer->state == RUNNING ? NULL : &transfer->answer;
}

void ho_transfer_cancel(ho_transfer *transfer) {
    if (transfer->state == RUNNING) finish(transfer, CURLE_OK, HO_HTTP_CANCELLED);
}

void ho_transfer_release(ho_transfer *transfer) {
    if (transfer == NULL) return;
    if (transfer->engine == NULL) {
        ho_transfer_destroy(transfer);
        return;
    }
    ho_transfer_cancel(transfer);
    if (transfer->state == FINISHED) unlink_finished(transfer);
    make_idle(transfer);
}

/* --- the engine --------------------------------------------------------------------------------------------------- */

static bool reserve_sockets(ho_engine *engine, nfds_t size) {
    if (size <= engine->watched_size) return true;
    struct pollfd *watched = realloc(engine->watched, (size_t)size * 2 * sizeof *watched);
    if (watched == NULL) return false;
    engine->watched = watched;
    struct pollfd *ready = realloc(engine->ready, (size_t)size * 2 * sizeof *ready);
    if (ready == NULL) return false;
    engine->ready = ready;
    engine->watched_size = size * 2;
    return true;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *unused) {
    (void)easy, (void)unused;
    ho_engine *engine = data;
    nfds_t i = 0;
    while (i < engine->watched_count && engine->watched[i].fd != fd) i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < engine->watched_count) engine->watched[i] = engine->watched[--engine->watched_count];
        return 0;
    }
    if (i == engine->watched_count && !reserve_sockets(engine, ++engine->watched_count)) {
        engine->watched_count--;
        return -1;
    }
    int events = ((what & CURL_POLL_IN) ? POLLIN : 0) | ((what & CURL_POLL_OUT) ? POLLOUT : 0);
    engine->watched[i] = (struct pollfd){.fd = fd, .events = (short)events};
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *data) {
    (void)multi;
    ho_engine *engine = data;
    engine->due_ms = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    return 0;
}

/* NULL where memory is short. */
static CURLM *new_multi(ho_engine *engine) {
    CURLM *m = curl_multi_init();
    if (m != NULL && !curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) &&
        !curl_multi_setopt(m, CURLMOPT_SOCKETDATA, engine) && !curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer) &&
        !curl_multi_setopt(m, CURLMOPT_TIMERDATA, engine) &&
        !curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)KEEP_CONNECTIONS))
        return m;
    curl_multi_cleanup(m);
    return NULL;
}

/* A multi handle that memory failed is not used again: libcurl (7.88) keeps what it noted of a socket in part, and divides by zero
 * where the socket comes up once more. */
static bool renew(ho_engine *engine) {
    CURLM *fresh = new_multi(engine);
    if (fresh == NULL) return false;
    curl_multi_cleanup(engine->multi);
    engine->multi = fresh;
    engine->watched_count = 0;
    engine->due_ms = -1;
    engine->spoilt = false;
    return true;
}

ho_code ho_engine_new(ho_engine **out) {
    CURLcode initialised = initialise();
    if (initialised != CURLE_OK) return initialised == CURLE_OUT_OF_MEMORY ? HO_NOMEM : HO_FAILED;
    ho_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) return HO_NOMEM;
    engine->due_ms = -1;
    engine->multi = new_multi(engine);
    if (engine->multi == NULL) {
        ho_engine_free(engine);
        return HO_NOMEM;
    }
    *out = engine;
    return HO_OK;
}

void ho_engine_free(ho_engine *engine) {
    if (engine == NULL) return;
    for (size_t i = 0; i < engine->count; i++) {
        ho_transfer *t = engine->transfers[i];
        ho_transfer_cancel(t);
        curl_easy_cleanup(t->easy);
        t->easy = NULL;
        t->engine = NULL;
        if (t->state == IDLE) ho_transfer_destroy(t);
    }
    curl_multi_cleanup(engine->multi);
    free(engine->transfers);
    free(engine->watched);
    free(engine->ready);
    free(engine);
}

ho_code ho_engine_submit(ho_engine *engine, const ho_request *request, ho_transfer **out) {
    if (engine->spoilt && engine->running == 0 && !renew(engine)) return HO_NOMEM;
    nfds_t sockets = (nfds_t)(engine->running + 1) * SOCKETS_EACH + SPARE_SOCKETS;
    ho_transfer *t = engine->idle;
    if (!reserve_sockets(engine, sockets)) return HO_NOMEM;
    if (t != NULL)
        engine->idle = t->next;
    else
        t = new_transfer(engine);
    if (t == NULL) return HO_NOMEM;
    t->prev = t->next = NULL;
    t->state = TAKEN;
    ho_code code = ho_transfer_prepare(t, request);
    CURLMcode added = code == HO_OK ? curl_multi_add_handle(engine->multi, t->easy) : CURLM_OK;
    if (added != CURLM_OK) {
        engine->spoilt = true;
        code = added == CURLM_OUT_OF_MEMORY ? HO_NOMEM : HO_FAILED;
    }
    if (code != HO_OK) {
        ho_transfer_release(t);
        return code;
    }
    t->state = RUNNING;
    engine->running++;
    *out = t;
    return HO_OK;
}

static void collect(ho_engine *engine) {
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(engine->multi, &left)) != NULL;) {
        char *t = NULL;
        CURLcode code = m->data.result; /* the message dies with the next call */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        finish((ho_transfer *)(void *)t, code, HO_HTTP_OK);
    }
}

/* libcurl gives a multi handle up for good when memory fails it at a bad moment: nothing must wait for it then. */
static void act(ho_engine *engine, curl_socket_t fd, int events) {
    int running;
    if (curl_multi_socket_action(engine->multi, fd, events, &running) == CURLM_OK) return;
    engine->spoilt = true;
    for (size_t i = 0; i < engine->count; i++)
        if (engine->transfers[i]->state == RUNNING) finish(engine->transfers[i], CURLE_OUT_OF_MEMORY, HO_HTTP_NOMEM);
}

static void act_when_due(ho_engine *engine) {
    if (engine->due_ms < 0 || now_ms() < engine->due_ms) return;
    engine->due_ms = -1;
    act(engine, CURL_SOCKET_TIMEOUT, 0);
}

static int wait_ms(const ho_engine *engine, long timeout_ms) {
    if (engine->first != NULL) return 0;
    int64_t wait = timeout_ms < 0 ? INT_MAX : timeout_ms;
    if (engine->due_ms >= 0) {
        int64_t due = engine->due_ms - now_ms();
        if (due < wait) wait = due < 0 ? 0 : due;
    }
    if (wait < INT_MAX) return (int)wait;
    return timeout_ms < 0 ? -1 : INT_MAX;
}

static int to_curl(short events) {
    return ((events & (POLLIN | POLLHUP)) ? CURL_CSELECT_IN : 0) | ((events & POLLOUT) ? CURL_CSELECT_OUT : 0) |
           ((events & (POLLERR | POLLNVAL)) ? CURL_CSELECT_ERR : 0);
}

/* What is ready is noted before libcurl is told, as it changes the watched list meanwhile. A socket it closed in
 * between is told of in vain, which it takes. */
static void act_on_ready(ho_engine *engine, int found) {
    nfds_t count = 0;
    for (nfds_t i = 0; i < engine->watched_count && found > 0; i++) {
        if (engine->watched[i].revents == 0) continue;
        engine->ready[count++] = engine->watched[i];
        found--;
    }
    for (nfds_t i = 0; i < count; i++) act(engine, engine->ready[i].fd, to_curl(engine->ready[i].revents));
}

ho_code ho_engine_step(ho_engine *engine, long timeout_ms) {
    act_when_due(engine);
    collect(engine);
    int found = poll(engine->watched, engine->watched_count, wait_ms(engine, timeout_ms));
    if (found < 0) return errno == EINTR ? HO_OK : HO_FAILED;
    act_on_ready(engine, found);
    collect(engine);
    return HO_OK;
}

ho_transfer *ho_engine_next(ho_engine *engine) {
    ho_transfer *t = engine->first;
    if (t != NULL) unlink_finished(t);
    return t;
}
