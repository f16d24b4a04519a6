/* SPDX-License-Identifier: MIT */
/* A script's values taken into a document: checked against the schema, by value, all or nothing. */
#include "l_week.h"

#include "../core/check.h"
#include "../core/rule.h"

#include <stdio.h>
#include <string.h>

/* Whose the table is that is being walked. An object of the same document and place is taken as it is, and not walked. */
typedef enum source { SCRIPT, FOREIGN /* another document's, of the same place in the schema */ } source;

/* The path of what is being taken grows and shrinks with the walk, and ends early where it would not fit. */
typedef struct taking {
    lua_State *L;
    const hol_target *target;
    source source;
    char path[256];
    size_t len;
    int depth;
} taking;

static size_t step_field(taking *t, const char *name) {
    size_t before = t->len;
    int n = snprintf(t->path + t->len, sizeof t->path - t->len, "%s%.*s", before ? "." : "", ho_clip(name, 100), name);
    if (n > 0) t->len += (size_t)n < sizeof t->path - t->len ? (size_t)n : sizeof t->path - t->len - 1;
    return before;
}

static size_t step_index(taking *t, size_t i) {
    size_t before = t->len;
    int n = snprintf(t->path + t->len, sizeof t->path - t->len, "[%zu]", i);
    if (n > 0) t->len += (size_t)n < sizeof t->path - t->len ? (size_t)n : sizeof t->path - t->len - 1;
    return before;
}

static void step_back(taking *t, size_t before) {
    t->len = before;
    t->path[before] = '\0';
}

/* --- scalars ------------------------------------------------------------------------------------------------------ */

bool hol_is_null(lua_State *L, int index) {
    lua_pushvalue(L, index);
    lua_rawgeti(L, hol_refs, HOL_REF_NULL);
    bool is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

static const char *kind_name(ho_kind kind) {
    static const char *const names[] = {"a value",  "true or false",     "a whole number",
                                        "a string", "a table of fields", "a list"};
    return names[kind];
}

/* What the value is, for a message: its type, and a short value itself. */
static const char *describe(lua_State *L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TSTRING: {
        char quoted[80];
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        return lua_pushfstring(L, "the string %s", ho_quote(text, len, quoted, sizeof quoted));
    }
    case LUA_TNUMBER: lua_pushvalue(L, index); return lua_pushfstring(L, "the number %s", lua_tostring(L, -1));
    case LUA_TBOOLEAN: return lua_toboolean(L, index) ? "true" : "false";
    default: break;
    }
    lua_pushvalue(L, index);
    bool list = hol_node_open(L) && hol_is_array(L, -1);
    lua_pop(L, 1);
    return list ? "a list" : luaL_typename(L, index);
}

static int refuse_kind(lua_State *L, int index, const ho_field *field, const char *path) {
    if (hol_is_null(L, index)) {
        lua_pushvalue(L, index);
        return hol_invalid(L, path, "null", 0, true, "null is never written in; %s is wanted", kind_name(field->kind));
    }
    const char *got = describe(L, index);
    bool is_text = hol_is_hours(field) && lua_type(L, index) == LUA_TSTRING;
    lua_pushvalue(L, index);
    return hol_invalid(L, path, "type", 0, true, "%s expected, got %s%s", kind_name(field->kind), got,
                       is_text ? "; handoff.week makes hours of a text" : "");
}

bool hol_is_integer(lua_State *L, int index) {
    if (lua_type(L, index) == LUA_TUSERDATA) {
        ho_text text = hol_number_text(L, index);
        return text.at && !memchr(text.at, '.', text.len) && !memchr(text.at, 'e', text.len) &&
               !memchr(text.at, 'E', text.len);
    }
    if (lua_type(L, index) != LUA_TNUMBER) return false;
    lua_Number n = lua_tonumber(L, index);
    return lua_isinteger(L, index) ||
           (n >= -9007199254740992.0 && n <= 9007199254740992.0 && n == (lua_Number)(lua_Integer)n);
}

static bool is_known_zone(lua_State *L, int index) {
    lua_rawgeti(L, hol_refs, HOL_REF_ZONES);
    lua_pushvalue(L, index);
    bool known = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return known;
}

