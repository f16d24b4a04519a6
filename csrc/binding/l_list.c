/* SPDX-License-Identifier: MIT */
/* The metatable and the methods of lists. What the table library does to a list (insert, remove, sort: assignments one
 * by one) ends in what it does to a plain table, and each assignment is checked. */
#include "l_node.h"

#include <string.h>

/* An item of a list stands in one place only. While table.insert or table.remove shift, an item is in two for a moment:
 * the place it was assigned to last (`to`) and the one it came from. Kept in the node's slot. If it stays there, `to`
 * gets a copy (settle). `top` is where a shift upward began, so that it can be taken back when table.insert's last
 * assignment is refused; 0: none. */
typedef struct shift {
    size_t to, from, top;
} shift;

static const hol_type *own_type(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(2));
}

static shift *get_shift(lua_State *L, int node) {
    hol_node_slot(L, node);
    shift *s = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return s;
}

static shift *need_shift(lua_State *L, int node) {
    shift *s = get_shift(L, node);
    if (s) return s;
    s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = (shift){0, 0, 0};
    hol_node_setslot(L, node);
    return s;
}

static bool same_at(lua_State *L, int data, size_t a, size_t b) {
    data = lua_absindex(L, data);
    lua_rawgeti(L, data, (lua_Integer)a);
    lua_rawgeti(L, data, (lua_Integer)b);
    bool same = !lua_isnil(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static void drop_id(lua_State *L, const ho_field *item) {
    const ho_field *id = item && item->object ? ho_schema_flagged(item->object, HO_ID) : NULL;
    if (!id) return;
    lua_pushnil(L);
    lua_setfield(L, -2, id->name);
}

void hol_list_settle(lua_State *L, int node) {
    shift *s = get_shift(L, node);
    if (!s || s->to == 0) return;
    shift pending = *s;
    *s = (shift){0, 0, 0};
    const hol_type *type = hol_node_type(L, node);
    hol_node_data(L, node);
    if (same_at(L, -1, pending.to, pending.from)) {
        lua_rawgeti(L, -1, (lua_Integer)pending.to);
        if (hol_node_type(L, -1)) {
            hol_plain(L, -1);
            drop_id(L, type->item);
            lua_rawseti(L, -3, (int)pending.to);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static size_t place_of(lua_State *L, int data, int value, size_t but) {
    size_t count = lua_rawlen(L, data);
    value = lua_absindex(L, value);
    for (size_t i = 1; i <= count; i++) {
        if (i == but) continue;
        lua_rawgeti(L, data, (lua_Integer)i);
        bool same = lua_rawequal(L, -1, value);
        lua_pop(L, 1);
        if (same) return i;
    }
    return 0;
}

/* --- messages
 * ----------------------------------------------------------------------------------------------------------------- */

static const char *own_path(lua_State *L) {
    hol_part *part = hol_node_part(L, 1);
    int part_index = lua_gettop(L);
    hol_node_data(L, 1);
    return hol_node_path(L, part, part_index, lua_gettop(L));
}

static const char *item_path(lua_State *L, size_t i) {
    const char *path = own_path(L);
    return lua_pushfstring(L, "%s[%d]", path, (int)i);
}

static int refuse_fixed(lua_State *L) {
    return hol_invalid(L, own_path(L), "fixed", 0, false,
                       "its items are predefined, neither added nor removed; find{…} one and edit its fields");
}

/* --- assignment
 * ---------------------------------------------------------------------------------------------------------------- */

enum { NODE = 1, KEY, VALUE, DATA };

/* Whether the value is an item of this very document that may stand in this list as it is. */
static bool is_own_item(lua_State *L, const hol_type *type, int value) {
    const hol_type *item = hol_node_type(L, value);
    if (!item || !type->item || item->field != type->item) return false;
    bool own = hol_node_part(L, NODE)->doc == hol_node_part(L, value)->doc;
    lua_pop(L, 2);
    return own;
}

static int l_take_item(lua_State *L) {
    const hol_type *type = own_type(L);
    size_t i = (size_t)lua_tointeger(L, KEY);
    const char *path = item_path(L, i);
    hol_part *part = hol_node_part(L, NODE);
    hol_take(L, VALUE, type->item, path, part, DATA);
    return 1;
}

/* Pushes what is to be stored for the value: itself, an item of the list's own, or what was taken of it. */
static void push_item(lua_State *L, const hol_type *type, int value) {
    if (is_own_item(L, type, value)) {
        lua_pushvalue(L, value);
        return;
    }
    int top = lua_gettop(L);
    l_take_item(L);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

static void store(lua_State *L, size_t i) {
    lua_rawseti(L, DATA, (int)i);
    hol_node_edited(L, NODE);
}

/* The assignment that ends table.insert is refused: takes the shift back, then raises. */
static int undo_shift(lua_State *L, shift *s, size_t i) {
    for (; i <= s->top; i++) {
        lua_rawgeti(L, DATA, (lua_Integer)i + 1);
        lua_rawseti(L, DATA, (int)i);
    }
    *s = (shift){0, 0, 0};
    return lua_error(L);
}

/* Pushes the item; takes back a shift that led here when the value is refused. */
static void push_item_or_undo(lua_State *L, const hol_type *type, size_t i) {
    shift *s = get_shift(L, NODE);
    if (!s || s->top == 0 || s->from != i) {
        push_item(L, type, VALUE);
        return;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushcclosure(L, l_take_item, 2);
    for (int a = NODE; a <= DATA; a++) lua_pushvalue(L, a);
    if (is_own_item(L, type, VALUE)) {
        lua_pushvalue(L, VALUE);
    } else if (lua_pcall(L, 4, 1, 0) != LUA_OK) {
        undo_shift(L, s, i);
    }
}

/* Notes what the assignment of the value on top to place i does to an item that stands elsewhere too. */
static void note_shift(lua_State *L, size_t i, size_t count) {
    shift *s = get_shift(L, NODE);
    size_t from = i > 1 && i - 1 <= count ? i - 1 : 0;
    if (from && !same_at(L, DATA, i, from)) from = 0;
    if (!from && hol_node_type(L, VALUE)) from = place_of(L, DATA, VALUE, i);
    if (!s && !from) return;
    shift before = s ? *s : (shift){0, 0, 0};
    size_t top = i == count + 1 ? i : before.top && before.from == i ? before.top : 0;
    bool open = before.to && before.to != i && same_at(L, DATA, before.to, before.from);
    if (open) hol_list_settle(L, NODE);
    if (from && from != i - 1) top = 0;
    *need_shift(L, NODE) = from ? (shift){i, from, top} : (shift){0, 0, 0};
}

static int remove_last(lua_State *L, size_t i, size_t count) {
    if (i > count) return 0;
    if (i < count)
        return hol_invalid(L, item_path(L, i), "hole", 0, false, "a list has no holes; use :remove(%d) or table.remove",
                           (int)i);
    lua_pushnil(L);
    store(L, i);
    shift *s = get_shift(L, NODE);
    if (s && s->from == i) *s = (shift){0, 0, 0};
    return 0;
}

/* A fixed list's items may be written over by one of the same name. */
static void check_fixed(lua_State *L, const hol_type *type, size_t i) {
    if (!(type->field && type->field->flags & HO_FIXED)) return;
    const ho_field *name = ho_schema_flagged(type->item->object, HO_NAME);
    lua_rawgeti(L, DATA, (lua_Integer)i);
    bool same = hol_node_open(L);
    lua_pushvalue(L, VALUE);
    same = same && hol_node_open(L);
    if (same) {
        lua_getfield(L, -1, name->name);
        lua_getfield(L, -3, name->name);
        same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    lua_pop(L, 2);
    if (!same) refuse_fixed(L);
}

static size_t check_index(lua_State *L, size_t count) {
    lua_Number n = lua_type(L, KEY) == LUA_TNUMBER ? lua_tonumber(L, KEY) : 0;
    if (n >= 1 && n <= (lua_Number)count + 1 && n == (lua_Number)(size_t)n) return (size_t)n;
    if (lua_isnil(L, VALUE) && n > (lua_Number)count) return count + 1;
    const char *key = luaL_typename(L, KEY);
    if (lua_type(L, KEY) == LUA_TNUMBER || lua_type(L, KEY) == LUA_TSTRING) {
        lua_pushvalue(L, KEY);
        key = lua_tostring(L, -1);
    }
    hol_invalid(L, own_path(L), "hole", 0, false, "no place [%s] in a list of %d; add to its end with :add", key,
                (int)count);
    return 0;
}

static int l_list_newindex(lua_State *L) {
    const hol_type *type = own_type(L);
    lua_settop(L, 3);
    hol_node_data(L, NODE);
    size_t count = lua_rawlen(L, DATA), i = check_index(L, count);
    lua_rawgeti(L, DATA, (lua_Integer)i);
    bool same = lua_rawequal(L, -1, VALUE);
    lua_pop(L, 1);
    if (same && i <= count) return 0;
    check_fixed(L, type, i);
    if (lua_isnil(L, VALUE)) return remove_last(L, i, count);
    push_item_or_undo(L, type, i);
    store(L, i);
    note_shift(L, i, count);
    return 0;
}

/* --- reading
 * ------------------------------------------------------------------------------------------------------------------ */

/* Pushes the item at i as a script gets it. */
static void push_child(lua_State *L, const hol_type *type, int node, int data, size_t i) {
    shift *s = get_shift(L, node);
    if (s && s->to && (i == s->to || i == s->from)) hol_list_settle(L, node);
    hol_node_part(L, node);
    lua_pushinteger(L, (lua_Integer)i);
    hol_node_child(L, data, type->item, lua_gettop(L) - 1);
    lua_remove(L, -2);
}

static int l_list_index(lua_State *L) {
    lua_settop(L, 2);
    if (lua_type(L, KEY) != LUA_TNUMBER) {
        lua_rawgeti(L, hol_refs, HOL_REF_LIST);
        lua_pushvalue(L, KEY);
        if (lua_rawget(L, -2) == LUA_TNIL && lua_type(L, KEY) == LUA_TSTRING)
            return hol_invalid(
                L, own_path(L), "unknown", 0, false,
                "a list has no field \"%s\"; its items are at [1] to [#list], its methods add, find, upsert, remove, "
                "each, clear",
                lua_tostring(L, KEY));
        return 1;
    }
    hol_node_data(L, NODE);
    lua_Number n = lua_tonumber(L, KEY);
    if (!(n >= 1 && n <= (lua_Number)lua_rawlen(L, 3) && n == (lua_Number)(size_t)n)) return 0;
    push_child(L, own_type(L), NODE, 3, (size_t)n);
    return 1;
}

static int l_list_len(lua_State *L) {
    hol_node_data(L, 1);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

static int l_list_next(lua_State *L) {
    lua_Integer i = luaL_checkinteger(L, 2) + 1;
    lua_settop(L, 1);
    const hol_type *type = hol_node_type(L, 1);
    hol_node_data(L, 1);
    if (!type || !type->list || i < 1 || (size_t)i > lua_rawlen(L, 2)) return 0;
    lua_pushinteger(L, i);
    push_child(L, type, 1, 2, (size_t)i);
    return 2;
}

static int l_list_pairs(lua_State *L) {
    lua_settop(L, 1);
    hol_node_data(L, 1);
    lua_pushvalue(L, hol_refs);
    lua_pushcclosure(L, l_list_next, 1);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

static int l_list_tostring(lua_State *L) {
    lua_settop(L, 1);
    hol_node_data(L, 1);
    lua_settop(L, 1);
    hol_writer w = {.indent = 0};
    hol_buffer_open(L, &w.out);
    hol_write(&w, 1, own_type(L)->field, "list");
    hol_buffer_push(&w.out);
    return 1;
}

const luaL_Reg hol_list_meta[] = {
    {"__index", l_list_index}, {"__newindex", l_list_newindex}, {"__len", l_list_len},
    {"__pairs", l_list_pairs}, {"__tostring", l_list_tostring}, {NULL, NULL},
};
