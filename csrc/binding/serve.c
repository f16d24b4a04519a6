/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    MAX_CONNECTIONS = 4096,
    DISCARD_FACTOR = 64 /* a client that sends more than this many times the limit is cut off, not answered */
};

/* --- libmicrohttpd's callbacks ------------------------------------------------------------------------------------ */

static bool append(ho_bytes *b, const char *data, size_t len) {
    if (len == 0) return true;
    if (len > SIZE_MAX / 4 - b->len) return false;
    if (b->len + len > b->size) {
        size_t size = (b->len + len) * 2;
        char *at = realloc(b->at, size);
        if (at == NULL) return false;
        b->at = at;
        b->size = size;
    }
    memcpy(b->at + b->len, data, len);
    b->len += len;
    return true;
}

void ho_asked_free(ho_asked *asked) {
    free(asked->method.at);
    free(asked->target.at);
    free(asked->headers.at);
    free(asked->body.at);
    memset(asked, 0, sizeof *asked);
}

/* The raw target, before libmicrohttpd decodes it. What is returned comes back to on_request and on_done. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection) {
    ho_exchange *x = calloc(1, sizeof *x);
    if (x == NULL) return NULL;
    x->server = cls;
    x->connection = connection;
    if (append(&x->asked.target, target, strlen(target))) return x;
    free(x);
    return NULL;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value) {
    ho_exchange *x = cls;
    (void)kind;
    size_t start = x->asked.headers.len;
    if (!append(&x->asked.headers, name, strlen(name) + 1)) return MHD_NO;
    for (char *c = x->asked.headers.at + start; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    if (value == NULL) value = "";
    return append(&x->asked.headers, value, strlen(value) + 1) ? MHD_YES : MHD_NO;
}

static enum MHD_Result refuse_too_large(const ho_exchange *x) {
    return MHD_queue_response(x->connection, MHD_HTTP_CONTENT_TOO_LARGE, x->server->too_large);
}

/* A client that asks before it sends is told at once. The others are read to their end first: closing on a client that still
 * sends would lose it the answer. */
static enum MHD_Result begin(ho_exchange *x, const char *method) {
    x->phase = HO_PHASE_BODY;
    if (!append(&x->asked.method, method, strlen(method))) return MHD_NO;
    int seen = MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header, x);
    if (seen != MHD_get_connection_values(x->connection, MHD_HEADER_KIND, NULL, NULL)) return MHD_NO;
    const char *length = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Content-Length");
    const char *expect = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Expect");
    if (length == NULL || expect == NULL || strtoull(length, NULL, 10) <= x->server->max_body) return MHD_YES;
    return refuse_too_large(x);
}

static enum MHD_Result receive(ho_exchange *x, const char *data, size_t *size) {
    size_t len = *size, max = x->server->max_body;
    *size = 0;
    if (len > max - x->asked.body.len) x->too_large = true;
    if (!x->too_large) return append(&x->asked.body, data, len) ? MHD_YES : MHD_NO;
    x->discarded += len;
    return x->discarded / DISCARD_FACTOR > max ? MHD_NO : MHD_YES;
}

static enum MHD_Result hold(ho_exchange *x) {
    x->phase = HO_PHASE_READY;
    TAILQ_INSERT_TAIL(&x->server->ready, x, link);
    MHD_suspend_connection(x->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context) {
    ho_exchange *x = *context;
    (void)cls, (void)url, (void)version;
    if (x == NULL) return MHD_NO;
    switch (x->phase) {
    case HO_PHASE_HEAD: return begin(x, method);
    case HO_PHASE_BODY:
        if (*size > 0) return receive(x, data, size);
        return x->too_large ? refuse_too_large(x) : hold(x);
    case HO_PHASE_ANSWERED: return MHD_queue_response(connection, x->status, x->response);
    case HO_PHASE_READY:
    case HO_PHASE_TAKEN: return MHD_YES;
    case HO_PHASE_DROPPED: break;
    }
    return MHD_NO;
}

static void unlink_suspended(ho_exchange *x) {
    if (x->phase == HO_PHASE_READY) TAILQ_REMOVE(&x->server->ready, x, link);
    if (x->phase == HO_PHASE_TAKEN) TAILQ_REMOVE(&x->server->taken, x, link);
}

static void on_done(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_RequestTerminationCode reason) {
    ho_exchange *x = *context;
    (void)cls, (void)connection, (void)reason;
    if (x == NULL) return;
    *context = NULL;
    unlink_suspended(x);
    if (x->holder != NULL) *x->holder = NULL;
    if (x->response != NULL) MHD_destroy_response(x->response);
    ho_asked_free(&x->asked);
    free(x);
}

/* --- the server's life -------------------------------------------------------------------------------------------- */

static void resume(ho_exchange *x, ho_phase next) {
    unlink_suspended(x);
    x->phase = next;
    x->server->resumed = true;
    MHD_resume_connection(x->connection);
}

/* libmicrohttpd aborts the process when it is stopped with suspended connections, so these are resumed first. */
void ho_server_close(ho_server *s) {
    ho_exchange *x;
    while ((x = TAILQ_FIRST(&s->ready)) != NULL) resume(x, HO_PHASE_DROPPED);
    while ((x = TAILQ_FIRST(&s->taken)) != NULL) resume(x, HO_PHASE_DROPPED);
    if (s->daemon != NULL) MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
    if (s->too_large != NULL) MHD_destroy_response(s->too_large);
    s->too_large = NULL;
    if (s->signal_fd >= 0) close(s->signal_fd);
    s->signal_fd = -1;
    if (s->masked) pthread_sigmask(SIG_SETMASK, &s->mask, NULL);
    s->masked = false;
}

static bool open_daemon(ho_server *s, bool ipv6, uint16_t port) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (ipv6 ? MHD_USE_IPv6 : 0U);
    const void *address = ipv6 ? (const void *)&v6 : (const void *)&v4;
    s->daemon = MHD_start_daemon(flags, port, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, address,
                                 MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_NOTIFY_COMPLETED, on_done, s,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_END);
    if (s->daemon == NULL) return false;
    s->epoll_fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    s->port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

/* SIGTERM and SIGINT as something to read: no handler, and so no global for one to write to. The mask is this thread's only. */
static bool watch_signals(ho_server *s) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    errno = pthread_sigmask(SIG_BLOCK, &set, &s->mask);
    if (errno != 0) return false;
    s->masked = true;
    s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return s->signal_fd >= 0;
}

