/* SPDX-License-Identifier: MIT */
/* core.week: the hours of a week as a value. A week is never changed; what is done to it gives another.
 *
 *   new(value) → week        value: a text (see ho_week_parse), a list of slots (plain tables, or cfg.availability), or a week.
 *                            Raises what is wrong: of a text `column`, in characters; of a slot its path
 *   read(list) → week, broken    the same of a list, but what is no slot is left out, and named in a list {path, rule, message}
 *   of(spans) → week         spans: a list of {from=, to=}, as :spans() gives them. The last minute of a day becomes as the one
 *                            before it, since slots cannot tell it from midnight
 *   moment(text) → minute of the week of "fri 18:30" | nil, why
 *
 * A week's methods; x is whatever new takes, a minute one of the week (0 is monday 00:00) or a text as moment takes:
 *   :slots() → the fewest slots, plain tables     :minutes() → how many a week     tostring(week) → text that reads back as it
 *   :add(x) :subtract(x) :intersect(x) :invert() :shift(minutes or "1h 30m", "-45m") → week     +, - and == do the same
 *   :spans() → the open ones, {from=, to=, text=}; `to` exceeds 10080 where the span goes over sunday's midnight
 *   :gaps([shorter_than]) → the closed ones between them, those of less minutes than that
 *   :overlaps() → the spans that the text or the slots it was made of cover more than once
 *   :is_open(minute) → boolean     :next_change(minute) → minutes until, or nil: never */
/*** Hours of a week, a set of minutes, made by `handoff.week`. It prints as text: `mon-fri 09:00-17:30, sat 10:00-14:00`; two
 * of the same minutes are equal. None of its methods changes it.
 * @classmod Week
 */
/*** From one minute to another: of the week since monday 00:00, or instants, where that is said.
 * @table Span
 * @tfield integer from
 * @tfield integer to the first one after it
 * @tfield[opt] string text of the week, in words: `mon 09:00-17:30`
 */
#include "l_week.h"

#include "l_node.h"

#include "../core/rule.h"

#include <stdio.h>
#include <string.h>

typedef struct hol_week {
    ho_week open, twice;
} hol_week;

static hol_week *test_week(lua_State *L, int index) {
    hol_week *week = lua_touserdata(L, index);
    if (!week || !lua_getmetatable(L, index)) return NULL;
    lua_rawgeti(L, hol_refs, HOL_REF_WEEK);
    bool is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is ? week : NULL;
}

const ho_week *hol_week_test(lua_State *L, int index) {
    const hol_week *week = test_week(L, index);
    return week ? &week->open : NULL;
}

static hol_week *push_week(lua_State *L) {
    hol_week *week = lua_newuserdatauv(L, sizeof *week, 0);
    memset(week, 0, sizeof *week);
    lua_rawgeti(L, hol_refs, HOL_REF_WEEK);
    lua_setmetatable(L, -2);
    return week;
}

/* --- lists of slots ------------------------------------------------------------------------------------------------- */

/* Pushes the path of what is wrong with item i of the list at the index. */
static const char *push_path(lua_State *L, int list, size_t i, const ho_field *field) {
    const hol_type *type = hol_node_type(L, list);
    const char *name = type && type->field ? type->field->name : "week";
    return lua_pushfstring(L, "%s[%d]%s%s", name, (int)i, field ? "." : "", field ? field->name : "");
}

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

/* Adds what is wrong with slot i to the list of what is broken, on top. */
static void add_broken(lua_State *L, int list, size_t i, const hol_slot_problem *wrong) {
    lua_createtable(L, 0, 3);
    push_path(L, list, i, wrong->field);
    lua_setfield(L, -2, "path");
    set_text(L, "rule", wrong->problem.rule);
    set_text(L, "message", wrong->problem.message);
    lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
}

/* Whether the value is a list of slots, or may be. A list that a script made is looked into when it is read. */
static bool is_list(lua_State *L, int index) {
    const hol_type *type = hol_node_type(L, index);
    return type ? hol_is_hours(type->field) : lua_type(L, index) == LUA_TTABLE;
}

/* Pushes the data of the list at the index → how many items it has. A slot in a list's place has none, and would say "closed". */
static size_t push_items(lua_State *L, int list) {
    lua_pushvalue(L, list);
    hol_node_open(L);
    size_t count = lua_rawlen(L, -1);
    if (hol_count(L, lua_gettop(L)) != count)
        hol_invalid(L, "week", "type", 0, false, "a list expected, got a table with other keys than 1, 2, 3 …");
    return count;
}

