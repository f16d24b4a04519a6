/* SPDX-License-Identifier: MIT */
/* The module `handoff.serve`: an HTTP/1.1 server on loopback for the sandbox, on libmicrohttpd without threads. It is a module of
 * its own, so that the core does not link libmicrohttpd, and shares no function with the core.
 *
 * No Lua runs inside a callback of libmicrohttpd: the callbacks collect a request and suspend its connection, Lua takes it with
 * `next` and says later what becomes of it, and the connection is resumed. So an answer may be held for as long as one likes while
 * others are served. */
#include "compat.h"

#include "../core/ho.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SERVER_MT "handoff.serve.server"
#define HANDLE_MT "handoff.serve.handle"
#define REQUEST_MT "handoff.serve.request"

enum {
    MAX_CONNECTIONS = 4096,
    DEFAULT_MAX_BODY = 1 << 20,
    DISCARD_FACTOR = 64 /* a client that sends more than this many times the limit is cut off, not answered */
};

typedef struct bytes {
    char *at;
    size_t len, size;
} bytes;

typedef enum phase {
    PHASE_HEAD,     /* the target is known */
    PHASE_BODY,     /* the headers too; the body is coming in */
    PHASE_READY,    /* complete, suspended, waiting for `next` */
    PHASE_TAKEN,    /* suspended, in the hands of Lua */
    PHASE_ANSWERED, /* resumed; the answer leaves with the next step */
    PHASE_DROPPED   /* resumed; the connection closes with the next step */
} phase;

/* One request and its answer. libmicrohttpd owns it, from on_target to on_done; whoever points to it from elsewhere is told. */
typedef struct exchange {
    struct server *server;
    struct MHD_Connection *connection;
    struct handle *handle; /* Lua's end of it, or NULL */
    struct MHD_Response *response;
    unsigned status;
    phase phase;
    bool too_large;
    size_t discarded;
    bytes method, target, body;
    bytes headers; /* name NUL value NUL, again and again; names in lower case */
    TAILQ_ENTRY(exchange) link;
} exchange;
TAILQ_HEAD(exchanges, exchange);

/* What Lua holds of a request: it outlives the exchange, and the server, with a NULL. */
typedef struct handle {
    exchange *exchange;
    bool done; /* answered or dropped by the script */
} handle;

typedef struct server {
    struct MHD_Daemon *daemon; /* NULL: closed */
    struct MHD_Response *too_large;
    struct exchanges ready, taken; /* exactly the suspended exchanges */
    size_t max_body;
    int epoll_fd, signal_fd, eof_fd; /* -1: not watched */
    uint16_t port;
    bool masked; /* `mask` is the thread's signal mask to go back to */
    sigset_t mask;
} server;

/* --- inside libmicrohttpd: nothing here may know a lua_State -------------------------------------------------------------- */

static bool append(bytes *b, const char *data, size_t len) {
    if (len == 0) return true;
    if (len > SIZE_MAX / 4 - b->len) return false;
    if (b->len + len > b->size) {
        size_t size = (b->len + len) * 2;
        char *at = realloc(b->at, size);
        if (at == NULL) return false;
        b->at = at;
        b->size = size;
    }
    memcpy(b->at + b->len, data, len);
    b->len += len;
    return true;
}

/* The raw target, before libmicrohttpd decodes it. What is returned comes back to on_request and on_done. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection) {
    exchange *x = calloc(1, sizeof *x);
    if (x == NULL) return NULL;
    x->server = cls;
    x->connection = connection;
    if (append(&x->target, target, strlen(target))) return x;
    free(x);
    return NULL;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value) {
    exchange *x = cls;
    (void)kind;
    size_t start = x->headers.len;
    if (!append(&x->headers, name, strlen(name) + 1)) return MHD_NO;
    for (char *c = x->headers.at + start; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    if (value == NULL) value = "";
    return append(&x->headers, value, strlen(value) + 1) ? MHD_YES : MHD_NO;
}

static enum MHD_Result refuse_too_large(const exchange *x) {
    return MHD_queue_response(x->connection, MHD_HTTP_CONTENT_TOO_LARGE, x->server->too_large);
}

/* A client that asks before it sends is told at once. The others are read to their end first: closing on a client that still
 * sends would lose it the answer. */
