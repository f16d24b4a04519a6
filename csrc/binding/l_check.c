/* SPDX-License-Identifier: MIT */
/* A configuration held against the schema: broken rules, and what is legal and surely not meant, as sorted issues. */
/*** @classmod Config
 */
/*** What a check found. It prints as one line.
 * @table Issue
 * @tfield "error"|"warning" severity
 * @tfield string path where: `custom_guidelines["Refund"].name`
 * @tfield string rule the id of the rule, which can be silenced
 * @tfield string message
 */
#include "l_check.h"
#include "l_week.h"

#include "../core/check.h"
#include "../core/rule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- rules of one value ------------------------------------------------------------------------------------------- */

static void check_value(checker *c, const ho_field *field, const hol_place *place);

static void check_string(checker *c, const ho_field *field, const hol_place *place) {
    ho_problem problem;
    if (hol_check_string(c->L, -1, field, &problem) != HO_OK)
        hol_broken(c, place, problem.rule, problem.message);
    else if (problem.rule)
        hol_warn(c, place, problem.rule, problem.message);
}

/* What JSON calls the value on top, which may be replaced by its data. */
static const char *json_type(lua_State *L) {
    if (hol_number_text(L, -1).at) return "a number";
    if (hol_node_open(L)) return hol_is_array(L, -1) ? "an array" : "an object";
    if (lua_type(L, -1) == LUA_TBOOLEAN) return lua_toboolean(L, -1) ? "true" : "false";
    return lua_type(L, -1) == LUA_TNUMBER ? "a number" : "a string";
}

static void wrong_type(checker *c, const hol_place *place, const char *want) {
    lua_pushfstring(c->L, "%s expected, got %s", want, json_type(c->L));
    hol_issue_add(c, c->lenient ? "warning" : "error", place, "type");
}

/* A name that the schema does not have. In a path it stands on one line, and cut where it is long. In what people wrote, which a
 * file is, it may be a slip. */
static void warn_unknown(checker *c, const ho_object *object, const hol_place *up, const char *name, size_t len) {
    const char *known[32];
    char shown[80], hint[80] = "";
    size_t n = 0;
    for (; n < object->count && n + 1 < HO_COUNT(known); n++) known[n] = object->fields[n].name;
    known[n] = NULL;
    int near = c->doc->server ? -1 : ho_nearest(name, len, known);
    if (near >= 0) snprintf(hint, sizeof hint, "; did you mean \"%s\"?", known[near]);
    ho_quote(name, len, shown, sizeof shown);
    shown[strlen(shown) - 1] = '\0'; /* a path is not quoted */
    hol_place here = {.up = up, .name = shown + 1};
    const char *text =
        lua_pushfstring(c->L, "no %s that this version knows; it is kept as it is%s", up ? "field" : "part", hint);
    hol_warn(c, &here, "sent_unknown", text);
    lua_pop(c->L, 1);
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
        if (!ho_schema_field(object, name, len)) warn_unknown(c, object, place, name, len);
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
            hol_broken(c, &here, "required", lua_pushfstring(L, "missing; a %s needs it", object->name));
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
        if (!c->doc->server) hol_broken(c, place, "null", "null is never written in; leave it out or give a value");
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
        if (!hol_node_open(L) || hol_is_array(L, -1))
            wrong_type(c, place, "an object");
        else
            check_object(c, field->object, place);
        break;
    case HO_LIST:
        if (!hol_node_open(L) || !hol_is_array(L, -1))
            wrong_type(c, place, "an array");
        else
            check_list(c, field->item, place);
        break;
    case HO_ANY: break;
    }
}

/* --- rules of a list's items together ----------------------------------------------------------------------------- */

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
            hol_push_key(L, field->name);
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
                        hol_broken(c, &here, "duplicate_id", text);
                    else
                        hol_warn(c, &here, "duplicate_name", text);
                }
            }
        }
        lua_settop(L, data + 1);
    }
    lua_settop(L, data);
}

/* --- what is legal and surely not meant --------------------------------------------------------------------------- */

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

/* Whether the field of the object is a list or text with nothing in it, null, or not there. What is of another type is wrong, not
 * empty. */
