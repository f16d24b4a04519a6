/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEEP_BYTES = 64 << 10 }; /* a buffer larger than this is not kept between transfers */

/* --- bytes -------------------------------------------------------------------------------------------------------- */

static bool reserve(bytes *b, size_t size) {
    if (size <= b->size) return true;
    size_t grown = b->size < KEEP_BYTES / 8 ? KEEP_BYTES / 8 : b->size;
    while (grown < size) grown = grown > SIZE_MAX / 2 ? size : grown * 2;
    char *at = realloc(b->at, grown);
    if (at == NULL) return false;
    b->at = at;
    b->size = grown;
    return true;
}

static void append(bytes *b, const char *at, size_t len) {
    if (len > 0) memcpy(b->at + b->len, at, len);
    b->len += len;
}

static void empty(bytes *b) {
    b->len = 0;
    if (b->size <= KEEP_BYTES) return;
    free(b->at);
    *b = (bytes){0};
}

/* --- libcurl's callbacks about one transfer ----------------------------------------------------------------------- */

/* Returning another number than `len` stops the transfer. */
static size_t take(ho_transfer *t, bytes *b, size_t limit, const char *at, size_t len) {
    if (len > limit - b->len) {
        t->cause = HO_HTTP_TOO_BIG;
    } else if (!reserve(b, b->len + len)) {
        t->cause = HO_HTTP_NOMEM;
    } else {
        append(b, at, len);
        return len;
    }
    return len + 1;
}

static size_t on_body(char *at, size_t size, size_t count, void *data) {
    ho_transfer *t = data;
    return take(t, &t->body, t->max_bytes, at, size * count);
}

static size_t on_head(char *at, size_t size, size_t count, void *data) {
    ho_transfer *t = data;
    size_t len = size * count;
    if (len >= 5 && memcmp(at, "HTTP/", 5) == 0) t->head.len = 0;
    if (len > HO_HTTP_MAX_HEAD - t->head.len) {
        t->cause = HO_HTTP_PROTOCOL;
        return len + 1;
    }
    return take(t, &t->head, HO_HTTP_MAX_HEAD, at, len);
}