/* Pushes the week that the list of slots at the index says. What is no slot raises, or is added to the list at `broken`. */
static void push_of_slots(lua_State *L, int list, int broken) {
    hol_week *week = push_week(L);
    size_t n = push_items(L, list);
    int data = lua_gettop(L);
    for (size_t i = 1; i <= n; i++) {
        hol_slot_problem wrong;
        ho_slot slot;
        lua_rawgeti(L, data, (lua_Integer)i);
        if (hol_slot_read(L, &slot, &wrong)) {
            ho_week_add_slot(&week->open, &week->twice, &slot);
        } else if (broken) {
            lua_pushvalue(L, broken);
            add_broken(L, list, i, &wrong);
        } else {
            hol_invalid(L, push_path(L, list, i, wrong.field), wrong.problem.rule, 0, false, "%s",
                        wrong.problem.message);
        }
        lua_settop(L, data);
    }
    lua_settop(L, data - 1);
}

/* --- making one ---------------------------------------------------------------------------------------------------- */

/* Pushes what is wrong as a line that names the character → it. */
static const char *push_why(lua_State *L, const char *text, const ho_week_problem *problem, size_t *column) {
    *column = ho_utf8_length(text, problem->at, NULL) + 1;
    return lua_pushfstring(L, "character %d: %s", (int)*column, problem->message);
}

static void push_of_text(lua_State *L, int index) {
    size_t len, column;
    ho_week_problem problem;
    const char *text = lua_tolstring(L, index, &len);
    hol_week *week = push_week(L);
    if (ho_week_parse(text, len, &week->open, &week->twice, &problem) == HO_OK) return;
    lua_createtable(L, 0, 8);
    push_why(L, text, &problem, &column);
    lua_setfield(L, -2, "message");
    lua_pushinteger(L, (lua_Integer)column);
    lua_setfield(L, -2, "column");
    set_text(L, "path", "week");
    set_text(L, "rule", "week");
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "value");
    hol_raise(L);
}

/* The week that the value at the index is or says, which replaces it there. */
static hol_week *take_week(lua_State *L, int index) {
    hol_week *week = test_week(L, index);
    if (week) return week;
    if (lua_type(L, index) == LUA_TSTRING)
        push_of_text(L, index);
    else if (is_list(L, index))
        push_of_slots(L, index, 0);
    else
        hol_invalid(L, "week", "type", 0, false,
                    "hours expected as a text, such as \"mon-fri 09:00-17:30\", or as a list of slots, got %s",
                    luaL_typename(L, index));
    lua_replace(L, index);
    return lua_touserdata(L, index);
}

static int l_new(lua_State *L) {
    lua_settop(L, 1);
    take_week(L, 1);
    return 1;
}

static int l_read(lua_State *L) {
    lua_settop(L, 1);
    if (!is_list(L, 1))
        return hol_invalid(L, "week", "type", 0, false, "a list of slots expected, got %s", luaL_typename(L, 1));
    lua_newtable(L);
    push_of_slots(L, 1, 2);
    lua_insert(L, 2);
    return 2;
}

/* A bound of the span on top, which stays there; it is the span of that place in the list. */
static int check_bound(lua_State *L, int place, const char *name, int least, int most) {
    if (lua_type(L, -1) != LUA_TTABLE)
        return hol_invalid(L, lua_pushfstring(L, "spans[%d]", place), "type", 0, false,
                           "a span expected, {from=, to=}");
    bool is_number = lua_getfield(L, -1, name) == LUA_TNUMBER;
    lua_Number n = is_number ? lua_tonumber(L, -1) : -1;
    lua_pop(L, 1);
    if (n >= least && n <= most && n == (lua_Number)(int)n) return (int)n;
    return hol_invalid(L, lua_pushfstring(L, "spans[%d].%s", place, name), "type", 0, false,
                       "a minute expected, %d to %d without a fraction", least, most);
}

static int l_of(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    int n = (int)push_items(L, 1);
    hol_week *week = push_week(L);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        ho_span span = {.from = check_bound(L, i, "from", 0, HO_WEEK_MINUTES - 1)};
        span.to = check_bound(L, i, "to", span.from + 1, span.from + HO_WEEK_MINUTES);
        ho_week_open(&week->open, span);
        lua_pop(L, 1);
    }
    ho_week_even(&week->open);
    return 1;
}

