/* SPDX-License-Identifier: MIT */
#include "l_node.h"

#include "../core/check.h"

#include <stdio.h>
#include <string.h>

/* Addresses of these are the private keys: of a node's data, part and slot, and of a metatable's type. */
static const char DATA, PART, SLOT, TYPE;

/* Its address stands for the value of a field that was not there. */
static const char ABSENT;

enum { TYPES_MAX = 24 };
typedef struct types {
    size_t count;
    hol_type list[TYPES_MAX];
} types;

const hol_type *hol_node_type(lua_State *L, int index) {
    if (lua_type(L, index) != (HOL_TABLE_CARRIERS ? LUA_TTABLE : LUA_TUSERDATA) || !lua_getmetatable(L, index))
        return NULL;
    lua_rawgetp(L, -1, &TYPE);
    const hol_type *type = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return type;
}

/* --- what a node keeps: in private keys of a table, or in the environment of a userdata --------------------------- */

#if HOL_TABLE_CARRIERS

static int get_kept(lua_State *L, int node, const char *key) {
    return lua_rawgetp(L, node, key);
}

static void set_kept(lua_State *L, int node, const char *key) {
    lua_rawsetp(L, node, key);
}

static void push_carrier(lua_State *L) {
    lua_createtable(L, 0, 2);
}

#else

static int get_kept(lua_State *L, int node, const char *key) {
    lua_getfenv(L, node);
    lua_rawgetp(L, -1, key);
    lua_remove(L, -2);
    return lua_type(L, -1);
}

static void set_kept(lua_State *L, int node, const char *key) {
    lua_getfenv(L, node);
    lua_insert(L, -2);
    lua_rawsetp(L, -2, key);
    lua_pop(L, 1);
}

static void push_carrier(lua_State *L) {
    lua_newuserdata(L, 1);
    lua_createtable(L, 0, 2);
    lua_setfenv(L, -2);
}

#endif

void hol_node_data(lua_State *L, int index) {
    int type = lua_type(L, index);
    if (type == (HOL_TABLE_CARRIERS ? LUA_TTABLE : LUA_TUSERDATA) && get_kept(L, index, &DATA) == LUA_TTABLE) return;
    luaL_error(L, "an object of a handoff configuration expected, got %s", luaL_typename(L, index));
}

void hol_node_self(lua_State *L, const hol_type *type) {
    if (hol_node_type(L, 1) != type)
        luaL_error(L, "an object of a handoff configuration expected, got %s", luaL_typename(L, 1));
    hol_node_data(L, 1);
}

hol_part *hol_node_part(lua_State *L, int index) {
    hol_node_data(L, index);
    lua_pop(L, 1);
    get_kept(L, index, &PART);
    hol_part *part = lua_touserdata(L, -1);
    if (part && lua_getmetatable(L, -1)) {
        lua_rawgeti(L, hol_refs, HOL_REF_PART);
        bool is = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (is) return part;
    }
    luaL_error(L, "an object of a handoff configuration was tampered with");
    return NULL;
}

int hol_node_slot(lua_State *L, int index) {
    return get_kept(L, index, &SLOT);
}

void hol_node_setslot(lua_State *L, int index) {
    set_kept(L, lua_absindex(L, index), &SLOT);
}

static void refuse_sealed(lua_State *L, const hol_doc *doc, int values, size_t i) {
    lua_rawgeti(L, values, HOL_DOC_TEXT);
    const ho_member *m = &doc->members[i].text;
    lua_pushlstring(L, lua_tostring(L, -1) + m->name, m->name_len);
    hol_invalid(L, lua_tostring(L, -1), "sealed", 0, false,
                "this configuration is not edited any more: the function that was to has returned, or others share it; "
                "edit within that function, or a cfg:copy()");
}

/* What was there before an edit is kept whole; or, while only fields of an object that is a part itself were set, field by field in a
 * table of its own. */

