/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include <string.h>

/* The facts are the vendor's page on human handoff: its field tables, and for limits the words in brackets there. */

static const char *const generic_names[] = {
    "user_frustration", "customer_support_suggestion", "lack_of_knowledge", "irrelevant_advice", "media_message", NULL,
};

static const ho_field keyword = {.kind = HO_STRING, .doc = "A phrase a visitor types to ask for a human."};
static const ho_field email = {.kind = HO_STRING, .format = HO_EMAIL, .doc = "An address that is notified."};
static const ho_field user_id = {.kind = HO_INTEGER, .doc = "The id of an operator to notify."};

static const ho_field settings_fields[] = {
    {.name = "is_active", .kind = HO_BOOLEAN, .doc = "Whether human handoff is on."},
    {.name = "keywords", .kind = HO_LIST, .item = &keyword, .doc = "Phrases that ask for a handoff directly."},
    {.name = "ai_summary_active",
     .kind = HO_BOOLEAN,
     .doc = "Whether the operator gets a summary of the conversation, written by the AI."},
    {.name = "topic_based_routing_active",
     .kind = HO_BOOLEAN,
     .flags = HO_READ_ONLY,
     .doc = "Whether conversations are routed to operators by topic.",
     .why = "it follows from the routing profiles: switch those on or off"},
    {.name = "question_message", .kind = HO_STRING, .doc = "Asks the visitor whether to connect them to a human."},
    {.name = "confirmation_message",
     .kind = HO_STRING,
     .max = 500,
     .doc = "Shown once the visitor has confirmed the handoff."},
    {.name = "confirmation_outside_working_hours_message",
     .kind = HO_STRING,
     .max = 500,
     .doc = "Shown when a handoff is asked for outside working hours."},
    {.name = "working_hours_active", .kind = HO_BOOLEAN, .doc = "Whether handoff is restricted to working hours."},
    {.name = "timezone",
     .kind = HO_STRING,
     .format = HO_ZONE,
     .doc = "The time zone of the working hours, such as Europe/London."},
    {.name = "send_email_notification",
     .kind = HO_BOOLEAN,
     .doc = "Whether operators are notified of a handoff by e-mail."},
    {.name = "emails", .kind = HO_LIST, .item = &email, .doc = "The addresses that are notified by e-mail."},
};
static const ho_object settings = {"settings", HO_COUNT(settings_fields), settings_fields};

static const ho_field slot_fields[] = {
    {.name = "id", .kind = HO_INTEGER, .flags = HO_ID, .doc = "The slot's id, given by the server."},
    {.name = "day_span",
     .kind = HO_STRING,
     .flags = HO_REQUIRED,
     .format = HO_DAY_SPAN,
     .doc = "A day or a range of days: monday, monday-friday; a range may wrap: saturday-monday."},
    {.name = "start_time", .kind = HO_STRING, .flags = HO_REQUIRED, .format = HO_TIME, .doc = "When it opens, HH:MM."},
    {.name = "end_time",
     .kind = HO_STRING,
     .flags = HO_REQUIRED,
     .format = HO_TIME,
     .doc = "When it closes, HH:MM, later than start_time on the same day; a night shift is two slots."},
};
static const ho_object slot = {"slot", HO_COUNT(slot_fields), slot_fields};

static const ho_field generic_fields[] = {
    {.name = "name",
     .kind = HO_STRING,
     .flags = HO_NAME | HO_REQUIRED,
     .choices = generic_names,
     .doc = "Which of the predefined guidelines it is."},
    {.name = "description", .kind = HO_STRING, .doc = "When the guideline triggers."},
    {.name = "is_active", .kind = HO_BOOLEAN, .flags = HO_REQUIRED, .doc = "Whether the guideline is on."},
};
static const ho_object generic = {"generic guideline", HO_COUNT(generic_fields), generic_fields};

static const ho_field custom_fields[] = {
    {.name = "id", .kind = HO_INTEGER, .flags = HO_ID, .doc = "The guideline's id, given by the server."},
    {.name = "name", .kind = HO_STRING, .flags = HO_NAME | HO_REQUIRED, .max = 100, .doc = "The guideline's name."},
    {.name = "description",
     .kind = HO_STRING,
     .flags = HO_REQUIRED,
     .max = 2000,
     .doc = "When the guideline should trigger a handoff."},
    {.name = "is_active", .kind = HO_BOOLEAN, .flags = HO_REQUIRED, .doc = "Whether the guideline is on."},
};
static const ho_object custom = {"custom guideline", HO_COUNT(custom_fields), custom_fields};

static const ho_field profile_fields[] = {
    {.name = "id", .kind = HO_INTEGER, .flags = HO_ID, .doc = "The profile's id, given by the server."},
    {.name = "name", .kind = HO_STRING, .flags = HO_NAME | HO_REQUIRED, .max = 100, .doc = "The topic's name."},
    {.name = "description",
     .kind = HO_STRING,
     .flags = HO_REQUIRED,
     .max = 2000,
     .doc = "Which conversations the profile is for."},
    {.name = "is_active", .kind = HO_BOOLEAN, .flags = HO_REQUIRED, .doc = "Whether the profile is on."},
    {.name = "user_ids",
     .kind = HO_LIST,
     .flags = HO_REQUIRED,
     .item = &user_id,
     .doc = "The operators who are notified when the profile matches."},
};
static const ho_object profile = {"routing profile", HO_COUNT(profile_fields), profile_fields};

static const ho_field slot_item = {.kind = HO_OBJECT, .object = &slot, .doc = "A span of working hours."};
static const ho_field generic_item = {.kind = HO_OBJECT, .object = &generic, .doc = "A predefined handoff trigger."};
static const ho_field custom_item = {.kind = HO_OBJECT, .object = &custom, .doc = "A handoff trigger of your own."};
static const ho_field profile_item = {.kind = HO_OBJECT, .object = &profile, .doc = "A topic and its operators."};

static const ho_field parts[] = {
    {.name = "settings",
     .kind = HO_OBJECT,
     .flags = HO_REQUIRED,
     .object = &settings,
     .doc = "The core of the handoff configuration."},
    {.name = "availability",
     .kind = HO_LIST,
     .flags = HO_REQUIRED,
     .item = &slot_item,
     .doc = "The working hours, a list of slots."},
    {.name = "generic_guidelines",
     .kind = HO_LIST,
     .flags = HO_REQUIRED | HO_FIXED,
     .item = &generic_item,
     .doc = "The predefined handoff triggers; they are switched on or off, never added or removed."},
    {.name = "custom_guidelines",
     .kind = HO_LIST,
     .flags = HO_REQUIRED,
     .item = &custom_item,
     .doc = "Handoff triggers of your own."},
    {.name = "routing_profiles",
     .kind = HO_LIST,
     .flags = HO_REQUIRED,
     .item = &profile_item,
     .doc = "Topics, and the operators who are notified of a conversation about one."},
};

const ho_object ho_document = {"configuration", HO_COUNT(parts), parts};

const ho_field *ho_schema_field(const ho_object *object, const char *name, size_t len) {
    for (size_t i = 0; i < object->count; i++) {
        const ho_field *field = &object->fields[i];
        if (strlen(field->name) == len && memcmp(field->name, name, len) == 0) return field;
    }
    return NULL;
}

const ho_field *ho_schema_flagged(const ho_object *object, unsigned flag) {
    for (size_t i = 0; i < object->count; i++)
        if (object->fields[i].flags & flag) return &object->fields[i];
    return NULL;
}