/* --- moments ------------------------------------------------------------------------------------------------------- */

static int l_moment(lua_State *L) {
    size_t len, column;
    ho_week_problem problem;
    int minute;
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *text = lua_tolstring(L, 1, &len);
    if (ho_week_moment(text, len, &minute, &problem) == HO_OK) {
        lua_pushinteger(L, minute);
        return 1;
    }
    lua_pushnil(L);
    push_why(L, text, &problem, &column);
    return 2;
}

/* The minute of the week at the index, which may be said in words. */
static int check_minute(lua_State *L, int index) {
    size_t len, column;
    ho_week_problem problem;
    int minute = 0;
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &len);
        if (ho_week_moment(text, len, &minute, &problem) == HO_OK) return minute;
        hol_invalid(L, "minute", "moment", 0, false, "%s", push_why(L, text, &problem, &column));
    }
    lua_Number n = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
    if (n >= 0 && n < HO_WEEK_MINUTES && n == (lua_Number)(int)n) return (int)n;
    return hol_invalid(L, "minute", "type", 0, false,
                       "a minute of the week, 0 to 10079 without a fraction, or a text such as \"fri 18:30\" expected");
}

static int64_t check_length(lua_State *L, int index) {
    size_t len;
    int minutes;
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &len);
        if (ho_week_length(text, len, &minutes) == HO_OK) return minutes;
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        lua_Number n = lua_tonumber(L, index);
        if (n >= -1e15 && n <= 1e15 && n == (lua_Number)(int64_t)n) return (int64_t)n;
    }
    return hol_invalid(L, "minutes", "type", 0, false,
                       "whole minutes, or a text such as \"1h 30m\" or \"-45m\" expected");
}

/* --- methods ------------------------------------------------------------------------------------------------------- */

static hol_week *check_self(lua_State *L) {
    hol_week *week = test_week(L, 1);
    if (!week) hol_invalid(L, "week", "type", 0, false, "a week expected; call methods as week:method(…)");
    return week;
}

/* Pushes a new week of the minutes. */
static int give(lua_State *L, const ho_week *open) {
    push_week(L)->open = *open;
    return 1;
}

/*** The minutes of either; `+` does the same.
 * @function add
 * @tparam Week|string|table other a week, a text or a list of slots
 * @treturn Week
 */
static int l_add(lua_State *L) {
    lua_settop(L, 2);
    ho_week open = take_week(L, 1)->open;
    ho_week_add(&open, &take_week(L, 2)->open);
    return give(L, &open);
}

/*** The minutes that the other one does not have; `-` does the same.
 * @function subtract
 * @tparam Week|string|table other a week, a text or a list of slots
 * @treturn Week
 */
static int l_subtract(lua_State *L) {
    lua_settop(L, 2);
    ho_week open = take_week(L, 1)->open;
    ho_week_subtract(&open, &take_week(L, 2)->open);
    return give(L, &open);
}

/*** The minutes that both have.
 * @function intersect
 * @tparam Week|string|table other a week, a text or a list of slots
 * @treturn Week
 */
static int l_intersect(lua_State *L) {
    lua_settop(L, 2);
    ho_week open = check_self(L)->open;
    ho_week_intersect(&open, &take_week(L, 2)->open);
    return give(L, &open);
}

/*** The minutes that it does not have.
 * @function invert
 * @treturn Week
 */
static int l_invert(lua_State *L) {
    ho_week open = check_self(L)->open;
    ho_week_invert(&open);
    return give(L, &open);
}

/*** The same some time later, around the end of the week.
 * @function shift
 * @tparam string|integer by a length of time, such as `"1h 30m"` or `"-15m"`, or minutes
 * @treturn Week
 */
static int l_shift(lua_State *L) {
    lua_settop(L, 2);
    ho_week open = check_self(L)->open;
    ho_week_shift(&open, check_length(L, 2));
    return give(L, &open);
}

static int l_equal(lua_State *L) {
    const hol_week *a = test_week(L, 1), *b = test_week(L, 2);
    lua_pushboolean(L, a && b && ho_week_equal(&a->open, &b->open));
    return 1;
}

/*** How long it is open.
 * @function minutes
 * @treturn integer minutes a week
 */
static int l_minutes(lua_State *L) {
    lua_pushinteger(L, ho_week_minutes(&check_self(L)->open));
    return 1;
}

