/* SPDX-License-Identifier: MIT */
/* Slots as a document has them, to and from the minutes of a week. */
#include "l_week.h"

#include "../core/rule.h"

#include <stdio.h>
#include <string.h>

/* --- slots --------------------------------------------------------------------------------------------------------- */

bool hol_is_hours(const ho_field *field) {
    const ho_object *object = field && field->item ? field->item->object : NULL;
    for (size_t i = 0; object && i < object->count; i++)
        if (object->fields[i].format == HO_DAY_SPAN) return true;
    return false;
}

typedef struct slot_fields {
    const ho_field *days, *start, *end;
} slot_fields;

static slot_fields fields_of_slot(void) {
    static const char part[] = "availability";
    const ho_object *slot = ho_schema_field(&ho_document, part, strlen(part))->item->object;
    slot_fields fields = {slot->fields, slot->fields, slot->fields}; /* the schema has each of them */
    size_t times = 0;
    for (size_t i = 0; i < slot->count; i++) {
        const ho_field *field = &slot->fields[i];
        if (field->format == HO_DAY_SPAN) fields.days = field;
        if (field->format == HO_TIME) *(times++ ? &fields.end : &fields.start) = field;
    }
    return fields;
}

static bool refuse_slot(hol_slot_problem *wrong, const ho_field *field, const char *rule, const char *message) {
    wrong->field = field;
    wrong->problem.rule = rule;
    snprintf(wrong->problem.message, sizeof wrong->problem.message, "%s", message);
    return false;
}

/* Pushes a field of the table on top, a text that the schema allows → it; NULL where it is not. */
static const char *push_text(lua_State *L, const ho_field *field, size_t *len, hol_slot_problem *wrong) {
    lua_getfield(L, -1, field->name);
    if (lua_isnil(L, -1)) {
        refuse_slot(wrong, field, "required", "missing; a slot needs it");
        return NULL;
    }
    if (lua_type(L, -1) != LUA_TSTRING) {
        refuse_slot(wrong, field, "type", "a string expected");
        return NULL;
    }
    const char *text = lua_tolstring(L, -1, len);
    ho_problem problem;
    if (ho_check_string(field, text, *len, &problem) == HO_OK) return text;
    *wrong = (hol_slot_problem){field, problem};
    return NULL;
}

static bool read_days(lua_State *L, const ho_field *field, ho_slot *slot, hol_slot_problem *wrong) {
    size_t len;
    const char *text = push_text(L, field, &len, wrong);
    bool ok = text && ho_day_span(text, len, &slot->first, &slot->last) == HO_OK;
    lua_pop(L, 1);
    return ok;
}

static bool read_time(lua_State *L, const ho_field *field, int *minute, hol_slot_problem *wrong) {
    size_t len;
    const char *text = push_text(L, field, &len, wrong);
    bool ok = text && ho_time(text, len, minute) == HO_OK;
    lua_pop(L, 1);
    return ok;
}

/* What is read last is told first. */
bool hol_slot_read(lua_State *L, ho_slot *slot, hol_slot_problem *wrong) {
    slot_fields fields = fields_of_slot();
    int top = lua_gettop(L);
    luaL_checkstack(L, 6, "too many nested calls");
    *slot = (ho_slot){-1, -1, -1, -1};
    lua_pushvalue(L, top);
    bool ok = hol_node_open(L);
    if (ok) {
        bool ends = read_time(L, fields.end, &slot->end, wrong);
        bool starts = read_time(L, fields.start, &slot->start, wrong);
        ok = read_days(L, fields.days, slot, wrong) && starts && ends;
    } else {
        refuse_slot(wrong, NULL, "type", "a slot expected, a table of fields");
    }
    if (ok && slot->start >= slot->end)
        ok = refuse_slot(wrong, NULL, "time_order", ho_slot_order(slot->start - slot->end));
    lua_settop(L, top);
    return ok;
}

bool hol_week_of_slots(lua_State *L, int data, ho_week *week) {
    hol_slot_problem wrong;
    ho_week said = {0};
    bool ok = true;
    data = lua_absindex(L, data);
    for (size_t i = 1, n = lua_rawlen(L, data); i <= n && ok; i++) {
        ho_slot slot;
        lua_rawgeti(L, data, (lua_Integer)i);
        ok = hol_slot_read(L, &slot, &wrong);
        if (ok) ho_week_add_slot(&said, NULL, &slot);
        lua_pop(L, 1);
    }
    if (ok) *week = said;
    return ok;
}

static void set_time(lua_State *L, const ho_field *field, int minute) {
    char text[16];
    snprintf(text, sizeof text, "%02d:%02d", minute / 60, minute % 60);
    lua_pushstring(L, text);
    lua_setfield(L, -2, field->name);
}

