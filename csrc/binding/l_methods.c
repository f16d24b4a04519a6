/* SPDX-License-Identifier: MIT */
/* The methods of lists: add, find, upsert, remove, each, clear. They go through the list's metatable, where every
 * change is checked. */
/*** A list of a configuration: `cfg.availability`, `cfg.settings.keywords`. Items are at `[1]` to `[#list]`; `Item` stands for
 * what the list is of. Matching nothing is no error. On Lua 5.4 the functions of `table` work on it, too.
 * @classmod List
 */
#include "l_node.h"

#include "../core/schema.h"

enum { LIST = 1, MATCH = 2, DATA = 3 };

/* list:method(match): the list's type; its data is at DATA. */
static const hol_type *check_list(lua_State *L, const char *usage, bool match) {
    const hol_type *type = hol_node_type(L, LIST);
    if (!type || !type->list) luaL_error(L, "a list of a handoff configuration expected; call it as %s", usage);
    if (match && lua_isnoneornil(L, MATCH))
        hol_invalid(L, NULL, "type", 0, false, "nothing given; call it as %s", usage);
    lua_settop(L, MATCH);
    hol_list_settle(L, LIST);
    hol_node_data(L, LIST);
    return type;
}

static bool is_object_list(const hol_type *type) {
    return !type->item || type->item->kind == HO_OBJECT;
}

static const char *own_path(lua_State *L) {
    hol_part *part = hol_node_part(L, LIST);
    return hol_node_path(L, part, lua_gettop(L), DATA, NULL);
}

static void push_item(lua_State *L, size_t i) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_gettable(L, LIST);
}

/* --- matching ----------------------------------------------------------------------------------------------------- */

/* Whether the item's data on top has every field of the match at the index, with that value. */
static bool has_fields(lua_State *L, int match) {
    int item = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, match)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, item);
        bool same = lua_equal(L, -1, -2);
        lua_pop(L, 2);
        if (same) continue;
        lua_pop(L, 1);
        return false;
    }
    return true;
}

/* A match that no item could ever have, or that every item has, is a slip: a scalar for an item, a table for a scalar, a table
 * without a field (where a variable was nil). */
static void check_match_kind(lua_State *L, const hol_type *type, bool place) {
    int match = lua_type(L, MATCH);
    bool table = match == LUA_TTABLE || hol_node_type(L, MATCH), objects = is_object_list(type);
    ho_kind kind = type->item ? type->item->kind : HO_ANY;
    bool number = match == LUA_TNUMBER || hol_number_text(L, MATCH).at;
    if (objects && kind == HO_OBJECT && !table && !(place && match == LUA_TNUMBER))
        hol_invalid(L, own_path(L), "type", 0, false, "give fields of the item or the item itself%s, got a %s",
                    place ? " or its place" : "", luaL_typename(L, MATCH));
    if ((kind == HO_STRING && match != LUA_TSTRING) || (kind == HO_INTEGER && !number))
        hol_invalid(L, own_path(L), "type", 0, false, "its items are %s, got a %s",
                    kind == HO_STRING ? "strings" : "whole numbers", luaL_typename(L, MATCH));
    if (!objects || match != LUA_TTABLE || hol_node_type(L, MATCH)) return;
    lua_pushnil(L);
    if (!lua_next(L, MATCH))
        hol_invalid(L, own_path(L), "required", 0, false,
                    "no field is given, which would match every item; name one, or use :clear()");
    lua_pop(L, 2);
}

/* A match by fields may only name fields that there are. `place`: a number is the place of an item. */
static void check_match(lua_State *L, const hol_type *type, bool place) {
    check_match_kind(L, type, place);
    if (!type->item || !type->item->object || lua_type(L, MATCH) != LUA_TTABLE || hol_node_type(L, MATCH)) return;
    lua_pushnil(L);
    while (lua_next(L, MATCH)) {
        size_t len;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &len) : NULL;
        if (!name || !ho_schema_field(type->item->object, name, len))
            hol_unknown_field(L, own_path(L), type->item->object, lua_gettop(L) - 1);
        lua_pop(L, 1);
    }
}

static bool matches(lua_State *L, size_t i) {
    bool same;
    lua_rawgeti(L, DATA, (lua_Integer)i);
    if (hol_node_type(L, MATCH) || lua_type(L, MATCH) != LUA_TTABLE)
        same = lua_equal(L, -1, MATCH);
    else
        same = hol_node_open(L) && has_fields(L, MATCH);
    lua_pop(L, 1);
    return same;
}

/* The first place from `from` on that matches, or 0. */
static size_t find(lua_State *L, size_t from) {
    size_t count = lua_rawlen(L, DATA);
    for (size_t i = from; i <= count; i++)
        if (matches(L, i)) return i;
    return 0;
}

