/* SPDX-License-Identifier: MIT */
/* One transfer: an easy handle that is used again and again, the request it sends, the answer it got. For the engine in
 * http.c alone, which decides when it runs. */
#ifndef HO_TRANSFER_H
#define HO_TRANSFER_H

#include "http.h"

#include <curl/curl.h>

typedef struct bytes {
    char *at;
    size_t len, size;
} bytes;

typedef enum proxy_mode { PROXY_ENVIRONMENT, PROXY_NONE, PROXY_GIVEN } proxy_mode;

/* What an easy handle was set to last, so that only what differs is set again. */
typedef struct settings {
    long timeout_ms, connect_timeout_ms;
    char *ca_file, *proxy;
    proxy_mode mode;
    bool certificate;
} settings;

typedef enum state { IDLE, RUNNING, FINISHED, TAKEN } state;

struct ho_transfer {
    ho_engine *engine;        /* NULL once the engine is gone */
    ho_transfer *prev, *next; /* among the finished, or (next only) the idle */
    CURL *easy;
    size_t id;
    state state;
    bytes out; /* header nodes, header lines and body of the request, in this order */
    bytes head, body;
    size_t max_bytes;
    bool once;          /* the request must not be sent twice */
    bool sent;          /* it was handed to a connection */
    ho_http_code cause; /* why a callback stopped the transfer */
    settings set;
    bool unsure; /* setting it up failed half-way: `set` may not be what it was set to */
    ho_answer answer;
    char error[CURL_ERROR_SIZE];
};

/* A transfer of no engine, or NULL where memory is short. */
ho_transfer *ho_transfer_new(void);

/* Sets the request up. False where memory is short or libcurl refuses an option. */
bool ho_transfer_prepare(ho_transfer *t, const ho_request *r);

/* Fills in the answer. `cause`, if it is not HO_HTTP_OK, is why the engine ended it. */
void ho_transfer_conclude(ho_transfer *t, CURLcode code, ho_http_code cause);

/* Makes one that was used as good as a new one. False where memory is short. */
bool ho_transfer_renew(ho_transfer *t);

/* Forgets request and answer, and gives large buffers back. */
void ho_transfer_empty(ho_transfer *t);

void ho_transfer_destroy(ho_transfer *t);

#endif