/* Sets the days and times of the table on top. */
static void set_slot(lua_State *L, const ho_slot *slot) {
    slot_fields fields = fields_of_slot();
    if (slot->first == slot->last)
        lua_pushstring(L, ho_days[slot->first]);
    else
        lua_pushfstring(L, "%s-%s", ho_days[slot->first], ho_days[slot->last]);
    lua_setfield(L, -2, fields.days->name);
    set_time(L, fields.start, slot->start);
    set_time(L, fields.end, slot->end);
}

/* Pushes a userdata with the fewest slots → them. Raises where no slots can say the week. */
static ho_slot *push_fewest(lua_State *L, const ho_week *week, size_t *count) {
    int odd = ho_week_odd_minute(week);
    if (odd >= 0)
        hol_invalid(
            L, "week", "last_minute", 0, false,
            "%s 23:59 is not as the minute before it, and slots cannot say that: the API's 23:59 is midnight; open or close both",
            ho_days[odd / HO_DAY_MINUTES]);
    *count = ho_week_slots(week, NULL, 0);
    ho_slot *slots = lua_newuserdatauv(L, (*count + 1) * sizeof *slots, 0);
    ho_week_slots(week, slots, *count);
    return slots;
}

void hol_week_push_slots(lua_State *L, const ho_week *week) {
    size_t count;
    const ho_slot *slots = push_fewest(L, week, &count);
    lua_createtable(L, (int)count, 0);
    hol_mark_array(L);
    for (size_t i = 0; i < count; i++) {
        lua_createtable(L, 0, 3);
        set_slot(L, &slots[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_remove(L, -2);
}

/* --- slots that stay what they were --------------------------------------------------------------------------------- */

/* A slot that is there, and the new one that it becomes. */
typedef struct kept {
    ho_slot slot; /* first < 0: it is none */
    const ho_slot *becomes;
} kept;

static bool same_days(const ho_slot *a, const ho_slot *b) {
    return a->first == b->first && a->last == b->last;
}

static bool same_times(const ho_slot *a, const ho_slot *b) {
    return a->start == b->start && a->end == b->end;
}

static bool same_slot(const ho_slot *a, const ho_slot *b) {
    return same_days(a, b) && same_times(a, b);
}

/* Lets those there that are like new ones become them; `given` says which new ones were. */
static void keep(kept *old, size_t old_count, const ho_slot *slots, bool *given, size_t count,
                 bool (*like)(const ho_slot *, const ho_slot *)) {
    for (size_t i = 0; i < old_count; i++)
        for (size_t j = 0; j < count && !old[i].becomes && old[i].slot.first >= 0; j++) {
            if (given[j] || !like(&old[i].slot, &slots[j])) continue;
            old[i].becomes = &slots[j];
            given[j] = true;
        }
}

/* Pushes a userdata with the slots of the list's data at the index. */
static kept *push_old(lua_State *L, int data, size_t count) {
    kept *old = lua_newuserdatauv(L, (count + 1) * sizeof *old, 0);
    for (size_t i = 0; i < count; i++) {
        hol_slot_problem wrong;
        old[i] = (kept){.slot = {.first = -1}};
        lua_rawgeti(L, data, (lua_Integer)i + 1);
        ho_slot slot;
        if (hol_slot_read(L, &slot, &wrong)) old[i].slot = slot;
        lua_pop(L, 1);
    }
    return old;
}

void hol_week_push_onto(lua_State *L, const ho_week *week, int data) {
    size_t count, old_count = lua_rawlen(L, data);
    int top = lua_gettop(L), n = 0;
    const ho_slot *slots = push_fewest(L, week, &count);
    kept *old = push_old(L, data, old_count);
    bool *given = lua_newuserdatauv(L, count + 1, 0);
    memset(given, 0, count + 1);
    keep(old, old_count, slots, given, count, same_slot);
    keep(old, old_count, slots, given, count, same_days);
    keep(old, old_count, slots, given, count, same_times);
    lua_createtable(L, (int)count, 0);
    hol_mark_array(L);
    for (size_t i = 0; i < old_count; i++) {
        if (!old[i].becomes) continue;
        lua_rawgeti(L, data, (lua_Integer)i + 1);
        hol_plain(L, -1);
        set_slot(L, old[i].becomes);
        lua_rawseti(L, top + 4, ++n);
        lua_pop(L, 1);
    }
    for (size_t j = 0; j < count; j++) {
        if (given[j]) continue;
        lua_createtable(L, 0, 3);
        set_slot(L, &slots[j]);
        lua_rawseti(L, top + 4, ++n);
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}