static enum MHD_Result begin(exchange *x, const char *method) {
    x->phase = PHASE_BODY;
    if (!append(&x->method, method, strlen(method))) return MHD_NO;
    int seen = MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header, x);
    if (seen != MHD_get_connection_values(x->connection, MHD_HEADER_KIND, NULL, NULL)) return MHD_NO;
    const char *length = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Content-Length");
    const char *expect = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Expect");
    if (length == NULL || expect == NULL || strtoull(length, NULL, 10) <= x->server->max_body) return MHD_YES;
    return refuse_too_large(x);
}

static enum MHD_Result receive(exchange *x, const char *data, size_t *size) {
    size_t len = *size, max = x->server->max_body;
    *size = 0;
    if (len > max - x->body.len) x->too_large = true;
    if (!x->too_large) return append(&x->body, data, len) ? MHD_YES : MHD_NO;
    x->discarded += len;
    return x->discarded / DISCARD_FACTOR > max ? MHD_NO : MHD_YES;
}

static enum MHD_Result hold(exchange *x) {
    x->phase = PHASE_READY;
    TAILQ_INSERT_TAIL(&x->server->ready, x, link);
    MHD_suspend_connection(x->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context) {
    exchange *x = *context;
    (void)cls, (void)url, (void)version;
    if (x == NULL) return MHD_NO;
    switch (x->phase) {
    case PHASE_HEAD: return begin(x, method);
    case PHASE_BODY:
        if (*size > 0) return receive(x, data, size);
        return x->too_large ? refuse_too_large(x) : hold(x);
    case PHASE_ANSWERED: return MHD_queue_response(connection, x->status, x->response);
    case PHASE_READY:
    case PHASE_TAKEN: return MHD_YES;
    case PHASE_DROPPED: break;
    }
    return MHD_NO;
}

static void unlink_suspended(exchange *x) {
    if (x->phase == PHASE_READY) TAILQ_REMOVE(&x->server->ready, x, link);
    if (x->phase == PHASE_TAKEN) TAILQ_REMOVE(&x->server->taken, x, link);
}

static void on_done(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_RequestTerminationCode reason) {
    exchange *x = *context;
    (void)cls, (void)connection, (void)reason;
    if (x == NULL) return;
    *context = NULL;
    unlink_suspended(x);
    if (x->handle != NULL) x->handle->exchange = NULL;
    if (x->response != NULL) MHD_destroy_response(x->response);
    free(x->method.at);
    free(x->target.at);
    free(x->headers.at);
    free(x->body.at);
    free(x);
}

/* --- the server's life ------------------------------------------------------------------------------------------------------ */

static void resume(exchange *x, phase next) {
    unlink_suspended(x);
    x->phase = next;
    MHD_resume_connection(x->connection);
}

/* libmicrohttpd aborts the process when it is stopped with suspended connections, so these are resumed first. */
static void close_server(server *s) {
    exchange *x;
    while ((x = TAILQ_FIRST(&s->ready)) != NULL) resume(x, PHASE_DROPPED);
    while ((x = TAILQ_FIRST(&s->taken)) != NULL) resume(x, PHASE_DROPPED);
    if (s->daemon != NULL) MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
    if (s->too_large != NULL) MHD_destroy_response(s->too_large);
    s->too_large = NULL;
    if (s->signal_fd >= 0) close(s->signal_fd);
    s->signal_fd = -1;
    if (s->masked) pthread_sigmask(SIG_SETMASK, &s->mask, NULL);
    s->masked = false;
}

static bool open_daemon(server *s, bool ipv6, uint16_t port) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (ipv6 ? MHD_USE_IPv6 : 0U);
    const void *address = ipv6 ? (const void *)&v6 : (const void *)&v4;
    s->daemon = MHD_start_daemon(flags, port, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, address,
                                 MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_NOTIFY_COMPLETED, on_done, s,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_END);
    if (s->daemon == NULL) return false;
    s->epoll_fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    s->port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

/* SIGTERM and SIGINT as something to read: no handler, and so no global for one to write to. The mask is this thread's only. */
static bool watch_signals(server *s) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    errno = pthread_sigmask(SIG_BLOCK, &set, &s->mask);
    if (errno != 0) return false;
    s->masked = true;
    s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return s->signal_fd >= 0;
}

/* --- arguments ---------------------------------------------------------------------------------------------------------- */

/* nil and one line: what, why by errno, and what to do. */
static int push_failure(lua_State *L, const char *what, const char *step) {
    char text[128];
    const char *why = strerror_r(errno, text, sizeof text);
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s; %s", what, why, step);
    return 2;
}

static server *check_server(lua_State *L) {
    server *s = luaL_checkudata(L, 1, SERVER_MT);
    if (s->daemon == NULL) luaL_error(L, "the server is closed");
    return s;
}

