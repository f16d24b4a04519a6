/* SPDX-License-Identifier: MIT */
/* The configuration: a document that stays its text; parts become values when they are touched, and go back as they
 * came unless they are edited. */
/*** A configuration, from `client:get()`, `handoff.config`, or as an edit gets it. Its parts are fields, see `configuration`;
 * every assignment is checked where it is made. What nobody touched goes back byte for byte. What was edited since it
 * was fetched is at hand: `cfg:changes()`.
 * @classmod Config
 */
#include "l_config.h"
#include "l_week.h"

#include <string.h>

enum { SCAN_ROOM = 16 };

hol_doc *hol_config_check(lua_State *L, int index) {
    hol_doc *doc = lua_touserdata(L, index);
    if (doc && lua_getmetatable(L, index)) {
        lua_rawgeti(L, hol_refs, HOL_REF_CONFIG);
        bool is = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (is) return doc;
    }
    hol_invalid(L, "handoff.config", "type", 0, false,
                "a configuration expected, got %s; call methods as cfg:method(…)", luaL_typename(L, index));
    return NULL;
}

/* --- making one --------------------------------------------------------------------------------------------------- */

/* Sets the environment of values and the metatable for the document on top whose text is at `text`. */
static void finish(lua_State *L, int text) {
    int doc = lua_gettop(L);
    lua_createtable(L, 8, 0);
    lua_pushvalue(L, text);
    lua_rawseti(L, -2, HOL_DOC_TEXT);
    lua_pushvalue(L, doc);
    lua_rawseti(L, -2, HOL_DOC_SELF);
    lua_setiuservalue(L, doc, 1);
    lua_rawgeti(L, hol_refs, HOL_REF_CONFIG);
    lua_setmetatable(L, doc);
}

static hol_doc *new_doc(lua_State *L, size_t count) {
    if (count > SIZE_MAX / sizeof(hol_member) / 2) luaL_error(L, "not enough memory");
    hol_doc *doc = lua_newuserdatauv(L, sizeof *doc + count * sizeof(hol_member), 1);
    doc->server = doc->sealed = false;
    doc->edits = 0;
    doc->count = count;
    return doc;
}

static const char *shape_name(char kind) {
    switch (kind) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case '0': return "a number";
    case 'n': return "null";
    default: return "true or false";
    }
}

/* → the schema's part of that name, or NULL. Names with escapes are decoded first. */
static const ho_field *part_of(lua_State *L, const char *text, const ho_member *m) {
    if (!m->name_escaped) return ho_schema_field(&ho_document, text + m->name, m->name_len);
    size_t len;
    hol_decode(L, text + m->name - 1, m->name_len + 2, 0, false);
    const char *name = lua_tolstring(L, -1, &len);
    const ho_field *field = ho_schema_field(&ho_document, name, len);
    lua_pop(L, 1);
    return field;
}

static int fail_shape(lua_State *L, const char *text, size_t at, const char *part, const char *want, const char *got) {
    size_t line, column;
    ho_scan_position(text, at, &line, &column);
    hol_fail(L, "protocol", "%s: %s expected, got %s at line %d, column %d; this is not a handoff configuration", part,
             want, got, (int)line, (int)column);
    lua_pushinteger(L, (lua_Integer)line);
    lua_setfield(L, -2, "line");
    lua_pushinteger(L, (lua_Integer)column);
    lua_setfield(L, -2, "column");
    return 2;
}

/* The five parts are there, each an object or an array as documented → 0, or what to return. */
static int check_shape(lua_State *L, const char *text, const hol_doc *doc) {
    for (size_t p = 0; p < ho_document.count; p++) {
        const ho_field *part = &ho_document.fields[p];
        char want = part->kind == HO_LIST ? '[' : '{';
        const ho_member *found = NULL;
        for (size_t i = 0; i < doc->count && !found; i++)
            if (doc->members[i].field == part) found = &doc->members[i].text;
        if (!found) return fail_shape(L, text, 0, part->name, shape_name(want), "nothing");
        if (found->kind != want)
            return fail_shape(L, text, found->value, part->name, shape_name(want), shape_name(found->kind));
    }
    return 0;
}

static void set_members(lua_State *L, hol_doc *doc, const char *text, const ho_member *members) {
    for (size_t i = 0; i < doc->count; i++)
        doc->members[i] = (hol_member){.text = members[i], .field = part_of(L, text, &members[i])};
}

