/* SPDX-License-Identifier: MIT */
/* The metatable and the methods of lists. What the table library does to a list (insert, remove, sort: assignments one
 * by one) ends in what it does to a plain table, and each assignment is checked. */
#include "l_node.h"

#include <string.h>

/* An item of a list stands in one place only. While table.insert or table.remove shift, an item is in two for a moment:
 * the place it was assigned to last (`to`) and the one it came from. Kept in the node's slot. If it stays there, `to`
 * gets a copy (settle). `top` is where a shift upward began, so that it can be taken back when table.insert's last
 * assignment is refused; 0: none. The part was edited before it began or not (`edited`), and after its last step the document had
 * seen `edits`. */
typedef struct shift {
    size_t to, from, top, edits;
    bool edited;
} shift;

static const hol_type *own_type(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(2));
}

static shift *get_shift(lua_State *L, int node) {
    shift *s = NULL;
    if (hol_node_slot(L, node) == LUA_TUSERDATA && lua_getmetatable(L, -1)) {
        lua_rawgeti(L, hol_refs, HOL_REF_SHIFT);
        if (lua_rawequal(L, -1, -2)) s = lua_touserdata(L, -3);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return s;
}

static shift *need_shift(lua_State *L, int node) {
    shift *s = get_shift(L, node);
    if (s) return s;
    s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = (shift){0};
    lua_rawgeti(L, hol_refs, HOL_REF_SHIFT);
    lua_setmetatable(L, -2);
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

void hol_list_settle(lua_State *L, int node) {
    shift *s = get_shift(L, node);
    if (!s || s->to == 0) return;
    shift pending = *s;
    *s = (shift){0};
    const hol_type *type = hol_node_type(L, node);
    hol_node_data(L, node);
    if (same_at(L, -1, pending.to, pending.from)) {
        lua_rawgeti(L, -1, (lua_Integer)pending.to);
        if (hol_node_type(L, -1)) {
            hol_plain(L, -1);
            hol_drop_id(L, type->item ? type->item->object : NULL);
            lua_rawseti(L, -3, (int)pending.to);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The place of the value, other than `but`, or 0. Near `but` it is looked for first: there a shift has it. */
static size_t place_of(lua_State *L, int data, int value, size_t but) {
    size_t count = lua_rawlen(L, data);
    value = lua_absindex(L, value);
    for (size_t near = but > 1 ? but - 1 : 1; but && near <= but + 1 && near <= count; near++) {
        lua_rawgeti(L, data, (lua_Integer)near);
        bool same = near != but && lua_rawequal(L, -1, value);
        lua_pop(L, 1);
        if (same) return near;
    }
    for (size_t i = 1; i <= count; i++) {
        if (i == but) continue;
        lua_rawgeti(L, data, (lua_Integer)i);
        bool same = lua_rawequal(L, -1, value);
        lua_pop(L, 1);
        if (same) return i;
    }
    return 0;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static const char *path_and_depth(lua_State *L, int *depth) {
    hol_part *part = hol_node_part(L, 1);
    int part_index = lua_gettop(L);
    hol_node_data(L, 1);
    return hol_node_path(L, part, part_index, lua_gettop(L), depth);
}

static const char *own_path(lua_State *L) {
    return path_and_depth(L, NULL);
}

static const char *item_path(lua_State *L, size_t i) {
    const char *path = own_path(L);
    return lua_pushfstring(L, "%s[%d]", path, (int)i);
}

static int refuse_fixed(lua_State *L) {
    return hol_invalid(L, own_path(L), "fixed", 0, false,
                       "its items are predefined, neither added nor removed; find{…} one and edit its fields");
}

/* --- assignment --------------------------------------------------------------------------------------------------- */

enum { NODE = 1, KEY, VALUE, DATA };

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

/* Whether the value is an item of this very document that may stand in this list as it is. What the schema does not know may stand
 * in many lists: there it must be in this one already. */
static bool is_own_item(lua_State *L, const hol_type *type, int value, size_t i) {
    const hol_type *item = hol_node_type(L, value);
    if (!item || (type->item && item->field != type->item)) return false;
    bool own = hol_node_part(L, NODE)->doc == hol_node_part(L, value)->doc;
    lua_pop(L, 2);
    return own && (type->item || place_of(L, DATA, value, i));
}

/* Whether an item of the list has the id that the item at `value` has: one that was removed, and another adopted its id. */
static bool has_id_of(lua_State *L, const hol_type *type, int value) {
    const ho_field *id = type->item && type->item->object ? ho_schema_flagged(type->item->object, HO_ID) : NULL;
    if (!id) return false;
    int top = lua_gettop(L);
    bool has = false;
    hol_node_data(L, value);
    lua_getfield(L, -1, id->name);
    for (size_t i = 1, n = lua_isnil(L, -1) ? 0 : lua_rawlen(L, DATA); i <= n && !has; i++) {
        lua_rawgeti(L, DATA, (lua_Integer)i);
        if (hol_node_open(L)) {
            lua_getfield(L, -1, id->name);
            has = lua_equal(L, -1, top + 2);
        }
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
    return has;
}

static void take_item(lua_State *L, const hol_type *type, size_t i) {
    hol_target target = {.part = hol_node_part(L, NODE), .model = DATA, .first = i, .last = i};
    const char *path = path_and_depth(L, &target.depth);
    target.path = lua_pushfstring(L, "%s[%d]", path, (int)i);
    if (i > lua_rawlen(L, DATA)) target.first = 0;
    hol_take(L, VALUE, type->item, &target);
}

/* Pushes what is to be stored at i for the value: itself, an item of the list's own; a plain table, taken of it; nil, where the
 * last item may go. Raises where it is refused. */
static void push_item(lua_State *L, const hol_type *type, size_t i) {
    int top = lua_gettop(L);
    check_fixed(L, type, i);
    if (lua_isnil(L, VALUE)) {
        if (i < lua_rawlen(L, DATA))
            hol_invalid(L, item_path(L, i), "hole", 0, false, "a list has no holes; use :remove(%d) or table.remove",
                        (int)i);
        lua_pushnil(L);
    } else if (!is_own_item(L, type, VALUE, i)) {
        take_item(L, type, i);
    } else if (place_of(L, DATA, VALUE, i) == 0 && has_id_of(L, type, VALUE)) {
        hol_plain(L, VALUE);
        hol_drop_id(L, type->item->object);
    } else {
        lua_pushvalue(L, VALUE);
    }
    lua_insert(L, top + 1);
    lua_settop(L, top + 1);
}

static void store(lua_State *L, size_t i) {
    const hol_part *part = hol_node_edit(L, NODE);
    lua_rawseti(L, DATA, (int)i);
    hol_member_edited(part->doc, part->index);
}

static int l_push_item(lua_State *L) {
    push_item(L, own_type(L), (size_t)lua_tointeger(L, KEY));
    return 1;
}

/* The assignment that ends table.insert is refused: takes the shift back, then raises. */
static int undo_shift(lua_State *L, const shift *s, size_t i) {
    hol_part *part = hol_node_part(L, NODE);
    lua_pop(L, 1);
    if (part->doc->edits == s->edits) part->doc->members[part->index].edited = s->edited;
    for (; i <= s->top; i++) {
        lua_rawgeti(L, DATA, (lua_Integer)i + 1);
        lua_rawseti(L, DATA, (int)i);
    }
    return lua_error(L);
}

/* Whether the assignment comes from a C function, such as table.insert: a script's own assignments stand each for itself. */
static bool is_from_c(lua_State *L) {
    lua_Debug ar;
    return lua_getstack(L, 1, &ar) && lua_getinfo(L, "S", &ar) && ar.what[0] == 'C';
}

/* Pushes the item; takes back a shift that led here when the value is refused. */
static void push_item_or_undo(lua_State *L, const hol_type *type, size_t i) {
    shift *s = get_shift(L, NODE);
    if (!s || s->top == 0 || s->from != i || !is_from_c(L)) {
        push_item(L, type, i);
        return;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushcclosure(L, l_push_item, 2);
    for (int a = NODE; a <= DATA; a++) lua_pushvalue(L, a);
    shift pending = *s;
    *s = (shift){0}; /* or it would be settled where the value holds this very list */
    if (lua_pcall(L, 4, 1, 0) != LUA_OK) undo_shift(L, &pending, i);
    *s = pending;
}

/* An item that is written over by one of the same name stays the one it was, unless it has moved on to another place. The new one is on
 * top. */
static void adopt(lua_State *L, const hol_type *type, size_t i, size_t count) {
    const shift *s = get_shift(L, NODE);
    if (i > count || (s && s->to) || !type->item || !type->item->object || lua_type(L, -1) != LUA_TTABLE) return;
    if (hol_node_type(L, -1)) return;
    int item = lua_gettop(L);
    lua_rawgeti(L, DATA, (lua_Integer)i);
    lua_pushvalue(L, item);
    hol_adopt(L, item + 1, type->item->object);
    lua_settop(L, item);
}

/* Notes what the assignment of the value on top to place i does to an item that stands elsewhere too. */
static void note_shift(lua_State *L, size_t i, size_t count, bool edited) {
    shift *s = get_shift(L, NODE);
    size_t from = i > 1 && i - 1 <= count ? i - 1 : 0;
    if (from && !same_at(L, DATA, i, from)) from = 0;
    if (!from && hol_node_type(L, VALUE)) from = place_of(L, DATA, VALUE, i);
    if (!s && !from) return;
    shift before = s ? *s : (shift){0};
    size_t top = i == count + 1 ? i : before.top && before.from == i ? before.top : 0;
    bool open = before.to && before.to != i && same_at(L, DATA, before.to, before.from);
    if (open) hol_list_settle(L, NODE);
    if (from && from != i - 1) top = 0;
    size_t edits = hol_node_part(L, NODE)->doc->edits;
    lua_pop(L, 1);
    if (top && top != i) edited = before.edited;
    *need_shift(L, NODE) = from ? (shift){i, from, top, edits, edited} : (shift){0};
}

/* The same for a value that is at i already: of a shift along equal scalars. */
static void note_same(lua_State *L, size_t i) {
    shift *s = get_shift(L, NODE);
    if (!s || s->top == 0 || s->from != i || i == 1 || !same_at(L, DATA, i, i - 1)) return;
    s->to = i;
    s->from = i - 1;
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
    hol_node_self(L, type);
    size_t count = lua_rawlen(L, DATA), i = check_index(L, count);
    lua_rawgeti(L, DATA, (lua_Integer)i);
    bool same = lua_rawequal(L, -1, VALUE);
    lua_pop(L, 1);
    if (same && (i <= count || lua_isnil(L, VALUE))) {
        note_same(L, i);
        return 0;
    }
    push_item_or_undo(L, type, i);
    adopt(L, type, i, count);
    const hol_part *part = hol_node_part(L, NODE);
    bool edited = part->doc->members[part->index].edited;
    lua_pop(L, 1);
    store(L, i);
    note_shift(L, i, count, edited);
    return 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

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
    hol_node_self(L, own_type(L));
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
    lua_Number n = lua_tonumber(L, KEY);
    if (!(n >= 1 && n <= (lua_Number)lua_rawlen(L, 3) && n == (lua_Number)(size_t)n)) return 0;
    push_child(L, own_type(L), NODE, 3, (size_t)n);
    return 1;
}

static int l_list_len(lua_State *L) {
    hol_node_self(L, own_type(L));
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

static int l_list_next(lua_State *L) {
    lua_Integer before = luaL_checkinteger(L, 2);
    lua_settop(L, 1);
    const hol_type *type = hol_node_type(L, 1);
    hol_node_data(L, 1);
    if (!type || !type->list || before < 0 || (size_t)before >= lua_rawlen(L, 2)) return 0;
    lua_pushinteger(L, before + 1);
    push_child(L, type, 1, 2, (size_t)before + 1);
    return 2;
}

static int l_list_pairs(lua_State *L) {
    lua_settop(L, 1);
    hol_node_self(L, own_type(L));
    lua_pushvalue(L, hol_refs);
    lua_pushcclosure(L, l_list_next, 1);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

static int l_list_tostring(lua_State *L) {
    lua_settop(L, 1);
    hol_node_self(L, own_type(L));
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