static handle *check_handle(lua_State *L, int index) {
    luaL_checktype(L, index, LUA_TTABLE);
    lua_getfield(L, index, "handle");
    handle *h = luaL_testudata(L, -1, HANDLE_MT);
    luaL_argcheck(L, h != NULL, index, "a request from server:next() expected");
    lua_pop(L, 1);
    if (h->done) luaL_error(L, "the request was answered or dropped before");
    return h;
}

static lua_Integer option_integer(lua_State *L, const char *name, lua_Integer least, lua_Integer most,
                                  lua_Integer absent) {
    int type = lua_getfield(L, 1, name);
    lua_Integer value = type == LUA_TNIL ? absent : lua_tointeger(L, -1);
    bool whole = type == LUA_TNIL || (type == LUA_TNUMBER && lua_tonumber(L, -1) == (lua_Number)value);
    if (!whole || value < least || value > most)
        luaL_error(L, "serve.new: %s: a whole number from %d to %d expected", name, (int)least, (int)most);
    lua_pop(L, 1);
    return value;
}

static bool option_boolean(lua_State *L, const char *name) {
    int type = lua_getfield(L, 1, name);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "serve.new: %s: boolean expected, got %s", name, lua_typename(L, type));
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The text stays on the stack, so that it lives. */
static ho_text option_text(lua_State *L, const char *name, const char *absent) {
    int type = lua_getfield(L, 1, name);
    if (type == LUA_TNIL)
        lua_pushstring(L, absent);
    else if (type != LUA_TSTRING)
        luaL_error(L, "serve.new: %s: string expected, got %s", name, lua_typename(L, type));
    ho_text text = {NULL, 0};
    text.at = lua_tolstring(L, -1, &text.len);
    return text;
}

static void check_option_names(lua_State *L) {
    static const char known[] = " port host max_body too_large signals until_eof ";
    luaL_checktype(L, 1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
        const char *spaced = lua_pushfstring(L, " %s ", name);
        if (strstr(known, spaced) == NULL) luaL_error(L, "serve.new: no option \"%s\"; known are:%s", name, known);
        lua_pop(L, 1);
    }
}

/* --- the module's functions ------------------------------------------------------------------------------------------------ */

static server *new_server(lua_State *L) {
    server *s = lua_newuserdatauv(L, sizeof *s, 0);
    memset(s, 0, sizeof *s);
    TAILQ_INIT(&s->ready);
    TAILQ_INIT(&s->taken);
    s->epoll_fd = s->signal_fd = s->eof_fd = -1;
    luaL_getmetatable(L, SERVER_MT);
    lua_setmetatable(L, -2);
    return s;
}

/* serve.new{port=0, host="127.0.0.1", max_body=1048576, too_large="", signals=false, until_eof=false} → server | nil, message
 * port 0 is any free one; host is 127.0.0.1 or ::1; a body over max_body bytes is answered 413 with the JSON text too_large,
 * and `next` never sees it; signals and until_eof are what `step` watches besides: SIGTERM and SIGINT, standard input's end. */
static int l_new(lua_State *L) {
    if (lua_isnoneornil(L, 1)) lua_newtable(L), lua_replace(L, 1);
    lua_settop(L, 1);
    check_option_names(L);
    uint16_t port = (uint16_t)option_integer(L, "port", 0, UINT16_MAX, 0);
    size_t max_body = (size_t)option_integer(L, "max_body", 0, INT_MAX, DEFAULT_MAX_BODY);
    bool signals = option_boolean(L, "signals"), until_eof = option_boolean(L, "until_eof");
    ho_text too_large = option_text(L, "too_large", ""), host = option_text(L, "host", "127.0.0.1");
    bool ipv6 = strcmp(host.at, "::1") == 0;
    if (!ipv6 && strcmp(host.at, "127.0.0.1") != 0)
        return luaL_error(L, "serve.new: host: 127.0.0.1 or ::1 expected: this server is for loopback only");
    const char *what = lua_pushfstring(L, "cannot listen on %s port %d", host.at, (int)port);
    server *s = new_server(L);
    s->max_body = max_body;
    s->eof_fd = until_eof ? STDIN_FILENO : -1;
    errno = 0;
    s->too_large =
        MHD_create_response_from_buffer(too_large.len, (void *)(uintptr_t)too_large.at, MHD_RESPMEM_MUST_COPY);
    if (s->too_large != NULL && MHD_add_response_header(s->too_large, "Content-Type", "application/json") == MHD_YES &&
        (!signals || watch_signals(s)) && open_daemon(s, ipv6, port))
        return 1;
    int failed = errno;
    close_server(s);
    errno = failed;
    return push_failure(L, what, "choose another port, or 0 for a free one");
}

