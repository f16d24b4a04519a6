/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_loopback(const char *host) {
    struct in_addr four;
    struct in6_addr six;
    char bare[64];
    size_t len = strlen(host);
    if (strcasecmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    if (len < 2 || len >= sizeof bare || host[0] != '[' || host[len - 1] != ']') return false;
    memcpy(bare, host + 1, len - 2);
    bare[len - 2] = '\0';
    return inet_pton(AF_INET6, bare, &six) == 1 && memcmp(&six, &in6addr_loopback, sizeof six) == 0;
}

/* `nomem`: a part is there or not, nobody knows. */
typedef struct reader {
    CURLU *url;
    bool nomem;
} reader;

/* The part's text, to be given to curl_free; NULL: it has none, or memory could not be had. */
static char *get_part(reader *r, CURLUPart part) {
    char *text = NULL;
    CURLUcode code = curl_url_get(r->url, part, &text, 0);
    if (code == CURLUE_OUT_OF_MEMORY) r->nomem = true;
    return code == CURLUE_OK ? text : NULL;
}

static bool has_part(reader *r, CURLUPart part) {
    char *text = get_part(r, part);
    bool is_there = text != NULL;
    curl_free(text);
    return is_there;
}

/* Copies a part that must be there; false where it is not or does not fit. */
static bool copy_part(reader *r, CURLUPart part, char *out, size_t size) {
    char *text = get_part(r, part);
    int len = text != NULL ? snprintf(out, size, "%s", text) : 0;
    curl_free(text);
    return len > 0 && (size_t)len < size;
}

static bool read_parts(reader *r, ho_url *out) {
    char port[8];
    if (!copy_part(r, CURLUPART_SCHEME, out->scheme, sizeof out->scheme)) return false;
    if (!copy_part(r, CURLUPART_HOST, out->host, sizeof out->host)) return false;
    for (char *c = out->scheme; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    out->loopback = is_loopback(out->host);
    out->credentials = has_part(r, CURLUPART_USER) || has_part(r, CURLUPART_PASSWORD) || has_part(r, CURLUPART_OPTIONS);
    if (!copy_part(r, CURLUPART_PORT, port, sizeof port)) return !r->nomem;
    size_t len = strlen(out->host);
    return (size_t)snprintf(out->host + len, sizeof out->host - len, ":%s", port) < sizeof out->host - len;
}

ho_code ho_url_parse(const char *text, ho_url *out, const char **why) {
    ho_url read = {.scheme = ""};
    reader r = {.url = curl_url()};
    if (r.url == NULL) return HO_NOMEM;
    CURLUcode code = curl_url_set(r.url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    bool ok = code == CURLUE_OK && read_parts(&r, &read);
    curl_url_cleanup(r.url);
    if (r.nomem || code == CURLUE_OUT_OF_MEMORY) return HO_NOMEM;
    if (ok)
        *out = read;
    else
        *why = code == CURLUE_OK ? "its host or port is missing or too long" : curl_url_strerror(code);
    return ok ? HO_OK : HO_INVALID;
}
