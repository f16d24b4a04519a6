/* SPDX-License-Identifier: MIT */
/* What the library's own Lua side asks of a configuration, part by part: scripts do not get at it. */
#include "l_config.h"

#include <string.h>

/* config.edited(cfg) → a list of {name, before, after} for each edited part, plain values, in the text's order: lists whole, of objects
 * the fields that differ. */
static int l_edited(lua_State *L) {
    lua_settop(L, 1);
    hol_doc *doc = hol_config_check(L, 1);
    hol_config_values(L, 1);
    const char *text = hol_config_text(L, 2);
    lua_newtable(L);
    for (size_t i = 0, n = 0; i < doc->count; i++) {
        if (!doc->members[i].edited) continue;
        const ho_field *part = doc->members[i].field;
        lua_createtable(L, 0, 3);
        hol_config_name(L, text, &doc->members[i].text);
        lua_setfield(L, 4, "name");
        bool object = part && part->kind == HO_OBJECT, fields = object && hol_member_fields(L, doc, 2, i);
        if (!fields) hol_config_original(L, doc, 2, i);
        hol_config_value(L, doc, 1, 2, i);
        if (object && hol_node_open(L)) {
            if (fields)
                hol_keep_differing_fields(L);
            else
                hol_keep_differing(L);
        } else {
            hol_plain(L, 5);
            lua_replace(L, 5);
            hol_plain(L, 6);
            lua_replace(L, 6);
        }
        lua_setfield(L, 4, "after");
        lua_setfield(L, 4, "before");
        lua_rawseti(L, 3, (int)++n);
    }
    return 1;
}

/* config.part(cfg, name) → the part as plain values, or nil. */
static int l_part(lua_State *L) {
    lua_settop(L, 2);
    hol_doc *doc = hol_config_check(L, 1);
    luaL_checkstring(L, 2);
    hol_config_values(L, 1);
    size_t i = hol_config_find(L, doc, 3, 2);
    if (i == doc->count) return 0;
    hol_config_value(L, doc, 1, 3, i);
    hol_plain(L, -1);
    return 1;
}

/* config.replace(cfg, name, value): the part of that name becomes the plain value, taken by value and held against no rule: what the
 * service once sent is never refused. A part that the document lacks raises, as nothing can add one. */
static int l_replace(lua_State *L) {
    lua_settop(L, 3);
    hol_doc *doc = hol_config_check(L, 1);
    luaL_checkstring(L, 2);
    luaL_argcheck(L, !lua_isnil(L, 3), 3, "value expected");
    hol_config_values(L, 1);
    size_t i = hol_config_find(L, doc, 4, 2);
    if (i == doc->count) return hol_unknown_field(L, "", &ho_document, 2);
    hol_plain(L, 3);
    hol_config_set(L, doc, 1, 4, i);
    return 0;
}

/* config.seal(cfg): from now on what would edit it, in any way, raises `sealed`. Reading and copying go on; a copy is not sealed. */
static int l_seal(lua_State *L) {
    hol_config_check(L, 1)->sealed = true;
    return 0;
}

/* --- differing ---------------------------------------------------------------------------------------------------- */

/* Pushes what holds the member's text, as it goes to the service → the text. */
static ho_text member_text(lua_State *L, const hol_doc *doc, int values, size_t i) {
    const hol_member *m = &doc->members[i];
    ho_text text;
    if (m->edited) {
        hol_writer w = {.indent = 0};
        hol_buffer_open(L, &w.out);
        hol_config_write(&w, doc, values, i);
        hol_buffer_push(&w.out);
        text.at = lua_tolstring(L, -1, &text.len);
        return text;
    }
    lua_rawgeti(L, values, HOL_DOC_TEXT);
    return (ho_text){lua_tostring(L, -1) + m->text.value, m->text.value_len};
}

/* Stack of differing: the two configs, the values of each, the list, a name. */
enum { A = 1, B, A_VALUES, B_VALUES, LIST, NAME };

/* Whether member i of a, whose name is on top, is member j of b as well, byte for byte. */
static bool is_same_text(lua_State *L, const hol_doc *a, size_t i, const hol_doc *b, size_t j) {
    ho_text one = member_text(L, a, A_VALUES, i), other = member_text(L, b, B_VALUES, j);
    bool same = one.len == other.len && memcmp(one.at, other.at, one.len) == 0;
    lua_pop(L, 2);
    return same;
}

/* config.differing(a, b) → a list of the names of the parts whose text is not the same, edits counted, or which only one has: in a's
 * order, those that only b has last. */
static int l_differing(lua_State *L) {
    lua_settop(L, 2);
    hol_doc *a = hol_config_check(L, A), *b = hol_config_check(L, B);
    hol_config_values(L, A);
    hol_config_values(L, B);
    lua_newtable(L);
    int count = 0;
    for (size_t i = 0; i < a->count; i++) {
        hol_config_name(L, hol_config_text(L, A_VALUES), &a->members[i].text);
        size_t j = hol_config_find(L, b, B_VALUES, NAME);
        if (j < b->count && is_same_text(L, a, i, b, j))
            lua_pop(L, 1);
        else
            lua_rawseti(L, LIST, ++count);
    }
    for (size_t j = 0; j < b->count; j++) {
        hol_config_name(L, hol_config_text(L, B_VALUES), &b->members[j].text);
        if (hol_config_find(L, a, A_VALUES, NAME) == a->count)
            lua_rawseti(L, LIST, ++count);
        else
            lua_pop(L, 1);
    }
    return 1;
}

const luaL_Reg hol_part_functions[] = {
    {"edited", l_edited}, {"part", l_part},           {"replace", l_replace},
    {"seal", l_seal},     {"differing", l_differing}, {NULL, NULL},
};
