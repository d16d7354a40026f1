/* SPDX-License-Identifier: MIT */
/*
 * The connections to the callback listener. No client can block the browser: each one has a time limit and a
 * size limit, and if all places are taken, the oldest client is disconnected.
 */
#include "callback_clients.h"

#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>

#include "callback_page.h"

#define READ_MS 10000
#define DRAIN_MS 1000
#define HELD_MS 60000
#define IN_MAX (CALLBACK_HEAD_MAX + CALLBACK_BODY_MAX)

static void client_close(struct callback_client *client)
{
    if (client->phase == CALLBACK_FREE)
        return;
    (void)close(client->fd);
    buf_release(&client->in);
    *client = (struct callback_client){.fd = -1};
}

void callback_close_all(struct callback_clients *c)
{
    for (size_t i = 0; i < CALLBACK_CLIENTS; i++)
        client_close(&c->item[i]);
}

/* Returns a free place; if there is none, disconnects the oldest client. */
static struct callback_client *place_for(struct callback_clients *c)
{
    struct callback_client *oldest = &c->item[0];

    for (size_t i = 0; i < CALLBACK_CLIENTS; i++) {
        if (c->item[i].phase == CALLBACK_FREE)
            return &c->item[i];
        if (c->item[i].deadline < oldest->deadline)
            oldest = &c->item[i];
    }
    client_close(oldest);
    return oldest;
}

void callback_accept(struct callback_clients *c, int listener)
{
    for (size_t i = 0; i < CALLBACK_CLIENTS; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        *place_for(c) = (struct callback_client){
            .phase = CALLBACK_READING, .fd = fd, .in = BUF_INIT(IN_MAX), .deadline = clock_ms() + READ_MS};
    }
}

/* Sends a response. It is small enough for the socket's send buffer, so send() does not block. */
static void answer(struct callback_clients *c, struct callback_client *client, unsigned status)
{
    AUTO_BUF(page, 8192);

    callback_page(status, c->result == CALLBACK_GOOD, &page);
    ssize_t sent = send(client->fd, buf_str(&page), page.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(client->fd, SHUT_WR);
    buf_release(&client->in);
    client->phase = CALLBACK_DRAINING;
    client->deadline = clock_ms() + DRAIN_MS;
    c->shown |= status == CALLBACK_PAGE && sent == (ssize_t)page.len;
}

static void judge(struct callback_clients *c, struct callback_client *client)
{
    struct callback_values late __attribute__((cleanup(callback_values_release))) = CALLBACK_VALUES_INIT;
    enum callback_verdict verdict =
        callback_judge(&c->want, buf_str(&client->in), client->in.len, c->came ? &late : &c->values);

    if (verdict == CALLBACK_MORE && client->in.len < IN_MAX)
        return;
    if (verdict == CALLBACK_PAGE && !c->came)
        verdict = CALLBACK_NO_PATH;
    if (verdict == CALLBACK_PAGE && c->result == CALLBACK_OPEN) {
        client->phase = CALLBACK_HELD;
        client->deadline = clock_ms() + HELD_MS;
        return;
    }
    c->came |= verdict == CALLBACK_IS;
    answer(c, client, verdict == CALLBACK_MORE ? CALLBACK_LONG : verdict);
}

/* Discards anything that the client sends after its request. */
static void drain(struct callback_client *client)
{
    char nothing[4096];
    ssize_t n = recv(client->fd, nothing, sizeof nothing, MSG_DONTWAIT);

    if (n <= 0)
        client_close(client);
}

static void read_some(struct callback_clients *c, struct callback_client *client)
{
    size_t space = IN_MAX - client->in.len;
    char *room = buf_room(&client->in, space < 4096 ? space : 4096);
    ssize_t n = recv(client->fd, room, space < 4096 ? space : 4096, MSG_DONTWAIT);

    if (n <= 0) {
        client_close(client);
        return;
    }
    buf_grew(&client->in, (size_t)n);
    judge(c, client);
}

void callback_serve(struct callback_clients *c, const struct pollfd *p)
{
    for (size_t i = 0; i < CALLBACK_CLIENTS; i++) {
        struct callback_client *client = &c->item[i];
        if (client->phase == CALLBACK_FREE || p[i].fd != client->fd)
            continue;
        if (p[i].revents && client->phase == CALLBACK_READING)
            read_some(c, client);
        else if (p[i].revents)
            drain(client);
        else if (clock_left(client->deadline) == 0)
            client_close(client);
        /* Once the callback has arrived, no other request is accepted as one. */
        if (c->came)
            c->want.state = NULL;
    }
}

int callback_poll_set(const struct callback_clients *c, struct pollfd *p, int left)
{
    for (size_t i = 0; i < CALLBACK_CLIENTS; i++) {
        const struct callback_client *client = &c->item[i];
        bool is_here = client->phase != CALLBACK_FREE;
        p[i] = (struct pollfd){.fd = is_here ? client->fd : -1, .events = POLLIN};
        if (is_here && clock_left(client->deadline) < left)
            left = clock_left(client->deadline);
    }
    return left;
}

void callback_show(struct callback_clients *c)
{
    for (size_t i = 0; i < CALLBACK_CLIENTS; i++) {
        if (c->item[i].phase == CALLBACK_HELD)
            answer(c, &c->item[i], CALLBACK_PAGE);
    }
}
