/* SPDX-License-Identifier: MIT */
/* The module `handoff.serve`: the engine of serve.h for Lua. It is a module of its own, so that the core does not link
 * libmicrohttpd, and shares no function with the core.
 *
 * No Lua runs inside a callback of libmicrohttpd: a step collects requests, `next` hands them out, `answer` may come much later.
 * So an answer may be held for as long as one likes while others are served. */
#include "compat.h"

#include "serve.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#define SERVER_MT "handoff.serve.server"
#define HANDLE_MT "handoff.serve.handle"
#define REQUEST_MT "handoff.serve.request"

enum { DEFAULT_MAX_BODY = 1 << 20 };

/* What Lua holds of a request: it outlives the exchange, and the server, with a NULL. */
typedef struct handle {
    ho_exchange *exchange;
    ho_asked asked; /* while `next` reads it */
    bool done;      /* answered or dropped by the script */
} handle;

/* --- arguments ---------------------------------------------------------------------------------------------------- */

/* nil and one line: what, why by errno, and what to do. */
static int push_failure(lua_State *L, const char *what, const char *step) {
    char text[128];
    const char *why = strerror_r(errno, text, sizeof text);
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s; %s", what, why, step);
    return 2;
}

static ho_server *check_server(lua_State *L) {
    ho_server *s = luaL_checkudata(L, 1, SERVER_MT);
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

/* --- the module's functions --------------------------------------------------------------------------------------- */

static ho_server *new_server(lua_State *L) {
    ho_server *s = lua_newuserdatauv(L, sizeof *s, 0);
    ho_server_init(s);
    luaL_getmetatable(L, SERVER_MT);
    lua_setmetatable(L, -2);
    return s;
}

/* serve.new{port=0, host="127.0.0.1", max_body=1048576, too_large="", signals=false, until_eof=false} → server | nil, message
 * port 0 is any free one; host is 127.0.0.1 or ::1; a body over max_body bytes is answered 413 with the JSON text too_large,
 * and `next` never sees it; signals and until_eof are what `step` watches besides: SIGTERM and SIGINT, standard input's end. */
static int l_new(lua_State *L) {
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    check_option_names(L);
    ho_server_options options = {
        .port = (uint16_t)option_integer(L, "port", 0, UINT16_MAX, 0),
        .max_body = (size_t)option_integer(L, "max_body", 0, INT_MAX, DEFAULT_MAX_BODY),
        .signals = option_boolean(L, "signals"),
        .until_eof = option_boolean(L, "until_eof"),
    };
    options.too_large = option_text(L, "too_large", "");
    ho_text host = option_text(L, "host", "127.0.0.1");
    options.ipv6 = strcmp(host.at, "::1") == 0;
    if (strlen(host.at) != host.len || (!options.ipv6 && strcmp(host.at, "127.0.0.1") != 0))
        return luaL_error(L, "serve.new: host: 127.0.0.1 or ::1 expected: this server is for loopback only");
    const char *what = lua_pushfstring(L, "cannot listen on %s port %d", host.at, (int)options.port);
    if (ho_server_open(new_server(L), &options) == HO_OK) return 1;
    return push_failure(L, what, "choose another port, or 0 for a free one");
}

static int l_close(lua_State *L) {
    ho_server_close(luaL_checkudata(L, 1, SERVER_MT));
    return 0;
}

static int l_port(lua_State *L) {
    lua_pushinteger(L, check_server(L)->port);
    return 1;
}

/* server:connections() → how many connections are open, idle ones too. */
static int l_connections(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)ho_server_connections(check_server(L)));
    return 1;
}

/* server:step(seconds) → nil | "signal" | "eof": waits at most so long for something to happen, and serves what there is; at once
 * while a request waits for `next`. The strings say that it is time to stop. */
static int l_step(lua_State *L) {
    ho_server *s = check_server(L);
    double seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0, 2, "seconds from 0 up expected");
    switch (ho_server_step(s, seconds)) {
    case HO_EVENT_SIGNAL: lua_pushliteral(L, "signal"); break;
    case HO_EVENT_EOF: lua_pushliteral(L, "eof"); break;
    case HO_EVENT_NONE: lua_pushnil(L); break;
    }
    return 1;
}

static void push_bytes(lua_State *L, const ho_bytes *b, const char *name) {
    lua_pushlstring(L, b->len > 0 ? b->at : "", b->len);
    lua_setfield(L, -2, name);
}

static void push_target(lua_State *L, const ho_bytes *target) {
    const char *mark = target->len > 0 ? memchr(target->at, '?', target->len) : NULL;
    size_t path = mark != NULL ? (size_t)(mark - target->at) : target->len;
    lua_pushlstring(L, path > 0 ? target->at : "", path);
    lua_setfield(L, -2, "path");
    if (mark == NULL) return;
    lua_pushlstring(L, mark + 1, target->len - path - 1);
    lua_setfield(L, -2, "query");
}

