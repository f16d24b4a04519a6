/* SPDX-License-Identifier: MIT */
/* The slots of a configuration held against each other: their order, overlaps, short gaps, and whether any opens. */
#include "l_check.h"
#include "l_week.h"

#include "../core/rule.h"

#include <stdio.h>

/* --- one slot ----------------------------------------------------------------------------------------------------- */

/* Whether the slot has valid times in their order; that is looked at whatever its days are. */
static bool check_slot_order(checker *c, const ho_slot *slot, const hol_place *place) {
    if (slot->start < 0 || slot->end < 0) return false;
    if (slot->start < slot->end) return true;
    char message[96];
    snprintf(message, sizeof message, "%02d:%02d to %02d:%02d %s", slot->start / 60, slot->start % 60, slot->end / 60,
             slot->end % 60, ho_slot_order(slot->start - slot->end));
    hol_broken(c, place, "time_order", message);
    return false;
}

/* A whole and valid slot, and which of the list it is. */
typedef struct placed {
    ho_slot slot;
    size_t index;
} placed;

/* The first of those before it that the slot overlaps. */
static void warn_overlap(checker *c, const placed *before, size_t count, const ho_slot *slot, const hol_place *place) {
    size_t i = 0;
    while (i < count && !ho_slot_overlap(&before[i].slot, slot)) i++;
    if (i == count) return;
    hol_warn(c, place, "overlapping_slots",
             lua_pushfstring(c->L, "covers time that %s[%d] covers", place->up->name, (int)before[i].index));
    lua_pop(c->L, 1);
}

/* --- closed for a short while between two slots ------------------------------------------------------------------- */

enum { SHORT_GAP = 60 }; /* minutes */

/* The gap, at the first slot that begins where it ends; `days`: those on which one begins at the same time. */
static void warn_gap(checker *c, const placed *slots, ho_span gap, unsigned days, const hol_place *list) {
    char message[256], names[HO_DAYS_TEXT];
    int length = gap.to - gap.from, from = gap.from % HO_DAY_MINUTES, to = gap.to % HO_DAY_MINUTES;
    int day = gap.to % HO_WEEK_MINUTES / HO_DAY_MINUTES;
    while (slots->slot.start != to || !ho_slot_covers(&slots->slot, day)) slots++;
    ho_days_text(days, names);
    snprintf(
        message, sizeof message,
        "closed for %d minute%s, %s %02d:%02d to %02d:%02d, between two slots; let them meet, unless it is a break",
        length, length == 1 ? "" : "s", names, from / 60, from % 60, to / 60, to % 60);
    hol_place here = {.up = list, .name = "", .index = slots->index};
    hol_warn(c, &here, "short_gap", message);
}

/* The days on which the same gap begins, a bit each. */
static unsigned days_of(const ho_week *week, ho_span gap) {
    unsigned days = 0;
    for (int day = 0; day < 7; day++) {
        int from = day * HO_DAY_MINUTES + gap.from % HO_DAY_MINUTES;
        bool begins =
            !ho_week_is_open(week, from) && ho_week_is_open(week, (from + HO_WEEK_MINUTES - 1) % HO_WEEK_MINUTES);
        if (begins && ho_week_run(week, from) == gap.to - gap.from) days |= 1u << day;
    }
    return days;
}

/* Gaps of the same time on several days are one, that of the first. */
static void warn_gaps(checker *c, const placed *slots, size_t count, const hol_place *list) {
    ho_week week = {{0}};
    ho_span gap;
    for (size_t i = 0; i < count; i++) ho_week_add_slot(&week, NULL, &slots[i].slot);
    ho_week closed = week;
    ho_week_invert(&closed);
    for (int at = 0; ho_week_next(&closed, &at, &gap);) {
        if (gap.to - gap.from >= SHORT_GAP) continue;
        unsigned days = days_of(&week, gap), day = (unsigned)(gap.from / HO_DAY_MINUTES);
        if ((days & ((1u << day) - 1)) == 0) warn_gap(c, slots, gap, days, list);
    }
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

void hol_check_slots(checker *c, const hol_place *place) {
    lua_State *L = c->L;
    int data = lua_gettop(L);
    size_t count = lua_rawlen(L, data), valid = 0;
    placed *slots = lua_newuserdatauv(L, (count + 1) * sizeof *slots, 0);
    for (size_t i = 1; i <= count; i++) {
        hol_place here = {.up = place, .name = "", .index = i};
        hol_slot_problem wrong;
        ho_slot slot;
        lua_rawgeti(L, data, (lua_Integer)i);
        hol_slot_read(L, &slot, &wrong);
        if (check_slot_order(c, &slot, &here) && slot.first >= 0) {
            warn_overlap(c, slots, valid, &slot, &here);
            slots[valid++] = (placed){slot, i};
        }
        lua_settop(L, data + 1);
    }
    warn_gaps(c, slots, valid, place);
    lua_settop(L, data);
}

bool hol_slots_open(lua_State *L) {
    int data = lua_gettop(L);
    bool open = false;
    for (size_t i = 1, n = lua_rawlen(L, data); i <= n && !open; i++) {
        hol_slot_problem wrong;
        ho_slot slot;
        lua_rawgeti(L, data, (lua_Integer)i);
        open = hol_slot_read(L, &slot, &wrong);
        lua_settop(L, data);
    }
    return open;
}