/* Parses the string at the index: pushes the config → 1, or nil and the error → 2. */
static int parse(lua_State *L, int index, bool server) {
    ho_member room[SCAN_ROOM];
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    ho_scan scan = {.max_size = HO_SCAN_SIZE, .members = room, .room = SCAN_ROOM};
    int failed = hol_scan(L, text, len, &scan, "the configuration");
    if (failed) return failed;
    if (scan.kind != '{') return fail_shape(L, text, 0, "the configuration", "an object", shape_name(scan.kind));
    if (scan.count > SCAN_ROOM) {
        scan.members = lua_newuserdatauv(L, scan.count * sizeof *scan.members, 0);
        scan.room = scan.count;
        failed = hol_scan(L, text, len, &scan, "the configuration");
        if (failed) return failed;
    }
    hol_doc *doc = new_doc(L, scan.count);
    doc->server = server;
    set_members(L, doc, text, scan.members);
    failed = check_shape(L, text, doc);
    if (failed) return failed;
    finish(L, index);
    return 1;
}

static const ho_field whole = {.kind = HO_OBJECT, .object = &ho_document};

static void write_value(lua_State *L, int index, int indent, bool plain) {
    hol_writer w = {.indent = indent, .plain = plain};
    hol_buffer_open(L, &w.out);
    hol_write(&w, index, &whole, "");
    hol_buffer_push(&w.out);
}

/* config.new(text or table[, server]) → config, or nil and a `protocol` error. A table is written as JSON first, so it
 * is taken by value; what has no place in JSON raises. `server`: it came from the service, see check. */
int hol_config_new(lua_State *L) {
    bool server = lua_toboolean(L, 2);
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TTABLE) {
        write_value(L, 1, 0, true);
        lua_replace(L, 1);
    } else if (lua_type(L, 1) != LUA_TSTRING) {
        return hol_invalid(L, "handoff.config", "type", 0, false, "a JSON text or a table expected, got %s",
                           luaL_typename(L, 1));
    }
    return parse(L, 1, server);
}

/* --- values ------------------------------------------------------------------------------------------------------- */

void hol_config_values(lua_State *L, int config) {
    lua_getiuservalue(L, config, 1);
}

