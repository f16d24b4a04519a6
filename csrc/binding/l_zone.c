/* SPDX-License-Identifier: MIT */
/* The module `handoff.zone`: local time in a zone of the system, on GLib's GTimeZone. It is a module of its own, so that the core
 * does not link GLib.
 *
 * An instant is a whole number of seconds since 1970, UTC; a fraction is dropped. GTimeZone counts the stretches of time that have
 * one offset, "intervals", from the earliest up; it tells which one an instant is in, not when that begins. GLib as of 2.74 has a
 * fault: it does not know a summer time that lies below standard time by rule, as Europe/Dublin's winter does. Where the system's
 * file lists the changes one by one, to 2037 as a rule, they are right there, too. */
#include "compat.h"

#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZONE_MT "handoff.zone"

/* Of both signs: the years 1653 to 2286, whose instants are whole in every VM's numbers. */
static const int64_t LIMIT = 10000000000;
enum { WIDEST = 26 * 3600, YEAR_MIN = 1700, YEAR_MAX = 2200, FIELD_MAX = 100000, PATH_SIZE = 1024 };

typedef struct zone {
    GTimeZone *at; /* NULL once it is closed */
} zone;

static GTimeZone *check_zone(lua_State *L) {
    zone *z = luaL_checkudata(L, 1, ZONE_MT);
    if (z->at == NULL) luaL_error(L, "the zone is closed");
    return z->at;
}

static int64_t check_instant(lua_State *L, int index) {
    lua_Number seconds = floor(luaL_checknumber(L, index));
    bool is_near = seconds >= (lua_Number)-LIMIT && seconds <= (lua_Number)LIMIT;
    luaL_argcheck(L, is_near, index, "seconds since 1970 expected, between the years 1653 and 2286");
    return (int64_t)seconds;
}

static int interval_of(GTimeZone *at, int64_t instant) {
    return g_time_zone_find_interval(at, G_TIME_TYPE_UNIVERSAL, instant);
}

/* The first instant after `from` whose interval is a later one; there is one up to `to`. */
static int64_t next_begin(GTimeZone *at, int64_t from, int64_t to) {
    int before = interval_of(at, from);
    while (to - from > 1) {
        int64_t between = from + (to - from) / 2;
        if (interval_of(at, between) > before)
            to = between;
        else
            from = between;
    }
    return to;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* A path is never taken for a rule, as GLib takes the name EST5EDT. UTC needs no file. */
static GTimeZone *find_zone(const char *name) {
    const char *folder = getenv("TZDIR"); /* NOLINT(concurrency-mt-unsafe): nothing here sets variables */
    char path[PATH_SIZE];
    if (strcmp(name, "UTC") == 0) return g_time_zone_new_utc();
    if (folder == NULL || *folder == '\0') folder = "/usr/share/zoneinfo";
    int written = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (*folder != '/' || written < 0 || (size_t)written >= sizeof path) return NULL;
    return g_time_zone_new_identifier(path);
}

/* What the core says of the name: pushes "known", "uncheckable", or "unknown" and why; nil in place of a why. */
static const char *push_answer(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 2);
    return lua_tostring(L, -2);
}

static int push_failure(lua_State *L, const char *message) {
    lua_pushnil(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, "invalid");
    lua_setfield(L, -2, "kind");
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "value");
    lua_pushstring(L, message);
    lua_setfield(L, -2, "message");
    lua_call(L, 1, 1);
    return 2;
}

static int refuse_missing(lua_State *L) {
    return push_failure(
        L, lua_pushfstring(L, "this system has no data of the time zone \"%s\"; install tzdata", lua_tostring(L, 1)));
}

/* zone.open(name) → zone | nil, err of kind "invalid": a zone by a name of the system's zoneinfo, or that in TZDIR. */
static int l_open(lua_State *L) {
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    if (strcmp(push_answer(L), "unknown") == 0) return push_failure(L, lua_tostring(L, -1));
    zone *z = lua_newuserdatauv(L, sizeof *z, 0);
    z->at = NULL;
    luaL_getmetatable(L, ZONE_MT);
    lua_setmetatable(L, -2);
    z->at = find_zone(lua_tostring(L, 1));
    if (z->at != NULL) return 1;
    lua_pop(L, 1);
    return refuse_missing(L);
}

static int l_close(lua_State *L) {
    zone *z = luaL_checkudata(L, 1, ZONE_MT);
    if (z->at != NULL) g_time_zone_unref(z->at);
    z->at = NULL;
    return 0;
}

/* --- from an instant ---------------------------------------------------------------------------------------------- */

/* zone:offset(instant) → seconds east of UTC, the abbreviation, whether it is summer time */
static int l_offset(lua_State *L) {
    GTimeZone *at = check_zone(L);
    int interval = interval_of(at, check_instant(L, 2));
    lua_pushinteger(L, g_time_zone_get_offset(at, interval));
    lua_pushstring(L, g_time_zone_get_abbreviation(at, interval));
    lua_pushboolean(L, g_time_zone_is_dst(at, interval));
    return 3;
}

