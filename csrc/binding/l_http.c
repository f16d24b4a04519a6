/* SPDX-License-Identifier: MIT */
/* handoff.core.http: the engine, for the loop alone. Nothing here resumes a coroutine, and no Lua runs inside libcurl.
 */
#include "hol.h"

#include "../core/http.h"

#include <math.h>
#include <string.h>

#define ENGINE_MT "handoff.http.engine"
#define TRANSFER_MT "handoff.http.transfer"

enum { MAX_HEADERS = 64, MAX_SECONDS = 1000000 };

typedef struct engine_box {
    ho_engine *ho; /* NULL: closed */
} engine_box;

typedef struct transfer_box {
    ho_transfer *ho; /* NULL: its result was taken, or it was released */
} transfer_box;

static ho_engine *check_engine(lua_State *L) {
    engine_box *e = luaL_checkudata(L, 1, ENGINE_MT);
    if (e->ho == NULL) luaL_error(L, "the engine is closed");
    return e->ho;
}

static transfer_box *check_transfer(lua_State *L) {
    transfer_box *t = luaL_checkudata(L, 1, TRANSFER_MT);
    if (t->ho == NULL) luaL_error(L, "the transfer's result was taken before");
    return t;
}

static transfer_box *new_transfer(lua_State *L) {
    transfer_box *t = lua_newuserdatauv(L, sizeof *t, 0);
    t->ho = NULL;
    luaL_getmetatable(L, TRANSFER_MT);
    lua_setmetatable(L, -2);
    return t;
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

/* The readers leave the value on the stack, where the string stays alive until the request was copied. Metamethods of
 * the tables are not asked. */

/* Pushes the request's field, or where it has none that of the defaults. */
static int read_field(lua_State *L, const char *name) {
    lua_pushstring(L, name);
    lua_pushvalue(L, -1);
    int type = lua_rawget(L, 2);
    if (type != LUA_TNIL) {
        lua_remove(L, -2);
        return type;
    }
    lua_pop(L, 1);
    return lua_rawget(L, 3);
}

static int refuse(lua_State *L, const char *name, const char *expected) {
    const char *got = luaL_typename(L, -1);
    const char *path = lua_pushfstring(L, "request.%s", name);
    return hol_invalid(L, path, "type", 0, false, "%s expected, got %s", expected, got);
}

/* NULL where it is nil and may be. */
static const char *read_string(lua_State *L, const char *name, bool required) {
    size_t len = 0;
    int type = read_field(L, name);
    if (type == LUA_TNIL && !required) return NULL;
    if (type != LUA_TSTRING) refuse(L, name, "a string");
    const char *text = lua_tolstring(L, -1, &len);
    if (memchr(text, '\0', len) != NULL || strpbrk(text, "\r\n") != NULL)
        hol_invalid(L, lua_pushfstring(L, "request.%s", name), "text", 0, false, "it holds a line break or a NUL");
    return text;
}

static double read_number(lua_State *L, const char *name, double fallback, double max) {
    int type = read_field(L, name);
    if (type == LUA_TNIL) return fallback;
    if (type != LUA_TNUMBER) refuse(L, name, "a number");
    double value = lua_tonumber(L, -1);
    if (!(value > 0 && value <= max))
        hol_invalid(L, lua_pushfstring(L, "request.%s", name), "range", 0, false,
                    "%f is out of range, above 0 to %f allowed", value, max);
    return value;
}

static long read_ms(lua_State *L, const char *name, double fallback) {
    return (long)ceil(read_number(L, name, fallback, MAX_SECONDS) * 1000);
}

static void read_body(lua_State *L, ho_request *r) {
    int type = read_field(L, "body");
    if (type == LUA_TNIL) return;
    if (type != LUA_TSTRING) refuse(L, "body", "a string");
    r->body.at = lua_tolstring(L, -1, &r->body.len);
}

/* RFC 9110's token. */
static bool is_name(ho_text name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) return false;
    }
    return name.len > 0;
}

static bool is_value(ho_text value) {
    return !memchr(value.at, '\r', value.len) && !memchr(value.at, '\n', value.len) &&
           !memchr(value.at, '\0', value.len);
}

static ho_text text_at(lua_State *L, int i) {
    ho_text text;
    text.at = lua_tolstring(L, i, &text.len);
    return text;
}