/* Nothing matched: a field of few choices was given a value that is none of them, which is a slip, not a search. */
static void check_choices(lua_State *L, const hol_type *type) {
    if (!type->item || !type->item->object || lua_type(L, MATCH) != LUA_TTABLE || hol_node_type(L, MATCH)) return;
    for (size_t i = 0; i < type->item->object->count; i++) {
        const ho_field *field = &type->item->object->fields[i];
        if (!field->choices) continue;
        lua_getfield(L, MATCH, field->name);
        int value = lua_gettop(L);
        const char *path = lua_pushfstring(L, "%s:find{%s}", own_path(L), field->name);
        if (lua_type(L, value) == LUA_TSTRING) hol_check_scalar(L, value, field, path);
    }
}

/*** The first item that has these fields, or is this text or number.
 * @function find
 * @tparam any match a table of fields, or the text or number itself
 * @treturn ?Item nil where there is none
 * @treturn ?integer its place
 */
static int l_find(lua_State *L) {
    const hol_type *type = check_list(L, "list:find{name = …}", true);
    check_match(L, type, false);
    size_t i = find(L, 1);
    if (i == 0) {
        check_choices(L, type);
        return 0;
    }
    push_item(L, i);
    lua_pushinteger(L, (lua_Integer)i);
    return 2;
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

static int append(lua_State *L) {
    size_t i = lua_rawlen(L, DATA) + 1;
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushvalue(L, MATCH);
    lua_settable(L, LIST);
    push_item(L, i);
    return 1;
}

/*** Adds an item at the end. A text or number that is there already is not added again.
 * @function add
 * @tparam Item item taken by value
 * @treturn Item the item as it stands in the list now
 */
static int l_add(lua_State *L) {
    const hol_type *type = check_list(L, "list:add(item)", true);
    size_t i = is_object_list(type) ? 0 : find(L, 1);
    if (i == 0) return append(L);
    push_item(L, i);
    return 1;
}

/* The place of the item that the fields at MATCH mean: by id, by name, or, where items have no name, by all that makes
 * one. Less means none: with a name that is nil by a slip, the first item that is active would be another one. */
static size_t find_same(lua_State *L, const ho_object *object) {
    const unsigned keys[] = {HO_ID, ho_schema_flagged(object, HO_NAME) ? HO_NAME : HO_REQUIRED};
    for (size_t k = 0; k < HO_COUNT(keys); k++) {
        int given = 0, missing = 0, top = lua_gettop(L);
        lua_newtable(L);
        for (size_t i = 0; i < object->count; i++) {
            if (!(object->fields[i].flags & keys[k])) continue;
            lua_getfield(L, MATCH, object->fields[i].name);
            bool absent = lua_isnil(L, -1);
            missing += absent;
            given += !absent;
            lua_setfield(L, -2, object->fields[i].name);
        }
        if (given == 0 || missing > 0) {
            lua_pop(L, 1);
            continue;
        }
        lua_pushvalue(L, MATCH);
        lua_insert(L, top + 1);
        lua_replace(L, MATCH);
        size_t i = find(L, 1);
        lua_replace(L, MATCH);
        return i;
    }
    return 0;
}

/* Whether the item's data has the value on top in the field. */
static bool has_value(lua_State *L, int data, const char *name) {
    lua_pushstring(L, name);
    lua_rawget(L, data);
    bool same = lua_equal(L, -1, -2);
    lua_pop(L, 1);
    return same;
}

/* Every field given is checked before the first is set; what is there already may stay. The item is on top. */
static void check_fields(lua_State *L, const hol_type *type) {
    int item = lua_gettop(L);
    hol_target target = {.part = hol_node_part(L, item)};
    hol_node_data(L, item);
    const char *path = hol_node_path(L, target.part, item + 1, item + 2, &target.depth);
    lua_pushnil(L);
    while (lua_next(L, MATCH)) {
        size_t len;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &len) : NULL;
        const ho_field *field = name ? ho_schema_field(type->item->object, name, len) : NULL;
        if (!field) hol_unknown_field(L, path, type->item->object, lua_gettop(L) - 1);
        if (!has_value(L, item + 2, name)) {
            target.path = lua_pushfstring(L, "%s.%s", path, name);
            hol_take(L, -2, field, &target);
            lua_pop(L, 2);
        }
        lua_pop(L, 1);
    }
    lua_settop(L, item);
}

static void set_fields(lua_State *L, int item) {
    lua_pushnil(L);
    while (lua_next(L, MATCH)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_settable(L, item);
    }
}

/* Replaces the node at MATCH by a table of those of its fields that make an item here: what the schema knows, without null, and
 * without id where it is another document's. */
static void open_match(lua_State *L, const hol_type *type) {
    const ho_object *object = type->item->object;
    int top = lua_gettop(L);
    bool own =
        hol_node_type(L, MATCH)->field == type->item && hol_node_part(L, MATCH)->doc == hol_node_part(L, LIST)->doc;
    lua_settop(L, top);
    hol_plain(L, MATCH);
    lua_newtable(L);
    for (size_t i = 0; i < object->count; i++) {
        lua_getfield(L, top + 1, object->fields[i].name);
        if (hol_is_null(L, -1) || (!own && object->fields[i].flags & HO_ID))
            lua_pop(L, 1);
        else
            lua_setfield(L, top + 2, object->fields[i].name);
    }
    lua_replace(L, MATCH);
    lua_settop(L, top);
}

