/* SPDX-License-Identifier: MIT */
/* Asks a server on loopback for a path at a steady rate over one connection: probe PORT PATH RATE SECONDS. Prints how long after it was
 * due each request was answered, in µs, a line each. It is an open loop: a request goes when it is due, behind others that have no
 * answer yet, so that a server that stands still is counted by all that were due meanwhile. Each is due at a chance instant of its
 * turn, so that they do not keep step with what the server does. All answers must be of one length. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum { MOST = 1000000, ROOM = 64 << 10 };

static const char good[] = "HTTP/1.1 200 ";

typedef struct probe {
    int fd;
    char request[512];
    size_t request_len, answer_len; /* bytes */
    long count, sent, answered;
    size_t received;   /* bytes of all answers */
    int64_t due[MOST]; /* ns; once it is answered: how late */
} probe;

static void die(const char *what) {
    fprintf(stderr, "probe: %s\n", what);
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What is measured is the server, not how late this process is woken: it goes before others, where it may. */
static void go_first(void) {
    struct sched_param first = {.sched_priority = 1};
    sched_setscheduler(0, SCHED_FIFO, &first);
    prctl(PR_SET_TIMERSLACK, 1UL);
}

static int connected(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0) die("no connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void ask(const probe *p) {
    if (send(p->fd, p->request, p->request_len, MSG_NOSIGNAL) != (ssize_t)p->request_len)
        die("a request was not taken");
}

/* The first answer tells how long all are; it comes in one piece. */
static void learn(probe *p) {
    char answer[ROOM];
    ask(p);
    ssize_t len = recv(p->fd, answer, sizeof answer, 0);
    if (len <= 0 || strncmp(answer, good, strlen(good)) != 0) die("another answer than 200");
    p->answer_len = (size_t)len;
}

static void plan(probe *p, double rate) {
    int64_t start = now();
    for (long i = 0; i < p->count; i++)
        p->due[i] = start + (int64_t)(((double)i + (double)random() / (double)RAND_MAX) / rate * 1e9);
}

/* Whether answers begin where they should is looked at for the first of those that came at once. */
static void take(probe *p) {
    char answers[ROOM];
    ssize_t len = recv(p->fd, answers, sizeof answers, 0);
    if (len <= 0) die("the connection ended");
    if (p->received % p->answer_len == 0 && strncmp(answers, good, strlen(good)) != 0) die("another answer than 200");
    p->received += (size_t)len;
    for (int64_t at = now(); p->answered < p->sent && p->received >= (size_t)(p->answered + 1) * p->answer_len;
         p->answered++)
        p->due[p->answered] = at - p->due[p->answered];
}

static void run(probe *p) {
    while (p->answered < p->count) {
        int64_t left = 10000000000; /* ns */
        while (p->sent < p->count && (left = p->due[p->sent] - now()) <= 0) {
            ask(p);
            p->sent++;
            left = 10000000000;
        }
        struct pollfd on = {.fd = p->fd, .events = POLLIN};
        struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        int ready = ppoll(&on, 1, &wait, NULL);
        if (ready > 0) take(p);
        if (ready <= 0 && p->sent == p->count) die("no answer in ten seconds");
    }
}

int main(int argc, char **argv) {
    static probe p;
    double rate = argc == 5 ? atof(argv[3]) : 0;
    p.count = argc == 5 ? (long)(rate * atof(argv[4])) : 0;
    if (rate <= 0 || p.count < 1 || p.count > MOST) die("usage: probe PORT PATH RATE SECONDS");
    p.request_len =
        (size_t)snprintf(p.request, sizeof p.request, "GET %.400s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
    srandom((unsigned)now());
    go_first();
    p.fd = connected(atoi(argv[1]));
    learn(&p);
    plan(&p, rate);
    run(&p);
    for (long i = 0; i < p.count; i++) printf("%.1f\n", (double)p.due[i] / 1000);
    return 0;
}
