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

static bool has_part(CURLU *url, CURLUPart part) {
    char *text = NULL;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return false;
    curl_free(text);
    return true;
}

/* Copies a part that must be there; false where it is not or does not fit. */
static bool copy_part(CURLU *url, CURLUPart part, char *out, size_t size) {
    char *text = NULL;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return false;
    int len = snprintf(out, size, "%s", text);
    curl_free(text);
    return len > 0 && (size_t)len < size;
}

static bool read_parts(CURLU *url, ho_url *out) {
    char port[8];
    if (!copy_part(url, CURLUPART_SCHEME, out->scheme, sizeof out->scheme)) return false;
    if (!copy_part(url, CURLUPART_HOST, out->host, sizeof out->host)) return false;
    for (char *c = out->scheme; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    out->loopback = is_loopback(out->host);
    out->credentials =
        has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) || has_part(url, CURLUPART_OPTIONS);
    if (!copy_part(url, CURLUPART_PORT, port, sizeof port)) return true;
    size_t len = strlen(out->host);
    return (size_t)snprintf(out->host + len, sizeof out->host - len, ":%s", port) < sizeof out->host - len;
}

ho_code ho_url_parse(const char *text, ho_url *out, const char **why) {
    ho_url read = {.scheme = ""};
    CURLU *url = curl_url();
    if (url == NULL) return HO_NOMEM;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    bool ok = code == CURLUE_OK && read_parts(url, &read);
    curl_url_cleanup(url);
    if (ok)
        *out = read;
    else
        *why = code == CURLUE_OK ? "its host or port is missing or too long" : curl_url_strerror(code);
    return ok ? HO_OK : HO_INVALID;
}
