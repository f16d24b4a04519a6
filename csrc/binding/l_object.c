/* SPDX-License-Identifier: MIT */
/* The metatable of objects: settings, a slot, a guideline, a profile, and objects the schema does not know. */
#include "l_node.h"

#include "../core/check.h"
#include "../core/rule.h"

#include <string.h>

static const hol_type *own_type(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(2));
}

static const ho_field *field_at(lua_State *L, const ho_object *object, int key) {
    if (!object || lua_type(L, key) != LUA_TSTRING) return NULL;
    size_t len;
    const char *name = lua_tolstring(L, key, &len);
    return ho_schema_field(object, name, len);
}

/* Pushes the path of the node at index 1 whose data is at `data` → it. */
static const char *own_path(lua_State *L, int data) {
    hol_part *part = hol_node_part(L, 1);
    return hol_node_path(L, part, lua_gettop(L), data, NULL);
}

static const char *field_path(lua_State *L, int data, const char *name) {
    return lua_pushfstring(L, "%s.%s", own_path(L, data), name);
}

/* Pushes the value at the index as it is to be stored in the field of that name. */
static void take_field(lua_State *L, int data, int value, const ho_field *field, const char *name) {
    hol_target target = {.part = hol_node_part(L, 1)};
    const char *path = hol_node_path(L, target.part, lua_gettop(L), data, &target.depth);
    target.path = lua_pushfstring(L, "%s.%s", path, name);
    hol_take(L, value, field, &target);
}

static int l_object_index(lua_State *L) {
    const hol_type *type = own_type(L);
    lua_settop(L, 2);
    hol_node_self(L, type);
    lua_pushvalue(L, 2);
    switch (lua_rawget(L, 3)) {
    case LUA_TNUMBER: hol_integral(L); return 1;
    case LUA_TTABLE: break;
    case LUA_TNIL:
        if (!type->object || field_at(L, type->object, 2)) return 1;
        return hol_unknown_field(L, own_path(L, 3), type->object, 2);
    default: return 1;
    }
    const ho_field *field = field_at(L, type->object, 2);
    hol_node_part(L, 1);
    lua_pushvalue(L, 2);
    hol_node_child(L, 3, field, 5);
    return 1;
}

/* --- assignment --------------------------------------------------------------------------------------------------- */

/* Stack from here on: 1 node, 2 key, 3 value, 4 data, 5 the old value, 6 the part. */
enum { NODE = 1, KEY, VALUE, DATA, OLD, PART };

static int store(lua_State *L, int value) {
    hol_field_edit(L, NODE, PART, KEY, OLD);
    lua_pushvalue(L, KEY);
    lua_pushvalue(L, value);
    lua_rawset(L, DATA);
    const hol_part *part = lua_touserdata(L, PART);
    hol_member_edited(part->doc, part->index);
    return 0;
}

static int refuse_removal(lua_State *L, const char *name) {
    return hol_invalid(L, field_path(L, DATA, name), "required", 0, false,
                       "a field cannot be removed: the whole document is always sent; assign a value");
}

static int refuse_read_only(lua_State *L, const ho_field *field) {
    const char *why = field->why ? field->why : "the server gives it";
    const char *path = field_path(L, DATA, field->name);
    lua_pushvalue(L, VALUE);
    return hol_invalid(L, path, "read_only", 0, true, "read-only: %s", why);
}

/* An unknown field: one that the server sent may be given any JSON value; inside what is unknown anything goes. */
static int assign_unknown(lua_State *L, const hol_type *type) {
    if (type->object && lua_isnil(L, OLD)) return hol_unknown_field(L, own_path(L, DATA), type->object, KEY);
    if (lua_type(L, KEY) != LUA_TSTRING)
        return hol_invalid(L, own_path(L, DATA), "type", 0, false, "an object's fields have names; a %s is none",
                           luaL_typename(L, KEY));
    size_t len;
    const char *name = lua_tolstring(L, KEY, &len);
    if (lua_isnil(L, VALUE) && lua_isnil(L, OLD)) return 0;
    if (lua_isnil(L, VALUE)) return type->object ? refuse_removal(L, name) : store(L, VALUE);
    if (ho_utf8_length(name, len, NULL) == SIZE_MAX)
        return hol_invalid(L, own_path(L, DATA), "utf8", 0, false, "a name that is not UTF-8");
    if (lua_rawequal(L, OLD, VALUE)) return 0;
    take_field(L, DATA, VALUE, NULL, name);
    return store(L, lua_gettop(L));
}