static int l_close(lua_State *L) {
    close_server(luaL_checkudata(L, 1, SERVER_MT));
    return 0;
}

static int l_port(lua_State *L) {
    lua_pushinteger(L, check_server(L)->port);
    return 1;
}

/* server:connections() → how many connections are open, idle ones too. */
static int l_connections(lua_State *L) {
    server *s = check_server(L);
    lua_pushinteger(L,
                    (lua_Integer)MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections);
    return 1;
}

/* Milliseconds for poll: rounded up, or a wait of less than one would be spent spinning. */
static int wait_ms(const server *s, double seconds) {
    MHD_UNSIGNED_LONG_LONG own;
    double ms = ceil(seconds * 1000);
    if (!TAILQ_EMPTY(&s->ready)) return 0;
    if (MHD_get_timeout(s->daemon, &own) == MHD_YES && (double)own < ms) ms = (double)own;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static bool read_signal(const server *s) {
    struct signalfd_siginfo info;
    return read(s->signal_fd, &info, sizeof info) == sizeof info;
}

static bool read_eof(const server *s) {
    char ignored[512];
    return read(s->eof_fd, ignored, sizeof ignored) == 0;
}

/* server:step(seconds) → nil | "signal" | "eof": waits at most so long for something to happen, and serves what there is; at once
 * while a request waits for `next`. The strings say that it is time to stop. */
static int l_step(lua_State *L) {
    server *s = check_server(L);
    double seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0, 2, "seconds from 0 up expected");
    struct pollfd watched[] = {{s->epoll_fd, POLLIN, 0}, {s->signal_fd, POLLIN, 0}, {s->eof_fd, POLLIN, 0}};
    int events = poll(watched, HO_COUNT(watched), wait_ms(s, seconds));
    MHD_run(s->daemon);
    if (events > 0 && watched[1].revents != 0 && read_signal(s))
        lua_pushliteral(L, "signal");
    else if (events > 0 && watched[2].revents != 0 && read_eof(s))
        lua_pushliteral(L, "eof");
    else
        lua_pushnil(L);
    return 1;
}

static void push_bytes(lua_State *L, const bytes *b, const char *name) {
    lua_pushlstring(L, b->len > 0 ? b->at : "", b->len);
    lua_setfield(L, -2, name);
}

static void push_target(lua_State *L, const bytes *target) {
    const char *mark = target->len > 0 ? memchr(target->at, '?', target->len) : NULL;
    size_t path = mark != NULL ? (size_t)(mark - target->at) : target->len;
    lua_pushlstring(L, path > 0 ? target->at : "", path);
    lua_setfield(L, -2, "path");
    if (mark == NULL) return;
    lua_pushlstring(L, mark + 1, target->len - path - 1);
    lua_setfield(L, -2, "query");
}

/* A header that comes twice is one with a comma between, as RFC 9110 has it. */
static void push_headers(lua_State *L, const bytes *headers) {
    lua_newtable(L);
    for (size_t at = 0; at < headers->len;) {
        const char *name = headers->at + at, *value = name + strlen(name) + 1;
        at += strlen(name) + strlen(value) + 2;
        if (lua_getfield(L, -1, name) == LUA_TSTRING)
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), value);
        else
            lua_pushstring(L, value);
        lua_setfield(L, -3, name);
        lua_pop(L, 1);
    }
    lua_setfield(L, -2, "headers");
}

static handle *new_handle(lua_State *L) {
    handle *h = lua_newuserdatauv(L, sizeof *h, 0);
    h->exchange = NULL;
    h->done = false;
    luaL_getmetatable(L, HANDLE_MT);
    lua_setmetatable(L, -2);
    return h;
}

/* server:next() → {method=, path=, query=, headers=, body=, handle=} | nil: the longest waiting request. Path and query are as they
 * were sent, the query nil where there is none; names of headers are in lower case. A request that is neither answered nor
 * dropped is dropped when it is collected. */
static int l_next(lua_State *L) {
    server *s = check_server(L);
    exchange *x = TAILQ_FIRST(&s->ready);
    if (x == NULL) return lua_pushnil(L), 1;
    lua_createtable(L, 0, 6);
    push_bytes(L, &x->method, "method");
    push_target(L, &x->target);
    push_headers(L, &x->headers);
    push_bytes(L, &x->body, "body");
    handle *h = new_handle(L);
    lua_setfield(L, -2, "handle");
    luaL_getmetatable(L, REQUEST_MT);
    lua_setmetatable(L, -2);
    TAILQ_REMOVE(&s->ready, x, link);
    TAILQ_INSERT_TAIL(&s->taken, x, link);
    x->phase = PHASE_TAKEN;
    x->handle = h;
    h->exchange = x;
    return 1;
}

