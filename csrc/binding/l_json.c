/* SPDX-License-Identifier: MIT */
/* lua-cjson made strict and lossless: the scan validates and marks, lua-cjson decodes, a walk restores what was marked.
 */
/*** JSON without loss, on every VM: any RFC 8259 document passes through both functions with its value intact. `[]` stays
 * `[]` and `{}` stays `{}`, `null` stays (`handoff.null`), numbers keep every digit. Duplicated keys, invalid UTF-8,
 * lone surrogates, NaN and nesting over 100 are refused.
 * @module handoff.json
 */
/*** The value JSON's null comes as: cjson.null.
 * @tfield userdata null
 */
#include "l_node.h"

#include <string.h>

int hol_scan(lua_State *L, const char *text, size_t len, ho_scan *scan, const char *what) {
    ho_code code = ho_scan_text(text, len, scan);
    if (code == HO_OK) return 0;
    if (code == HO_NOMEM) return luaL_error(L, "not enough memory");
    size_t line, column;
    ho_scan_position(text, scan->bad, &line, &column);
    hol_fail(L, "protocol", "%s: %s at line %d, column %d: %s", what, code == HO_LIMIT ? "refused" : "not JSON",
             (int)line, (int)column, scan->wrong);
    lua_pushinteger(L, (lua_Integer)line);
    lua_setfield(L, -2, "line");
    lua_pushinteger(L, (lua_Integer)column);
    lua_setfield(L, -2, "column");
    return 2;
}

bool hol_is_array(lua_State *L, int index) {
    index = lua_absindex(L, index);
    bool is = lua_rawgeti(L, index, 1) != LUA_TNIL;
    lua_pop(L, 1);
    if (is || !lua_getmetatable(L, index)) return is;
    lua_rawgeti(L, hol_refs, HOL_REF_ARRAY);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

void hol_mark_array(lua_State *L) {
    lua_rawgeti(L, hol_refs, HOL_REF_ARRAY);
    lua_setmetatable(L, -2);
}

/* Replaces the marked string on top by what it stands for. */
static void restore_mark(lua_State *L) {
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    if (text[1] == '[') {
        lua_newtable(L);
        hol_mark_array(L);
    } else {
        hol_number_push(L, (ho_text){text + 1, len - 1});
    }
    lua_remove(L, -2);
}

static bool is_marked(lua_State *L) {
    return lua_type(L, -1) == LUA_TSTRING && (unsigned char)lua_tostring(L, -1)[0] == 0xFF;
}

static void restore(lua_State *L, bool integers);

/* Restores the members of the table on top; setting fields that are there is allowed during lua_next. */
static void restore_members(lua_State *L, bool integers) {
    luaL_checkstack(L, 6, "nested too deep");
    int table = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        int type = lua_type(L, -1);
        if (type == LUA_TTABLE) {
            restore_members(L, integers);
            lua_pop(L, 1);
        } else if (is_marked(L) || (integers && type == LUA_TNUMBER)) {
            restore(L, integers);
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, table);
        } else {
            lua_pop(L, 1);
        }
    }
}

static void restore(lua_State *L, bool integers) {
    if (lua_type(L, -1) == LUA_TTABLE) {
        restore_members(L, integers);
        return;
    }
    if (is_marked(L)) restore_mark(L);
    if (integers) hol_integral(L);
}

void hol_decode(lua_State *L, const char *text, size_t len, size_t marks, bool integers) {
    lua_rawgeti(L, hol_refs, HOL_REF_DECODE);
    if (marks == 0) {
        lua_pushlstring(L, text, len);
    } else {
        hol_buffer b;
        hol_buffer_open(L, &b);
        b.len = ho_scan_mark(text, len, hol_buffer_need(&b, len + HO_MARK_BYTES * marks));
        hol_buffer_push(&b);
    }
    lua_call(L, 1, 1);
    if (marks > 0 || integers) restore(L, integers);
}