static void keep_zone(lua_State *L, int index) {
    lua_rawgeti(L, hol_refs, HOL_REF_ZONES);
    lua_pushvalue(L, index);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

ho_code hol_check_string(lua_State *L, int index, const ho_field *field, ho_problem *problem) {
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    index = lua_absindex(L, index);
    problem->rule = NULL;
    if (field->format == HO_ZONE && is_known_zone(L, index)) return HO_OK;
    ho_code code = ho_check_string(field, text, len, problem);
    if (field->format == HO_ZONE && code == HO_OK && problem->rule == NULL) keep_zone(L, index);
    return code;
}

void hol_check_scalar(lua_State *L, int index, const ho_field *field, const char *path) {
    static const int lua_types[] = {LUA_TNONE, LUA_TBOOLEAN, LUA_TNUMBER, LUA_TSTRING, LUA_TTABLE, LUA_TTABLE};
    index = lua_absindex(L, index);
    if (field->kind == HO_INTEGER ? !hol_is_integer(L, index) : lua_type(L, index) != lua_types[field->kind])
        refuse_kind(L, index, field, path);
    if (field->kind != HO_STRING) return;
    ho_problem problem;
    if (hol_check_string(L, index, field, &problem) == HO_OK) return;
    lua_pushvalue(L, index);
    hol_invalid(L, path, problem.rule, problem.limit, true, "%s", problem.message);
}

int hol_unknown_field(lua_State *L, const char *path, const ho_object *object, int key) {
    char quoted[80];
    const char *names[32] = {NULL};
    size_t len, n = 0;
    if (lua_type(L, key) != LUA_TSTRING)
        return hol_invalid(L, path, "unknown", 0, false, "fields have names; a %s is none", luaL_typename(L, key));
    const char *name = lua_tolstring(L, key, &len);
    for (; n < object->count && n + 1 < HO_COUNT(names); n++) names[n] = object->fields[n].name;
    int near = ho_nearest(name, len, names);
    ho_quote(name, len, quoted, sizeof quoted);
    quoted[strlen(quoted) - 1] = '\0'; /* a path is not quoted */
    const char *full = lua_pushfstring(L, "%s%s%s", path, path[0] ? "." : "", quoted + 1);
    if (near >= 0) return hol_invalid(L, full, "unknown", 0, false, "no such field; did you mean \"%s\"?", names[near]);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < n; i++) {
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, names[i]);
    }
    luaL_pushresult(&b);
    return hol_invalid(L, full, "unknown", 0, false, "no such field; known are %s", lua_tostring(L, -1));
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static void take(taking *t, int index, const ho_field *field);

/* Pushes the table that holds the members of the value at the index, which is a table if it has no field. */
static void open_table(taking *t, int index, const ho_field *field) {
    lua_pushvalue(t->L, index);
    if (!hol_node_open(t->L) && field) refuse_kind(t->L, index, field, t->path);
}

