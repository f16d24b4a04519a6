/* SPDX-License-Identifier: MIT */
/* The module `handoff.fold`: whether a typed text has a phrase in it, as people would say, on GLib's Unicode tables. It is a
 * module of its own, so that the core does not link GLib. */
#include "compat.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* More than anybody types. GLib ends the process where memory cannot be had, normalising takes up to sixty times the text's size,
 * and to put many accents of one letter in order takes time by the square of their number. */
enum { MAX_BYTES = 64 << 10 };

/* What keyboards and their corrections write for each other, as the plain one; 0 for what nobody sees: soft hyphens, joiners,
 * marks of direction, selectors of an emoji's form. */
static gunichar plain_form(gunichar c) {
    static const gunichar apostrophes[] = {0x60, 0xB4, 0x2018, 0x2019, 0x201B, 0x2BC, 0x2032, 0xFF07};
    for (size_t i = 0; i < G_N_ELEMENTS(apostrophes); i++)
        if (c == apostrophes[i]) return '\'';
    if ((c >= 0xFE00 && c <= 0xFE0F) || g_unichar_type(c) == G_UNICODE_FORMAT) return 0;
    if (g_unichar_type(c) == G_UNICODE_DASH_PUNCTUATION) return '-';
    return c;
}

/* The text in plain forms; what is not UTF-8, and NUL, as U+FFFD. This comes before normalising, which would make a blank and an
 * accent of U+00B4. */
static char *with_plain_forms(const char *text, size_t len) {
    char *valid = g_utf8_make_valid(text, (gssize)len);
    GString *out = g_string_sized_new(len);
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = plain_form(g_utf8_get_char(at));
        if (c != 0) g_string_append_unichar(out, c);
    }
    g_free(valid);
    return g_string_free(out, FALSE);
}

/* Case and form no longer count: composed accents, wide and half-width letters, ß and ss; takes the text. */
static char *folded(char *text) {
    char *composed = g_utf8_normalize(text, -1, G_NORMALIZE_ALL_COMPOSE);
    char *lower = g_utf8_casefold(composed, -1);
    char *again = g_utf8_normalize(lower, -1, G_NORMALIZE_ALL_COMPOSE);
    g_free(text);
    g_free(composed);
    g_free(lower);
    return again;
}

/* Blanks, as many as there are, as one, and none at either end; and one i for the four of Turkish, whose capitals fold to the
 * others of other languages; takes the text. */
static char *squeezed(char *text) {
    GString *out = g_string_sized_new(strlen(text));
    bool blank = false;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c == 0x307 && out->len > 0 && !blank && out->str[out->len - 1] == 'i') continue;
        if (g_unichar_isspace(c)) {
            blank = true;
            continue;
        }
        if (blank && out->len > 0) g_string_append_c(out, ' ');
        g_string_append_unichar(out, c == 0x131 ? 'i' : c);
        blank = false;
    }
    g_free(text);
    return g_string_free(out, FALSE);
}

static char *fold(const char *text, size_t len) {
    return squeezed(folded(with_plain_forms(text, len)));
}

/* Whether words of the character's script have blanks between them. Of Hangul they do, and still a word carries its particles
 * with it, so that hardly any stands alone. */
static bool has_spaced_words(gunichar c) {
    enum { LONG_VOWEL = 0x30FC }; /* of katakana, which belongs to no script */
    switch (g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_BOPOMOFO:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_YI:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
    case G_UNICODE_SCRIPT_TIBETAN: return false;
    default: return c != LONG_VOWEL;
    }
}

static bool is_of_word(gunichar c) {
    return (g_unichar_isalnum(c) || g_unichar_ismark(c)) && has_spaced_words(c);
}

/* Whether the piece from `at` to `end` of the text begins and ends where words do. */
static bool is_apart(const char *text, const char *at, const char *end) {
    const char *before = g_utf8_find_prev_char(text, at);
    gunichar next = g_utf8_get_char(end); /* 0 at the end */
    if (before != NULL && is_of_word(g_utf8_get_char(before)) && is_of_word(g_utf8_get_char(at))) return false;
    if (g_unichar_ismark(next)) return false; /* another letter than the phrase's last */
    return !(is_of_word(next) && is_of_word(g_utf8_get_char(g_utf8_prev_char(end))));
}

static bool has_phrase(const char *text, const char *phrase) {
    size_t len = strlen(phrase);
    if (len == 0) return false;
    for (const char *at = strstr(text, phrase); at != NULL; at = strstr(g_utf8_next_char(at), phrase))
        if (is_apart(text, at, at + len)) return true;
    return false;
}

static bool contains(const char *text, size_t text_len, const char *phrase, size_t phrase_len) {
    char *in = fold(text, text_len), *what = fold(phrase, phrase_len);
    bool found = has_phrase(in, what);
    g_free(in);
    g_free(what);
    return found;
}

static const char *check_text(lua_State *L, int index, size_t *len) {
    luaL_checktype(L, index, LUA_TSTRING);
    return lua_tolstring(L, index, len);
}

/* contains(text, phrase) → whether the phrase stands in the text. Letter case, how accents are composed, the width of letters,
 * kinds of apostrophes and dashes, and how many blanks there are, make no difference. Where the phrase begins or ends with a
 * letter or digit of a script that has blanks between words, none stands beside it in the text: whole words. A phrase of blanks,
 * or empty, or longer than a text may be, stands in none. */
static int l_contains(lua_State *L) {
    size_t text_len, phrase_len;
    const char *text = check_text(L, 1, &text_len), *phrase = check_text(L, 2, &phrase_len);
    luaL_argcheck(L, text_len <= MAX_BYTES, 1, "a text of 64 KiB at most expected");
    lua_pushboolean(L, phrase_len <= MAX_BYTES && contains(text, text_len, phrase, phrase_len));
    return 1;
}

HOL_EXPORT int luaopen_handoff_fold(lua_State *L);

int luaopen_handoff_fold(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_contains);
    lua_setfield(L, -2, "contains");
    return 1;
}
