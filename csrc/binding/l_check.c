/* SPDX-License-Identifier: MIT */
/* A configuration held against the schema: broken rules, and what is legal and surely not meant, as sorted issues. */
#include "l_config.h"

#include "../core/check.h"
#include "../core/rule.h"
#include "../core/week.h"

#include <math.h>
#include <string.h>

typedef struct checker {
    lua_State *L;
    hol_doc *doc;
    int config, values; /* indices */
    int issues;         /* index of the list */
    int count;
    int ignore;   /* index of a set of rule ids, or 0 */
    bool lenient; /* the service sent it so: what it broke is a warning */
} checker;

/* --- issues --------------------------------------------------------------------------------------------------------------- */

static bool is_ignored(checker *c, const char *rule) {
    if (!c->ignore) return false;
    lua_getfield(c->L, c->ignore, rule);
    bool ignored = !lua_isnil(c->L, -1);
    lua_pop(c->L, 1);
    return ignored;
}

/* Adds an issue whose message is on top; pops it. */
static void add(checker *c, const char *severity, const hol_place *place, const char *rule) {
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
    luaL_getmetatable(L, "handoff.issue");
    lua_setmetatable(L, -2);
    lua_rawseti(L, c->issues, ++c->count);
}

static void broken(checker *c, const hol_place *place, const char *rule, const char *message) {
    lua_pushstring(c->L, message);
    add(c, c->lenient ? "warning" : "error", place, rule);
}

static void warn(checker *c, const hol_place *place, const char *rule, const char *message) {
    lua_pushstring(c->L, message);
    add(c, "warning", place, rule);
}

/* --- rules of one value ------------------------------------------------------------------------------------------------------ */

static void check_value(checker *c, const ho_field *field, const hol_place *place);

static void check_string(checker *c, const ho_field *field, const hol_place *place) {
    size_t len;
    const char *text = lua_tolstring(c->L, -1, &len);
    ho_problem problem;
    if (ho_check_string(field, text, len, &problem) != HO_OK)
        broken(c, place, problem.rule, problem.message);
    else if (problem.rule)
        warn(c, place, problem.rule, problem.message);
}

static void wrong_type(checker *c, const hol_place *place, const char *want) {
    lua_pushfstring(c->L, "%s expected, got a %s", want, luaL_typename(c->L, -1));
    add(c, c->lenient ? "warning" : "error", place, "type");
}

