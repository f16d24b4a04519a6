/* SPDX-License-Identifier: MIT */
/* core.token: what an API token says of itself, as hints. */
#include "l_node.h"

#include "../core/token.h"

#include <string.h>
#include <unistd.h>

/* Replaces the claim on top by a text that tells it apart: a text as it is, a number as its digits; nil for anything else. */
static void to_text(lua_State *L) {
    int type = lua_type(L, -1);
    if (type == LUA_TSTRING) return;
    ho_text digits = hol_number_text(L, -1);
    char out[HOL_NUMBER_SIZE];
    if (digits.at != NULL)
        lua_pushlstring(L, digits.at, digits.len);
    else if (type == LUA_TNUMBER)
        lua_pushlstring(L, out, hol_number_format(L, -1, out));
    else
        lua_pushnil(L);
    lua_remove(L, -2);
}

/* Pops the decoded claims → a table of those that are known. */
static void push_known(lua_State *L) {
    int claims = lua_gettop(L);
    lua_createtable(L, 0, 3);
    lua_getfield(L, claims, "scenario_id");
    to_text(L);
    lua_setfield(L, -2, "scenario_id");
    if (lua_getfield(L, claims, "scope") != LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_setfield(L, -2, "scope");
    if (lua_getfield(L, claims, "exp") != LUA_TNUMBER) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_setfield(L, -2, "exp");
    lua_remove(L, claims);
}

/* unverified_claims(text) → { scenario_id = a text (a number's digits), scope = a text, exp = seconds since 1970 }, each where
 * the token has it; or nil where the text is no JWT. Whoever made the text chose them: no signature is looked at. */
static int l_unverified_claims(lua_State *L) {
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    size_t len, claims_len = 0;
    const char *token = lua_tolstring(L, 1, &len);
    char *claims = lua_newuserdatauv(L, len < HO_TOKEN_SIZE ? len + 1 : HO_TOKEN_SIZE, 0);
    ho_scan scan;
    ho_code code = ho_token_unverified_claims(token, len, claims, &claims_len, &scan);
    if (code == HO_NOMEM) return luaL_error(L, "not enough memory");
    if (code != HO_OK) {
        lua_pushnil(L);
        return 1;
    }
    hol_decode(L, claims, claims_len, scan.marks, true);
    push_known(L);
    return 1;
}

/* plausible(text) → whether it can be a token at all: not empty, printable ASCII, no blanks. */
static int l_plausible(lua_State *L) {
    size_t len;
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *text = lua_tolstring(L, 1, &len);
    lua_pushboolean(L, ho_token_plausible(text, len));
    return 1;
}

/* mark(text) → eight bytes that are the same for the same text in this Lua state, and tell nothing of it. */
static int l_mark(lua_State *L) {
    size_t len;
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *text = lua_tolstring(L, 1, &len);
    lua_rawgeti(L, hol_refs, HOL_REF_MARKS);
    uint64_t mark = ho_token_mark((const unsigned char *)lua_tostring(L, -1), text, len);
    char bytes[sizeof mark];
    memcpy(bytes, &mark, sizeof mark);
    lua_pushlstring(L, bytes, sizeof bytes);
    return 1;
}

static void make_key(lua_State *L) {
    unsigned char key[HO_TOKEN_KEY];
    if (getentropy(key, sizeof key) != 0) luaL_error(L, "the system gives no random bytes");
    lua_pushlstring(L, (const char *)key, sizeof key);
    lua_rawseti(L, hol_refs, HOL_REF_MARKS);
}

int hol_open_token(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"unverified_claims", l_unverified_claims}, {"plausible", l_plausible}, {"mark", l_mark}, {NULL, NULL}};
    make_key(L);
    hol_newlib(L, functions);
    return 1;
}