/* Neither a name nor a value is ever shown when it is refused: either may hold a token by mistake. */
static void read_header(lua_State *L, ho_header *h) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
        hol_invalid(L, "request.headers", "type", 0, false, "names and values must be strings, got %s = %s",
                    luaL_typename(L, -2), luaL_typename(L, -1));
    *h = (ho_header){text_at(L, -2), text_at(L, -1)};
    if (!is_name(h->name))
        hol_invalid(L, "request.headers", "name", 0, false, "a name holds a character that names must not have");
    if (!is_value(h->value))
        hol_invalid(L, "request.headers", "value", 0, false, "a value holds a line break or a NUL");
}

/* Nothing is allocated here, so that no finalizer can change the table whose strings `headers` points to. */
static size_t read_headers(lua_State *L, int table, ho_header *headers) {
    size_t count = 0;
    if (lua_isnil(L, table)) return 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (count == MAX_HEADERS)
            hol_invalid(L, "request.headers", "count", MAX_HEADERS, false, "more than %d headers", MAX_HEADERS);
        read_header(L, &headers[count++]);
    }
    return count;
}

static void read_request(lua_State *L, ho_request *r) {
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_checkstack(L, 24, "too many nested calls");
    r->method = read_string(L, "method", true);
    if (!is_name((ho_text){r->method, strlen(r->method)}))
        hol_invalid(L, "request.method", "name", 0, false, "it is no name of a method");
    r->url = read_string(L, "url", true);
    r->ca_file = read_string(L, "ca_file", false);
    r->proxy = read_string(L, "proxy", false);
    r->timeout_ms = read_ms(L, "timeout", 30);
    r->connect_timeout_ms = read_ms(L, "connect_timeout", 10);
    r->max_bytes = (size_t)read_number(L, "max_bytes", HO_HTTP_MAX_BYTES, 1 << 30);
    read_body(L, r);
    r->direct = lua_toboolean(L, 4);
    r->certificate = read_field(L, "certificate") != LUA_TNIL && lua_toboolean(L, -1);
    int type = read_field(L, "headers");
    if (type != LUA_TNIL && type != LUA_TTABLE) refuse(L, "headers", "a table");
}

static int submit_failed(lua_State *L, ho_code code) {
    switch (code) {
    case HO_INVALID: return luaL_error(L, "libcurl refuses the request");
    case HO_NOMEM: return luaL_error(L, "not enough memory");
    default: return luaL_error(L, "the engine failed; close it and open another");
    }
}

/* engine:submit({method=, url=, headers={name = value}, body=, timeout=, connect_timeout= (seconds), ca_file=, proxy=,
 * max_bytes=, certificate=}, defaults, direct) → transfer, id. `defaults` holds what the request leaves out; `direct`: no proxy from
 * the environment. Fields it does not know are not looked at. Raises on a bad one. */
static int l_submit(lua_State *L) {
    ho_header headers[MAX_HEADERS];
    ho_request request = {.headers = headers};
    check_engine(L);
    lua_settop(L, 4);
    read_request(L, &request);
    int table = lua_gettop(L);
    transfer_box *t = new_transfer(L);
    ho_engine *engine = check_engine(L); /* once more: a finalizer may have closed it */
    request.header_count = read_headers(L, table, headers);
    ho_code code = ho_engine_submit(engine, &request, &t->ho);
    if (code != HO_OK) return submit_failed(L, code);
    lua_pushinteger(L, (lua_Integer)ho_transfer_id(t->ho));
    return 2;
}

/* http.check(request, defaults): raises as submit does on a bad request, for those who send it by other means. */
static int l_check(lua_State *L) {
    ho_header headers[MAX_HEADERS];
    ho_request request = {.headers = headers};
    lua_settop(L, 2);
    lua_pushnil(L);
    lua_insert(L, 1); /* where submit has its engine */
    lua_settop(L, 4);
    read_request(L, &request);
    read_headers(L, lua_gettop(L), headers);
    return 0;
}

/* --- the engine --------------------------------------------------------------------------------------------------- */

static int l_engine(lua_State *L) {
    engine_box *e = lua_newuserdatauv(L, sizeof *e, 0);
    e->ho = NULL;
    luaL_getmetatable(L, ENGINE_MT);
    lua_setmetatable(L, -2);
    ho_code code = ho_engine_new(&e->ho);
    if (code == HO_NOMEM) return luaL_error(L, "not enough memory");
    if (code != HO_OK) return luaL_error(L, "libcurl cannot be initialised");
    return 1;
}

