/* SPDX-License-Identifier: MIT */
#include "../../csrc/core/schema.h"

#include "test.h"

/* The field at a path such as `routing_profiles.name`, a list's item being passed through. */
static const ho_field *at(const char *path) {
    const ho_object *object = &ho_document;
    const ho_field *field = NULL;
    while (object != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        field = ho_schema_field(object, path, len);
        if (field == NULL) return NULL;
        object = field->item != NULL ? field->item->object : field->object;
        path += path[len] == '.' ? len + 1 : len;
    }
    return field;
}

/* The field tables of the vendor's page, read by hand. */
static void facts(void) {
    static const struct {
        int line;
        const char *path;
        ho_kind kind;
        unsigned flags;
        size_t max;
        ho_format format;
    } rows[] = {
        {__LINE__, "settings", HO_OBJECT, HO_REQUIRED, 0, HO_PLAIN},
        {__LINE__, "settings.is_active", HO_BOOLEAN, 0, 0, HO_PLAIN},
        {__LINE__, "settings.keywords", HO_LIST, 0, 0, HO_PLAIN},
        {__LINE__, "settings.ai_summary_active", HO_BOOLEAN, 0, 0, HO_PLAIN},
        {__LINE__, "settings.topic_based_routing_active", HO_BOOLEAN, HO_READ_ONLY, 0, HO_PLAIN},
        {__LINE__, "settings.question_message", HO_STRING, 0, 0, HO_PLAIN},
        {__LINE__, "settings.confirmation_message", HO_STRING, 0, 500, HO_PLAIN},
        {__LINE__, "settings.confirmation_outside_working_hours_message", HO_STRING, 0, 500, HO_PLAIN},
        {__LINE__, "settings.working_hours_active", HO_BOOLEAN, 0, 0, HO_PLAIN},
        {__LINE__, "settings.timezone", HO_STRING, 0, 0, HO_ZONE},
        {__LINE__, "settings.send_email_notification", HO_BOOLEAN, 0, 0, HO_PLAIN},
        {__LINE__, "settings.emails", HO_LIST, 0, 0, HO_PLAIN},
        {__LINE__, "availability", HO_LIST, HO_REQUIRED, 0, HO_PLAIN},
        {__LINE__, "availability.id", HO_INTEGER, HO_ID, 0, HO_PLAIN},
        {__LINE__, "availability.day_span", HO_STRING, HO_REQUIRED, 0, HO_DAY_SPAN},
        {__LINE__, "availability.start_time", HO_STRING, HO_REQUIRED, 0, HO_TIME},
        {__LINE__, "availability.end_time", HO_STRING, HO_REQUIRED, 0, HO_TIME},
        {__LINE__, "generic_guidelines", HO_LIST, HO_REQUIRED | HO_FIXED, 0, HO_PLAIN},
        {__LINE__, "generic_guidelines.name", HO_STRING, HO_REQUIRED | HO_NAME, 0, HO_PLAIN},
        {__LINE__, "generic_guidelines.description", HO_STRING, 0, 0, HO_PLAIN},
        {__LINE__, "generic_guidelines.is_active", HO_BOOLEAN, HO_REQUIRED, 0, HO_PLAIN},
        {__LINE__, "custom_guidelines.id", HO_INTEGER, HO_ID, 0, HO_PLAIN},
        {__LINE__, "custom_guidelines.name", HO_STRING, HO_REQUIRED | HO_NAME, 100, HO_PLAIN},
        {__LINE__, "custom_guidelines.description", HO_STRING, HO_REQUIRED, 2000, HO_PLAIN},
        {__LINE__, "custom_guidelines.is_active", HO_BOOLEAN, HO_REQUIRED, 0, HO_PLAIN},
        {__LINE__, "routing_profiles.id", HO_INTEGER, HO_ID, 0, HO_PLAIN},
        {__LINE__, "routing_profiles.name", HO_STRING, HO_REQUIRED | HO_NAME, 100, HO_PLAIN},
        {__LINE__, "routing_profiles.description", HO_STRING, HO_REQUIRED, 2000, HO_PLAIN},
        {__LINE__, "routing_profiles.is_active", HO_BOOLEAN, HO_REQUIRED, 0, HO_PLAIN},
        {__LINE__, "routing_profiles.user_ids", HO_LIST, HO_REQUIRED, 0, HO_PLAIN},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        const ho_field *field = at(rows[i].path);
        CHECK_AT(rows[i].line, field != NULL, "%s is missing", rows[i].path);
        if (field == NULL) continue;
        CHECK_AT(rows[i].line, field->kind == rows[i].kind, "%s: kind %d", rows[i].path, (int)field->kind);
        CHECK_AT(rows[i].line, field->flags == rows[i].flags, "%s: flags %u", rows[i].path, field->flags);
        CHECK_AT(rows[i].line, field->max == rows[i].max, "%s: max %zu", rows[i].path, field->max);
        CHECK_AT(rows[i].line, field->format == rows[i].format, "%s: format %d", rows[i].path, (int)field->format);
    }
    CHECK(at("settings.keywords")->item->kind == HO_STRING, "keywords are texts");
    CHECK(at("settings.emails")->item->format == HO_EMAIL, "emails are addresses");
    CHECK(at("routing_profiles.user_ids")->item->kind == HO_INTEGER, "user_ids are integers");
}