/* Names in the object on top that the schema does not have. */
static void check_unknown(checker *c, const ho_object *object, const hol_place *place) {
    lua_State *L = c->L;
    int top = lua_gettop(L);
    hol_names(L, object, top);
    for (int i = 1, n = (int)lua_rawlen(L, top + 1); i <= n; i++) {
        size_t len;
        lua_rawgeti(L, top + 1, i);
        const char *name = lua_tolstring(L, -1, &len);
        hol_place here = {.up = place, .name = name};
        if (!ho_schema_field(object, name, len))
            warn(c, &here, "sent_unknown", "no field that this version knows; it is kept as it is");
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

static void check_object(checker *c, const ho_object *object, const hol_place *place) {
    lua_State *L = c->L;
    size_t known = 0;
    for (size_t i = 0; i < object->count; i++) {
        const ho_field *field = &object->fields[i];
        hol_place here = {.up = place, .name = field->name};
        lua_pushstring(L, field->name);
        if (lua_rawget(L, -2) != LUA_TNIL) {
            known++;
            check_value(c, field, &here);
        } else if (field->flags & HO_REQUIRED) {
            broken(c, &here, "required", lua_pushfstring(L, "missing; a %s needs it", object->name));
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    if (hol_count(L, -1) != known) check_unknown(c, object, place);
}

static void check_list(checker *c, const ho_field *item, const hol_place *place) {
    lua_State *L = c->L;
    size_t count = lua_rawlen(L, -1);
    for (size_t i = 1; i <= count; i++) {
        hol_place here = {.up = place, .name = "", .index = i};
        lua_rawgeti(L, -1, (lua_Integer)i);
        check_value(c, item, &here);
        lua_pop(L, 1);
    }
}

/* Beyond 2^53 a whole number that a script writes may be another than it meant, and is refused; one that is a double here after
 * its text was read is exactly what the text said. */
static bool is_exact_whole(lua_State *L) {
    return lua_type(L, -1) == LUA_TNUMBER && floor(lua_tonumber(L, -1)) == lua_tonumber(L, -1);
}

/* The value is on top; it may be replaced by its data. */
static void check_value(checker *c, const ho_field *field, const hol_place *place) {
    lua_State *L = c->L;
    int type = lua_type(L, -1);
    if (type == LUA_TLIGHTUSERDATA && hol_is_null(L, -1)) {
        if (!c->doc->server) broken(c, place, "null", "null is never written in; leave it out or give a value");
        return;
    }
    switch (field->kind) {
    case HO_STRING:
        if (type == LUA_TSTRING)
            check_string(c, field, place);
        else
            wrong_type(c, place, "a string");
        break;
    case HO_BOOLEAN:
        if (type != LUA_TBOOLEAN) wrong_type(c, place, "true or false");
        break;
    case HO_INTEGER:
        if (!hol_is_integer(L, -1) && !is_exact_whole(L)) wrong_type(c, place, "a whole number");
        break;
    case HO_OBJECT:
        if (!hol_node_open(L) || (hol_is_array(L, -1)))
            wrong_type(c, place, "an object");
        else
            check_object(c, field->object, place);
        break;
    case HO_LIST:
        if (!hol_node_open(L) || !(hol_is_array(L, -1) || hol_count(L, -1) == 0))
            wrong_type(c, place, "an array");
        else
            check_list(c, field->item, place);
        break;
    case HO_ANY: break;
    }
}

/* --- rules of a list's items together --------------------------------------------------------------------------------------------- */

/* Pushes the item's field: a string or number as it is, digits of a long number as a string; nil for what is neither. */
static void push_key(lua_State *L, const char *field) {
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

/* Two items of the list on top with the same value in the field. */
static void check_twice(checker *c, const ho_field *field, const hol_place *list, bool error) {
    lua_State *L = c->L;
    size_t count = lua_rawlen(L, -1);
    if (!field || count < 2) return;
    int data = lua_gettop(L);
    lua_createtable(L, 0, count < 1000 ? (int)count : 1000);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, data, (lua_Integer)i);
        if (hol_node_open(L)) {
            push_key(L, field->name);
            if (!lua_isnil(L, -1)) {
                lua_pushvalue(L, -1);
                if (lua_rawget(L, data + 1) == LUA_TNIL) {
                    lua_pushvalue(L, -2);
                    lua_pushinteger(L, (lua_Integer)i);
                    lua_rawset(L, data + 1);
                } else {
                    hol_place item = {.up = list, .name = "", .index = i}, here = {.up = &item, .name = field->name};
                    const char *text = lua_pushfstring(L, "the same %s as that of %s[%d]", field->name, list->name,
                                                       (int)lua_tointeger(L, -1));
                    if (error)
                        broken(c, &here, "duplicate_id", text);
                    else
                        warn(c, &here, "duplicate_name", text);
                }
            }
        }
        lua_settop(L, data + 1);
    }
    lua_settop(L, data);
}

/* --- slots ------------------------------------------------------------------------------------------------------------------------- */

/* Reads the fields of the slot on top, found by their formats → whether it is a whole and valid one, with its texts left on the
 * stack for messages. */
static bool read_slot(lua_State *L, const ho_object *object, ho_slot *slot, const char *texts[3]) {
    int n = 0, *times[] = {&slot->start, &slot->end};
    for (size_t i = 0; i < object->count; i++) {
        const ho_field *field = &object->fields[i];
        if (field->format != HO_DAY_SPAN && field->format != HO_TIME) continue;
        lua_getfield(L, -1 - n, field->name);
        size_t len = 0;
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
        texts[n] = text;
        bool ok =
            text && (field->format == HO_TIME ? n > 0 && n < 3 && ho_time(text, len, times[n - 1]) == HO_OK
                                              : n == 0 && ho_day_span(text, len, &slot->first, &slot->last) == HO_OK);
        n++;
        if (!ok) return false;
    }
    return n == 3;
}

static bool is_slot(const ho_object *object) {
    for (size_t i = 0; i < object->count; i++)
        if (object->fields[i].format == HO_DAY_SPAN) return true;
    return false;
}

static void check_slot_order(checker *c, const ho_slot *slot, const char *texts[3], const hol_place *place) {
    if (slot->start < slot->end) return;
    const char *text =
        lua_pushfstring(c->L, "%s to %s ends before it starts; a night shift is two slots", texts[1], texts[2]);
    broken(c, place, "time_order", text);
    lua_pop(c->L, 1);
}

static void check_slots(checker *c, const ho_field *item, const hol_place *list) {
    lua_State *L = c->L;
    int data = lua_gettop(L);
    size_t count = lua_rawlen(L, data), valid = 0;
    struct placed {
        ho_slot slot;
        size_t index;
    } *slots = lua_newuserdatauv(L, (count + 1) * sizeof *slots, 0);
    for (size_t i = 1; i <= count; i++) {
        hol_place here = {.up = list, .name = "", .index = i};
        const char *texts[3];
        ho_slot slot;
        lua_rawgeti(L, data, (lua_Integer)i);
        if (hol_node_open(L) && read_slot(L, item->object, &slot, texts)) {
            check_slot_order(c, &slot, texts, &here);
            for (size_t j = 0; j < valid; j++) {
                if (!ho_slot_overlap(&slots[j].slot, &slot)) continue;
                warn(c, &here, "overlapping_slots",
                     lua_pushfstring(L, "covers time that %s[%d] covers", list->name, (int)slots[j].index));
                break;
            }
            if (slot.start < slot.end) slots[valid++] = (struct placed){slot, i};
        }
        lua_settop(L, data + 1);
    }
    lua_settop(L, data);
}

/* --- what is legal and surely not meant -------------------------------------------------------------------------------------------------- */

/* The place of the document's part of that name, which every document has. */
static size_t find_part(checker *c, const char *name) {
    size_t i = 0;
    while (!c->doc->members[i].field || strcmp(c->doc->members[i].field->name, name) != 0) i++;
    return i;
}

/* Pushes the part's data, decoding it only now. */
static bool push_part(checker *c, const char *name) {
    hol_config_value(c->L, c->doc, c->config, c->values, find_part(c, name));
    return hol_node_open(c->L);
}

static bool is_true(lua_State *L, int object, const char *field) {
    lua_getfield(L, object, field);
    bool is = lua_type(L, -1) == LUA_TBOOLEAN && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is;
}

/* Whether the field of the object is a list or text with nothing in it, or is not there. */
static bool is_empty(lua_State *L, int object, const char *field) {
    lua_getfield(L, object, field);
    hol_node_open(L);
    int type = lua_type(L, -1);
    bool is = type == LUA_TTABLE || type == LUA_TSTRING ? lua_rawlen(L, -1) == 0 : type != LUA_TUSERDATA;
    lua_pop(L, 1);
    return is;
}

/* Whether an item of the part is active. */
static bool any_active(checker *c, const char *part) {
    lua_State *L = c->L;
    int top = lua_gettop(L);
    bool any = false;
    if (push_part(c, part)) {
        for (size_t i = 1, n = lua_rawlen(L, top + 1); i <= n && !any; i++) {
            lua_rawgeti(L, top + 1, (lua_Integer)i);
            any = hol_node_open(L) && is_true(L, lua_gettop(L), "is_active");
            lua_settop(L, top + 1);
        }
    }
    lua_settop(L, top);
    return any;
}

static bool has_slots(checker *c) {
    const hol_member *m = &c->doc->members[find_part(c, "availability")];
    if (!m->edited) /* its text tells, without decoding it */
        return !ho_scan_is_empty(hol_config_text(c->L, c->values) + m->text.value, m->text.value_len);
    int top = lua_gettop(c->L);
    bool has = push_part(c, "availability") && lua_rawlen(c->L, -1) > 0;
    lua_settop(c->L, top);
    return has;
}

/* Warnings that settings give rise to; they are on top. Other parts are looked at only where settings make them matter. */
static void warn_settings(checker *c, const hol_place *place) {
    lua_State *L = c->L;
    int settings = lua_gettop(L);
    bool hours = is_true(L, settings, "working_hours_active");
    hol_place on = {.up = place, .name = "is_active"}, emails = {.up = place, .name = "emails"},
              hours_on = {.up = place, .name = "working_hours_active"},
              outside = {.up = place, .name = "confirmation_outside_working_hours_message"};
    if (is_true(L, settings, "is_active") && is_empty(L, settings, "keywords") &&
        !any_active(c, "generic_guidelines") && !any_active(c, "custom_guidelines"))
        warn(c, &on, "nothing_triggers",
             "handoff is on, but no guideline is active and there is no keyword: nothing asks for it");
    if (hours && is_empty(L, settings, outside.name))
        warn(c, &outside, "empty_outside_message", "working hours are on: outside them the visitor would read nothing");
    if (hours && !has_slots(c))
        warn(c, &hours_on, "hours_without_slots",
             "working hours are on, but availability has no slot: nobody is ever there");
    if (is_true(L, settings, "send_email_notification") && is_empty(L, settings, emails.name))
        warn(c, &emails, "email_without_addresses", "notification by e-mail is on, but there is no address");
}

static void warn_profiles(checker *c, const hol_place *list) {
    lua_State *L = c->L;
    int data = lua_gettop(L);
    for (size_t i = 1, n = lua_rawlen(L, data); i <= n; i++) {
        hol_place item = {.up = list, .name = "", .index = i}, here = {.up = &item, .name = "user_ids"};
        lua_rawgeti(L, data, (lua_Integer)i);
        if (hol_node_open(L) && is_true(L, data + 1, "is_active") && is_empty(L, data + 1, "user_ids"))
            warn(c, &here, "profile_without_operators",
                 "the profile is active, but nobody is notified when it matches");
        lua_settop(L, data);
    }
}

/* --- a part, and the whole ----------------------------------------------------------------------------------------------------------- */

/* The part's data is on top. */
static void check_part(checker *c, const ho_field *part) {
    hol_place place = {.name = part->name};
    if (part->kind == HO_OBJECT) {
        check_object(c, part->object, &place);
        warn_settings(c, &place);
        return;
    }
    check_list(c, part->item, &place);
    const ho_object *object = part->item->object;
    check_twice(c, ho_schema_flagged(object, HO_ID), &place, true);
    check_twice(c, ho_schema_flagged(object, HO_NAME), &place, false);
    if (is_slot(object)) check_slots(c, part->item, &place);
    if (ho_schema_field(object, "user_ids", strlen("user_ids"))) warn_profiles(c, &place);
}

/* Pushes what identifies an issue wherever its item stands: path, rule and message without places. */
static void push_identity(lua_State *L, int issue) {
    static const char *const fields[] = {"path", "rule", "message"};
    luaL_Buffer b;
    for (size_t i = 0; i < HO_COUNT(fields); i++) lua_getfield(L, issue, fields[i]);
    luaL_buffinit(L, &b);
    for (int i = -3; i < 0; i++) {
        bool within = false;
        for (const char *at = lua_tostring(L, issue + 4 + i); *at; at++) {
            within = within ? *at != ']' : *at == '[';
            if (!within) luaL_addchar(&b, *at);
        }
    }
    luaL_pushresult(&b);
    lua_replace(L, issue + 1);
    lua_settop(L, issue + 1);
}

/* What the service had broken before the edit is a warning in an edited part too: issues from `first` on are held against those of the
 * part as it came. */
static void forgive(checker *c, size_t member, int first) {
    lua_State *L = c->L;
    int top = lua_gettop(L), last = c->count;
    bool errors = false;
    for (int i = first; i <= last && !errors; i++) {
        lua_rawgeti(L, c->issues, i);
        lua_getfield(L, -1, "severity");
        errors = lua_tostring(L, -1)[0] == 'e';
        lua_settop(L, top);
    }
    if (!errors) return;
    lua_newtable(L);
    lua_newtable(L);
    checker before = *c;
    before.issues = top + 1;
    before.count = 0;
    before.lenient = true;
    hol_config_original(L, c->doc, c->values, member);
    check_part(&before, c->doc->members[member].field);
    lua_settop(L, top + 2);
    for (int i = 1; i <= before.count; i++) {
        lua_rawgeti(L, top + 1, i);
        push_identity(L, top + 3);
        lua_pushboolean(L, 1);
        lua_rawset(L, top + 2);
        lua_pop(L, 1);
    }
    for (int i = first; i <= last; i++) {
        lua_rawgeti(L, c->issues, i);
        push_identity(L, top + 3);
        if (lua_rawget(L, top + 2) != LUA_TNIL) {
            lua_pushliteral(L, "warning");
            lua_setfield(L, -3, "severity");
        }
        lua_pop(L, 2);
    }
    lua_settop(L, top);
}

static void check_members(checker *c, bool edited_only) {
    lua_State *L = c->L;
    for (size_t p = 0; p < ho_document.count; p++) {
        for (size_t i = 0; i < c->doc->count; i++) {
            const hol_member *m = &c->doc->members[i];
            if (m->field != &ho_document.fields[p] || (edited_only && !m->edited)) continue;
            int first = c->count + 1;
            c->lenient = c->doc->server && !m->edited;
            hol_config_value(L, c->doc, c->config, c->values, i);
            if (hol_node_open(L)) check_part(c, m->field);
            lua_pop(L, 1);
            if (c->doc->server && m->edited) forgive(c, i, first);
        }
    }
}

static void check_unknown_parts(checker *c) {
    const char *text = hol_config_text(c->L, c->values);
    for (size_t i = 0; i < c->doc->count; i++) {
        const hol_member *m = &c->doc->members[i];
        if (m->field) continue;
        hol_config_name(c->L, text, &m->text);
        hol_place here = {.name = lua_tostring(c->L, -1)};
        warn(c, &here, "sent_unknown", "no part that this version knows; it is kept as it is");
        lua_pop(c->L, 1);
    }
}

/* --- options and functions ----------------------------------------------------------------------------------------------------------------- */

/* Pushes the set of the rule ids in the list on top, each of which there must be. */
static void read_ignore(lua_State *L) {
    if (lua_type(L, -1) != LUA_TTABLE)
        hol_invalid(L, "cfg:check", "option", 0, false, "ignore is a list of rule ids, got %s", luaL_typename(L, -1));
    int list = lua_gettop(L);
    lua_newtable(L);
    for (size_t i = 1, n = lua_rawlen(L, list); i <= n; i++) {
        lua_rawgeti(L, list, (lua_Integer)i);
        const char *id = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        bool known = false;
        for (size_t r = 0; r < ho_rule_count; r++) known |= strcmp(ho_rules[r].id, id) == 0;
        if (!known)
            hol_invalid(L, "cfg:check", "option", 0, false, "no rule \"%s\" to ignore; core.check.rules() lists them",
                        id);
        lua_pushboolean(L, 1);
        lua_rawset(L, list + 1);
    }
}

/* Reads the options at the index into the checker → whether only edited parts are wanted. */
static bool read_options(checker *c, int options) {
    lua_State *L = c->L;
    bool edited = false;
    if (lua_isnoneornil(L, options)) return false;
    luaL_checktype(L, options, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, options)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(name, "edited") == 0 && lua_type(L, -1) == LUA_TBOOLEAN) {
            edited = lua_toboolean(L, -1);
        } else if (strcmp(name, "ignore") == 0) {
            read_ignore(L);
            lua_replace(L, c->ignore = 3);
        } else {
            hol_invalid(L, "cfg:check", "option", 0, false,
                        "the options are edited (true or false) and ignore (a list of rule ids)");
        }
        lua_pop(L, 1);
    }
    return edited;
}

/* cfg:check([{edited=, ignore=}]) → a list of issues {severity, path, rule, message} in the document's order; empty when all is well.
 * `edited`: only the parts that were. `ignore`: ids of rules. */
static int l_check(lua_State *L) {
    lua_settop(L, 3);
    checker c = {.L = L, .doc = hol_config_check(L, 1), .config = 1};
    bool edited = read_options(&c, 2);
    lua_settop(L, 3);
    hol_config_values(L, 1);
    lua_newtable(L);
    c.values = 4;
    c.issues = 5;
    check_members(&c, edited);
    if (!edited) check_unknown_parts(&c);
    lua_settop(L, 5);
    return 1;
}

/* check.document(text or table) → the issues of a whole document, or nil and a `protocol` error where it is none. */
static int l_document(lua_State *L) {
    lua_settop(L, 1);
    int results = hol_config_new(L);
    if (results != 1) return results;
    lua_replace(L, 1);
    lua_settop(L, 1);
    return l_check(L);
}

/* check.rules() → a list of {id, severity, doc}. */
static int l_rules(lua_State *L) {
    lua_createtable(L, (int)ho_rule_count, 0);
    for (size_t i = 0; i < ho_rule_count; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, ho_rules[i].id);
        lua_setfield(L, -2, "id");
        lua_pushstring(L, ho_rules[i].warning ? "warning" : "error");
        lua_setfield(L, -2, "severity");
        lua_pushstring(L, ho_rules[i].doc);
        lua_setfield(L, -2, "doc");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* error settings.timezone: "Londn" is no time zone; … [zone] */
static int l_issue_tostring(lua_State *L) {
    static const char *const fields[] = {"severity", "path", "message", "rule"};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    for (size_t i = 0; i < HO_COUNT(fields); i++)
        if (lua_getfield(L, 1, fields[i]) != LUA_TSTRING) return luaL_argerror(L, 1, "an issue expected");
    lua_pushfstring(L, "%s %s: %s [%s]", lua_tostring(L, 2), lua_tostring(L, 3), lua_tostring(L, 4),
                    lua_tostring(L, 5));
    return 1;
}

int hol_open_check(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"config", l_check}, {"document", l_document}, {"rules", l_rules}, {NULL, NULL}};
    if (luaL_newmetatable(L, "handoff.issue")) {
        lua_pushcfunction(L, l_issue_tostring);
        lua_setfield(L, -2, "__tostring");
    }
    lua_pop(L, 1);
    hol_newlib(L, functions);
    lua_rawgeti(L, hol_refs, HOL_REF_METHODS);
    lua_getfield(L, -2, "config");
    lua_setfield(L, -2, "check");
    lua_pop(L, 1);
    return 1;
}
