/* SPDX-License-Identifier: MIT */
/* The engine of `handoff.serve`, without a lua_State: an HTTP/1.1 server on loopback, on libmicrohttpd without threads. Its
 * callbacks collect a request and suspend its connection; whoever takes the request says later what becomes of it. Nothing here
 * can throw. */
#ifndef HO_SERVE_H
#define HO_SERVE_H

#include "../core/ho.h"

#include <microhttpd.h>
#include <signal.h>
#include <sys/queue.h>

typedef struct ho_bytes {
    char *at;
    size_t len, size;
} ho_bytes;

typedef enum ho_phase {
    HO_PHASE_HEAD,     /* the target is known */
    HO_PHASE_BODY,     /* the headers too; the body is coming in */
    HO_PHASE_READY,    /* complete, suspended, waiting to be taken */
    HO_PHASE_TAKEN,    /* suspended, in somebody's hands */
    HO_PHASE_ANSWERED, /* resumed; the answer leaves with the next step */
    HO_PHASE_DROPPED   /* resumed; the connection closes with the next step */
} ho_phase;

/* What was asked. All of it goes with ho_asked_free, which is idempotent. */
typedef struct ho_asked {
    ho_bytes method, body;
    ho_bytes target;  /* as it was sent, before anything decodes it */
    ho_bytes headers; /* name NUL value NUL, again and again; names in lower case */
} ho_asked;

/* One request and its answer. libmicrohttpd owns it: it goes when its connection is done with it, and its holder is told. */
typedef struct ho_exchange {
    struct ho_server *server;
    struct MHD_Connection *connection;
    struct ho_exchange **holder; /* who took it; becomes a pointer to NULL when the exchange goes */
    struct MHD_Response *response;
    unsigned status;
    ho_phase phase;
    bool too_large;
    size_t discarded;
    ho_asked asked; /* empty from when it is taken on */
    TAILQ_ENTRY(ho_exchange) link;
} ho_exchange;
TAILQ_HEAD(ho_exchanges, ho_exchange);

typedef struct ho_server {
    struct MHD_Daemon *daemon; /* NULL: closed */
    struct MHD_Response *too_large;
    struct ho_exchanges ready, taken; /* exactly the suspended exchanges */
    size_t max_body;
    int epoll_fd, signal_fd, eof_fd; /* -1: not watched */
    uint16_t port;
    bool resumed; /* since the last step: neither MHD_get_timeout nor its descriptor tells of it */
    bool masked;  /* `mask` is the thread's signal mask to go back to */
    sigset_t mask;
} ho_server;

typedef struct ho_server_options {
    uint16_t port;   /* 0: any free one */
    bool ipv6;       /* ::1, otherwise 127.0.0.1; there is no other choice */
    bool signals;    /* step watches SIGTERM and SIGINT, which are blocked in this thread until the server is closed */
    bool until_eof;  /* step watches for the end of standard input */
    size_t max_body; /* bytes; a longer body is answered 413 at once, and never seen */
    ho_text too_large; /* the JSON text of that answer */
} ho_server_options;

typedef enum ho_event { HO_EVENT_NONE, HO_EVENT_SIGNAL, HO_EVENT_EOF } ho_event;

/* The server as a closed one; first of all, so that closing is safe whatever comes. */
void ho_server_init(ho_server *s);

/* HO_FAILED: errno says why, and the server is closed again. The server must not move in memory. */
ho_code ho_server_open(ho_server *s, const ho_server_options *options);

/* Every connection closes, holders are told; idempotent. */
void ho_server_close(ho_server *s);

/* Waits at most so many seconds for something to happen, and serves what there is; at once while a request waits to be taken. */
ho_event ho_server_step(ho_server *s, double seconds);

/* The connections that are open, idle ones too. */
unsigned ho_server_connections(const ho_server *s);

/* Takes the exchange, which must be ready: *holder points to it until it goes. What was asked is the taker's from now on. */
void ho_exchange_take(ho_exchange *x, ho_exchange **holder, ho_asked *asked);
void ho_asked_free(ho_asked *asked);

/* What becomes of a taken exchange. The answer owns the response. */
void ho_exchange_answer(ho_exchange *x, unsigned status, struct MHD_Response *response);
void ho_exchange_drop(ho_exchange *x);

/* For answers that are wrong on purpose. Bytes for a taken exchange, past libmicrohttpd, as many as go without waiting: *taken
 * says how many; none asks only whether the client is there. HO_FAILED: it is not. Whoever wrote drops the exchange in the end,
 * or resets it: the client gets a RST at once. */
ho_code ho_exchange_write(ho_exchange *x, ho_text text, size_t *taken);
void ho_exchange_reset(ho_exchange *x);

#endif
