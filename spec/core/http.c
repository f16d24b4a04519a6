/* SPDX-License-Identifier: MIT */
/* The engine's own promises, against a socket that listens and never answers; what answers do is tested from Lua,
 * against a real server. */
#include "../../csrc/core/http.h"

#include "test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static char url[64];

/* A port where connections are taken by the system and nobody reads → the socket. */
static int listen_in_silence(void) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 64) ||
        getsockname(fd, (struct sockaddr *)&at, &len))
        abort();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    return fd;
}

static ho_transfer *submit(ho_engine *engine, const char *to, long timeout_ms) {
    static const ho_header header = {{"A", 1}, {"b", 1}};
    ho_transfer *t = NULL;
    ho_request request = {.method = "PUT",
                          .url = to,
                          .headers = &header,
                          .header_count = 1,
                          .body = {"body", 4},
                          .timeout_ms = timeout_ms,
                          .connect_timeout_ms = 10000,
                          .max_bytes = 100,
                          .direct = true};
    CHECK(ho_engine_submit(engine, &request, &t) == HO_OK, "submit");
    return t;
}

static ho_engine *new_engine(void) {
    ho_engine *engine = NULL;
    CHECK(ho_engine_new(&engine) == HO_OK, "new engine");
    return engine;
}

static void finish_in_order(void) {
    ho_engine *engine = new_engine();
    ho_transfer *a = submit(engine, url, 60000), *b = submit(engine, url, 60000), *c = submit(engine, url, 60000);
    CHECK(ho_transfer_id(a) != ho_transfer_id(b), "ids differ");
    CHECK(ho_engine_step(engine, 0) == HO_OK && ho_engine_next(engine) == NULL, "nothing has ended");
    CHECK(ho_transfer_answer(a) == NULL, "no answer while it runs");
    ho_transfer_cancel(b);
    ho_transfer_cancel(b);
    ho_transfer_cancel(a);
    ho_transfer_cancel(c);
    ho_transfer_release(a); /* between two others: next must not tell of it */
    CHECK(ho_engine_next(engine) == b && ho_engine_next(engine) == c && ho_engine_next(engine) == NULL, "b, then c");
    CHECK(ho_transfer_answer(b)->code == HO_HTTP_CANCELLED, "cancelled");
    size_t id = ho_transfer_id(b);
    ho_transfer_release(b);
    b = submit(engine, url, 60000);
    CHECK(ho_transfer_id(b) == id, "what was released is used again");
    ho_transfer_release(b);
    ho_transfer_release(c);
    ho_transfer_release(NULL);
    ho_engine_free(engine);
    ho_engine_free(NULL);
}

static void outlive_the_engine(void) {
    ho_engine *engine = new_engine();
    ho_transfer *running = submit(engine, url, 60000), *ended = submit(engine, url, 60000);
    ho_engine_step(engine, 0);
    ho_transfer_cancel(ended);
    ho_engine_free(engine);
    CHECK(ho_transfer_answer(running)->code == HO_HTTP_CANCELLED, "cancelled with its engine");
    CHECK(ho_transfer_answer(running)->error[0] != '\0', "it says so");
    ho_transfer_cancel(running);
    ho_transfer_release(running);
    ho_transfer_release(ended);
}

static ho_http_code end_of(const char *to, long timeout_ms) {
    ho_engine *engine = new_engine();
    ho_transfer *t = submit(engine, to, timeout_ms);
    while (ho_engine_next(engine) == NULL)
        if (ho_engine_step(engine, -1) != HO_OK) abort();
    ho_http_code code = ho_transfer_answer(t)->code;
    ho_transfer_release(t);
    ho_engine_free(engine);
    return code;
}

static void fail(void) {
    CHECK(end_of(url, 20) == HO_HTTP_TIMEOUT, "nobody answers");
    CHECK(end_of("http://127.0.0.1:1/", 10000) == HO_HTTP_NETWORK, "nobody listens");
    CHECK(end_of("file:///etc/hostname", 10000) == HO_HTTP_PROTOCOL, "only http and https");
}

/* The first engines of a process, opened by many threads at once. */
static void *use_engine(void *unused) {
    (void)unused;
    ho_engine *engine = NULL;
    if (ho_engine_new(&engine) == HO_OK && ho_engine_step(engine, 0) == HO_OK) unused = &url;
    ho_engine_free(engine);
    return unused;
}

static void begin_in_many_threads(void) {
    pthread_t threads[16];
    for (size_t i = 0; i < HO_COUNT(threads); i++)
        if (pthread_create(&threads[i], NULL, use_engine, NULL)) abort();
    for (size_t i = 0; i < HO_COUNT(threads); i++) {
        void *ok = NULL;
        pthread_join(threads[i], &ok);
        CHECK(ok != NULL, "thread %zu", i);
    }
}

static void read_urls(void) {
    static const struct {
        int line;
        const char *text, *scheme, *host; /* no scheme: no URL */
        bool loopback, credentials;
    } rows[] = {
        {__LINE__, "https://example.com", "https", "example.com", false, false},
        {__LINE__, "HTTPS://example.com:8443/x?y#z", "https", "example.com:8443", false, false},
        {__LINE__, "http://localhost/", "http", "localhost", true, false},
        {__LINE__, "http://localhost.:80/", "http", "localhost.:80", false, false},
        {__LINE__, "http://127.1.2.3:8080", "http", "127.1.2.3:8080", true, false},
        {__LINE__, "http://127.0.0.1.evil.example/", "http", "127.0.0.1.evil.example", false, false},
        {__LINE__, "http://127.0.0.1@evil.example/", "http", "evil.example", false, true},
        {__LINE__, "http://evil.example#@127.0.0.1/", "http", "evil.example", false, false},
        {__LINE__, "http://user:word@127.0.0.1/", "http", "127.0.0.1", true, true},
        {__LINE__, "http://[::1]:99/", "http", "[::1]:99", true, false},
        {__LINE__, "http://[::1:2]/", "http", "[::1:2]", false, false},
        {__LINE__, "ftp://127.0.0.1/", "ftp", "127.0.0.1", true, false},
        {__LINE__, "example.com/path", NULL, NULL, false, false},
        {__LINE__, "https://a b/", NULL, NULL, false, false},
        {__LINE__, "https://example.com:99999/", NULL, NULL, false, false},
        {__LINE__, "", NULL, NULL, false, false},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        ho_url read;
        const char *why = NULL;
        ho_code code = ho_url_parse(rows[i].text, &read, &why);
        CHECK_AT(rows[i].line, (code == HO_OK) == (rows[i].scheme != NULL), "%s: %d", rows[i].text, (int)code);
        CHECK_AT(rows[i].line, code == HO_OK || why != NULL, "%s: no reason", rows[i].text);
        if (code != HO_OK || rows[i].scheme == NULL) continue;
        CHECK_AT(rows[i].line, strcmp(read.scheme, rows[i].scheme) == 0, "scheme %s", read.scheme);
        CHECK_AT(rows[i].line, strcmp(read.host, rows[i].host) == 0, "host %s", read.host);
        CHECK_AT(rows[i].line, read.loopback == rows[i].loopback, "loopback of %s", rows[i].text);
        CHECK_AT(rows[i].line, read.credentials == rows[i].credentials, "credentials of %s", rows[i].text);
    }
}

int main(void) {
    begin_in_many_threads();
    int fd = listen_in_silence();
    finish_in_order();
    outlive_the_engine();
    fail();
    read_urls();
    close(fd);
    return test_summary();
}