static lua_Integer whole_slot(const hol_doc *doc, size_t i) {
    return HOL_DOC_VALUES + (lua_Integer)(doc->count + i);
}

static lua_Integer fields_slot(const hol_doc *doc, size_t i) {
    return HOL_DOC_VALUES + (lua_Integer)(doc->count * 2 + i);
}

bool hol_member_fields(lua_State *L, const hol_doc *doc, int values, size_t i) {
    if (lua_rawgeti(L, values, fields_slot(doc, i)) == LUA_TTABLE) return true;
    lua_pop(L, 1);
    return false;
}

bool hol_is_absent(lua_State *L, int index) {
    return lua_touserdata(L, index) == &ABSENT;
}

static void keep_whole(lua_State *L, const hol_doc *doc, int values, size_t i) {
    lua_rawgeti(L, values, HOL_DOC_VALUES + (lua_Integer)i);
    hol_plain(L, -1);
    lua_rawseti(L, values, (int)whole_slot(doc, i));
    lua_pop(L, 1);
}

void hol_member_keep_whole(lua_State *L, const hol_doc *doc, int values, size_t i) {
    values = lua_absindex(L, values);
    if (!hol_member_fields(L, doc, values, i)) return;
    int fields = lua_gettop(L);
    keep_whole(L, doc, values, i);
    lua_rawgeti(L, values, whole_slot(doc, i));
    for (lua_pushnil(L); lua_next(L, fields); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        if (hol_is_absent(L, -2))
            lua_pushnil(L);
        else
            lua_pushvalue(L, -2);
        lua_rawset(L, fields + 1);
    }
    lua_pushnil(L);
    lua_rawseti(L, values, (int)fields_slot(doc, i));
    lua_settop(L, fields - 1);
}

void hol_member_edit(lua_State *L, hol_doc *doc, int values, size_t i) {
    if (doc->sealed) refuse_sealed(L, doc, values, i);
    if (!doc->members[i].edited) keep_whole(L, doc, lua_absindex(L, values), i);
    hol_member_keep_whole(L, doc, values, i);
}

void hol_member_edited(hol_doc *doc, size_t i) {
    doc->members[i].edited = true;
    doc->edits++;
}

hol_part *hol_node_edit(lua_State *L, int node) {
    hol_part *part = hol_node_part(L, node);
    lua_getiuservalue(L, -1, 1);
    hol_member_edit(L, part->doc, -1, part->index);
    lua_pop(L, 2);
    return part;
}

/* Keeps the value at `old` of the field whose name is at `key` in the table on top, which it pops, unless an earlier one is there. */
static void keep_field(lua_State *L, int key, int old) {
    lua_pushvalue(L, key);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pushvalue(L, key);
        if (lua_isnil(L, old))
            lua_pushlightuserdata(L, (void *)(uintptr_t)&ABSENT);
        else
            hol_plain(L, old);
        lua_rawset(L, -4);
    }
    lua_pop(L, 2);
}

void hol_field_edit(lua_State *L, int node, int part, int key, int old) {
    const hol_part *at = lua_touserdata(L, part);
    hol_doc *doc = at->doc;
    lua_getiuservalue(L, part, 1);
    int values = lua_gettop(L);
    lua_rawgeti(L, values, HOL_DOC_VALUES + (lua_Integer)at->index);
    bool is_part = lua_rawequal(L, -1, node), first = !doc->members[at->index].edited;
    if (!is_part || doc->sealed) {
        hol_member_edit(L, doc, values, at->index);
    } else {
        if (first) {
            lua_createtable(L, 0, 4);
            lua_rawseti(L, values, (int)fields_slot(doc, at->index));
        }
        if (hol_member_fields(L, doc, values, at->index)) keep_field(L, key, old);
    }
    lua_settop(L, values - 1);
}

