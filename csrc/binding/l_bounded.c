/* SPDX-License-Identifier: MIT */
/* core.bounded: Lua that may be anybody's, run in a state of its own with no library in it. What it allocates, how long it runs and
 * how much it gives back is bounded; nothing of it but plain values reaches the caller's state. */
#include "hol.h"

#include <string.h>
#include <time.h>

#define BOUNDED_MT "handoff.bounded"

enum { EVERY = 100, PIECE = 1024, DEPTH = 4, MAX_MAKERS = 8 };

/* Bytes: in use at once; and of texts that come back, where one that stands in many places counts for each. */
typedef struct limits {
    int64_t bytes, steps, values;
    double seconds; /* of this thread's processor time */
} limits;

typedef struct maker {
    const char *name, *usage;
} maker;

typedef struct bounded {
    lua_State *inner; /* NULL: closed */
    lua_Alloc alloc;  /* the one that `inner` was made with, and its data */
    void *data;
    limits most;
    int64_t bytes, steps, values, given;
    double began;
    bool full;
    const char *text, *chunk; /* the caller's, on its stack while this runs; of the text, what is not read yet */
    size_t len;
    maker makers[MAX_MAKERS];
    int count;
} bounded;

/* What a maker gave, in the inner state: which maker, the line it was called at (0: not known), its text. */
typedef struct made {
    int which, line;
    size_t len;
    char text[];
} made;