/*** Whether it is open at a minute of the week.
 * @function is_open
 * @tparam string|integer moment such as `"fri 18:30"`, or the minutes since monday 00:00
 * @treturn boolean
 */
static int l_is_open(lua_State *L) {
    lua_settop(L, 2);
    const hol_week *week = check_self(L);
    lua_pushboolean(L, ho_week_is_open(&week->open, check_minute(L, 2)));
    return 1;
}

/*** When that is no longer so.
 * @function next_change
 * @tparam string|integer moment such as `"fri 18:30"`, or the minutes since monday 00:00
 * @treturn ?integer minutes from then on; nil where it never is
 */
static int l_next_change(lua_State *L) {
    lua_settop(L, 2);
    const hol_week *week = check_self(L);
    int run = ho_week_run(&week->open, check_minute(L, 2));
    if (run == HO_WEEK_MINUTES)
        lua_pushnil(L);
    else
        lua_pushinteger(L, run);
    return 1;
}

/*** The fewest slots that say it.
 * @function slots
 * @treturn Slot[] plain tables
 */
static int l_slots(lua_State *L) {
    hol_week_push_slots(L, &check_self(L)->open);
    return 1;
}

static int l_tostring(lua_State *L) {
    const hol_week *week = check_self(L);
    char few[512], *text = few;
    size_t len = ho_week_text(&week->open, few, sizeof few);
    if (len >= sizeof few) {
        text = lua_newuserdatauv(L, len + 1, 0);
        ho_week_text(&week->open, text, len + 1);
    }
    lua_pushlstring(L, text, len);
    return 1;
}

/* Pushes a list of the open spans that are shorter than that. */
static int push_spans(lua_State *L, const ho_week *week, int64_t shorter_than) {
    ho_span span;
    int n = 0;
    lua_newtable(L);
    for (int at = 0; ho_week_next(week, &at, &span);) {
        char text[HO_SPAN_TEXT];
        if (span.to - span.from >= shorter_than) continue;
        ho_span_text(span, text);
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, span.from);
        lua_setfield(L, -2, "from");
        lua_pushinteger(L, span.to);
        lua_setfield(L, -2, "to");
        set_text(L, "text", text);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/*** The open spans, rising. One that goes over the end of the week is one.
 * @function spans
 * @treturn Span[]
 */
static int l_spans(lua_State *L) {
    return push_spans(L, &check_self(L)->open, INT64_MAX);
}

/*** What was said more than once.
 * @function overlaps
 * @treturn Span[]
 */
static int l_overlaps(lua_State *L) {
    return push_spans(L, &check_self(L)->twice, INT64_MAX);
}

/*** What lies between the open spans. A week that is never open has none: there is nothing that they are between.
 * @function gaps
 * @tparam[opt] integer|string shorter only those that are shorter than so many minutes, or than a text such as `"1h"`
 * @treturn Span[]
 */
static int l_gaps(lua_State *L) {
    lua_settop(L, 2);
    ho_week closed = check_self(L)->open;
    int64_t shorter_than = lua_isnil(L, 2) ? INT64_MAX : check_length(L, 2);
    ho_week_invert(&closed);
    return push_spans(L, &closed, ho_week_minutes(&closed) < HO_WEEK_MINUTES ? shorter_than : 0);
}

static void push_metatable(lua_State *L) {
    static const luaL_Reg meta[] = {
        {"__tostring", l_tostring}, {"__add", l_add}, {"__sub", l_subtract}, {"__eq", l_equal}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"slots", l_slots},   {"add", l_add},           {"subtract", l_subtract}, {"intersect", l_intersect},
        {"invert", l_invert}, {"shift", l_shift},       {"minutes", l_minutes},   {"spans", l_spans},
        {"gaps", l_gaps},     {"overlaps", l_overlaps}, {"is_open", l_is_open},   {"next_change", l_next_change},
        {NULL, NULL},
    };
    hol_newlib(L, meta);
    hol_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "handoff week");
    lua_setfield(L, -2, "__metatable");
    set_text(L, "__name", "handoff.week");
}

int hol_open_week(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"new", l_new}, {"read", l_read}, {"of", l_of}, {"moment", l_moment}, {NULL, NULL}};
    push_metatable(L);
    lua_rawseti(L, hol_refs, HOL_REF_WEEK);
    hol_newlib(L, functions);
    return 1;
}