/* A header that comes twice is one with a comma between, as RFC 9110 has it. */
static void push_headers(lua_State *L, const ho_bytes *headers) {
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
    memset(h, 0, sizeof *h);
    luaL_getmetatable(L, HANDLE_MT);
    lua_setmetatable(L, -2);
    return h;
}

/* server:next() → {method=, path=, query=, headers=, body=, handle=} | nil: the longest waiting request. Path and query are as they
 * were sent, the query nil where there is none; names of headers are in lower case. A request that is neither answered nor
 * dropped is dropped when it is collected. */
static int l_next(lua_State *L) {
    lua_settop(L, 1);
    if (TAILQ_EMPTY(&check_server(L)->ready)) return lua_pushnil(L), 1;
    handle *h = new_handle(L);
    ho_exchange *x = TAILQ_FIRST(&check_server(L)->ready); /* once more: a finalizer may have closed or emptied it */
    if (x == NULL) return lua_pushnil(L), 1;
    ho_exchange_take(x, &h->exchange, &h->asked);
    lua_createtable(L, 0, 6);
    push_bytes(L, &h->asked.method, "method");
    push_target(L, &h->asked.target);
    push_headers(L, &h->asked.headers);
    push_bytes(L, &h->asked.body, "body");
    ho_asked_free(&h->asked);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "handle");
    luaL_getmetatable(L, REQUEST_MT);
    lua_setmetatable(L, -2);
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
    ho_server *s = check_server(L);
    handle *h = check_handle(L, 2);
    lua_Integer status = luaL_checkinteger(L, 3);
    luaL_argcheck(L, status >= 200 && status <= 599, 3, "a status from 200 to 599 expected");
    size_t len;
    lua_settop(L, 5);
    check_headers(L, 4);
    const char *body = luaL_optlstring(L, 5, "", &len);
    luaL_checkstack(L, 4, NULL);
    ho_exchange *x = h->exchange;
    if (x == NULL) return lua_pushboolean(L, false), 1;
    luaL_argcheck(L, x->server == s, 2, "this is another server's request");
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return luaL_error(L, "no memory for the answer");
    if (!add_headers(L, 4, response)) {
        MHD_destroy_response(response);
        return luaL_argerror(L, 4, "a header that HTTP cannot carry");
    }
    h->done = true;
    ho_exchange_answer(x, (unsigned)status, response);
    lua_pushboolean(L, true);
    return 1;
}

static void drop(handle *h) {
    if (h->exchange != NULL) ho_exchange_drop(h->exchange);
    h->done = true;
}

/* request:drop(): the connection closes without an answer, with the next step. */
static int l_drop(lua_State *L) {
    drop(check_handle(L, 1));
    return 0;
}

/* request:reset(): the client gets a RST instead of an answer, at once. */
static int l_reset(lua_State *L) {
    handle *h = check_handle(L, 1);
    if (h->exchange != NULL) ho_exchange_reset(h->exchange);
    h->done = true;
    return 0;
}

/* request:write(text) → how many of its bytes were taken, as many as go without waiting; nil where the client is gone, which an
 * empty text asks for, too. They leave as they are, without a status or a header, for answers that are wrong on purpose: the
 * request is then dropped or reset, never answered. */
static int l_write(lua_State *L) {
    handle *h = check_handle(L, 1);
    ho_text text;
    size_t taken;
    text.at = luaL_checklstring(L, 2, &text.len);
    if (h->exchange == NULL || ho_exchange_write(h->exchange, text, &taken) != HO_OK) return lua_pushnil(L), 1;
    lua_pushinteger(L, (lua_Integer)taken);
    return 1;
}

static int l_handle_gc(lua_State *L) {
    handle *h = luaL_checkudata(L, 1, HANDLE_MT);
    drop(h);
    if (h->exchange != NULL) h->exchange->holder = NULL;
    h->exchange = NULL;
    ho_asked_free(&h->asked);
    return 0;
}

/* serve.now() → seconds that only ever go up, from no particular start. */
static int l_now(lua_State *L) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
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
    static const luaL_Reg functions[] = {{"new", l_new}, {"now", l_now}, {NULL, NULL}};
    static const luaL_Reg server_methods[] = {{"port", l_port}, {"connections", l_connections}, {"step", l_step},
                                              {"next", l_next}, {"answer", l_answer},           {"close", l_close},
                                              {NULL, NULL}};
    static const luaL_Reg request_methods[] = {{"drop", l_drop}, {"reset", l_reset}, {"write", l_write}, {NULL, NULL}};
    static const luaL_Reg none[] = {{NULL, NULL}};
    new_class(L, SERVER_MT, server_methods, l_close);
    new_class(L, HANDLE_MT, none, l_handle_gc);
    new_class(L, REQUEST_MT, request_methods, NULL);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    return 1;
}