/* Whether an object of the model has the unknown field whose name is on top. */
static bool model_has(taking *t) {
    lua_State *L = t->L;
    int model = t->target->model;
    if (!model) return false;
    bool has = false;
    for (int i = 1, n = (int)lua_rawlen(L, model); i <= n && !has; i++) {
        lua_rawgeti(L, model, i);
        if (hol_node_open(L)) {
            lua_pushvalue(L, -2);
            lua_rawget(L, -2);
            has = !lua_isnil(L, -1);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    return has;
}

/* Whether item i of the model has the value on top in the field of that name. */
static bool item_has(taking *t, size_t i, const char *name) {
    lua_State *L = t->L;
    lua_rawgeti(L, t->target->model, (lua_Integer)i);
    bool has = false;
    if (hol_node_open(L)) {
        lua_getfield(L, -1, name);
        has = lua_equal(L, -1, -3);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return has;
}

/* Whether the service gave the value on top to an item that may stand there. */
static bool is_given(taking *t, const char *name) {
    bool found = false;
    for (size_t i = t->target->first; i > 0 && i <= t->target->last && !found; i++) found = item_has(t, i, name);
    return found;
}

/* A member of an object that the schema does not know: the name and the value are on top; the value is replaced by what is taken. */
static void take_any_member(taking *t) {
    lua_State *L = t->L;
    size_t len;
    if (lua_type(L, -2) != LUA_TSTRING)
        hol_invalid(L, t->path, "type", 0, false, "neither a list nor a table of fields: its keys are mixed");
    const char *name = lua_tolstring(L, -2, &len);
    if (ho_utf8_length(name, len, NULL) == SIZE_MAX)
        hol_invalid(L, t->path, "utf8", 0, false, "a name that is not UTF-8");
    size_t before = step_field(t, name);
    take(t, lua_gettop(L), NULL);
    lua_replace(L, -2);
    step_back(t, before);
}

/* Copies the known field of the table at `from`, if it is there, into the one on top → whether it is. */
static bool take_known(taking *t, int from, const ho_field *field) {
    lua_State *L = t->L;
    int to = lua_gettop(L);
    lua_pushstring(L, field->name);
    bool there = lua_rawget(L, from) != LUA_TNIL;
    if (there && !(t->source == FOREIGN && field->flags & (HO_ID | HO_READ_ONLY))) {
        size_t before = step_field(t, field->name);
        bool given = (field->choices || field->flags & HO_ID) && is_given(t, field->name);
        take(t, to + 1, given ? NULL : field);
        if (!given && field->flags & HO_ID)
            hol_invalid(L, t->path, "read_only", 0, true, "ids are given by the server; leave it out of a new item");
        lua_setfield(L, to, field->name);
        step_back(t, before);
    }
    lua_settop(L, to);
    return there;
}

/* Copies the unknown fields of the table at `from`, sorted, into the one on top, where they may stand. */
static void take_unknown(taking *t, int from, const ho_object *object) {
    lua_State *L = t->L;
    int to = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING) hol_unknown_field(L, t->path, object, to + 1);
    size_t count;
    const ho_text *names = hol_sorted_names(L, object, from, &count);
    for (size_t i = 0; i < count; i++) {
        lua_pushlstring(L, names[i].at, names[i].len);
        if (t->source == SCRIPT && !model_has(t)) hol_unknown_field(L, t->path, object, lua_gettop(L));
        lua_pushvalue(L, -1);
        lua_rawget(L, from);
        take_any_member(t);
        lua_rawset(L, to);
    }
    lua_settop(L, to);
}

static void check_order(taking *t, const ho_object *object, int table) {
    lua_State *L = t->L;
    const char *times[2] = {NULL, NULL};
    int n = 0;
    for (size_t i = 0; i < object->count && n < 2; i++) {
        if (object->fields[i].format != HO_TIME) continue;
        lua_getfield(L, table, object->fields[i].name);
        times[n++] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    if (n < 2 || !times[0] || !times[1] || strcmp(times[0], times[1]) < 0) return;
    hol_invalid(L, t->path, "time_order", 0, false, "%s to %s %s", times[0], times[1],
                ho_slot_order(strcmp(times[0], times[1])));
}

static void check_required(taking *t, const ho_object *object, int table) {
    for (size_t i = 0; i < object->count; i++) {
        const ho_field *field = &object->fields[i];
        if (!(field->flags & HO_REQUIRED)) continue;
        lua_getfield(t->L, table, field->name);
        bool missing = lua_isnil(t->L, -1);
        lua_pop(t->L, 1);
        if (!missing) continue;
        step_field(t, field->name);
        hol_invalid(t->L, t->path, "required", 0, false, "missing; a %s needs it", object->name);
    }
}

/* Copies the members of the table at `from` into the new one on top: known ones first, so that it is always the same mistake of
 * several that is found. */
static void take_members(taking *t, int from, const ho_object *object) {
    size_t rest = hol_count(t->L, from);
    for (size_t i = 0; i < object->count; i++) rest -= take_known(t, from, &object->fields[i]);
    if (rest > 0) take_unknown(t, from, object);
}

static void take_any_members(taking *t, int from) {
    lua_State *L = t->L;
    int to = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        take_any_member(t);
        lua_rawset(L, to);
    }
}

static void take_object(taking *t, int index, const ho_field *field) {
    lua_State *L = t->L;
    const ho_object *object = field ? field->object : NULL;
    open_table(t, index, field);
    int from = lua_gettop(L);
    if (object && hol_is_array(L, from) && lua_rawlen(L, from) > 0) refuse_kind(L, index, field, t->path);
    lua_createtable(L, 0, object ? (int)object->count : 0);
    if (!object) {
        take_any_members(t, from);
    } else {
        take_members(t, from, object);
        check_required(t, object, lua_gettop(L));
        check_order(t, object, lua_gettop(L));
    }
    lua_remove(L, from);
}

static void take_list(taking *t, int index, const ho_field *field) {
    lua_State *L = t->L;
    static const ho_field list = {.kind = HO_LIST};
    open_table(t, index, field ? field : &list);
    int from = lua_gettop(L);
    size_t count = lua_rawlen(L, from);
    if (hol_count(L, from) != count) {
        lua_pushvalue(L, index);
        hol_invalid(L, t->path, "type", 0, true, "a list expected, got a table with other keys than 1, 2, 3 …");
    }
    lua_createtable(L, (int)count, 0);
    hol_mark_array(L);
    for (size_t i = 1; i <= count; i++) {
        size_t before = step_index(t, i);
        lua_rawgeti(L, from, (lua_Integer)i);
        take(t, lua_gettop(L), field ? field->item : NULL);
        lua_rawseti(L, from + 1, (int)i);
        lua_pop(L, 1);
        step_back(t, before);
    }
    lua_remove(L, from);
}

/* --- any value ---------------------------------------------------------------------------------------------------- */

static void take_any(taking *t, int index) {
    lua_State *L = t->L;
    int type = lua_type(L, index);
    static const ho_field any = {.kind = HO_ANY}, text = {.kind = HO_STRING};
    if (type == LUA_TTABLE || hol_node_type(L, index)) {
        lua_pushvalue(L, index);
        hol_node_open(L);
        bool list = hol_is_array(L, -1);
        lua_pop(L, 1);
        if (list)
            take_list(t, index, NULL);
        else
            take_object(t, index, NULL);
        return;
    }
    if (type == LUA_TSTRING)
        hol_check_scalar(L, index, &text, t->path);
    else if (type == LUA_TNUMBER && lua_tonumber(L, index) - lua_tonumber(L, index) != 0)
        hol_invalid(L, t->path, "type", 0, false, "JSON has no NaN and no infinity");
    else if (type != LUA_TNUMBER && type != LUA_TBOOLEAN && !hol_is_null(L, index) && !hol_number_text(L, index).at)
        refuse_kind(L, index, &any, t->path);
    lua_pushvalue(L, index);
}

/* Whether the node belongs to the document that takes it. */
static bool is_own(taking *t, int node) {
    lua_State *L = t->L;
    bool own = hol_node_part(L, node)->doc == t->target->part->doc;
    lua_pop(L, 1);
    return own;
}

static void take_table(taking *t, int index, const ho_field *field, const hol_type *node) {
    source before = t->source;
    if (++t->depth > HO_SCAN_DEPTH)
        hol_invalid(t->L, t->path, "depth", 0, false, "nested more than 100 deep, or within itself");
    if (node) t->source = field && node->field == field ? FOREIGN : SCRIPT;
    if (node && t->source == FOREIGN && is_own(t, index))
        hol_plain(t->L, index);
    else if (!field || field->kind == HO_ANY)
        take_any(t, index);
    else if (field->kind == HO_OBJECT)
        take_object(t, index, field);
    else
        take_list(t, index, field);
    t->source = before;
    t->depth--;
}

static void take(taking *t, int index, const ho_field *field) {
    lua_State *L = t->L;
    luaL_checkstack(L, 12, "nested too deep");
    const hol_type *node = hol_node_type(L, index);
    bool scalar = field && field->kind != HO_OBJECT && field->kind != HO_LIST && field->kind != HO_ANY;
    if (!scalar && (node || lua_type(L, index) == LUA_TTABLE)) {
        take_table(t, index, field, node);
    } else if (!field || field->kind == HO_ANY) {
        take_any(t, index);
    } else if (!scalar) {
        refuse_kind(L, index, field, t->path);
    } else {
        hol_check_scalar(L, index, field, t->path);
        lua_pushvalue(L, index);
        hol_integral(L);
    }
}

void hol_take(lua_State *L, int index, const ho_field *field, const hol_target *target) {
    taking t = {.L = L, .target = target, .depth = target->depth};
    index = lua_absindex(L, index);
    step_field(&t, target->path);
    take(&t, index, field);
}

void hol_drop_id(lua_State *L, const ho_object *object) {
    const ho_field *id = object ? ho_schema_flagged(object, HO_ID) : NULL;
    if (!id) return;
    lua_pushnil(L);
    lua_setfield(L, -2, id->name);
}

/* --- ids of items that stay what they were ------------------------------------------------------------------------ */

static bool same_field(lua_State *L, int a, int b, const char *name) {
    lua_getfield(L, a, name);
    lua_getfield(L, b, name);
    bool same = !lua_isnil(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

/* Whether two items are the same by name, or, where items have no name, by all that makes one. */
static bool same_item(lua_State *L, int a, int b, const ho_object *object) {
    const ho_field *name = ho_schema_flagged(object, HO_NAME);
    if (name) return same_field(L, a, b, name->name);
    for (size_t i = 0; i < object->count; i++)
        if ((object->fields[i].flags & HO_REQUIRED) && !same_field(L, a, b, object->fields[i].name)) return false;
    return true;
}

/* Whether an item of the list on top has the id on top of it. */
static bool id_used(lua_State *L, int list, const char *id) {
    bool used = false;
    for (int i = 1, n = (int)lua_rawlen(L, list); i <= n && !used; i++) {
        lua_rawgeti(L, list, i);
        lua_getfield(L, -1, id);
        used = lua_equal(L, -1, -3);
        lua_pop(L, 2);
    }
    return used;
}

/* Gives the item what a script does not: the old one's id, and the fields that only the service understands. */
static void inherit(lua_State *L, int old, int item, const ho_object *object) {
    const ho_field *id = ho_schema_flagged(object, HO_ID);
    for (lua_pushnil(L); lua_next(L, old); lua_pop(L, 1)) {
        size_t len;
        const char *name = lua_tolstring(L, -2, &len);
        const ho_field *field = ho_schema_field(object, name, len);
        if (field && field != id) continue;
        lua_pushvalue(L, -2);
        bool given = lua_rawget(L, item) != LUA_TNIL;
        lua_pop(L, 1);
        if (given) continue;
        lua_pushvalue(L, -2);
        hol_plain(L, -2);
        lua_rawset(L, item);
    }
}

/* Whether the item's id, if it has one, is that of an item of the list. The item is on top. */
static bool is_id_used(lua_State *L, int list, const ho_object *object) {
    const ho_field *id = ho_schema_flagged(object, HO_ID);
    if (!id) return false;
    lua_getfield(L, -1, id->name);
    bool used = !lua_isnil(L, -1) && id_used(L, list, id->name);
    lua_pop(L, 1);
    return used;
}

static void adopt(lua_State *L, int old, int list, int item, const ho_object *object) {
    bool found = false;
    for (int i = 1, n = (int)lua_rawlen(L, old); i <= n && !found; i++) {
        lua_rawgeti(L, old, i);
        int other = lua_gettop(L);
        found = hol_node_open(L) && same_item(L, other, item, object) && !is_id_used(L, list, object);
        if (found) inherit(L, other, item, object);
        lua_pop(L, 1);
    }
}

void hol_adopt(lua_State *L, int old, const ho_object *object) {
    int item = lua_gettop(L);
    lua_pushvalue(L, old);
    if (hol_node_open(L) && same_item(L, item + 1, item, object)) inherit(L, item + 1, item, object);
    lua_pop(L, 1);
}

/* Pushes what an id is as a key: an integer, or the digits of one that the VM cannot hold; nil where it is neither. */
static void push_id_key(lua_State *L, int item, const char *id) {
    lua_getfield(L, item, id);
    ho_text digits = hol_number_text(L, -1);
    if (digits.at)
        lua_pushlstring(L, digits.at, digits.len);
    else if (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == lua_tonumber(L, -1))
        return;
    else
        lua_pushnil(L);
    lua_remove(L, -2);
}

/* An item written twice into a list is one item and a copy of it. */
static void drop_second_ids(lua_State *L, int list, const ho_object *object, const char *id) {
    lua_newtable(L);
    for (int i = 1, n = (int)lua_rawlen(L, list); i <= n; i++) {
        lua_rawgeti(L, list, i);
        push_id_key(L, list + 2, id);
        if (!lua_isnil(L, -1)) {
            lua_pushvalue(L, -1);
            bool second = lua_rawget(L, list + 1) != LUA_TNIL;
            lua_settop(L, list + 3);
            lua_pushboolean(L, 1);
            lua_rawset(L, list + 1);
            if (second) hol_drop_id(L, object);
        }
        lua_settop(L, list + 1);
    }
    lua_settop(L, list);
}

void hol_adopt_all(lua_State *L, int old, const ho_field *item) {
    if (!item->object) return;
    const ho_field *id = ho_schema_flagged(item->object, HO_ID);
    int list = lua_gettop(L);
    old = lua_absindex(L, old);
    if (id) drop_second_ids(L, list, item->object, id->name);
    for (int i = 1, n = (int)lua_rawlen(L, list); i <= n; i++) {
        lua_rawgeti(L, list, i);
        lua_getfield(L, -1, id ? id->name : "");
        bool is_new = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (is_new) adopt(L, old, list, lua_gettop(L), item->object);
        lua_pop(L, 1);
    }
}
