/* SPDX-License-Identifier: MIT */
/* The yardstick of `make bench`: what a careful program in C over libcurl's multi interface needs to GET and then PUT a
 * constant document of 4 KB for every agent, so many agents at a time, without any JSON.
 *
 *     bare URL AGENTS CONCURRENCY     prints: CPU seconds, wall seconds
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { DOCUMENT = 4096, ROOM = 4 * DOCUMENT };

typedef struct worker {
    CURL *easy;
    int putting;
    size_t len;
    char answer[ROOM];
} worker;

static char document[DOCUMENT];
static long agents_left;

static void die(const char *what) {
    fprintf(stderr, "bare: %s\n", what);
    exit(1);
}

static size_t on_body(char *at, size_t size, size_t count, void *data) {
    worker *w = data;
    if (size * count > ROOM - w->len) return 0;
    memcpy(w->answer + w->len, at, size * count);
    w->len += size * count;
    return size * count;
}

static void start(CURLM *multi, worker *w) {
    w->len = 0;
    if (w->putting) {
        curl_easy_setopt(w->easy, CURLOPT_POSTFIELDS, document);
        curl_easy_setopt(w->easy, CURLOPT_POSTFIELDSIZE, (long)DOCUMENT);
        curl_easy_setopt(w->easy, CURLOPT_CUSTOMREQUEST, "PUT");
    } else {
        curl_easy_setopt(w->easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(w->easy, CURLOPT_CUSTOMREQUEST, NULL);
    }
    if (curl_multi_add_handle(multi, w->easy) != CURLM_OK) die("cannot add a handle");
}

/* What is the same in all requests is set once. */
static worker *new_worker(const char *url, struct curl_slist *headers) {
    worker *w = calloc(1, sizeof *w);
    CURL *easy = curl_easy_init();
    if (w == NULL || easy == NULL) die("not enough memory");
    w->easy = easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, w);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, w);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    return w;
}

/* Its agent's PUT after its GET, then the next agent's GET → whether there was more to do. */
static int go_on(CURLM *multi, worker *w) {
    if (w->putting && agents_left == 0) return 0;
    if (w->putting) agents_left--;
    w->putting = !w->putting;
    start(multi, w);
    return 1;
}

static int collect(CURLM *multi) {
    int left, ended = 0;
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;) {
        char *data = NULL;
        long status = 0;
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &data);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK || status != 200) die("a transfer failed");
        curl_multi_remove_handle(multi, easy);
        if (!go_on(multi, (worker *)(void *)data)) ended++;
    }
    return ended;
}

static double seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 4) die("usage: bare URL AGENTS CONCURRENCY");
    agents_left = atol(argv[2]);
    long workers = atol(argv[3]) < agents_left ? atol(argv[3]) : agents_left;
    double started = wall();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Authorization: Bearer benchmark");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    memset(document, 'x', sizeof document);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 256L);
    for (long i = 0; i < workers; i++, agents_left--) start(multi, new_worker(argv[1], headers));
    while (workers > 0) {
        int running;
        if (curl_multi_perform(multi, &running) != CURLM_OK) die("perform failed");
        workers -= collect(multi);
        if (workers > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%.3f %.3f\n", seconds(used.ru_utime) + seconds(used.ru_stime), wall() - started);
    return 0;
}