static void check_headers(lua_State *L, int index) {
    if (lua_isnoneornil(L, index)) return;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            luaL_argerror(L, index, "names and values of headers must be strings");
}

/* Throws nothing: the headers were checked. */
static bool add_headers(lua_State *L, int index, struct MHD_Response *response) {
    bool added = true;
    if (!lua_istable(L, index)) return true;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        added = added && MHD_add_response_header(response, lua_tostring(L, -2), lua_tostring(L, -1)) == MHD_YES;
    return added;
}

/* server:answer(request, status [, headers [, body]]) → whether there is still a connection for it; it leaves with the next step.
 * A second answer to one request raises. */
static int l_answer(lua_State *L) {
    server *s = check_server(L);
    handle *h = check_handle(L, 2);
    lua_Integer status = luaL_checkinteger(L, 3);
    luaL_argcheck(L, status >= 200 && status <= 599, 3, "a status from 200 to 599 expected");
    size_t len;
    lua_settop(L, 5);
    check_headers(L, 4);
    const char *body = luaL_optlstring(L, 5, "", &len);
    luaL_checkstack(L, 4, NULL);
    exchange *x = h->exchange;
    if (x == NULL) return lua_pushboolean(L, false), 1;
    luaL_argcheck(L, x->server == s, 2, "this is another server's request");
    x->response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (x->response == NULL) return luaL_error(L, "no memory for the answer");
    if (!add_headers(L, 4, x->response)) {
        MHD_destroy_response(x->response);
        x->response = NULL;
        return luaL_argerror(L, 4, "a header that HTTP cannot carry");
    }
    x->status = (unsigned)status;
    h->done = true;
    resume(x, PHASE_ANSWERED);
    lua_pushboolean(L, true);
    return 1;
}

static void drop(handle *h) {
    if (h->exchange != NULL && h->exchange->phase == PHASE_TAKEN) resume(h->exchange, PHASE_DROPPED);
    h->done = true;
}

/* request:drop(): the connection closes without an answer, with the next step. */
static int l_drop(lua_State *L) {
    drop(check_handle(L, 1));
    return 0;
}

static int l_handle_gc(lua_State *L) {
    handle *h = luaL_checkudata(L, 1, HANDLE_MT);
    drop(h);
    if (h->exchange != NULL) h->exchange->handle = NULL;
    h->exchange = NULL;
    return 0;
}

/* serve.now() → seconds that only ever go up, from no particular start. */
static int l_now(lua_State *L) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
    return 1;
}

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

/* serve.write_private(path, text) → true | nil, message: a file that only its owner can read, whatever the umask, and whatever
 * mode it had before. io.open cannot set a mode, and a mode set afterwards comes too late. */
static int l_write_private(lua_State *L) {
    size_t len;
    const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &len);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    bool written = fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0 && ftruncate(fd, 0) == 0 && write_all(fd, text, len);
    int failed = errno;
    if (fd >= 0 && close(fd) != 0 && written) written = false, failed = errno;
    errno = failed;
    if (!written) return push_failure(L, path, "name a file that can be written");
    lua_pushboolean(L, true);
    return 1;
}

/* A metatable, named in the registry, whose __index is `methods` and whose __gc, if any, is `gc`. */
static void new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc) {
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    if (gc != NULL) lua_pushcfunction(L, gc), lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

HOL_EXPORT int luaopen_handoff_serve(lua_State *L);

int luaopen_handoff_serve(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"new", l_new}, {"now", l_now}, {"write_private", l_write_private}, {NULL, NULL}};
    static const luaL_Reg server_methods[] = {{"port", l_port}, {"connections", l_connections}, {"step", l_step},
                                              {"next", l_next}, {"answer", l_answer},           {"close", l_close},
                                              {NULL, NULL}};
    static const luaL_Reg request_methods[] = {{"drop", l_drop}, {NULL, NULL}};
    static const luaL_Reg none[] = {{NULL, NULL}};
    new_class(L, SERVER_MT, server_methods, l_close);
    new_class(L, HANDLE_MT, none, l_handle_gc);
    new_class(L, REQUEST_MT, request_methods, NULL);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    return 1;
}
