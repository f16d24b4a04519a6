/* SPDX-License-Identifier: MIT */
/* Issues: made, put into the document's order, told apart, and said on one line. */
#include "l_check.h"

#include <stdlib.h>
#include <string.h>

#define ISSUE_MT "handoff.issue"

/* --- where an issue's place comes in the document ----------------------------------------------------------------- */

/* One number a step from the part inwards: a field's place in its object, an item's in its list; 0 where the place ends. */
enum { STEPS = 4 };
typedef struct order {
    uint32_t at[STEPS];
    int found; /* its place among the issues as they were found, from 1 */
} order;

/* Writes the place's steps → how many; `field` becomes its place in the schema. Unknown names come after the known. */
static size_t number_steps(const hol_place *place, uint32_t at[STEPS], const ho_field **field) {
    size_t n = place->up ? number_steps(place->up, at, field) : 0;
    if (n == STEPS) return n;
    if (place->index) {
        *field = *field ? (*field)->item : NULL;
        at[n] = (uint32_t)place->index;
        return n + 1;
    }
    const ho_object *object = place->up ? (*field ? (*field)->object : NULL) : &ho_document;
    *field = object ? ho_schema_field(object, place->name, strlen(place->name)) : NULL;
    at[n] = *field ? (uint32_t)(*field - object->fields) + 1 : UINT32_MAX;
    return n + 1;
}

static void keep_order(checker *c, const hol_place *place) {
    order o = {.found = c->count};
    const ho_field *field = NULL;
    number_steps(place, o.at, &field);
    lua_pushlstring(c->L, (const char *)&o, sizeof o);
    lua_rawseti(c->L, c->orders, c->count);
}

static int compare(const void *left, const void *right) {
    const order *a = left, *b = right;
    for (size_t i = 0; i < STEPS; i++)
        if (a->at[i] != b->at[i]) return a->at[i] < b->at[i] ? -1 : 1;
    return a->found < b->found ? -1 : a->found > b->found;
}

void hol_issues_sort(checker *c) {
    lua_State *L = c->L;
    if (c->count < 2) return;
    order *orders = lua_newuserdatauv(L, (size_t)c->count * sizeof *orders, 0);
    for (int i = 0; i < c->count; i++) {
        lua_rawgeti(L, c->orders, i + 1);
        memcpy(&orders[i], lua_tostring(L, -1), sizeof *orders);
        lua_pop(L, 1);
    }
    qsort(orders, (size_t)c->count, sizeof *orders, compare);
    lua_createtable(L, c->count, 0);
    for (int i = 0; i < c->count; i++) {
        lua_rawgeti(L, c->issues, orders[i].found);
        lua_rawseti(L, -2, i + 1);
    }
    lua_replace(L, c->issues);
    lua_pop(L, 1);
}

/* --- making one --------------------------------------------------------------------------------------------------- */

static bool is_ignored(checker *c, const char *rule) {
    if (!c->ignore) return false;
    lua_getfield(c->L, c->ignore, rule);
    bool ignored = !lua_isnil(c->L, -1);
    lua_pop(c->L, 1);
    return ignored;
}

void hol_issue_add(checker *c, const char *severity, const hol_place *place, const char *rule) {
    lua_State *L = c->L;
    if (is_ignored(c, rule)) {
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 4);
    lua_insert(L, -2);
    lua_setfield(L, -2, "message");
    lua_pushstring(L, severity);
    lua_setfield(L, -2, "severity");
    hol_place_path(L, place);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, rule);
    lua_setfield(L, -2, "rule");
    luaL_getmetatable(L, ISSUE_MT);
    lua_setmetatable(L, -2);
    lua_rawseti(L, c->issues, ++c->count);
    if (c->orders) keep_order(c, place);
}

void hol_broken(checker *c, const hol_place *place, const char *rule, const char *message) {
    lua_pushstring(c->L, message);
    hol_issue_add(c, c->lenient ? "warning" : "error", place, rule);
}

void hol_warn(checker *c, const hol_place *place, const char *rule, const char *message) {
    lua_pushstring(c->L, message);
    hol_issue_add(c, "warning", place, rule);
}

/* --- telling them apart ------------------------------------------------------------------------------------------- */

void hol_push_key(lua_State *L, const char *field) {
    lua_pushstring(L, field);
    lua_rawget(L, -2);
    ho_text number = hol_number_text(L, -1);
    if (number.at)
        lua_pushlstring(L, number.at, number.len);
    else if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
        lua_pushnil(L);
    else
        return;
    lua_remove(L, -2);
}

/* Pushes the issue's field without its indices: custom_guidelines[].name. */
static void push_unplaced(lua_State *L, int issue, const char *field) {
    luaL_Buffer b;
    lua_getfield(L, issue, field);
    const char *at = lua_tostring(L, -1);
    luaL_buffinit(L, &b);
    while (*at) {
        luaL_addchar(&b, *at);
        if (*at++ != '[') continue;
        size_t digits = strspn(at, "0123456789");
        if (at[digits] == ']') at += digits;
    }
    luaL_pushresult(&b);
    lua_remove(L, -2);
}

/* Pushes the id of the item that the issue's path leads to, as text; "" where it has none. */
static void push_item_id(lua_State *L, int issue, int data, const ho_field *id) {
    int top = lua_gettop(L);
    lua_getfield(L, issue, "path");
    const char *bracket = strchr(lua_tostring(L, -1), '[');
    lua_rawgeti(L, data, bracket ? (lua_Integer)strtol(bracket + 1, NULL, 10) : 0);
    if (hol_node_open(L)) {
        hol_push_key(L, id->name);
        if (lua_type(L, -1) == LUA_TNUMBER) {
            char text[HOL_NUMBER_SIZE];
            lua_pushlstring(L, text, hol_number_format(L, -1, text));
        } else if (lua_type(L, -1) != LUA_TSTRING) {
            lua_pushliteral(L, "");
        }
    } else {
        lua_pushliteral(L, "");
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

void hol_issue_identity(lua_State *L, int data, const ho_field *part) {
    const ho_field *id = part->item && part->item->object ? ho_schema_flagged(part->item->object, HO_ID) : NULL;
    int issue = lua_gettop(L);
    push_unplaced(L, issue, "path");
    push_unplaced(L, issue, "rule");
    push_unplaced(L, issue, "message");
    if (id)
        push_item_id(L, issue, data, id);
    else
        lua_pushliteral(L, "");
    lua_concat(L, 4);
}

/* --- saying them -------------------------------------------------------------------------------------------------- */

/* error settings.timezone: "Londn" is no time zone; … [zone] */
static int l_tostring(lua_State *L) {
    static const char *const fields[] = {"severity", "path", "message", "rule"};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    for (size_t i = 0; i < HO_COUNT(fields); i++)
        if (lua_getfield(L, 1, fields[i]) != LUA_TSTRING) return luaL_argerror(L, 1, "an issue expected");
    lua_pushfstring(L, "%s %s: %s [%s]", lua_tostring(L, 2), lua_tostring(L, 3), lua_tostring(L, 4),
                    lua_tostring(L, 5));
    return 1;
}

void hol_issue_open(lua_State *L) {
    luaL_newmetatable(L, ISSUE_MT);
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "handoff issue");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