static double processor_time(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- bounds ------------------------------------------------------------------------------------------------------- */

static bool is_late(const bounded *b) {
    return processor_time() - b->began > b->most.seconds;
}

/* Lua 5.4 collects all garbage and tries again where it gets nothing, which takes long with much in use: it may not go on so. */
static void *bounded_alloc(void *data, void *at, size_t old, size_t wanted) {
    bounded *b = data;
    if (at == NULL) old = 0; /* Lua 5.4 says there what it is for */
    int64_t more = (int64_t)wanted - (int64_t)old;
    if (more > 0 && more > b->most.bytes - b->bytes) {
        b->full = true;
        if (is_late(b)) b->most.bytes = 0;
        return NULL;
    }
    void *moved = b->alloc(b->data, at, old, wanted);
    if (moved != NULL || wanted == 0) b->bytes += more;
    return moved;
}

static bounded *bounded_of(lua_State *inner) {
    void *data;
    lua_getallocf(inner, &data);
    return data;
}

/* Level 0 is the function that the hook interrupts. */
static void on_count(lua_State *inner, lua_Debug *ar) {
    bounded *b = bounded_of(inner);
    b->steps += EVERY;
    if (b->steps <= b->most.steps && !is_late(b)) return;
    if (!lua_getstack(inner, 0, ar) || !lua_getinfo(inner, "Sl", ar)) ar->currentline = 0;
    lua_pushfstring(inner, "%s:%d: it does not come to an end", b->chunk + 1, ar->currentline);
    lua_error(inner);
}

/* Gives the parser the text bit by bit: no instruction runs meanwhile, and it can take the square of a text's length and more. */
static const char *read_piece(lua_State *inner, void *data, size_t *len) {
    bounded *b = data;
    const char *piece = b->text;
    if (is_late(b)) luaL_error(inner, "%s: it takes too long to read", b->chunk + 1);
    *len = b->len < PIECE ? b->len : PIECE; /* none: the text has ended */
    b->text += *len;
    b->len -= *len;
    return piece;
}

/* --- what is in reach --------------------------------------------------------------------------------------------- */

static int l_make(lua_State *inner) {
    const bounded *b = bounded_of(inner);
    int which = (int)lua_tointeger(inner, lua_upvalueindex(1));
    if (lua_type(inner, 1) != LUA_TSTRING) return luaL_error(inner, "%s", b->makers[which].usage);
    lua_Debug ar;
    size_t len;
    const char *text = lua_tolstring(inner, 1, &len);
    made *m = lua_newuserdatauv(inner, sizeof *m + len, 0);
    m->which = which;
    m->len = len;
    m->line = lua_getstack(inner, 1, &ar) && lua_getinfo(inner, "l", &ar) && ar.currentline > 0 ? ar.currentline : 0;
    memcpy(m->text, text, len);
    return 1;
}

static int l_missing(lua_State *inner) {
    bool named = lua_type(inner, 2) == LUA_TSTRING && lua_rawlen(inner, 2) < 60;
    return luaL_error(inner, "there is no %s here", named ? lua_tostring(inner, 2) : "such thing");
}

static void push_globals(lua_State *inner) {
#if LUA_VERSION_NUM < 502
    lua_pushvalue(inner, LUA_GLOBALSINDEX);
#else
    lua_rawgeti(inner, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
#endif
}

static void put_makers(lua_State *inner, const bounded *b) {
    push_globals(inner);
    for (int i = 0; i < b->count; i++) {
        lua_pushinteger(inner, i);
        lua_pushcclosure(inner, l_make, 1);
        lua_setfield(inner, -2, b->makers[i].name);
    }
    lua_createtable(inner, 0, 1);
    lua_pushcfunction(inner, l_missing);
    lua_setfield(inner, -2, "__index");
    lua_setmetatable(inner, -2);
    lua_pop(inner, 1);
}

/* Under lua_cpcall, which drops results: what the text returns is left in the registry. */
static int l_run_inner(lua_State *inner) {
    bounded *b = lua_touserdata(inner, 1);
    put_makers(inner, b);
    if (lua_load(inner, read_piece, b, b->chunk, "t") != LUA_OK) return lua_error(inner);
    lua_sethook(inner, on_count, LUA_MASKCOUNT, EVERY);
    lua_call(inner, 0, 1);
    lua_rawsetp(inner, LUA_REGISTRYINDEX, b);
    return 0;
}

/* --- what comes back ---------------------------------------------------------------------------------------------- */

static bool count_given(bounded *b, size_t len) {
    if ((int64_t)len > b->most.bytes - b->given) return false;
    b->given += (int64_t)len;
    return true;
}

/* Calls make(name, text, line or nil) of the caller's for what a maker gave. */
static bool copy_made(lua_State *L, bounded *b, const made *m, int make) {
    if (!count_given(b, m->len)) return false;
    lua_pushvalue(L, make);
    lua_pushstring(L, b->makers[m->which].name);
    lua_pushlstring(L, m->text, m->len);
    if (m->line > 0)
        lua_pushinteger(L, m->line);
    else
        lua_pushnil(L);
    lua_call(L, 3, 1);
    return true;
}

static bool copy_text(lua_State *L, bounded *b) {
    size_t len;
    const char *text = lua_tolstring(b->inner, -1, &len);
    if (!count_given(b, len)) return false;
    lua_pushlstring(L, text, len);
    return true;
}

static bool copy_value(lua_State *L, bounded *b, int make, int depth);

/* Tables that are deeper than anybody looks are copied empty. A table that stands in two places becomes two, which `values` bounds. */
static bool copy_table(lua_State *L, bounded *b, int make, int depth) {
    lua_newtable(L);
    if (depth == DEPTH) return true;
    lua_pushnil(b->inner);
    while (lua_next(b->inner, -2)) {
        lua_insert(b->inner, -2); /* value, key */
        bool copied = copy_value(L, b, make, depth + 1);
        lua_insert(b->inner, -2); /* key, value */
        if (!copied || !copy_value(L, b, make, depth + 1)) return false;
        lua_pop(b->inner, 1);
        lua_rawset(L, -3);
    }
    return true;
}

/* Pushes a copy of what is on top of the inner state; false where there is too much of it. Nothing here allocates in the inner
 * state, where nobody would catch what that raises. */
static bool copy_value(lua_State *L, bounded *b, int make, int depth) {
    lua_State *inner = b->inner;
    if (b->values++ >= b->most.values) return false;
    luaL_checkstack(L, 8, NULL);
    switch (lua_type(inner, -1)) {
    case LUA_TBOOLEAN: lua_pushboolean(L, lua_toboolean(inner, -1)); return true;
    case LUA_TNUMBER:
        if (lua_isinteger(inner, -1))
            lua_pushinteger(L, lua_tointeger(inner, -1));
        else
            lua_pushnumber(L, lua_tonumber(inner, -1));
        return true;
    case LUA_TNIL: lua_pushnil(L); return true;
    case LUA_TSTRING: return copy_text(L, b);
    case LUA_TUSERDATA: return copy_made(L, b, lua_touserdata(inner, -1), make);
    case LUA_TTABLE: return copy_table(L, b, make, depth);
    /* A function, or a number such as 1LL, which is LuaJIT's alone: what nobody expects is some function. */
    default: lua_pushvalue(L, make); return true;
    }
}

/* --- a run -------------------------------------------------------------------------------------------------------- */

static void end(bounded *b) {
    lua_State *inner = b->inner;
    b->inner = NULL;
    if (inner == NULL) return;
    lua_setallocf(inner, b->alloc, b->data); /* LuaJIT knows its own by its address */
    lua_close(inner);
}

static int l_gc(lua_State *L) {
    end(luaL_checkudata(L, 1, BOUNDED_MT));
    return 0;
}

static bounded *new_bounded(lua_State *L, const bounded *wanted) {
    bounded *b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = *wanted;
    luaL_getmetatable(L, BOUNDED_MT);
    lua_setmetatable(L, -2);
    b->inner = luaL_newstate();
    if (b->inner == NULL) luaL_error(L, "not enough memory");
    b->alloc = lua_getallocf(b->inner, &b->data);
    lua_setallocf(b->inner, bounded_alloc, b);
    return b;
}

static double check_limit(lua_State *L, const char *name) {
    lua_getfield(L, 3, name);
    double limit = lua_tonumber(L, -1);
    luaL_argcheck(L, limit > 0 && limit < 1e15, 3, name);
    lua_pop(L, 1);
    return limit;
}

/* The names and texts stay where they are: in the table of argument 4. */
static void check_makers(lua_State *L, bounded *b) {
    for (lua_pushnil(L); lua_next(L, 4); lua_pop(L, 1)) {
        bool texts = lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING;
        luaL_argcheck(L, texts && b->count < MAX_MAKERS, 4, "a few names and texts expected");
        b->makers[b->count++] = (maker){lua_tostring(L, -2), lua_tostring(L, -1)};
    }
}

static int push_stopped(lua_State *L, const char *why) {
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static int push_failure(lua_State *L, const bounded *b, int status) {
    if (status == LUA_ERRMEM && !b->full) return luaL_error(L, "not enough memory");
    if (status == LUA_ERRMEM) return push_stopped(L, "it takes too much memory");
    bool is_text = lua_type(b->inner, -1) == LUA_TSTRING;
    return push_stopped(L, is_text ? lua_tostring(b->inner, -1) : "it raised an error");
}

/* run(text, chunk, { bytes=, steps=, values=, seconds= }, { NAME = usage }, make) → what the text returns | nil, why.
 * The text finds nothing but a function for each NAME, which takes a text, and stands for make(NAME, text, line or nil) in
 * what comes back; any other argument is an error with the usage. `chunk` begins with "=". Of what comes back tables that are nested
 * more than four deep are empty, functions are some function, and texts take as many bytes as the text may. */
static int l_run(lua_State *L) {
    bounded wanted = {.chunk = luaL_checkstring(L, 2)};
    wanted.text = luaL_checklstring(L, 1, &wanted.len);
    luaL_argcheck(L, wanted.chunk[0] == '=', 2, "a name that begins with = expected");
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_checktype(L, 4, LUA_TTABLE);
    luaL_checktype(L, 5, LUA_TFUNCTION);
    lua_settop(L, 5);
    wanted.most = (limits){(int64_t)check_limit(L, "bytes"), (int64_t)check_limit(L, "steps"),
                           (int64_t)check_limit(L, "values"), check_limit(L, "seconds")};
    check_makers(L, &wanted);
    wanted.began = processor_time();
    bounded *b = new_bounded(L, &wanted);
    int status = lua_cpcall(b->inner, l_run_inner, b), results = 1;
    if (status != LUA_OK) {
        results = push_failure(L, b, status);
    } else {
        lua_rawgetp(b->inner, LUA_REGISTRYINDEX, b);
        if (!copy_value(L, b, 5, 0)) results = push_stopped(L, "it gives back too much");
    }
    end(b);
    return results;
}

int hol_open_bounded(lua_State *L) {
    static const luaL_Reg functions[] = {{"run", l_run}, {NULL, NULL}}, meta[] = {{"__gc", l_gc}, {NULL, NULL}};
    luaL_newmetatable(L, BOUNDED_MT);
    hol_setfuncs(L, meta);
    lua_pop(L, 1);
    hol_newlib(L, functions);
    return 1;
}
