/* SPDX-License-Identifier: MIT */
/* The canonical writer: the same value is the same bytes on every VM. It runs no Lua code of the script's. */
#include "l_week.h"

#include "../core/rule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 8 * 1024, BUFFER_KEEP = 1024 * 1024 };

/* --- the buffer --------------------------------------------------------------------------------------------------- */

void hol_buffer_open(lua_State *L, hol_buffer *b) {
    if (lua_rawgeti(L, hol_refs, HOL_REF_SCRATCH) == LUA_TUSERDATA) {
        lua_pushnil(L);
        lua_rawseti(L, hol_refs, HOL_REF_SCRATCH);
    } else {
        lua_pop(L, 1);
        lua_newuserdatauv(L, BUFFER_FIRST, 0);
    }
    *b = (hol_buffer){.L = L, .slot = lua_gettop(L), .data = lua_touserdata(L, -1), .room = lua_rawlen(L, -1)};
}

char *hol_buffer_need(hol_buffer *b, size_t len) {
    if (len > b->room - b->len) {
        if (len > SIZE_MAX / 4 - b->len) luaL_error(b->L, "not enough memory");
        size_t room = (b->len + len) * 2;
        char *data = lua_newuserdatauv(b->L, room, 0);
        memcpy(data, b->data, b->len);
        lua_replace(b->L, b->slot);
        b->data = data;
        b->room = room;
    }
    return b->data + b->len;
}

void hol_buffer_add(hol_buffer *b, const char *text, size_t len) {
    memcpy(hol_buffer_need(b, len), text, len);
    b->len += len;
}

void hol_buffer_push(hol_buffer *b) {
    lua_pushlstring(b->L, b->data, b->len);
    if (b->room <= BUFFER_KEEP) {
        lua_pushvalue(b->L, b->slot);
        lua_rawseti(b->L, hol_refs, HOL_REF_SCRATCH);
    }
    lua_replace(b->L, b->slot);
}

static void add_char(hol_buffer *b, char c) {
    *hol_buffer_need(b, 1) = c;
    b->len++;
}

/* --- where a value lies, for messages ----------------------------------------------------------------------------- */

static void add_path(luaL_Buffer *b, lua_State *L, const hol_place *p) {
    if (p->up) add_path(b, L, p->up);
    if (p->index) {
        lua_pushfstring(L, "[%d]", (int)p->index);
        luaL_addvalue(b);
        return;
    }
    if (p->up && (p->up->index || p->up->name[0] != '\0')) luaL_addchar(b, '.');
    luaL_addstring(b, p->name);
}

const char *hol_place_path(lua_State *L, const hol_place *place) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    add_path(&b, L, place);
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

static int refuse(lua_State *L, const hol_place *p, const char *rule, const char *message) {
    return hol_invalid(L, hol_place_path(L, p), rule, 0, false, "%s", message);
}

/* --- scalars ------------------------------------------------------------------------------------------------------ */

/* 0: as it is; u: as \u00XX; otherwise the letter after the backslash. */
static char escape_of(unsigned char c) {
    static const char control[] = "uuuuuuuubtnufruu";
    if (c < 0x10) return control[c];
    if (c < 0x20) return 'u';
    return c == '"' || c == '\\' ? (char)c : 0;
}

static void add_string(hol_writer *w, const char *text, size_t len) {
    static const char hex[] = "0123456789abcdef";
    hol_buffer *b = &w->out;
    if (len > (SIZE_MAX / 8)) luaL_error(b->L, "not enough memory");
    char *out = hol_buffer_need(b, len * 6 + 2), *start = out;
    *out++ = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape = c >= 0x20 && c != '"' && c != '\\' ? 0 : escape_of(c);
        if (escape == 0) {
            *out++ = (char)c;
            continue;
        }
        *out++ = '\\';
        *out++ = escape;
        if (escape != 'u') continue;
        *out++ = '0';
        *out++ = '0';
        *out++ = hex[c >> 4];
        *out++ = hex[c & 15];
    }
    *out++ = '"';
    b->len += (size_t)(out - start);
}