static void choices(void) {
    static const char *const names[] = {"user_frustration", "customer_support_suggestion", "lack_of_knowledge",
                                        "irrelevant_advice", "media_message"};
    const char *const *known = at("generic_guidelines.name")->choices;
    for (size_t i = 0; i < HO_COUNT(names); i++) CHECK(strcmp(known[i], names[i]) == 0, "choice %zu", i);
    CHECK(known[HO_COUNT(names)] == NULL, "no other choice");
}

/* What everything that walks the rows takes for granted. */
static void sound(const ho_field *field, const char *where) {
    CHECK(field->doc != NULL && field->doc[strlen(field->doc) - 1] == '.', "%s: a sentence of help", where);
    if (field->doc == NULL) return;
    CHECK(strchr(field->doc, '\n') == NULL, "%s: help on one line", where);
    CHECK((field->kind == HO_LIST) == (field->item != NULL), "%s: only lists have items", where);
    CHECK((field->kind == HO_OBJECT) == (field->object != NULL), "%s: only objects have fields", where);
    CHECK(((field->flags & HO_READ_ONLY) != 0) == (field->why != NULL), "%s: a read-only field says why", where);
    if (field->kind != HO_STRING)
        CHECK(field->max == 0 && field->choices == NULL && field->format == HO_PLAIN, "%s: a rule for texts", where);
    if (field->item != NULL) sound(field->item, where);
    if (field->object == NULL) return;
    for (size_t i = 0; i < field->object->count; i++) {
        const ho_field *row = &field->object->fields[i];
        CHECK(ho_schema_field(field->object, row->name, strlen(row->name)) == row, "%s: %s twice", where, row->name);
        sound(row, row->name);
    }
}

static void lookup(void) {
    static const struct {
        int line;
        const char *name;
        size_t len;
        bool found;
    } rows[] = {
        {__LINE__, "settings", 8, true},
        {__LINE__, "settings", 7, false},
        {__LINE__, "settings_", 9, false},
        {__LINE__, "", 0, false},
        {__LINE__, "settings\0", 9, false},
        {__LINE__, "settings\0and more", 17, false},
        {__LINE__, "\0", 1, false},
        {__LINE__, "Settings", 8, false},
        {__LINE__, "routing_profiles", 16, true},
        {__LINE__, "availability?", 12, true},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        char *name = test_copy(rows[i].name, rows[i].len);
        CHECK_AT(rows[i].line, (ho_schema_field(&ho_document, name, rows[i].len) != NULL) == rows[i].found, "lookup");
        free(name);
    }
}

static void flagged(void) {
    const ho_object *custom = at("custom_guidelines")->item->object, *slot = at("availability")->item->object;
    CHECK(strcmp(ho_schema_flagged(custom, HO_ID)->name, "id") == 0, "a guideline's id");
    CHECK(strcmp(ho_schema_flagged(custom, HO_NAME)->name, "name") == 0, "a guideline's name");
    CHECK(ho_schema_flagged(slot, HO_NAME) == NULL, "a slot has no name");
    CHECK(ho_schema_flagged(at("generic_guidelines")->item->object, HO_ID) == NULL, "a generic guideline has no id");
    CHECK(ho_schema_flagged(at("settings")->object, HO_ID | HO_NAME) == NULL, "settings have neither");
}

int main(void) {
    const ho_field document = {.kind = HO_OBJECT, .object = &ho_document, .doc = "All."};
    facts();
    choices();
    sound(&document, "document");
    lookup();
    flagged();
    return test_summary();
}