/* Called each time a request is about to go out on a connection: the second time, libcurl repeats it. */
static int on_send(void *data, char *to, char *from, int to_port, int from_port) {
    (void)to, (void)from, (void)to_port, (void)from_port;
    ho_transfer *t = data;
    if (t->once && t->sent) {
        t->cause = HO_HTTP_NETWORK;
        return CURL_PREREQFUNC_ABORT;
    }
    t->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* --- easy handles ------------------------------------------------------------------------------------------------- */

/* Notes why libcurl refuses an option: for want of memory, or for good. */
static bool is_set(ho_transfer *t, CURLcode code) {
    if (code != CURLE_OK) t->refused = code;
    return code == CURLE_OK;
}

#define SET(t, option, value) is_set((t), curl_easy_setopt((t)->easy, (option), (value)))

static bool set_protocols(ho_transfer *t) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return SET(t, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return SET(t, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static bool set_constants(ho_transfer *t) {
    /* "" is every compression libcurl was built with. */
    return SET(t, CURLOPT_PRIVATE, t) && SET(t, CURLOPT_ERRORBUFFER, t->error) && SET(t, CURLOPT_NOSIGNAL, 1L) &&
           set_protocols(t) && SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) &&
           SET(t, CURLOPT_ACCEPT_ENCODING, "") && SET(t, CURLOPT_WRITEFUNCTION, on_body) &&
           SET(t, CURLOPT_WRITEDATA, t) && SET(t, CURLOPT_HEADERFUNCTION, on_head) && SET(t, CURLOPT_HEADERDATA, t) &&
           SET(t, CURLOPT_PREREQFUNCTION, on_send) && SET(t, CURLOPT_PREREQDATA, t);
}

static void forget_settings(settings *s) {
    free(s->ca_file);
    free(s->proxy);
    *s = (settings){0};
}

/* Takes another handle: one that was set in part would ask in a way that nobody meant, and only a fresh one has the built-in
 * authorities back. Connections are the engine's, and stay. */
static bool renew(ho_transfer *t) {
    CURL *fresh = curl_easy_init();
    if (fresh == NULL) return false;
    curl_easy_cleanup(t->easy);
    t->easy = fresh;
    forget_settings(&t->set);
    return set_constants(t);
}

static bool same(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Keeps a copy of `value` (or NULL) in `*kept`. */
static bool keep(char **kept, const char *value) {
    char *copy = value == NULL ? NULL : strdup(value);
    if (value != NULL && copy == NULL) return false;
    free(*kept);
    *kept = copy;
    return true;
}

static bool set_proxy(ho_transfer *t, proxy_mode mode, const char *proxy) {
    settings *s = &t->set;
    if (mode == s->mode && same(proxy, s->proxy)) return true;
    /* An empty NOPROXY keeps the environment's no_proxy from switching off what was asked for. */
    const char *value = mode == PROXY_NONE ? "" : proxy;
    s->mode = mode;
    return SET(t, CURLOPT_PROXY, value) && keep(&s->proxy, proxy) &&
           SET(t, CURLOPT_NOPROXY, mode == PROXY_GIVEN ? "" : NULL);
}

static bool set_authority(ho_transfer *t, const char *ca_file) {
    if (same(ca_file, t->set.ca_file)) return true;
    if (ca_file == NULL) return renew(t);
    return SET(t, CURLOPT_CAINFO, ca_file) && SET(t, CURLOPT_CAPATH, NULL) && keep(&t->set.ca_file, ca_file);
}

static bool set_timeouts(ho_transfer *t, const ho_request *r) {
    settings *s = &t->set;
    if (r->timeout_ms != s->timeout_ms && !SET(t, CURLOPT_TIMEOUT_MS, r->timeout_ms)) return false;
    s->timeout_ms = r->timeout_ms;
    if (r->connect_timeout_ms != s->connect_timeout_ms && !SET(t, CURLOPT_CONNECTTIMEOUT_MS, r->connect_timeout_ms))
        return false;
    s->connect_timeout_ms = r->connect_timeout_ms;
    return true;
}

/* Where libcurl's TLS cannot tell of certificates, nothing is told. */
static void set_certificate(CURL *e, settings *s, bool wanted) {
    if (wanted != s->certificate) curl_easy_setopt(e, CURLOPT_CERTINFO, wanted ? 1L : 0L);
    s->certificate = wanted;
}

static bool is_plain_get(const char *method) {
    return strcmp(method, "GET") == 0;
}

static bool has_no_body(const char *method) {
    return is_plain_get(method) || strcmp(method, "HEAD") == 0;
}

/* HTTPGET comes first, as it undoes what an earlier method left behind. The body lies in t->out. */
static bool set_method(ho_transfer *t, const ho_request *r, const char *body) {
    if (!SET(t, CURLOPT_HTTPGET, 1L)) return false;
    if (is_plain_get(r->method)) return SET(t, CURLOPT_CUSTOMREQUEST, NULL);
    if (has_no_body(r->method)) return SET(t, CURLOPT_CUSTOMREQUEST, NULL) && SET(t, CURLOPT_NOBODY, 1L);
    return SET(t, CURLOPT_POSTFIELDS, body) && SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len) &&
           SET(t, CURLOPT_CUSTOMREQUEST, r->method);
}

/* --- the request, in one buffer ----------------------------------------------------------------------------------- */

enum { CONSTANTS = 3 }; /* headers of our own, at most */

/* Appends the line as libcurl wants it: `Name;` sends an empty header, `Name:` would send none. */
static struct curl_slist *add_line(bytes *out, struct curl_slist *node, const ho_header *h) {
    node->data = out->at + out->len;
    node->next = node + 1;
    append(out, h->name.at, h->name.len);
    append(out, h->value.len > 0 ? ": " : ";", h->value.len > 0 ? 2 : 1);
    append(out, h->value.at, h->value.len);
    append(out, "", 1);
    return node + 1;
}

/* Whether the request has a header of that name, in lower case. */
static bool has_header(const ho_request *r, const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; i < r->header_count; i++)
        if (r->headers[i].name.len == len && strncasecmp(r->headers[i].name.at, name, len) == 0) return true;
    return false;
}

/* What libcurl is told where the request's own headers do not say it: who asks, which as a line costs less than as an option; and
 * of a body, not to ask whether it may be sent, nor to call it a form. */
static struct curl_slist *add_constants(struct curl_slist *node, const ho_request *r) {
    static char agent[] = "User-Agent: handoff/" HO_VERSION, expect[] = "Expect:", type[] = "Content-Type:";
    static const struct {
        const char *name;
        char *line;
        bool body;
    } constants[CONSTANTS] = {{"user-agent", agent, false}, {"expect", expect, true}, {"content-type", type, true}};
    for (size_t i = 0; i < CONSTANTS; i++) {
        if (has_header(r, constants[i].name) || (constants[i].body && has_no_body(r->method))) continue;
        *node = (struct curl_slist){.data = constants[i].line, .next = node + 1};
        node++;
    }
    return node;
}

/* The bytes that nodes, lines and body take; 0 where the sum does not fit. */
static size_t request_size(const ho_request *r, size_t nodes) {
    size_t size = nodes * sizeof(struct curl_slist);
    for (size_t i = 0; i < r->header_count; i++) {
        size_t more = r->headers[i].name.len + 3;
        if (r->headers[i].value.len > SIZE_MAX / 4 - more || more > SIZE_MAX / 4) return 0;
        more += r->headers[i].value.len;
        if (more > SIZE_MAX / 4 - size) return 0;
        size += more;
    }
    return r->body.len > SIZE_MAX / 4 ? 0 : size + r->body.len;
}

static bool write_request(ho_transfer *t, const ho_request *r) {
    size_t nodes = r->header_count + CONSTANTS, size = r->header_count > 1000 ? 0 : request_size(r, nodes);
    if (size == 0 || !reserve(&t->out, size)) return false;
    struct curl_slist *list = (struct curl_slist *)(void *)t->out.at, *node = list;
    t->out.len = nodes * sizeof *list;
    for (size_t i = 0; i < r->header_count; i++) node = add_line(&t->out, node, &r->headers[i]);
    add_constants(node, r)[-1].next = NULL;
    const char *body = t->out.at + t->out.len;
    append(&t->out, r->body.at, r->body.len);
    return SET(t, CURLOPT_HTTPHEADER, list) && set_method(t, r, body);
}

/* Waiting for a connection that might carry many requests at once saves a TLS handshake each where the server speaks HTTP/2.
 * Without TLS it is known only from the first answer, which may be long in coming, and would hold up all others. */
static bool set_url(ho_transfer *t, const char *url) {
    return SET(t, CURLOPT_URL, url) && SET(t, CURLOPT_PIPEWAIT, strncasecmp(url, "https:", 6) == 0 ? 1L : 0L);
}

static bool set_all(ho_transfer *t, const ho_request *r) {
    proxy_mode mode = r->proxy != NULL ? PROXY_GIVEN : r->direct ? PROXY_NONE : PROXY_ENVIRONMENT;
    if (!set_authority(t, r->ca_file)) return false;
    set_certificate(t->easy, &t->set, r->certificate);
    return set_timeouts(t, r) && set_proxy(t, mode, r->proxy) && set_url(t, r->url) && write_request(t, r);
}

ho_code ho_transfer_prepare(ho_transfer *t, const ho_request *r) {
    t->head.len = t->body.len = 0;
    t->max_bytes = r->max_bytes;
    t->once = !has_no_body(r->method);
    t->sent = false;
    t->cause = HO_HTTP_OK;
    t->error[0] = '\0';
    t->answer = (ho_answer){.error = "", .http_version = ""};
    t->refused = CURLE_OUT_OF_MEMORY; /* where it is not libcurl that refuses, our own memory failed */
    bool whole = !t->spoilt || renew(t);
    t->spoilt = !whole || !set_all(t, r);
    if (!t->spoilt) return HO_OK;
    return t->refused == CURLE_OUT_OF_MEMORY ? HO_NOMEM : HO_INVALID;
}

/* --- how it ended ------------------------------------------------------------------------------------------------- */

static ho_http_code code_of(CURLcode code) {
    switch (code) {
    case CURLE_OK: return HO_HTTP_OK;
    case CURLE_OPERATION_TIMEDOUT: return HO_HTTP_TIMEOUT;
    case CURLE_OUT_OF_MEMORY: return HO_HTTP_NOMEM;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: something that is no HTTP at all */
    case CURLE_BAD_CONTENT_ENCODING: return HO_HTTP_PROTOCOL;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_PEER_FAILED_VERIFICATION: return HO_HTTP_TLS;
    default: return HO_HTTP_NETWORK;
    }
}

/* A proxy's address that libcurl cannot read is quoted in its message, and may hold a password. */
static const char *error_text(ho_transfer *t, CURLcode code) {
    static const char quoting[] = "Unsupported proxy";
    char *quote = strncmp(t->error, quoting, sizeof quoting - 1) == 0 ? strchr(t->error, '\'') : NULL;
    if (quote != NULL) memcpy(t->error, quoting, sizeof quoting);
    if (t->cause == HO_HTTP_NETWORK) return "The connection broke before an answer came";
    if (t->cause == HO_HTTP_PROTOCOL) return "The head of the answer is larger than 64 KiB";
    if (t->cause == HO_HTTP_TOO_BIG) return "The body of the answer is too big";
    return t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
}

static const char *version_name(long version) {
    switch (version) {
    case CURL_HTTP_VERSION_1_0: return "1.0";
    case CURL_HTTP_VERSION_1_1: return "1.1";
    case CURL_HTTP_VERSION_2_0: return "2";
    case CURL_HTTP_VERSION_3: return "3";
    default: return "";
    }
}

static double seconds(CURL *easy, CURLINFO info) {
    curl_off_t micro = 0;
    curl_easy_getinfo(easy, info, &micro);
    return (double)micro / 1e6;
}

static void read_sizes(ho_transfer *t) {
    curl_off_t up = 0, down = 0;
    long up_head = 0, down_head = 0;
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &up_head);
    curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &down_head);
    t->answer.bytes_sent = (uint64_t)up + (uint64_t)up_head;
    t->answer.bytes_received = (uint64_t)down + (uint64_t)down_head;
}