void hol_node_new(lua_State *L, const hol_type *type, int part) {
    part = lua_absindex(L, part);
    int data = lua_gettop(L);
    if (type->list && hol_is_array(L, data)) hol_mark_array(L);
    push_carrier(L);
    lua_pushvalue(L, data);
    set_kept(L, data + 1, &DATA);
    lua_pushvalue(L, part);
    set_kept(L, data + 1, &PART);
    lua_rawgeti(L, hol_refs, type->ref);
    lua_setmetatable(L, data + 1);
    lua_replace(L, data);
}

bool hol_node_open(lua_State *L) {
    const hol_type *type = hol_node_type(L, -1);
    if (type) {
        if (type->list) hol_list_settle(L, lua_gettop(L));
        hol_node_data(L, -1);
        lua_replace(L, -2);
    }
    return lua_type(L, -1) == LUA_TTABLE;
}

/* --- types -------------------------------------------------------------------------------------------------------- */

const hol_type *hol_type_of(lua_State *L, const ho_field *field) {
    bool list = hol_is_array(L, -1);
    if (field && field->kind == HO_LIST && !list) {
        /* an empty table at a list's place is a list; anything else there the schema does not know */
        lua_pushnil(L);
        list = !lua_next(L, -2);
        if (!list) lua_pop(L, 2);
    }
    if (field && (field->kind == HO_ANY || (field->kind == HO_LIST) != list)) field = NULL;
    lua_rawgeti(L, hol_refs, HOL_REF_TYPES);
    const types *all = lua_touserdata(L, -1);
    lua_pop(L, 1);
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].field == field && all->list[i].list == list) return &all->list[i];
    return &all->list[list ? 1 : 0];
}

void hol_node_child(lua_State *L, int data, const ho_field *field, int part) {
    data = lua_absindex(L, data);
    part = lua_absindex(L, part);
    lua_pushvalue(L, -1);
    int type = lua_rawget(L, data);
    if (type == LUA_TTABLE && !hol_node_type(L, -1)) {
        hol_node_new(L, hol_type_of(L, field), part);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, data);
    } else if (type == LUA_TNUMBER) {
        hol_integral(L);
    }
    lua_remove(L, -2);
}

/* Makes a type and its metatable, whose functions get the references and the type as upvalues. */
static void add_type(lua_State *L, types *all, hol_type type) {
    if (all->count == TYPES_MAX) luaL_error(L, "the schema has more objects and lists than TYPES_MAX");
    type.ref = HOL_REF_NODES + (int)all->count;
    hol_type *kept = &all->list[all->count++];
    *kept = type;
    lua_newtable(L);
    lua_pushvalue(L, hol_refs);
    lua_pushlightuserdata(L, kept);
    luaL_setfuncs(L, type.list ? hol_list_meta : hol_object_meta, 2);
    lua_pushlightuserdata(L, kept);
    lua_rawsetp(L, -2, &TYPE);
    lua_pushfstring(L, "handoff %s",
                    type.object                      ? type.object->name
                    : type.field && type.field->name ? type.field->name
                                                     : "value");
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__metatable");
    lua_setfield(L, -2, "__name");
    lua_rawseti(L, hol_refs, type.ref);
}

static void add_fields(lua_State *L, types *all, const ho_object *object) {
    for (size_t i = 0; i < object->count; i++) {
        const ho_field *field = &object->fields[i];
        bool list = field->kind == HO_LIST;
        if (!list && field->kind != HO_OBJECT) continue;
        add_type(L, all, (hol_type){.field = field, .object = field->object, .item = field->item, .list = list});
        if (list && field->item->kind == HO_OBJECT)
            add_type(L, all, (hol_type){.field = field->item, .object = field->item->object});
        const ho_object *inner = list ? field->item->object : field->object;
        if (inner) add_fields(L, all, inner);
    }
}

void hol_types_open(lua_State *L) {
    types *all = lua_newuserdatauv(L, sizeof *all, 0);
    all->count = 0;
    lua_rawseti(L, hol_refs, HOL_REF_TYPES);
    add_type(L, all, (hol_type){.list = false});
    add_type(L, all, (hol_type){.list = true});
    add_fields(L, all, &ho_document);
}