static bool prepare_refusal(ho_server *s, ho_text body) {
    void *text = (void *)(uintptr_t)(body.len > 0 ? body.at : "");
    s->too_large = MHD_create_response_from_buffer(body.len, text, MHD_RESPMEM_MUST_COPY);
    return s->too_large != NULL && MHD_add_response_header(s->too_large, "Content-Type", "application/json") == MHD_YES;
}

void ho_server_init(ho_server *s) {
    memset(s, 0, sizeof *s);
    TAILQ_INIT(&s->ready);
    TAILQ_INIT(&s->taken);
    s->epoll_fd = s->signal_fd = s->eof_fd = -1;
}

ho_code ho_server_open(ho_server *s, const ho_server_options *options) {
    s->max_body = options->max_body;
    s->eof_fd = options->until_eof ? STDIN_FILENO : -1;
    errno = 0;
    if (prepare_refusal(s, options->too_large) && (!options->signals || watch_signals(s)) &&
        open_daemon(s, options->ipv6, options->port))
        return HO_OK;
    int failed = errno;
    ho_server_close(s);
    errno = failed;
    return HO_FAILED;
}

unsigned ho_server_connections(const ho_server *s) {
    return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

/* Milliseconds for poll: rounded up, or a wait of less than one would be spent spinning. */
static int wait_ms(const ho_server *s, double seconds) {
    MHD_UNSIGNED_LONG_LONG own;
    double ms = ceil(seconds * 1000);
    if (s->resumed || !TAILQ_EMPTY(&s->ready)) return 0;
    if (MHD_get_timeout(s->daemon, &own) == MHD_YES && (double)own < ms) ms = (double)own;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static bool read_signal(const ho_server *s) {
    struct signalfd_siginfo info;
    return read(s->signal_fd, &info, sizeof info) == sizeof info;
}

static bool would_wait(void) {
    return errno == EAGAIN || errno == EINTR;
}

/* An input that cannot be read, such as one that was closed before the program began, has ended, too. */
static bool read_eof(const ho_server *s) {
    char ignored[512];
    ssize_t count = read(s->eof_fd, ignored, sizeof ignored);
    return count == 0 || (count < 0 && !would_wait());
}

ho_event ho_server_step(ho_server *s, double seconds) {
    struct pollfd watched[] = {{s->epoll_fd, POLLIN, 0}, {s->signal_fd, POLLIN, 0}, {s->eof_fd, POLLIN, 0}};
    int events = poll(watched, HO_COUNT(watched), wait_ms(s, seconds));
    s->resumed = false;
    MHD_run(s->daemon);
    if (events > 0 && watched[1].revents != 0 && read_signal(s)) return HO_EVENT_SIGNAL;
    if (events > 0 && watched[2].revents != 0 && read_eof(s)) return HO_EVENT_EOF;
    return HO_EVENT_NONE;
}

void ho_exchange_take(ho_exchange *x, ho_exchange **holder, ho_asked *asked) {
    *asked = x->asked;
    memset(&x->asked, 0, sizeof x->asked);
    unlink_suspended(x);
    TAILQ_INSERT_TAIL(&x->server->taken, x, link);
    x->phase = HO_PHASE_TAKEN;
    x->holder = holder;
    *holder = x;
}

void ho_exchange_answer(ho_exchange *x, unsigned status, struct MHD_Response *response) {
    x->status = status;
    x->response = response;
    resume(x, HO_PHASE_ANSWERED);
}

void ho_exchange_drop(ho_exchange *x) {
    if (x->phase == HO_PHASE_TAKEN) resume(x, HO_PHASE_DROPPED);
}

static int socket_of(const ho_exchange *x) {
    return MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

ho_code ho_exchange_write(ho_exchange *x, ho_text text, size_t *taken) {
    char next;
    ssize_t seen = recv(socket_of(x), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    *taken = 0;
    if (seen == 0 || (seen < 0 && !would_wait())) return HO_FAILED;
    if (text.len == 0) return HO_OK;
    ssize_t sent = send(socket_of(x), text.at, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && !would_wait()) return HO_FAILED;
    *taken = sent > 0 ? (size_t)sent : 0;
    return HO_OK;
}

/* libmicrohttpd says FIN before it closes, so that SO_LINGER would come too late; to dissolve the association is a RST. */
void ho_exchange_reset(ho_exchange *x) {
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (x->phase == HO_PHASE_TAKEN) (void)connect(socket_of(x), &nobody, sizeof nobody);
    ho_exchange_drop(x);
}
