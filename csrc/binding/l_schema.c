/* SPDX-License-Identifier: MIT */
/* core.schema: the schema's rows as plain Lua tables, and the rules that Lua asks for one scalar at a time. */
#include "hol.h"

#include "../core/check.h"
#include "../core/rule.h"
#include "../core/schema.h"

/* --- near misses -------------------------------------------------------------------------------------------------- */

/* The names of the list at index 2, in an array of pointers that a userdata on the stack holds; the strings are held by
 * the list, and rawgeti keeps a metamethod from changing it meanwhile. */
static const char **push_names(lua_State *L) {
    size_t count = lua_rawlen(L, 2);
    if (count > SIZE_MAX / sizeof(char *) - 1) luaL_error(L, "the list of names is too long");
    const char **names = lua_newuserdatauv(L, (count + 1) * sizeof *names, 0);
    for (size_t i = 0; i < count; i++) {
        if (lua_rawgeti(L, 2, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "a list of strings expected, got %s at %d", luaL_typename(L, -1), (int)i + 1);
        names[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    names[count] = NULL;
    return names;
}

/* nearest(name, list): the string of the list that `name` is likely a slip of, or nil. */
static int l_nearest(lua_State *L) {
    size_t len;
    luaL_checktype(L, 1, LUA_TSTRING);
    luaL_checktype(L, 2, LUA_TTABLE);
    const char *name = lua_tolstring(L, 1, &len);
    const char **names = push_names(L);
    int at = ho_nearest(name, len, names);
    if (at < 0)
        lua_pushnil(L);
    else
        lua_pushstring(L, names[at]);
    return 1;
}

/* --- the schema as tables ----------------------------------------------------------------------------------------- */

static void set_string(lua_State *L, const char *name, const char *value) {
    if (value == NULL) return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_flags(lua_State *L, unsigned flags) {
    static const struct {
        unsigned flag;
        const char *name;
    } rows[] = {
        {HO_READ_ONLY, "read_only"}, {HO_ID, "id"}, {HO_NAME, "identity"}, {HO_FIXED, "fixed"},
        {HO_REQUIRED, "required"},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        if ((flags & rows[i].flag) == 0) continue;
        lua_pushboolean(L, true);
        lua_setfield(L, -2, rows[i].name);
    }
}

static void set_choices(lua_State *L, const char *const *choices) {
    if (choices == NULL) return;
    lua_newtable(L);
    for (int i = 0; choices[i] != NULL; i++) {
        lua_pushstring(L, choices[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "choices");
}

static void push_field(lua_State *L, const ho_field *field);

static void set_fields(lua_State *L, const ho_object *object) {
    set_string(L, "object", object->name);
    lua_createtable(L, (int)object->count, 0);
    for (size_t i = 0; i < object->count; i++) {
        push_field(L, &object->fields[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "fields");
}

/* The rows nest as deep as the schema does: document, list, item, list, item. */
static void push_field(lua_State *L, const ho_field *field) {
    static const char *const kinds[] = {"any", "boolean", "integer", "string", "object", "list"};
    static const char *const formats[] = {NULL, "day_span", "time", "zone", "email"};
    luaL_checkstack(L, 4, "the schema is nested too deeply");
    lua_createtable(L, 0, 8);
    set_string(L, "name", field->name);
    set_string(L, "kind", kinds[field->kind]);
    set_string(L, "format", formats[field->format]);
    set_string(L, "doc", field->doc);
    set_string(L, "why", field->why);
    set_flags(L, field->flags);
    set_choices(L, field->choices);
    if (field->max > 0) {
        lua_pushinteger(L, (lua_Integer)field->max);
        lua_setfield(L, -2, "max");
    }
    if (field->item != NULL) {
        push_field(L, field->item);
        lua_setfield(L, -2, "item");
    }
    if (field->object != NULL) set_fields(L, field->object);
}

/* document(): the schema as a fresh table, the caller's own. A row has what applies to it of: name; kind ("boolean",
 * "integer", "string", "object", "list"); of a string max (code points), format ("day_span", "time", "zone", "email"),
 * choices; of a list item, the row of a member; of an object object (what one is called) and fields, rows in canonical
 * order; read_only with why, id, identity (the name that tells items apart), fixed, required, each true or absent; doc.
 */
static int l_document(lua_State *L) {
    static const ho_field document = {
        .kind = HO_OBJECT, .object = &ho_document, .doc = "A human handoff configuration."};
    push_field(L, &document);
    return 1;
}

/* days(): the names of the days, monday first. */
static int l_days(lua_State *L) {
    lua_newtable(L);
    for (int i = 0; ho_days[i] != NULL; i++) {
        lua_pushstring(L, ho_days[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* --- rules -------------------------------------------------------------------------------------------------------- */

/* zone(name): "known", "uncheckable", or "unknown" and why: one line that names it, escaped, and what was likely meant. */
static int l_zone(lua_State *L) {
    static const char *const answers[] = {"known", "unknown", "uncheckable"};
    static const ho_field zone = {.kind = HO_STRING, .format = HO_ZONE};
    ho_problem problem;
    size_t len;
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *name = lua_tolstring(L, 1, &len);
    ho_zone_answer answer = ho_zone(name, len);
    lua_pushstring(L, answers[answer]);
    if (answer != HO_ZONE_UNKNOWN || ho_check_string(&zone, name, len, &problem) == HO_OK) return 1;
    lua_pushstring(L, problem.message);
    return 2;
}

/* utf8_length(text): its code points; or nil and the offset (from 1) of the first character that is not UTF-8. */
static int l_utf8_length(lua_State *L) {
    size_t len, bad = 0;
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *text = lua_tolstring(L, 1, &len);
    size_t count = ho_utf8_length(text, len, &bad);
    if (count != SIZE_MAX) {
        lua_pushinteger(L, (lua_Integer)count);
        return 1;
    }
    lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)bad + 1);
    return 2;
}

int hol_open_schema(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"nearest", l_nearest}, {"document", l_document},       {"days", l_days},
        {"zone", l_zone},       {"utf8_length", l_utf8_length}, {NULL, NULL},
    };
    hol_newlib(L, functions);
    return 1;
}
