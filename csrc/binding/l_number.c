/* SPDX-License-Identifier: MIT */
/* Numbers between JSON's decimal text and the VM's doubles and integers, without loss. */
#include "l_node.h"

#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MT "handoff.number"
#define EXACT 9007199254740992.0        /* 2^53: every integer up to it is a double */
#define INT64_END 9223372036854775808.0 /* 2^63: what is written as an integer by a VM that has them, is by all */

/* Also numbers of a hundred thousand digits come: what a double may hold fits here, the rest stays text. */
enum { DOUBLE_TEXT = 64 };

/* What the program's locale writes for a decimal point: one character, which may be of several bytes. Not by localeconv, which
 * fills in a struct that all threads share. */
enum { POINT_MAX = 8 };
static size_t decimal_point(char point[POINT_MAX + 1]) {
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): what it points to changes with setlocale only */
    return (size_t)snprintf(point, POINT_MAX + 1, "%s", nl_langinfo(RADIXCHAR));
}

/* strtod in whatever locale the program has set. `text` is short and of JSON's grammar. */
static double to_double(ho_text text) {
    char copy[DOUBLE_TEXT + POINT_MAX + 1], point[POINT_MAX + 1];
    const char *at = memchr(text.at, '.', text.len);
    size_t whole = at ? (size_t)(at - text.at) : text.len, rest = at ? text.len - whole - 1 : 0;
    decimal_point(point);
    snprintf(copy, sizeof copy, "%.*s%s%.*s", (int)whole, text.at, at ? point : "", (int)rest, at ? at + 1 : "");
    return strtod(copy, NULL);
}

static size_t format_double(double value, int digits, char *out) {
    char point[POINT_MAX + 1];
    size_t size = decimal_point(point), len = (size_t)snprintf(out, HOL_NUMBER_SIZE, "%.*g", digits, value);
    char *at = strstr(out, point);
    if (at == NULL) return len;
    *at = '.';
    memmove(at + 1, at + size, len - (size_t)(at + size - out) + 1);
    return len - size + 1;
}

static size_t format_float(double value, char *out) {
    if (value == 0 && signbit(value)) return (size_t)snprintf(out, HOL_NUMBER_SIZE, "-0.0");
    if (fabs(value) < INT64_END && floor(value) == value) return (size_t)snprintf(out, HOL_NUMBER_SIZE, "%.0f", value);
    for (int digits = 15; digits < 17; digits++) {
        size_t len = format_double(value, digits, out);
        if (to_double((ho_text){out, len}) == value) return len;
    }
    return format_double(value, 17, out);
}

size_t hol_number_format(lua_State *L, int index, char *out) {
    if (!lua_isinteger(L, index)) return format_float((double)lua_tonumber(L, index), out);
    return (size_t)snprintf(out, HOL_NUMBER_SIZE, "%lld", (long long)lua_tointeger(L, index));
}

#if LUA_VERSION_NUM >= 503
/* Pushes the integer of the text where it is one of 64 bits. */
static bool push_integer(lua_State *L, ho_text text) {
    if (text.len > 20 || memchr(text.at, '.', text.len) || memchr(text.at, 'e', text.len) ||
        memchr(text.at, 'E', text.len))
        return false;
    if (text.at[0] == '-' && text.len == 2 && text.at[1] == '0') return false;
    char copy[24];
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (lua_stringtonumber(L, copy) == 0) return false;
    if (lua_isinteger(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}
#else
static bool push_integer(lua_State *L, ho_text text) {
    (void)L, (void)text;
    return false;
}
#endif

/* Pushes the double of the text where it has the same value. */
static bool push_double(lua_State *L, ho_text text) {
    if (text.len > DOUBLE_TEXT) return false;
    double value = to_double(text);
    if (!isfinite(value)) return false;
    char back[HOL_NUMBER_SIZE];
    size_t len = format_float(value, back);
    if (!ho_number_equal(text, (ho_text){back, len})) return false;
    lua_pushnumber(L, value);
    return true;
}

static int l_tostring(lua_State *L) {
    ho_text text = hol_number_text(L, 1);
    if (text.at == NULL) return luaL_argerror(L, 1, "a number of handoff.json expected");
    lua_pushlstring(L, text.at, text.len);
    return 1;
}

static int l_equal(lua_State *L) {
    ho_text a = hol_number_text(L, 1), b = hol_number_text(L, 2);
    lua_pushboolean(L, a.at && b.at && ho_number_equal(a, b));
    return 1;
}

void hol_number_open(lua_State *L) {
    luaL_newmetatable(L, NUMBER_MT);
    static const luaL_Reg functions[] = {{"__tostring", l_tostring}, {"__eq", l_equal}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lua_pushliteral(L, "handoff number");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void hol_number_push(lua_State *L, ho_text text) {
    if (push_integer(L, text) || push_double(L, text)) return;
    char *copy = lua_newuserdatauv(L, text.len, 0);
    memcpy(copy, text.at, text.len);
    luaL_getmetatable(L, NUMBER_MT);
    lua_setmetatable(L, -2);
}

ho_text hol_number_text(lua_State *L, int index) {
    const char *at = luaL_testudata(L, index, NUMBER_MT);
    return (ho_text){at, at ? lua_rawlen(L, index) : 0};
}

void hol_integral(lua_State *L) {
#if LUA_VERSION_NUM >= 503
    if (lua_type(L, -1) != LUA_TNUMBER || lua_isinteger(L, -1)) return;
    double value = lua_tonumber(L, -1);
    if (fabs(value) > EXACT || floor(value) != value || (value == 0 && signbit(value))) return;
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)value);
#else
    (void)L;
#endif
}