/*** Sets these fields of the item of that id or name, or adds it.
 * @function upsert
 * @tparam table item of fields, `name` or `id` among them
 * @treturn Item the item as it stands in the list now
 */
static int l_upsert(lua_State *L) {
    const hol_type *type = check_list(L, "list:upsert{name = …}", true);
    bool node = hol_node_type(L, MATCH);
    if (!type->item || !type->item->object || !(node || lua_type(L, MATCH) == LUA_TTABLE))
        return hol_invalid(L, own_path(L), "type", 0, false,
                           "upsert takes a table of an item's fields; call it as list:upsert{name = …}");
    lua_pushvalue(L, MATCH); /* stays at the top: a node is added with all that it has */
    size_t i = node ? find(L, 1) : 0;
    if (i > 0) {
        push_item(L, i);
        return 1;
    }
    if (node) open_match(L, type);
    i = find_same(L, type->item->object);
    if (i == 0) {
        lua_pushvalue(L, DATA + 1);
        lua_replace(L, MATCH);
        return append(L);
    }
    push_item(L, i);
    int item = lua_gettop(L);
    check_fields(L, type);
    set_fields(L, item);
    return 1;
}

/* --- removing ----------------------------------------------------------------------------------------------------- */

static void remove_at(lua_State *L, size_t i) {
    size_t count = lua_rawlen(L, DATA);
    const hol_part *part = hol_node_edit(L, LIST);
    hol_member_edited(part->doc, part->index); /* nothing fails from here on: there is less than before */
    for (; i < count; i++) {
        lua_rawgeti(L, DATA, (lua_Integer)i + 1);
        lua_rawseti(L, DATA, (int)i);
    }
    lua_pushnil(L);
    lua_rawseti(L, DATA, (int)count);
}

static void check_removable(lua_State *L, const hol_type *type) {
    if (type->field && type->field->flags & HO_FIXED)
        hol_invalid(L, own_path(L), "fixed", 0, false,
                    "its items are predefined and cannot be removed; set is_active = false instead");
}

/*** Removes what matches.
 * @function remove
 * @tparam any match an item, a table of fields, or, in a list of objects, a place; in others the text or number itself
 * @treturn integer how many were removed
 */
static int l_remove(lua_State *L) {
    const hol_type *type = check_list(L, "list:remove(match)", true);
    check_removable(L, type);
    check_match(L, type, true);
    lua_Integer removed = 0;
    if (lua_type(L, MATCH) == LUA_TNUMBER && is_object_list(type)) {
        lua_Number n = lua_tonumber(L, MATCH);
        bool there = n >= 1 && n <= (lua_Number)lua_rawlen(L, DATA) && n == (lua_Number)(size_t)n;
        if (there) remove_at(L, (size_t)n);
        removed = there;
    } else {
        for (size_t i = 1; (i = find(L, i)) > 0; removed++) remove_at(L, i);
    }
    lua_pushinteger(L, removed);
    return 1;
}

/*** Removes all items.
 * @function clear
 * @treturn integer how many were removed
 */
static int l_clear(lua_State *L) {
    const hol_type *type = check_list(L, "list:clear()", false);
    check_removable(L, type);
    size_t count = lua_rawlen(L, DATA);
    if (count > 0) {
        const hol_part *part = hol_node_edit(L, LIST);
        hol_member_edited(part->doc, part->index);
    }
    for (size_t i = count; i > 0; i--) {
        lua_pushnil(L);
        lua_rawseti(L, DATA, (int)i);
    }
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

/* --- iterating ---------------------------------------------------------------------------------------------------- */

/* Upvalues: references, the items, the place. */
static int l_each_next(lua_State *L) {
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1;
    lua_settop(L, 0);
    lua_pushinteger(L, i);
    lua_pushvalue(L, 1);
    lua_replace(L, lua_upvalueindex(3));
    if (lua_rawgeti(L, lua_upvalueindex(2), i) == LUA_TNIL) return 0;
    return 2;
}

/*** Iterates over the items that there were at the start, so that removing some on the way passes none over.
 * @function each
 * @treturn fun():integer,Item of place and item
 * @usage for i, slot in cfg.availability:each() do print(i, slot.day_span) end
 */
static int l_each(lua_State *L) {
    check_list(L, "list:each()", false);
    size_t count = lua_rawlen(L, DATA);
    lua_pushvalue(L, hol_refs);
    lua_createtable(L, (int)(count < 1000 ? count : 1000), 0);
    for (size_t i = 1; i <= count; i++) {
        push_item(L, i);
        lua_rawseti(L, -2, (int)i);
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, l_each_next, 3);
    return 1;
}

const luaL_Reg hol_list_methods[] = {
    {"add", l_add},     {"find", l_find}, {"upsert", l_upsert}, {"remove", l_remove},
    {"clear", l_clear}, {"each", l_each}, {NULL, NULL},
};