static void write_string(hol_writer *w, const hol_place *p) {
    size_t len, bad;
    const char *text = lua_tolstring(w->out.L, -1, &len);
    if (ho_utf8_length(text, len, &bad) == SIZE_MAX) refuse(w->out.L, p, "utf8", "the text is not UTF-8");
    add_string(w, text, len);
}

static void write_number(hol_writer *w, const hol_place *p) {
    lua_State *L = w->out.L;
    lua_Number value = lua_tonumber(L, -1);
    if (value != value || value - value != 0) refuse(L, p, "number", "JSON has no NaN and no infinity");
    char text[HOL_NUMBER_SIZE];
    size_t len = hol_number_format(L, -1, text);
    hol_buffer_add(&w->out, text, len);
}

static void write_userdata(hol_writer *w, const hol_place *p) {
    lua_State *L = w->out.L;
    ho_text number = hol_number_text(L, -1);
    lua_rawgeti(L, hol_refs, HOL_REF_NULL);
    if (number.at)
        hol_buffer_add(&w->out, number.at, number.len);
    else if (lua_rawequal(L, -1, -2))
        hol_buffer_add(&w->out, "null", 4);
    else
        refuse(L, p, "type", "a userdata cannot be written as JSON");
    lua_pop(L, 1);
}

/* --- objects and arrays ------------------------------------------------------------------------------------------- */

static void write_newline(hol_writer *w, int level) {
    if (w->indent == 0) return;
    size_t len = (size_t)(w->indent * level) + 1;
    char *out = hol_buffer_need(&w->out, len);
    memset(out, ' ', len);
    out[0] = '\n';
    w->out.len += len;
}

static void write_value(hol_writer *w, const ho_field *field, const hol_place *p);

static void write_member(hol_writer *w, const ho_field *field, ho_text name, const hol_place *up, bool *first) {
    hol_place here = {.up = up, .name = name.at, .depth = up->depth + 1};
    if (!*first) add_char(&w->out, ',');
    *first = false;
    write_newline(w, here.depth);
    add_string(w, name.at, name.len);
    add_char(&w->out, ':');
    if (w->indent) add_char(&w->out, ' ');
    write_value(w, field, &here);
}

static int compare_names(const void *left, const void *right) {
    const ho_text *a = left, *b = right;
    int order = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static bool is_rest(lua_State *L, const ho_object *object, ho_text *name) {
    if (lua_type(L, -1) != LUA_TSTRING) return false;
    name->at = lua_tolstring(L, -1, &name->len);
    return !object || !ho_schema_field(object, name->at, name->len);
}

const ho_text *hol_sorted_names(lua_State *L, const ho_object *object, int data, size_t *count) {
    ho_text name;
    size_t room = 0, n = 0;
    data = lua_absindex(L, data);
    for (lua_pushnil(L); lua_next(L, data);) {
        lua_pop(L, 1);
        room += is_rest(L, object, &name);
    }
    ho_text *names = lua_newuserdatauv(L, room * sizeof *names, 0);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, data);) {
        lua_pop(L, 1);
        if (!is_rest(L, object, &name)) continue;
        if (n == room) luaL_error(L, "a table changed while it was read");
        names[n++] = name;
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, (int)n);
    }
    qsort(names, n, sizeof *names, compare_names);
    *count = n;
    return names;
}

/* The names of the table on top that are not the object's: `count` of them, if all are strings. */
static void write_rest(hol_writer *w, const ho_object *object, size_t count, const hol_place *p, bool *first) {
    lua_State *L = w->out.L;
    int table = lua_gettop(L);
    size_t n;
    const ho_text *names = hol_sorted_names(L, object, table, &n);
    if (n != count) refuse(L, p, "type", "neither an array nor an object: its keys are mixed");
    for (size_t i = 0; i < n; i++) {
        size_t bad;
        if (ho_utf8_length(names[i].at, names[i].len, &bad) == SIZE_MAX) refuse(L, p, "utf8", "a name is not UTF-8");
        lua_pushlstring(L, names[i].at, names[i].len);
        lua_rawget(L, table);
        write_member(w, NULL, names[i], p, first);
        lua_pop(L, 1);
    }
    lua_settop(L, table);
}