static void set_integer(lua_State *L, const char *name, int value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

/* zone:local_time(instant) → { year, month, day, hour, min, sec, weekday (0 is monday), offset }, as clocks there show it */
static int l_local_time(lua_State *L) {
    struct tm tm;
    GTimeZone *at = check_zone(L);
    int64_t instant = check_instant(L, 2);
    int offset = g_time_zone_get_offset(at, interval_of(at, instant));
    time_t shown = (time_t)(instant + offset);
    if (gmtime_r(&shown, &tm) == NULL) return luaL_error(L, "this system has no date for the instant");
    lua_createtable(L, 0, 8);
    set_integer(L, "year", tm.tm_year + 1900);
    set_integer(L, "month", tm.tm_mon + 1);
    set_integer(L, "day", tm.tm_mday);
    set_integer(L, "hour", tm.tm_hour);
    set_integer(L, "min", tm.tm_min);
    set_integer(L, "sec", tm.tm_sec);
    set_integer(L, "weekday", (tm.tm_wday + 6) % 7);
    set_integer(L, "offset", offset);
    return 1;
}

static bool differ(GTimeZone *at, int a, int b) {
    return g_time_zone_get_offset(at, a) != g_time_zone_get_offset(at, b) ||
           g_time_zone_is_dst(at, a) != g_time_zone_is_dst(at, b) ||
           strcmp(g_time_zone_get_abbreviation(at, a), g_time_zone_get_abbreviation(at, b)) != 0;
}

/* zone:next_transition(instant) → the first instant after it from which the offset, the abbreviation or whether it is summer time
 * is another than before; nil where there is none up to the year 2286 */
static int l_next_transition(lua_State *L) {
    GTimeZone *at = check_zone(L);
    int64_t instant = check_instant(L, 2);
    int interval = interval_of(at, instant), last = interval_of(at, LIMIT);
    while (interval < last) {
        int before = interval;
        instant = next_begin(at, instant, LIMIT);
        interval = interval_of(at, instant);
        if (!differ(at, before, interval)) continue;
        lua_pushinteger(L, (lua_Integer)instant);
        return 1;
    }
    lua_pushnil(L);
    return 1;
}

/* --- from local time ---------------------------------------------------------------------------------------------- */

static int check_field(lua_State *L, const char *name, int least, int most, bool needed) {
    int type = lua_getfield(L, 2, name);
    lua_Number value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (type == LUA_TNIL && !needed) return 0;
    if (type != LUA_TNUMBER || value < least || value > most || value != floor(value))
        return luaL_error(L, "zone:epoch: %s: a whole number from %d to %d expected", name, least, most);
    return (int)value;
}

/* Seconds since 1970 of the time that clocks show. */
static int64_t check_shown(lua_State *L) {
    luaL_checktype(L, 2, LUA_TTABLE);
    struct tm tm = {
        .tm_year = check_field(L, "year", YEAR_MIN, YEAR_MAX, true) - 1900,
        .tm_mon = check_field(L, "month", -FIELD_MAX, FIELD_MAX, true) - 1,
        .tm_mday = check_field(L, "day", -FIELD_MAX, FIELD_MAX, true),
        .tm_hour = check_field(L, "hour", -FIELD_MAX, FIELD_MAX, false),
        .tm_min = check_field(L, "min", -FIELD_MAX, FIELD_MAX, false),
        .tm_sec = check_field(L, "sec", -FIELD_MAX, FIELD_MAX, false),
    };
    int64_t shown = timegm(&tm);
    luaL_argcheck(L, llabs(shown) < LIMIT - WIDEST, 2, "a date between the years 1700 and 2200 expected");
    return shown;
}

/* zone:epoch{year=, month=, day=, hour=0, min=0, sec=0} → the instant at which clocks there show this, the first where they do so
 * twice; nil and the first instant after it where they skip it. As of os.time, fields may be out of their ranges: the day after
 * the 31st is day 32. */
static int l_epoch(lua_State *L) {
    GTimeZone *at = check_zone(L);
    int64_t shown = check_shown(L), from = shown - WIDEST, to = shown + WIDEST;
    int last = interval_of(at, to);
    for (int i = interval_of(at, from); i <= last; i++) {
        int64_t instant = shown - g_time_zone_get_offset(at, i);
        int there = interval_of(at, instant);
        if (there == i) return lua_pushinteger(L, (lua_Integer)instant), 1;
        if (there > i) continue;
        /* the clocks of the interval before stopped short of it, those of this one begin beyond it */
        while (interval_of(at, from) < i) from = next_begin(at, from, to);
        break;
    }
    lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)from);
    return 2;
}

/* --- the module --------------------------------------------------------------------------------------------------- */

static void new_class(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"offset", l_offset}, {"local_time", l_local_time}, {"next_transition", l_next_transition},
        {"epoch", l_epoch},   {"close", l_close},           {NULL, NULL}};
    luaL_newmetatable(L, ZONE_MT);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, ZONE_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

/* Pushes a function of the module handoff.core. */
static void push_core(lua_State *L, const char *room, const char *name) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "handoff.core");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, room);
    lua_getfield(L, -1, name);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

HOL_EXPORT int luaopen_handoff_zone(lua_State *L);

int luaopen_handoff_zone(lua_State *L) {
    lua_settop(L, 0);
    new_class(L);
    lua_newtable(L);
    push_core(L, "schema", "zone");
    push_core(L, "error", "new");
    lua_pushcclosure(L, l_open, 2);
    lua_setfield(L, -2, "open");
    return 1;
}