/* engine:step(seconds): waits until something finished or could move, at most that long (nil: as long as it takes). */
static int l_step(lua_State *L) {
    ho_engine *engine = check_engine(L);
    double wait = luaL_optnumber(L, 2, -1);
    if (!(wait < MAX_SECONDS)) wait = MAX_SECONDS;
    if (ho_engine_step(engine, wait < 0 ? -1 : (long)ceil(wait * 1000)) != HO_OK)
        return luaL_error(L, "the system's poll failed");
    return 0;
}

/* engine:next() → the id of a transfer that finished or was cancelled, each once; nil: none. */
static int l_next(lua_State *L) {
    ho_transfer *t = ho_engine_next(check_engine(L));
    if (t == NULL) return 0;
    lua_pushinteger(L, (lua_Integer)ho_transfer_id(t));
    return 1;
}

/* engine:close(), also __gc: running transfers end as cancelled. */
static int l_close_engine(lua_State *L) {
    engine_box *e = luaL_checkudata(L, 1, ENGINE_MT);
    ho_engine *ho = e->ho;
    e->ho = NULL;
    ho_engine_free(ho);
    return 0;
}

/* --- results ------------------------------------------------------------------------------------------------------ */

/* Pushes the name in lower case. */
static void push_name(lua_State *L, const char *at, size_t len) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < len; i++) luaL_addchar(&b, at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] | 0x20) : at[i]);
    luaL_pushresult(&b);
}

static ho_text trim(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    while (at < end && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
    return (ho_text){at, (size_t)(end - at)};
}

/* Sets one header into the table on top; a name that comes again is joined by a comma, as RFC 9110 has it. */
static void set_header(lua_State *L, ho_text name, ho_text value) {
    push_name(L, name.at, name.len);
    lua_pushvalue(L, -1);
    bool again = lua_rawget(L, -3) != LUA_TNIL;
    if (again)
        lua_pushliteral(L, ", ");
    else
        lua_pop(L, 1);
    lua_pushlstring(L, value.at, value.len);
    if (again) lua_concat(L, 3);
    lua_rawset(L, -3);
}

/* Pushes the headers of a head; its first line is the status. */
static void push_headers(lua_State *L, ho_text head) {
    const char *end = head.at + head.len;
    lua_createtable(L, 0, 8);
    for (const char *line = head.at; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (stop == NULL) stop = end;
        const char *colon = memchr(line, ':', (size_t)(stop - line));
        if (colon != NULL && line != head.at)
            set_header(L, (ho_text){line, (size_t)(colon - line)}, trim(colon + 1, stop));
        line = stop + 1;
    }
}

static void set_number(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, uint64_t value) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_times(lua_State *L, const ho_answer *a) {
    set_number(L, "total", a->total);
    set_number(L, "connect", a->connect);
    set_number(L, "first_byte", a->first_byte);
}

/* Pushes what is known of every transfer that ended. */
static void push_account(lua_State *L, const ho_answer *a) {
    lua_createtable(L, 0, 10);
    set_integer(L, "bytes_sent", a->bytes_sent);
    set_integer(L, "bytes_received", a->bytes_received);
    if (a->status != 0) set_integer(L, "status", (uint64_t)a->status);
}

static void add_answer(lua_State *L, const ho_answer *a) {
    set_times(L, a);
    lua_pushlstring(L, a->head.len > 0 ? a->head.at : "", a->head.len);
    lua_setfield(L, -2, "head");
    lua_pushlstring(L, a->body.len > 0 ? a->body.at : "", a->body.len);
    lua_setfield(L, -2, "body");
    lua_pushstring(L, a->http_version);
    lua_setfield(L, -2, "http_version");
    lua_pushboolean(L, a->reused);
    lua_setfield(L, -2, "reused");
    if (a->certificate_expires != 0) set_integer(L, "certificate_expires", (uint64_t)a->certificate_expires);
}

static const char *kind_of(ho_http_code code) {
    switch (code) {
    case HO_HTTP_TIMEOUT: return "timeout";
    case HO_HTTP_TLS: return "tls";
    case HO_HTTP_PROTOCOL:
    case HO_HTTP_TOO_BIG: return "protocol";
    case HO_HTTP_CANCELLED: return "cancelled";
    default: return "network";
    }
}

static void add_error(lua_State *L, const ho_answer *a) {
    lua_createtable(L, 0, 3);
    set_times(L, a);
    lua_setfield(L, -2, "times");
    lua_pushstring(L, kind_of(a->code));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, a->error);
    lua_setfield(L, -2, "message");
    if (a->code == HO_HTTP_TOO_BIG) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "too_big");
    }
    hol_seterror(L);
}