static void write_object(hol_writer *w, const ho_object *object, const hol_place *p) {
    lua_State *L = w->out.L;
    size_t rest = hol_count(L, -1);
    bool first = true;
    add_char(&w->out, '{');
    for (size_t i = 0; object && i < object->count; i++) {
        const ho_field *field = &object->fields[i];
        lua_pushstring(L, field->name);
        if (lua_rawget(L, -2) != LUA_TNIL) {
            write_member(w, field, (ho_text){field->name, strlen(field->name)}, p, &first);
            rest--;
        }
        lua_pop(L, 1);
    }
    if (rest > 0) write_rest(w, object, rest, p, &first);
    if (!first) write_newline(w, p->depth);
    add_char(&w->out, '}');
}

static void write_array(hol_writer *w, const ho_field *item, const hol_place *p) {
    lua_State *L = w->out.L;
    size_t count = lua_rawlen(L, -1);
    if (hol_count(L, -1) != count)
        refuse(L, p, "type", "neither an array nor an object: its keys are mixed, or it has holes");
    add_char(&w->out, '[');
    for (size_t i = 1; i <= count; i++) {
        hol_place here = {.up = p, .name = "", .index = i, .depth = p->depth + 1};
        if (i > 1) add_char(&w->out, ',');
        write_newline(w, here.depth);
        lua_rawgeti(L, -1, (lua_Integer)i);
        write_value(w, item, &here);
        lua_pop(L, 1);
    }
    if (count > 0) write_newline(w, p->depth);
    add_char(&w->out, ']');
}

static bool is_list(hol_writer *w, const ho_field *field) {
    lua_State *L = w->out.L;
    if (hol_is_array(L, -1)) return true;
    return w->plain && field && field->kind == HO_LIST && hol_count(L, -1) == 0;
}

/* The table on top; it, or the node over it, is the value. What it is, not what it should be, decides how it is
 * written. */
static void write_table(hol_writer *w, const ho_field *field, const hol_place *p) {
    lua_State *L = w->out.L;
    if (p->depth >= HO_SCAN_DEPTH) refuse(L, p, "depth", "nested more than 100 deep, or within itself");
    luaL_checkstack(L, 16, "nested too deep");
    if (is_list(w, field))
        write_array(w, field && field->kind == HO_LIST ? field->item : NULL, p);
    else
        write_object(w, field && field->kind == HO_OBJECT ? field->object : NULL, p);
}

/* The value is on top and stays there, or the data of the node that it is. */
static void write_value(hol_writer *w, const ho_field *field, const hol_place *p) {
    lua_State *L = w->out.L;
    switch (lua_type(L, -1)) {
    case LUA_TSTRING: write_string(w, p); break;
    case LUA_TNUMBER: write_number(w, p); break;
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, -1))
            hol_buffer_add(&w->out, "true", 4);
        else
            hol_buffer_add(&w->out, "false", 5);
        break;
    case LUA_TTABLE:
    case LUA_TUSERDATA:
        if (hol_is_hours(field) && hol_week_test(L, -1)) {
            hol_week_push_slots(L, hol_week_test(L, -1));
            lua_replace(L, -2);
        }
        if (hol_node_open(L)) {
            write_table(w, field, p);
            break;
        }
        /* fall through */
    case LUA_TLIGHTUSERDATA: write_userdata(w, p); break;
    default: refuse(L, p, "type", lua_pushfstring(L, "a %s cannot be written as JSON", luaL_typename(L, -1)));
    }
}

void hol_write(hol_writer *w, int index, const ho_field *field, const char *path) {
    hol_place here = {.name = path};
    lua_pushvalue(w->out.L, index);
    write_value(w, field, &here);
    lua_pop(w->out.L, 1);
}