/* The first certificate of the chain is the server's own. */
static void read_certificate(ho_transfer *t) {
    static const char name[] = "Expire date:";
    struct curl_certinfo *chain = NULL;
    if (!t->set.certificate || curl_easy_getinfo(t->easy, CURLINFO_CERTINFO, &chain) || chain == NULL) return;
    for (struct curl_slist *line = chain->num_of_certs > 0 ? chain->certinfo[0] : NULL; line != NULL;
         line = line->next) {
        if (strncmp(line->data, name, sizeof name - 1) != 0) continue;
        time_t when = curl_getdate(line->data + sizeof name - 1, NULL);
        t->answer.certificate_expires = when > 0 ? (int64_t)when : 0;
        return;
    }
}

static void read_answer(ho_transfer *t) {
    long version = 0, connects = 0;
    ho_answer *a = &t->answer;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a->status);
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    a->http_version = version_name(version);
    a->reused = connects == 0 && t->sent;
    a->total = seconds(t->easy, CURLINFO_TOTAL_TIME_T);
    a->connect = seconds(t->easy, CURLINFO_CONNECT_TIME_T);
    a->first_byte = seconds(t->easy, CURLINFO_STARTTRANSFER_TIME_T);
    read_sizes(t);
    read_certificate(t);
}

void ho_transfer_conclude(ho_transfer *t, CURLcode code, ho_http_code cause) {
    if (t->cause == HO_HTTP_OK) t->cause = cause;
    read_answer(t);
    if (code == CURLE_OK && t->answer.status == 0)
        code = CURLE_WEIRD_SERVER_REPLY; /* "HTTP/2000 OK" is one to libcurl */
    t->answer.code = t->cause != HO_HTTP_OK ? t->cause : code_of(code);
    t->answer.error = t->answer.code == HO_HTTP_OK          ? ""
                      : t->answer.code == HO_HTTP_CANCELLED ? "The request was cancelled"
                                                            : error_text(t, code);
    t->answer.head = (ho_text){t->head.at, t->head.len};
    t->answer.body = (ho_text){t->body.at, t->body.len};
}

/* --- its life ----------------------------------------------------------------------------------------------------- */

ho_transfer *ho_transfer_new(void) {
    ho_transfer *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->easy = curl_easy_init();
    if (t->easy != NULL && set_constants(t)) return t;
    ho_transfer_destroy(t);
    return NULL;
}

/* libcurl before 8.1.1 leaves in a handle where the last header of its last answer was (its issue 11101): an answer whose first
 * header is a folded one is then written through that. There a handle serves one request. */
static bool is_used_up(void) {
    return curl_version_info(CURLVERSION_NOW)->version_num < 0x080101;
}

void ho_transfer_empty(ho_transfer *t) {
    empty(&t->out);
    empty(&t->head);
    empty(&t->body);
    t->spoilt = t->spoilt || is_used_up();
}

void ho_transfer_destroy(ho_transfer *t) {
    if (t->easy != NULL) curl_easy_cleanup(t->easy);
    forget_settings(&t->set);
    free(t->out.at);
    free(t->head.at);
    free(t->body.at);
    free(t);
}