/* A list at once, such as user_ids. */
static int assign_table(lua_State *L, const ho_field *field) {
    take_field(L, DATA, VALUE, field, field->name);
    return store(L, lua_gettop(L));
}

static int assign_scalar(lua_State *L, const ho_field *field) {
    /* what is there may stay, whatever it is: null, a long number, a text that the service sent over its limit */
    if (!lua_isnil(L, OLD) && lua_equal(L, OLD, VALUE)) return 0;
    if (field->flags & (HO_READ_ONLY | HO_ID)) return refuse_read_only(L, field);
    /* the path is looked up only where the value breaks a rule: an assignment costs little */
    ho_problem problem;
    int type = lua_type(L, VALUE);
    bool ok = field->kind == HO_STRING ? type == LUA_TSTRING && hol_check_string(L, VALUE, field, &problem) == HO_OK
                                       : field->kind == HO_BOOLEAN && type == LUA_TBOOLEAN;
    if (!ok) hol_check_scalar(L, VALUE, field, field_path(L, DATA, field->name));
    return store(L, VALUE);
}

static int l_object_newindex(lua_State *L) {
    const hol_type *type = own_type(L);
    lua_settop(L, 3);
    hol_node_self(L, type);
    lua_pushvalue(L, KEY);
    lua_rawget(L, DATA);
    hol_node_part(L, NODE);
    const ho_field *field = field_at(L, type->object, KEY);
    if (!field) return assign_unknown(L, type);
    if (lua_isnil(L, VALUE)) return lua_isnil(L, OLD) ? 0 : refuse_removal(L, field->name);
    if (field->kind != HO_LIST && field->kind != HO_OBJECT) return assign_scalar(L, field);
    return lua_rawequal(L, OLD, VALUE) ? 0 : assign_table(L, field);
}

/* --- iteration, in canonical order -------------------------------------------------------------------------------- */

void hol_names(lua_State *L, const ho_object *object, int data) {
    data = lua_absindex(L, data);
    lua_newtable(L);
    int names = lua_gettop(L), n = 0;
    for (size_t i = 0; object && i < object->count; i++) {
        lua_pushstring(L, object->fields[i].name);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, data) != LUA_TNIL) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, names, ++n);
        }
        lua_pop(L, 2);
    }
    size_t count;
    const ho_text *rest = hol_sorted_names(L, object, data, &count);
    for (size_t i = 0; i < count; i++) {
        lua_pushlstring(L, rest[i].at, rest[i].len);
        lua_rawseti(L, names, ++n);
    }
    lua_settop(L, names);
}

/* The iterator; upvalues: references, type, node, keys, position. */
static int l_object_next(lua_State *L) {
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(5)) + 1;
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(3));
    if (lua_rawgeti(L, lua_upvalueindex(4), at) == LUA_TNIL) return 1;
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(5));
    l_object_index(L);
    lua_pushvalue(L, 2);
    lua_insert(L, -2);
    return 2;
}

static int l_object_pairs(lua_State *L) {
    lua_settop(L, 1);
    hol_node_self(L, own_type(L));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    hol_names(L, own_type(L)->object, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, l_object_next, 5);
    return 1;
}

static int l_object_tostring(lua_State *L) {
    lua_settop(L, 1);
    hol_node_self(L, own_type(L));
    lua_settop(L, 1);
    hol_writer w = {.indent = 0};
    hol_buffer_open(L, &w.out);
    hol_write(&w, 1, own_type(L)->field, "object");
    hol_buffer_push(&w.out);
    return 1;
}

const luaL_Reg hol_object_meta[] = {
    {"__index", l_object_index},       {"__newindex", l_object_newindex}, {"__pairs", l_object_pairs},
    {"__tostring", l_object_tostring}, {"__call", l_object_pairs},        {NULL, NULL},
};
