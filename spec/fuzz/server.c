/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "../../csrc/binding/compat.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 20, PATIENCE = 5000 /* ms */, NEXT = 0xFF, APART = 0xFE };

/* What the thread and the state share; the lock is held for as long as one request is answered. */
static struct {
    pthread_mutex_t lock;
    int listener;
    char *script;
    size_t script_len, at;
    int requests;
    char put[ROOM];
    size_t put_len;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .listener = -1};

static ssize_t receive(int fd, char *to, size_t room) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, PATIENCE) == 1 ? recv(fd, to, room, 0) : -1;
}

/* Reads a request, and takes what it brings. */
static bool read_request(int fd) {
    static char text[ROOM];
    size_t len = 0;
    char *end = NULL;
    while (end == NULL) {
        ssize_t got = receive(fd, text + len, sizeof text - 1 - len);
        if (got <= 0) return false;
        len += (size_t)got;
        text[len] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    const char *length = strcasestr(text, "\r\nContent-Length:");
    size_t head = (size_t)(end + 4 - text), body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (head + body >= sizeof text) return false;
    while (len < head + body) {
        ssize_t got = receive(fd, text + len, sizeof text - 1 - len);
        if (got <= 0) return false;
        len += (size_t)got;
    }
    if (strncmp(text, "PUT ", 4) == 0) {
        memcpy(server.put, text + head, body);
        server.put_len = body;
    }
    return true;
}

static void send_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
        if (sent <= 0) return;
        text += sent;
        len -= (size_t)sent;
    }
}

static void send_parts(int fd, const char *text, size_t len) {
    while (len > 0) {
        const char *apart = memchr(text, APART, len);
        size_t part = apart ? (size_t)(apart - text) : len;
        send_all(fd, text, part);
        if (apart) part++;
        text += part;
        len -= part;
    }
}

static void send_document(int fd, const char *body, size_t len) {
    char head[96];
    int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    send_all(fd, head, (size_t)size);
    send_all(fd, body, len);
}

static void answer(int fd) {
    if (server.at > server.script_len) return;
    const char *text = server.script + server.at;
    size_t left = server.script_len - server.at;
    const char *next = memchr(text, NEXT, left);
    size_t len = next ? (size_t)(next - text) : left;
    server.at += len + 1;
    if (len == 1 && text[0] == '@')
        send_document(fd, server.put, server.put_len);
    else if (len >= 5 && memcmp(text, "HTTP/", 5) == 0)
        send_parts(fd, text, len);
    else if (len > 0)
        send_document(fd, text, len);
}

static void *serve(void *unused) {
    int one = 1;
    (void)unused;
    for (;;) {
        int fd = accept(server.listener, NULL, NULL);
        if (fd < 0) return NULL;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_mutex_lock(&server.lock);
        if (read_request(fd)) {
            server.requests++;
            answer(fd);
        }
        pthread_mutex_unlock(&server.lock);
        char rest[512];
        shutdown(fd, SHUT_WR); /* and what still comes is taken, so that the answer is not lost to a reset */
        while (receive(fd, rest, sizeof rest) > 0) {
        }
        close(fd);
    }
}

static int l_start(lua_State *L) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_t thread;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server.listener < 0 || bind(server.listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server.listener, 64) != 0 || getsockname(server.listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&thread, NULL, serve, NULL) != 0)
        return luaL_error(L, "no server on loopback");
    pthread_detach(thread);
    lua_pushinteger(L, ntohs(address.sin_port));
    return 1;
}

static int l_answers(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    pthread_mutex_lock(&server.lock);
    free(server.script);
    server.script = malloc(len + 1);
    if (server.script == NULL) abort();
    memcpy(server.script, text, len);
    server.script_len = len;
    server.at = server.put_len = 0;
    server.requests = 0;
    pthread_mutex_unlock(&server.lock);
    return 0;
}

static int l_requests(lua_State *L) {
    pthread_mutex_lock(&server.lock);
    lua_pushinteger(L, server.requests);
    pthread_mutex_unlock(&server.lock);
    return 1;
}

int fuzz_open_server(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, l_start);
    lua_setfield(L, -2, "start");
    lua_pushcfunction(L, l_answers);
    lua_setfield(L, -2, "answers");
    lua_pushcfunction(L, l_requests);
    lua_setfield(L, -2, "requests");
    return 1;
}
