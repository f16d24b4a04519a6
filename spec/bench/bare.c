/* SPDX-License-Identifier: MIT */
/* The yardstick of `make bench`: what a careful program in C over libcurl's multi interface needs to GET the document of every agent
 * and PUT it back as it came, so many agents at a time, without any JSON. Arguments and output are those of program.lua; the stamp is not
 * looked at. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ROOM = 64 << 10, TOKEN = 1024 };

/* The answer to a GET is the body of the PUT, whose answer lies beside it. */
typedef struct worker {
    CURL *easy;
    struct curl_slist *headers;
    int putting;
    size_t len[2];
    char answer[2][ROOM];
} worker;

static FILE *tokens;
static long agents_left;

static void die(const char *what) {
    fprintf(stderr, "bare: %s\n", what);
    exit(1);
}

static size_t on_body(char *at, size_t size, size_t count, void *data) {
    worker *w = data;
    size_t *len = &w->len[w->putting];
    if (size * count > ROOM - *len) return 0;
    memcpy(w->answer[w->putting] + *len, at, size * count);
    *len += size * count;
    return size * count;
}

/* Those of the next agent. */
static void set_headers(worker *w) {
    char line[TOKEN + 32], token[TOKEN];
    if (fgets(token, sizeof token, tokens) == NULL) die("fewer tokens than agents");
    snprintf(line, sizeof line, "Authorization: Bearer %.*s", (int)strcspn(token, "\n"), token);
    curl_slist_free_all(w->headers);
    w->headers = curl_slist_append(NULL, line);
    w->headers = curl_slist_append(w->headers, "Content-Type: application/json");
    w->headers = curl_slist_append(w->headers, "Expect:");
    curl_easy_setopt(w->easy, CURLOPT_HTTPHEADER, w->headers);
}

static void start(CURLM *multi, worker *w) {
    w->len[w->putting] = 0;
    if (w->putting) {
        curl_easy_setopt(w->easy, CURLOPT_POSTFIELDS, w->answer[0]);
        curl_easy_setopt(w->easy, CURLOPT_POSTFIELDSIZE, (long)w->len[0]);
        curl_easy_setopt(w->easy, CURLOPT_CUSTOMREQUEST, "PUT");
    } else {
        set_headers(w);
        curl_easy_setopt(w->easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(w->easy, CURLOPT_CUSTOMREQUEST, NULL);
    }
    if (curl_multi_add_handle(multi, w->easy) != CURLM_OK) die("cannot add a handle");
}

/* What is the same in all requests is set once. */
static worker *new_worker(const char *url) {
    worker *w = calloc(1, sizeof *w);
    CURL *easy = curl_easy_init();
    if (w == NULL || easy == NULL) die("not enough memory");
    w->easy = easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
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

static long peak(void) {
    long kib = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) die("no /proc");
    while (fgets(line, sizeof line, status) != NULL) sscanf(line, "VmHWM: %ld", &kib);
    fclose(status);
    return kib;
}

int main(int argc, char **argv) {
    if (argc < 5 || (tokens = fopen(argv[2], "r")) == NULL) die("usage: bare URL TOKENS AGENTS CONCURRENCY");
    agents_left = atol(argv[3]);
    long workers = atol(argv[4]) < agents_left ? atol(argv[4]) : agents_left;
    double started = wall();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 256L);
    for (long i = 0; i < workers; i++, agents_left--) start(multi, new_worker(argv[1]));
    while (workers > 0) {
        int running;
        if (curl_multi_perform(multi, &running) != CURLM_OK) die("perform failed");
        workers -= collect(multi);
        if (workers > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%.3f %.3f %ld\n", seconds(used.ru_utime) + seconds(used.ru_stime), wall() - started, peak());
    return 0;
}
