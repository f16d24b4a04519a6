/* SPDX-License-Identifier: MIT */
/* HTTP over libcurl's multi interface. An engine keeps connections and easy handles for reuse; any number of transfers
 * run in it at once, and all progress happens inside ho_engine_step. One engine is used by one thread at a time; many
 * engines may live in many threads. TLS is always verified, redirects are never followed, only http and https are
 * spoken. No request but GET and HEAD is ever sent twice: where libcurl would repeat one on a fresh connection because
 * a pooled one broke without an answer, the transfer fails instead, for the server may have acted on it. */
#ifndef HO_HTTP_H
#define HO_HTTP_H

#include "ho.h"

typedef struct ho_engine ho_engine;
typedef struct ho_transfer ho_transfer;

typedef enum ho_http_code {
    HO_HTTP_OK, /* an answer came, whatever its status */
    HO_HTTP_TIMEOUT,
    HO_HTTP_TLS,
    HO_HTTP_NETWORK,  /* no connection, or it broke; an answer cut short too */
    HO_HTTP_PROTOCOL, /* not HTTP, broken compression, or a head of more than HO_HTTP_MAX_HEAD */
    HO_HTTP_TOO_BIG,  /* more than max_bytes of body */
    HO_HTTP_CANCELLED,
    HO_HTTP_NOMEM
} ho_http_code;

enum { HO_HTTP_MAX_BYTES = 8 << 20, HO_HTTP_MAX_HEAD = 64 << 10 };

typedef struct ho_header {
    ho_text name, value;
} ho_header;

/* Everything is copied by ho_engine_submit. Strings are NUL-terminated; names and values of headers hold no CR, LF or
 * NUL, which is the caller's to see to. */
typedef struct ho_request {
    const char *method, *url;
    const ho_header *headers;
    size_t header_count;
    ho_text body; /* at == NULL: none; sent with any method but GET and HEAD */
    long timeout_ms, connect_timeout_ms;
    size_t max_bytes;    /* of body, after decompression */
    const char *ca_file; /* trusted instead of the system's authorities; NULL: those */
    const char *proxy;   /* used whatever the environment says; NULL: what the environment says */
    bool direct;         /* without `proxy`: no proxy, whatever the environment says */
    bool certificate;    /* the answer is to tell when the server's certificate expires */
} ho_request;

/* How a transfer ended. The texts live until it is released. */
typedef struct ho_answer {
    ho_http_code code;
    const char *error; /* libcurl's words; empty with HO_HTTP_OK */
    long status;       /* 0: none came */
    ho_text head; /* status line and headers as received, of the last response where there were several (100, 200) */
    ho_text body;
    const char *http_version;            /* "1.0", "1.1", "2", "3"; "" where no answer came */
    double total, connect, first_byte;   /* seconds since the start; connect is 0 on a reused connection */
    uint64_t bytes_sent, bytes_received; /* heads and bodies as they went over the wire, without TLS */
    bool reused;                         /* went over a connection made earlier */
    int64_t
        certificate_expires; /* seconds since 1970; 0: not asked for, no TLS, or not known of a connection made earlier */
} ho_answer;

/* HO_NOMEM; HO_FAILED where libcurl cannot be initialised. */
ho_code ho_engine_new(ho_engine **out);

/* Running transfers end as HO_HTTP_CANCELLED; every transfer stays valid until it is released. NULL is allowed. */
void ho_engine_free(ho_engine *engine);

/* Starts a transfer; it makes progress in ho_engine_step. HO_NOMEM, HO_FAILED; HO_INVALID where libcurl refuses an
 * option. */
ho_code ho_engine_submit(ho_engine *engine, const ho_request *request, ho_transfer **out);

/* Moves every transfer on; waits until something finished or could move, but no longer than timeout_ms (negative: as
 * long as it takes), nor beyond a signal. HO_FAILED where the system's poll fails. */
ho_code ho_engine_step(ho_engine *engine, long timeout_ms);

/* A transfer that finished or was cancelled, each once, the earliest first; NULL: none. */
ho_transfer *ho_engine_next(ho_engine *engine);

/* A small number, from 1 on, that is the transfer's alone until it is released. */
size_t ho_transfer_id(const ho_transfer *transfer);

/* NULL while it runs. */
const ho_answer *ho_transfer_answer(const ho_transfer *transfer);

/* Ends a running transfer as HO_HTTP_CANCELLED; ho_engine_next tells of it as of any other. */
void ho_transfer_cancel(ho_transfer *transfer);

/* Gives the transfer back, cancelled if it runs; ho_engine_next will not tell of it. Also after ho_engine_free. NULL is
 * allowed. */
void ho_transfer_release(ho_transfer *transfer);

/* What a URL says, by libcurl's own parser, so that nothing is judged that libcurl would read differently. */
typedef struct ho_url {
    char scheme[16];  /* lower case */
    char host[256];   /* with the port where one is given */
    bool loopback;    /* localhost, 127.0.0.0/8, [::1], and only in these words: no name is looked up */
    bool credentials; /* it holds a user name or a password */
} ho_url;

/* HO_INVALID: no absolute URL, with `*why` in libcurl's words. */
ho_code ho_url_parse(const char *text, ho_url *out, const char **why);

/* The version of the libcurl that is used: "8.5.0". */
const char *ho_http_library(void);

/* Seconds on a clock that never jumps. */
double ho_now(void);

#endif
