/* SPDX-License-Identifier: MIT */
/* For libFuzzer, see `make fuzz`.
 * Held: nothing beyond the text is read, extents lie within it and are valid values by themselves, a marked text has the size
 * that was promised, and marking twice changes nothing. */
#include "../../csrc/core/scan.h"

#include <stdlib.h>
#include <string.h>

static void hold(bool ok) {
    if (!ok) abort();
}

static void hold_member(const char *text, size_t len, const ho_member *m) {
    ho_scan scan = {.max_size = SIZE_MAX};
    hold(m->value_len > 0 && m->value + m->value_len <= len && m->name > 0 && m->name + m->name_len < m->value);
    hold(text[m->name - 1] == '"' && text[m->name + m->name_len] == '"');
    hold(ho_scan_text(text + m->value, m->value_len, &scan) == HO_OK);
    hold(scan.kind == m->kind && scan.marks == m->marks);
}

static void hold_marks(const char *text, size_t len, size_t marks) {
    size_t room = len + HO_MARK_BYTES * marks;
    char *out = malloc(room), *again = malloc(room);
    if (out == NULL || again == NULL) abort();
    size_t written = ho_scan_mark(text, len, out);
    hold(written <= room && ho_scan_mark(out, written, again) == written && memcmp(out, again, written) == 0);
    free(again);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    const char *text = (const char *)data;
    ho_member members[8];
    ho_scan scan = {.max_size = SIZE_MAX, .members = members, .room = HO_COUNT(members)};
    if (ho_scan_text(text, len, &scan) != HO_OK) {
        size_t line, column;
        hold(scan.wrong != NULL && scan.bad <= len);
        ho_scan_position(text, scan.bad, &line, &column);
        return 0;
    }
    for (size_t i = 0; i < scan.count && i < HO_COUNT(members); i++) hold_member(text, len, &members[i]);
    hold_marks(text, len, scan.marks);
    return 0;
}