const char *hol_config_text(lua_State *L, int values) {
    lua_rawgeti(L, values, HOL_DOC_TEXT);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

/* Pushes member i as it came, plain; `integers`: see hol_decode. */
static void decode(lua_State *L, const hol_doc *doc, int values, size_t i, bool integers) {
    const ho_member *m = &doc->members[i].text;
    hol_decode(L, hol_config_text(L, values) + m->value, m->value_len, m->marks, integers);
}

void hol_config_original(lua_State *L, hol_doc *doc, int values, size_t i) {
    hol_member_keep_whole(L, doc, values, i);
    if (lua_rawgeti(L, values, HOL_DOC_VALUES + (lua_Integer)(doc->count + i)) != LUA_TNIL) return;
    lua_pop(L, 1);
    decode(L, doc, values, i, true);
}

static void new_part(lua_State *L, hol_doc *doc, int config, size_t i) {
    hol_part *part = lua_newuserdatauv(L, sizeof *part, 1);
    *part = (hol_part){doc, i};
    lua_getiuservalue(L, config, 1);
    lua_setiuservalue(L, -2, 1);
    lua_rawgeti(L, hol_refs, HOL_REF_PART);
    lua_setmetatable(L, -2);
}

/* Makes the plain value on top a member's value as a script gets it. */
static void wrap(lua_State *L, hol_doc *doc, int config, size_t i) {
    if (lua_type(L, -1) == LUA_TTABLE) {
        new_part(L, doc, config, i);
        lua_insert(L, -2);
        hol_node_new(L, hol_type_of(L, doc->members[i].field), -2);
        lua_remove(L, -2);
    } else {
        hol_integral(L);
    }
}

static void keep(lua_State *L, int values, size_t i) {
    lua_pushvalue(L, -1);
    lua_rawseti(L, values, HOL_DOC_VALUES + (int)i);
}

void hol_config_value(lua_State *L, hol_doc *doc, int config, int values, size_t i) {
    if (lua_rawgeti(L, values, HOL_DOC_VALUES + (lua_Integer)i) != LUA_TNIL) return;
    lua_pop(L, 1);
    decode(L, doc, values, i, false);
    wrap(L, doc, config, i);
    keep(L, values, i);
}

void hol_config_set(lua_State *L, hol_doc *doc, int config, int values, size_t i) {
    hol_member_edit(L, doc, values, i);
    wrap(L, doc, config, i);
    keep(L, values, i);
    hol_member_edited(doc, i);
    lua_pop(L, 1);
}

void hol_config_name(lua_State *L, const char *text, const ho_member *m) {
    if (m->name_escaped)
        hol_decode(L, text + m->name - 1, m->name_len + 2, 0, false);
    else
        lua_pushlstring(L, text + m->name, m->name_len);
}

size_t hol_config_find(lua_State *L, const hol_doc *doc, int values, int name) {
    size_t len;
    const char *key = lua_tolstring(L, name, &len);
    const ho_field *part = ho_schema_field(&ho_document, key, len);
    const char *text = hol_config_text(L, values);
    for (size_t i = 0; i < doc->count; i++) {
        const hol_member *m = &doc->members[i];
        if (part ? m->field == part : !m->field) {
            if (part) return i;
            hol_config_name(L, text, &m->text);
            bool same = lua_rawequal(L, -1, name);
            lua_pop(L, 1);
            if (same) return i;
        }
    }
    return doc->count;
}

/* Stack of the metamethods: 1 config, 2 key, (3 value,) then the values. Methods come first: a member that the service may call
 * `text` one day must not break cfg:text(); pairs gives it. */
static int l_index(lua_State *L) {
    lua_settop(L, 2);
    hol_doc *doc = hol_config_check(L, 1);
    if (lua_type(L, 2) != LUA_TSTRING) return hol_unknown_field(L, "", &ho_document, 2);
    lua_rawgeti(L, hol_refs, HOL_REF_METHODS);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
    lua_settop(L, 2);
    hol_config_values(L, 1);
    size_t i = hol_config_find(L, doc, 3, 2);
    if (i == doc->count) return hol_unknown_field(L, "", &ho_document, 2);
    hol_config_value(L, doc, 1, 3, i);
    return 1;
}

/* --- a whole part at once ----------------------------------------------------------------------------------------- */

/* An object assigned at once brings all known fields that the old one has, in the schema's order; the read-only ones are those of the
 * old. */
static void check_whole(lua_State *L, int old, int new, const ho_field *part) {
    for (size_t i = 0; i < part->object->count; i++) {
        const ho_field *field = &part->object->fields[i];
        lua_getfield(L, old, field->name);
        lua_getfield(L, new, field->name);
        bool had = !lua_isnil(L, -2), given = !lua_isnil(L, -1), same = lua_equal(L, -1, -2),
             fixed = field->flags & HO_READ_ONLY;
        lua_pop(L, 2);
        const char *path = lua_pushfstring(L, "%s.%s", part->name, field->name);
        if (fixed && given && !same) hol_invalid(L, path, "read_only", 0, false, "read-only: %s", field->why);
        if (!fixed && had && !given)
            hol_invalid(L, path, "required", 0, false,
                        "would be lost; give every field, or assign the others one by one");
        lua_pop(L, 1);
    }
}

/* What was not given stays: read-only fields, and those that only the service understands. */
static void keep_fields(lua_State *L, int old, int new) {
    lua_pushnil(L);
    while (lua_next(L, old)) {
        lua_pushvalue(L, -2);
        bool given = lua_rawget(L, new) != LUA_TNIL;
        lua_pop(L, 1);
        if (!given) {
            lua_pushvalue(L, -2);
            hol_plain(L, -2);
            lua_rawset(L, new);
        }
        lua_pop(L, 1);
    }
}

/* Pushes the name of item i; an item that is no object, as a service may send one, stands for itself. */
static void push_item_name(lua_State *L, int list, size_t i, const char *name) {
    lua_rawgeti(L, list, (lua_Integer)i);
    if (!hol_node_open(L)) return;
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* A fixed list assigned at once has the old one's items, in whatever order. */
static void check_fixed(lua_State *L, int old, int new, const ho_field *part) {
    const char *name = ho_schema_flagged(part->item->object, HO_NAME)->name;
    size_t count = lua_rawlen(L, old);
    bool same = lua_rawlen(L, new) == count;
    for (size_t i = 1; i <= count && same; i++) {
        size_t found = 0;
        push_item_name(L, old, i, name);
        for (size_t j = 1; j <= count; j++) {
            push_item_name(L, new, j, name);
            found += (size_t)lua_rawequal(L, -1, -2);
            lua_pop(L, 1);
        }
        same = found == 1;
        lua_pop(L, 1);
    }
    if (!same)
        hol_invalid(L, part->name, "fixed", 0, false,
                    "its items are predefined, neither added nor removed; set their is_active instead");
}

/* Replaces a week at index 3 by slots, made of the list whose data is at 5 → false: these are its hours already. */
static bool take_week(lua_State *L, const ho_week *week) {
    ho_week before;
    if (hol_week_of_slots(L, 5, &before) && ho_week_equal(week, &before)) return false;
    hol_week_push_onto(L, week, 5);
    lua_replace(L, 3);
    return true;
}

static int l_newindex(lua_State *L) {
    lua_settop(L, 3);
    hol_doc *doc = hol_config_check(L, 1);
    hol_config_values(L, 1);
    size_t i = lua_type(L, 2) == LUA_TSTRING ? hol_config_find(L, doc, 4, 2) : doc->count;
    if (i == doc->count) return hol_unknown_field(L, "", &ho_document, 2);
    const ho_field *part = doc->members[i].field;
    const char *path = lua_tostring(L, 2);
    if (lua_isnil(L, 3))
        return hol_invalid(L, path, "required", 0, false,
                           "a part cannot be removed: the whole document is always sent");
    hol_config_value(L, doc, 1, 4, i);
    if (lua_rawequal(L, 5, 3)) return 0;
    bool table = hol_node_open(L);
    const ho_week *week = table && hol_is_hours(part) ? hol_week_test(L, 3) : NULL;
    if (week && !take_week(L, week)) return 0;
    hol_part here = {doc, i};
    hol_target target = {.part = &here, .path = path, .depth = 1};
    if (table && part && part->kind == HO_LIST) {
        target.model = 5;
        target.first = 1;
        target.last = lua_rawlen(L, 5);
    }
    hol_take(L, 3, part, &target);
    if (part && part->kind == HO_OBJECT) {
        check_whole(L, 5, 6, part);
        keep_fields(L, 5, 6);
    }
    if (part && part->flags & HO_FIXED) check_fixed(L, 5, 6, part);
    if (part && part->kind == HO_LIST) hol_adopt_all(L, 5, part->item);
    hol_config_set(L, doc, 1, 4, i);
    return 0;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

/* Pushes a new table of every member's value. */
static void push_members(lua_State *L, hol_doc *doc, int config, int values) {
    lua_createtable(L, 0, (int)(doc->count < 1000 ? doc->count : 1000));
    const char *text = hol_config_text(L, values);
    for (size_t i = 0; i < doc->count; i++) {
        hol_config_name(L, text, &doc->members[i].text);
        hol_config_value(L, doc, config, values, i);
        lua_rawset(L, -3);
    }
}

/*** The configuration as plain tables, a copy; empty arrays carry the mark of `json.array`.
 * @function plain
 * @treturn table
 */
static int l_plain(lua_State *L) {
    lua_settop(L, 1);
    hol_doc *doc = hol_config_check(L, 1);
    hol_config_values(L, 1);
    push_members(L, doc, 1, 2);
    hol_plain(L, 3);
    return 1;
}

/*** The canonical text: the schema's order, then the rest sorted. The same document gives the same bytes on every VM.
 * @function json
 * @tparam[opt] table opts
 * @tparam[opt=0] integer opts.indent blanks a level; 0: all on one line
 * @treturn string
 */
static int l_canonical(lua_State *L) {
    lua_settop(L, 2);
    hol_doc *doc = hol_config_check(L, 1);
    int indent = hol_indent_option(L, 2, "cfg:json");
    hol_config_values(L, 1);
    push_members(L, doc, 1, 3);
    write_value(L, 4, indent, false);
    return 1;
}

void hol_config_write(hol_writer *w, const hol_doc *doc, int values, size_t i) {
    const hol_member *m = &doc->members[i];
    lua_State *L = w->out.L;
    lua_rawgeti(L, values, HOL_DOC_VALUES + (lua_Integer)i);
    hol_write(w, -1, m->field, m->field ? m->field->name : "value");
    lua_pop(L, 1);
}

/*** What is sent: the text as it came, with the edited parts written anew.
 * @function text
 * @treturn string
 */
static int l_text(lua_State *L) {
    lua_settop(L, 1);
    hol_doc *doc = hol_config_check(L, 1);
    hol_config_values(L, 1);
    size_t edited = 0, at = 0, len;
    for (size_t i = 0; i < doc->count; i++) edited += doc->members[i].edited;
    lua_rawgeti(L, 2, HOL_DOC_TEXT);
    if (edited == 0) return 1;
    const char *text = lua_tolstring(L, 3, &len);
    hol_writer w = {.indent = 0};
    hol_buffer_open(L, &w.out);
    for (size_t i = 0; i < doc->count; i++) {
        const hol_member *m = &doc->members[i];
        if (!m->edited) continue;
        hol_buffer_add(&w.out, text + at, m->text.value - at);
        at = m->text.value + m->text.value_len;
        hol_config_write(&w, doc, 2, i);
    }
    hol_buffer_add(&w.out, text + at, len - at);
    hol_buffer_push(&w.out);
    return 1;
}

/*** An independent configuration: the same text, the same edits.
 * @function copy
 * @treturn Config
 */
static int l_copy(lua_State *L) {
    lua_settop(L, 1);
    hol_doc *doc = hol_config_check(L, 1);
    hol_config_values(L, 1);
    lua_rawgeti(L, 2, HOL_DOC_TEXT);
    hol_doc *copy = new_doc(L, doc->count);
    memcpy(copy, doc, sizeof *doc + doc->count * sizeof(hol_member));
    copy->sealed = false;
    finish(L, 3);
    hol_config_values(L, 4);
    for (size_t i = 0; i < copy->count; i++) {
        if (!copy->members[i].edited) continue;
        lua_rawgeti(L, 2, HOL_DOC_VALUES + (lua_Integer)i);
        hol_plain(L, -1);
        wrap(L, copy, 4, i);
        keep(L, 5, i);
        lua_pop(L, 2);
    }
    lua_settop(L, 4);
    return 1;
}

/* config.is(value): whether it is a configuration. */
static int l_is(lua_State *L) {
    luaL_checkany(L, 1);
    bool is = lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1);
    if (is) {
        lua_rawgeti(L, hol_refs, HOL_REF_CONFIG);
        is = lua_rawequal(L, -1, -2);
    }
    lua_pushboolean(L, is);
    return 1;
}

/* Upvalues: references, the config, the place. */
static int l_next(lua_State *L) {
    size_t i = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(2));
    hol_doc *doc = hol_config_check(L, 1);
    if (i >= doc->count) return 0;
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_replace(L, lua_upvalueindex(3));
    hol_config_values(L, 1);
    hol_config_name(L, hol_config_text(L, 2), &doc->members[i].text);
    hol_config_value(L, doc, 1, 2, i);
    return 2;
}

/* for name, part in pairs(cfg): in the text's order. */
static int l_pairs(lua_State *L) {
    hol_config_check(L, 1);
    lua_pushvalue(L, hol_refs);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, l_next, 3);
    return 1;
}