static size_t limit_option(lua_State *L, int options) {
    size_t limit = HO_SCAN_SIZE;
    if (lua_isnoneornil(L, options)) return limit;
    luaL_checktype(L, options, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, options)) {
        bool known = lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "max_bytes") == 0;
        lua_Number n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!known || !(n >= 0 && n <= 1e15))
            hol_invalid(L, "handoff.json.decode", "option", 0, false, "the one option is max_bytes, a number of bytes");
        limit = (size_t)n;
        lua_pop(L, 1);
    }
    return limit;
}

/*** Decodes a text, strictly: what is refused is named with line and column.
 * @function decode
 * @tparam string text an RFC 8259 document
 * @tparam[opt] table opts
 * @tparam[opt=8388608] integer opts.max_bytes the longest text that is taken
 * @treturn any the value; nil where there is none
 * @treturn ?Error err of kind `protocol`
 */
static int l_decode(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    ho_scan scan = {.max_size = limit_option(L, 2)};
    int failed = hol_scan(L, text, len, &scan, "the text");
    if (failed) return failed;
    hol_decode(L, text, len, scan.marks, true);
    return 1;
}

int hol_indent_option(lua_State *L, int options, const char *what) {
    int indent = 0;
    if (lua_isnoneornil(L, options)) return 0;
    luaL_checktype(L, options, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, options)) {
        bool known = lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "indent") == 0;
        lua_Number n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!known || !(n >= 0 && n <= 16 && n == (int)n))
            hol_invalid(L, what, "option", 0, false, "the one option is indent, a whole number from 0 to 16");
        indent = (int)n;
        lua_pop(L, 1);
    }
    return indent;
}

/*** Encodes a value. Raises where a value has no place in JSON. Keys are sorted; an empty table is `{}` unless it is marked by `array`.
 * @function encode
 * @tparam any value
 * @tparam[opt] table opts
 * @tparam[opt=0] integer opts.indent blanks a level; 0: all on one line
 * @treturn string the text
 */
static int l_encode(lua_State *L) {
    luaL_checkany(L, 1);
    hol_writer w = {.indent = hol_indent_option(L, 2, "handoff.json.encode")};
    lua_settop(L, 1);
    hol_buffer_open(L, &w.out);
    hol_write(&w, 1, NULL, "value");
    hol_buffer_push(&w.out);
    return 1;
}

/*** Marks a table: it is written as an array even when it is empty. The mark is a metatable, and takes the place of no
 * other: an object of a configuration would be one no more.
 * @function array
 * @tparam[opt] table list a new one by default
 * @treturn table the table
 */
static int l_array(lua_State *L) {
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_rawgeti(L, hol_refs, HOL_REF_ARRAY);
    if (lua_getmetatable(L, -2) && !lua_rawequal(L, -1, -2))
        return luaL_argerror(L, 1, "a table without a metatable expected");
    lua_settop(L, 1);
    hol_mark_array(L);
    return 1;
}

/*** A number that keeps every digit.
 * @function number
 * @tparam string text a number of JSON
 * @treturn any one of Lua's where it holds the value; otherwise an object that prints as the text
 */
static int l_number(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    ho_scan scan = {.max_size = HO_SCAN_SIZE};
    bool ok = len > 0 && ho_scan_text(text, len, &scan) == HO_OK && scan.kind == '0';
    bool bare =
        ok && text[len - 1] >= '0' && text[len - 1] <= '9' && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
    if (!bare) return luaL_argerror(L, 1, "a number as JSON writes it expected");
    hol_number_push(L, (ho_text){text, len});
    hol_integral(L);
    return 1;
}

int hol_open_json(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"decode", l_decode}, {"encode", l_encode}, {"array", l_array}, {"number", l_number}, {NULL, NULL}};
    hol_number_open(L);
    hol_newlib(L, functions);
    lua_rawgeti(L, hol_refs, HOL_REF_NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