/* --- walks -------------------------------------------------------------------------------------------------------- */

size_t hol_count(lua_State *L, int index) {
    size_t count = 0;
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
    return count;
}

static void make_plain(lua_State *L, int depth);

static void copy_array(lua_State *L, int from, int depth) {
    int count = (int)lua_rawlen(L, from);
    lua_createtable(L, count, 0);
    hol_mark_array(L);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        make_plain(L, depth);
        lua_rawseti(L, from + 1, i);
    }
}

static void copy_object(lua_State *L, int from, int depth) {
    lua_createtable(L, 0, (int)hol_count(L, from));
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        make_plain(L, depth);
        lua_rawset(L, from + 1);
    }
}

/* Replaces the value on top by a plain copy of it. */
static void make_plain(lua_State *L, int depth) {
    int type = lua_type(L, -1);
    if (type == LUA_TSTRING || type == LUA_TBOOLEAN) return;
    if (type == LUA_TNUMBER)
        hol_integral(L);
    else if (hol_node_open(L)) {
        if (depth > HO_SCAN_DEPTH) luaL_error(L, "an object of a handoff configuration is nested more than 100 deep");
        luaL_checkstack(L, 8, "nested too deep");
        int from = lua_gettop(L);
        if (hol_is_array(L, from))
            copy_array(L, from, depth + 1);
        else
            copy_object(L, from, depth + 1);
        lua_replace(L, from);
    }
}

void hol_plain(lua_State *L, int index) {
    lua_pushvalue(L, index);
    make_plain(L, 0);
}

/* The way to a data table: as text, cut where it does not fit, and in steps. */
typedef struct way {
    int data;
    char path[256];
    size_t len;
    int steps;
} way;

/* Writes the step to the key at -2. */
static void step(lua_State *L, way *w) {
    char *at = w->path + w->len;
    size_t room = sizeof w->path - w->len;
    int n = lua_type(L, -2) == LUA_TNUMBER
                ? snprintf(at, room, "[%d]", (int)lua_tointeger(L, -2))
                : snprintf(at, room, ".%.*s", ho_clip(lua_tostring(L, -2), 60), lua_tostring(L, -2));
    if (n > 0) w->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* Whether the data is the value on top or somewhere below it; then `w` is the way there. The value stays on top, or its data. */
static bool find(lua_State *L, way *w) {
    if (hol_node_type(L, -1)) {
        hol_node_data(L, -1);
        lua_replace(L, -2);
    }
    if (lua_type(L, -1) != LUA_TTABLE || w->steps > HO_SCAN_DEPTH) return false;
    if (lua_rawequal(L, -1, w->data)) return true;
    luaL_checkstack(L, 6, "nested too deep");
    size_t before = w->len;
    w->steps++;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        int type = lua_type(L, -1);
        if (type != LUA_TTABLE && type != LUA_TUSERDATA) continue;
        step(L, w);
        if (find(L, w)) {
            lua_pop(L, 2);
            return true;
        }
        w->path[w->len = before] = '\0';
    }
    w->steps--;
    return false;
}

const char *hol_node_path(lua_State *L, const hol_part *part, int part_index, int data, int *depth) {
    way w = {.data = lua_absindex(L, data)};
    const hol_member *member = &part->doc->members[part->index];
    lua_getiuservalue(L, part_index, 1);
    lua_rawgeti(L, -1, HOL_DOC_TEXT);
    const char *text = lua_tostring(L, -1);
    lua_rawgeti(L, -2, HOL_DOC_VALUES + (lua_Integer)part->index);
    bool found = find(L, &w);
    lua_pushlstring(L, text + member->text.name, member->text.name_len);
    lua_pushfstring(L, "%s%s", lua_tostring(L, -1), found ? w.path : " (an item that is no longer in it)");
    lua_replace(L, -5);
    lua_pop(L, 3);
    if (depth) *depth = 2 + (found ? w.steps : 1);
    return lua_tostring(L, -1);
}