static int l_tostring(lua_State *L) {
    hol_doc *doc = hol_config_check(L, 1);
    int edited = 0;
    for (size_t i = 0; i < doc->count; i++) edited += doc->members[i].edited;
    lua_pushfstring(L, "handoff.config: %d parts, %d edited", (int)doc->count, edited);
    return 1;
}

/* each(node or config): what pairs gives where the VM has it, on every VM. */
static int l_each(lua_State *L) {
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs")) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    if (lua_type(L, 1) != LUA_TTABLE)
        return hol_invalid(L, "handoff.each", "type", 0, false,
                           "a configuration, a part of one or a table expected, got %s", luaL_typename(L, 1));
    lua_getglobal(L, "pairs");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
}

/* Makes the metatable of a userdata that a node keeps, where `next` finds it: it tells such userdata, and nobody else gets it. */
static void add_mark(lua_State *L, int ref) {
    lua_newtable(L);
    lua_pushliteral(L, "handoff configuration");
    lua_setfield(L, -2, "__metatable");
    lua_rawseti(L, hol_refs, ref);
}

int hol_open_config(lua_State *L) {
    static const luaL_Reg meta[] = {{"__index", l_index},
                                    {"__newindex", l_newindex},
                                    {"__pairs", l_pairs},
                                    {"__tostring", l_tostring},
                                    {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"plain", l_plain}, {"json", l_canonical}, {"text", l_text}, {"copy", l_copy}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", hol_config_new}, {"is", l_is}, {"each", l_each}, {NULL, NULL}};
    hol_newlib(L, meta);
    lua_pushliteral(L, "handoff configuration");
    lua_setfield(L, -2, "__metatable");
    lua_rawseti(L, hol_refs, HOL_REF_CONFIG);
    add_mark(L, HOL_REF_PART);
    add_mark(L, HOL_REF_SHIFT);
    hol_newlib(L, hol_list_methods);
    lua_rawseti(L, hol_refs, HOL_REF_LIST);
    hol_types_open(L);
    hol_newlib(L, functions);
    hol_setfuncs(L, hol_part_functions);
    hol_newlib(L, methods);
    lua_pushvalue(L, -1);
    lua_rawseti(L, hol_refs, HOL_REF_METHODS);
    lua_setfield(L, -2, "methods");
    return 1;
}