static void release(transfer_box *t) {
    ho_transfer *ho = t->ho;
    t->ho = NULL;
    ho_transfer_release(ho);
}

/* transfer:result() → {status, head (see http.headers), body, http_version, total, connect, first_byte (seconds), bytes_sent,
 * bytes_received, reused, certificate_expires (see transport.lua)}; or nil and an error {kind, message (libcurl's words), too_big, times = {total, connect,
 * first_byte}, bytes_sent, bytes_received}. Once; raises while it runs. It is taken first: no finalizer can release it while it is read. */
static int l_result(lua_State *L) {
    if (ho_transfer_answer(check_transfer(L)->ho) == NULL) return luaL_error(L, "the transfer is still running");
    transfer_box *taken = new_transfer(L), *t = check_transfer(L);
    taken->ho = t->ho;
    t->ho = NULL;
    const ho_answer *a = ho_transfer_answer(taken->ho);
    if (a->code == HO_HTTP_NOMEM) return luaL_error(L, "not enough memory");
    bool ok = a->code == HO_HTTP_OK;
    if (!ok) lua_pushnil(L);
    push_account(L, a);
    if (ok)
        add_answer(L, a);
    else
        add_error(L, a);
    release(taken);
    return ok ? 1 : 2;
}

/* transfer:cancel(): nothing happens where it has ended. */
static int l_cancel(lua_State *L) {
    transfer_box *t = luaL_checkudata(L, 1, TRANSFER_MT);
    if (t->ho != NULL) ho_transfer_cancel(t->ho);
    return 0;
}

/* transfer:close(), also __gc: cancelled if it runs. */
static int l_close_transfer(lua_State *L) {
    release(luaL_checkudata(L, 1, TRANSFER_MT));
    return 0;
}

/* --- functions ---------------------------------------------------------------------------------------------------- */

/* http.url(text) → {scheme, host, loopback, credentials}, or nil and why it is no URL. */
static int l_url(lua_State *L) {
    size_t len;
    ho_url url;
    const char *text = luaL_checklstring(L, 1, &len), *why = "it holds a NUL";
    ho_code code = strlen(text) == len ? ho_url_parse(text, &url, &why) : HO_INVALID;
    if (code == HO_NOMEM) return luaL_error(L, "not enough memory");
    if (code != HO_OK) {
        lua_pushnil(L);
        lua_pushstring(L, why);
        return 2;
    }
    lua_createtable(L, 0, 4);
    lua_pushstring(L, url.scheme);
    lua_setfield(L, -2, "scheme");
    lua_pushstring(L, url.host);
    lua_setfield(L, -2, "host");
    lua_pushboolean(L, url.loopback);
    lua_setfield(L, -2, "loopback");
    lua_pushboolean(L, url.credentials);
    lua_setfield(L, -2, "credentials");
    return 1;
}

/* http.headers(head) → {["lower-case name"] = value}, from a status line and headers as received. */
static int l_headers(lua_State *L) {
    luaL_checktype(L, 1, LUA_TSTRING);
    push_headers(L, text_at(L, 1));
    return 1;
}

/* http.now() → seconds on a clock that never jumps. */
static int l_now(lua_State *L) {
    lua_pushnumber(L, ho_now());
    return 1;
}

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close) {
    luaL_newmetatable(L, name);
    hol_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    const luaL_Reg meta[] = {{"__gc", close}, {NULL, NULL}};
    hol_setfuncs(L, meta);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

int hol_open_http(lua_State *L) {
    static const luaL_Reg functions[] = {{"engine", l_engine}, {"url", l_url}, {"headers", l_headers},
                                         {"check", l_check},   {"now", l_now}, {NULL, NULL}};
    static const luaL_Reg engine_methods[] = {
        {"submit", l_submit}, {"step", l_step}, {"next", l_next}, {"close", l_close_engine}, {NULL, NULL}};
    static const luaL_Reg transfer_methods[] = {
        {"result", l_result}, {"cancel", l_cancel}, {"close", l_close_transfer}, {NULL, NULL}};
    new_class(L, ENGINE_MT, engine_methods, l_close_engine);
    new_class(L, TRANSFER_MT, transfer_methods, l_close_transfer);
    hol_newlib(L, functions);
    lua_pushstring(L, ho_http_library());
    lua_setfield(L, -2, "library");
    return 1;
}