static bool is_empty(lua_State *L, int object, const char *field) {
    lua_getfield(L, object, field);
    hol_node_open(L);
    int type = lua_type(L, -1);
    bool is =
        type == LUA_TTABLE || type == LUA_TSTRING ? lua_rawlen(L, -1) == 0 : lua_isnil(L, -1) || hol_is_null(L, -1);
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

/* Whether a slot is one that opens something. It decodes them. */
static bool any_open(checker *c) {
    int top = lua_gettop(c->L);
    bool any = push_part(c, "availability") && hol_slots_open(c->L);
    lua_settop(c->L, top);
    return any;
}

static bool is_edited(checker *c, const char *part) {
    return c->doc->members[find_part(c, part)].edited;
}

static bool any_guideline(checker *c) {
    return any_active(c, "generic_guidelines") || any_active(c, "custom_guidelines");
}

/* Warnings that settings, which are on top, and other parts together give rise to. The others are looked at only where settings
 * make them matter. */
static void warn_together(checker *c, const hol_place *place) {
    lua_State *L = c->L;
    int settings = lua_gettop(L);
    hol_place on = {.up = place, .name = "is_active"}, hours = {.up = place, .name = "working_hours_active"};
    if (is_true(L, settings, on.name) && is_empty(L, settings, "keywords") && !any_guideline(c))
        hol_warn(c, &on, "nothing_triggers",
                 "handoff is on, but no guideline is active and there is no keyword: nothing asks for it");
    if (!is_true(L, settings, hours.name)) return;
    if (!has_slots(c))
        hol_warn(c, &hours, "hours_without_slots",
                 "working hours are on, but availability has no slot: nobody is ever there");
    else if (is_true(L, settings, on.name) && !any_open(c))
        hol_warn(c, &hours, "never_open",
                 "working hours are on, but no slot of availability is whole: nobody is ever there; mend one");
}

/* The zone of the working hours that settings, which are on top, turn on. */
static void warn_zone(checker *c, const hol_place *place) {
    lua_State *L = c->L;
    hol_place zone = {.up = place, .name = "timezone"};
    ho_problem problem;
    size_t len;
    lua_getfield(L, -1, zone.name);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    if (text && ho_zone_surprise(text, len, &problem)) hol_warn(c, &zone, problem.rule, problem.message);
    lua_pop(L, 1);
}

/* Warnings that settings, which are on top, give rise to by themselves. */
static void warn_settings(checker *c, const hol_place *place) {
    lua_State *L = c->L;
    int settings = lua_gettop(L);
    hol_place emails = {.up = place, .name = "emails"},
              outside = {.up = place, .name = "confirmation_outside_working_hours_message"};
    if (is_true(L, settings, "working_hours_active")) {
        warn_zone(c, place);
        if (is_empty(L, settings, outside.name))
            hol_warn(c, &outside, "empty_outside_message",
                     "working hours are on: outside them the visitor would read nothing");
    }
    if (is_true(L, settings, "send_email_notification") && is_empty(L, settings, emails.name))
        hol_warn(c, &emails, "email_without_addresses", "notification by e-mail is on, but there is no address");
}

/* The same where only other parts were edited: settings are decoded only where those left nothing that could do. */
static void warn_of_edits(checker *c, const ho_field *settings) {
    bool slots_gone = is_edited(c, "availability") && !any_open(c);
    bool guidelines = is_edited(c, "generic_guidelines") || is_edited(c, "custom_guidelines");
    if (!slots_gone && (!guidelines || any_guideline(c))) return;
    int top = lua_gettop(c->L);
    hol_place place = {.name = settings->name};
    if (push_part(c, settings->name)) warn_together(c, &place);
    lua_settop(c->L, top);
}

static void warn_profiles(checker *c, const hol_place *list) {
    lua_State *L = c->L;
    int data = lua_gettop(L);
    for (size_t i = 1, n = lua_rawlen(L, data); i <= n; i++) {
        hol_place item = {.up = list, .name = "", .index = i}, here = {.up = &item, .name = "user_ids"};
        lua_rawgeti(L, data, (lua_Integer)i);
        if (hol_node_open(L) && is_true(L, data + 1, "is_active") && is_empty(L, data + 1, "user_ids"))
            hol_warn(c, &here, "profile_without_operators",
                     "the profile is active, but nobody is notified when it matches");
        lua_settop(L, data);
    }
}

/* --- a part, and the whole ---------------------------------------------------------------------------------------- */

/* The part's data is on top. */
static void check_part(checker *c, const ho_field *part) {
    hol_place place = {.name = part->name};
    if (part->kind == HO_OBJECT) {
        check_object(c, part->object, &place);
        warn_settings(c, &place);
        warn_together(c, &place);
        return;
    }
    check_list(c, part->item, &place);
    const ho_object *object = part->item->object;
    check_twice(c, ho_schema_flagged(object, HO_ID), &place, true);
    check_twice(c, ho_schema_flagged(object, HO_NAME), &place, false);
    if (hol_is_hours(part)) hol_check_slots(c, &place);
    if (ho_schema_field(object, "user_ids", strlen("user_ids"))) warn_profiles(c, &place);
}

static bool has_errors(checker *c, int first) {
    lua_State *L = c->L;
    bool errors = false;
    for (int i = first; i <= c->count && !errors; i++) {
        lua_rawgeti(L, c->issues, i);
        lua_getfield(L, -1, "severity");
        errors = lua_tostring(L, -1)[0] == 'e';
        lua_pop(L, 2);
    }
    return errors;
}

/* Pushes the set of the identities of the issues of a member as it came. */
static void push_issues_before(checker *c, size_t member) {
    lua_State *L = c->L;
    const ho_field *part = c->doc->members[member].field;
    int set = lua_gettop(L) + 1;
    checker before = *c;
    before.issues = set + 1;
    before.orders = before.count = 0;
    lua_newtable(L);
    lua_newtable(L);
    hol_config_original(L, c->doc, c->values, member);
    check_part(&before, part);
    for (int i = 1; i <= before.count; i++) {
        lua_rawgeti(L, set + 1, i);
        hol_issue_identity(L, set + 2, part);
        lua_pushboolean(L, 1);
        lua_rawset(L, set);
        lua_pop(L, 1);
    }
    lua_settop(L, set);
}

/* What the service had broken before the edit is a warning in an edited part too: issues from `first` on are held against those of
 * the part as it came. */
static void forgive(checker *c, size_t member, int first) {
    lua_State *L = c->L;
    int top = lua_gettop(L);
    if (!has_errors(c, first)) return;
    push_issues_before(c, member);
    hol_config_value(L, c->doc, c->config, c->values, member);
    hol_node_open(L);
    for (int i = first; i <= c->count; i++) {
        lua_rawgeti(L, c->issues, i);
        hol_issue_identity(L, top + 2, c->doc->members[member].field);
        if (lua_rawget(L, top + 1) != LUA_TNIL) {
            lua_pushliteral(L, "warning");
            lua_setfield(L, -3, "severity");
        }
        lua_pop(L, 2);
    }
    lua_settop(L, top);
}

/* Member i of the document, a part. */
static void check_member(checker *c, size_t i) {
    lua_State *L = c->L;
    const hol_member *m = &c->doc->members[i];
    int first = c->count + 1;
    c->lenient = c->doc->server && !m->edited;
    hol_config_value(L, c->doc, c->config, c->values, i);
    if (hol_node_open(L)) check_part(c, m->field);
    lua_pop(L, 1);
    if (c->doc->server && m->edited) forgive(c, i, first);
}

static void check_members(checker *c, bool edited_only) {
    for (size_t p = 0; p < ho_document.count; p++) {
        const ho_field *part = &ho_document.fields[p];
        size_t i = find_part(c, part->name);
        if (!edited_only || c->doc->members[i].edited)
            check_member(c, i);
        else if (part->kind == HO_OBJECT)
            warn_of_edits(c, part);
    }
}

static void check_unknown_parts(checker *c) {
    const char *text = hol_config_text(c->L, c->values);
    for (size_t i = 0; i < c->doc->count; i++) {
        const hol_member *m = &c->doc->members[i];
        if (m->field) continue;
        hol_config_name(c->L, text, &m->text);
        size_t len;
        const char *name = lua_tolstring(c->L, -1, &len);
        warn_unknown(c, &ho_document, NULL, name, len);
        lua_pop(c->L, 1);
    }
}

/* --- options and functions ---------------------------------------------------------------------------------------- */

/* Pushes the set of the rule ids in the list on top, each of which there must be. */
static void read_ignore(lua_State *L) {
    if (lua_type(L, -1) != LUA_TTABLE)
        hol_invalid(L, "cfg:check", "option", 0, false, "ignore is a list of rule ids, got %s", luaL_typename(L, -1));
    int list = lua_gettop(L);
    if (hol_count(L, list) != lua_rawlen(L, list))
        hol_invalid(L, "cfg:check", "option", 0, false,
                    "ignore is a list of rule ids, {\"zone\", …}; other keys mean nothing");
    lua_newtable(L);
    for (size_t i = 1, n = lua_rawlen(L, list); i <= n; i++) {
        lua_rawgeti(L, list, (lua_Integer)i);
        const char *id = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        bool known = false;
        for (size_t r = 0; r < ho_rule_count; r++) known |= strcmp(ho_rules[r].id, id) == 0;
        if (!known)
            hol_invalid(L, "cfg:check", "option", 0, false, "no rule \"%s\" to ignore; handoff.rules() lists them", id);
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

/*** Holds the configuration against the rules: what is broken is an error, what is legal and surely not meant a warning.
 * @function check
 * @tparam[opt] table opts
 * @tparam[opt=false] boolean opts.edited look at the parts only that were edited
 * @tparam[opt] string[] opts.ignore ids of rules that are passed over, see `handoff.rules`
 * @treturn Issue[] in the document's order; empty when all is well
 */
static int l_check(lua_State *L) {
    lua_settop(L, 3);
    checker c = {.L = L, .doc = hol_config_check(L, 1), .config = 1, .values = 4, .issues = 5, .orders = 6};
    bool edited = read_options(&c, 2);
    lua_settop(L, 3);
    luaL_checkstack(L, 40, "a configuration's check");
    hol_config_values(L, 1);
    lua_newtable(L);
    lua_newtable(L);
    check_members(&c, edited);
    if (!edited) check_unknown_parts(&c);
    hol_issues_sort(&c);
    lua_settop(L, c.issues);
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

int hol_open_check(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"config", l_check}, {"document", l_document}, {"rules", l_rules}, {NULL, NULL}};
    hol_issue_open(L);
    hol_newlib(L, functions);
    lua_rawgeti(L, hol_refs, HOL_REF_METHODS);
    lua_getfield(L, -2, "config");
    lua_setfield(L, -2, "check");
    lua_pop(L, 1);
    return 1;
}
