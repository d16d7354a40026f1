/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes a descriptor, with or without TLS, without blocking. Reads collect what OpenSSL has
 * already decrypted, so that several small TLS records become one write to the other side. The handshake is
 * in mysql/login_proxy.c.
 */
#include <event/wire.h>

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define INT_MOST 0x40000000
/* Number of bytes after which OpenSSL may take no more from the socket in one call, and altogether in reads
 * that return no data. */
#define TAKE_MOST (64 * 1024)
#define VAIN_MOST (1024 * 1024)

static size_t taken; /* in this call */

static ssize_t plain_result(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? WIRE_LATER : WIRE_BROKEN;
}

/*
 * SSL_get_error() takes any error in the thread's queue for the call's own error, so errors left by other
 * code (SSH keys, libssh2) must be cleared before each call.
 *
 * A server that closes without close_notify counts as ended (tls_established()); the code that reads the
 * packets notices an incomplete one.
 */
static ssize_t tls_result(SSL *ssl, int result, unsigned *needs)
{
    int why = SSL_get_error(ssl, result);

    *needs = why == SSL_ERROR_WANT_WRITE ? LOOP_WRITE : why == SSL_ERROR_WANT_READ ? LOOP_READ : 0;
    ERR_clear_error();
    if (*needs)
        return WIRE_LATER;
    return why == SSL_ERROR_ZERO_RETURN ? WIRE_END : WIRE_BROKEN;
}

/* OpenSSL returns only when there is data for the caller, or nothing left to read. Without a limit, a server
 * that sends session tickets, or in the handshake HelloRequests, without end would keep it from ever
 * returning. */
static long take(BIO *bio, int operation, const char *at, size_t n, int i, long l, int result, size_t *took)
{
    (void)at;
    (void)n;
    (void)i;
    (void)l;
    if (operation == BIO_CB_READ && taken >= TAKE_MOST) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0)
        taken += *took;
    return result;
}

static void take_little(SSL *ssl)
{
    taken = 0;
    BIO_set_callback_ex(SSL_get_rbio(ssl), take);
}

int wire_handshake(struct wire *w)
{
    take_little(w->ssl);
    ERR_clear_error();
    return SSL_do_handshake(w->ssl);
}

static ssize_t tls_read(struct wire *w, char *to, size_t room)
{
    size_t got = 0;
    int n;

    w->read_needs = 0;
    take_little(w->ssl);
    do {
        ERR_clear_error();
        n = SSL_read(w->ssl, to + got, (int)(room - got < INT_MOST ? room - got : INT_MOST));
        if (n > 0)
            got += (size_t)n;
    } while (n > 0 && got < room && SSL_has_pending(w->ssl));
    w->vain = got > 0 ? 0 : w->vain + taken;
    if (n > 0)
        return (ssize_t)got;
    ssize_t result = tls_result(w->ssl, n, &w->read_needs);
    if (w->vain > VAIN_MOST)
        return WIRE_BROKEN;
    /* End of file is reported again at the next read. */
    return got > 0 ? (ssize_t)got : result;
}

ssize_t wire_read(struct wire *w, char *to, size_t room)
{
    return w->ssl ? tls_read(w, to, room) : plain_result(recv(w->watch.fd, to, room, 0));
}

/* Writes one record per call: SSL_MODE_ENABLE_PARTIAL_WRITE. */
static ssize_t tls_write(struct wire *w, const char *from, size_t n)
{
    w->write_needs = 0;
    ERR_clear_error();
    int done = SSL_write(w->ssl, from, (int)(n < INT_MOST ? n : INT_MOST));
    if (done > 0)
        return done;
    ssize_t result = tls_result(w->ssl, done, &w->write_needs);
    return result == WIRE_END ? WIRE_BROKEN : result;
}

ssize_t wire_write(struct wire *w, const char *from, size_t n)
{
    if (n == 0)
        return 0;
    return w->ssl ? tls_write(w, from, n) : plain_result(send(w->watch.fd, from, n, MSG_NOSIGNAL));
}

void wire_shut(struct wire *w)
{
    if (w->ssl && SSL_is_init_finished(w->ssl)) {
        (void)SSL_shutdown(w->ssl);
        ERR_clear_error();
    }
    (void)shutdown(w->watch.fd, SHUT_WR);
}

void wire_close(struct wire *w)
{
    if (w->watch.fd < 0)
        return;
    if (w->ssl && SSL_is_init_finished(w->ssl) && !(SSL_get_shutdown(w->ssl) & SSL_SENT_SHUTDOWN)) {
        (void)SSL_shutdown(w->ssl);
        ERR_clear_error();
    }
    SSL_free(w->ssl);
    w->ssl = NULL;
    loop_close(&w->watch);
}

bool wire_is_alive(int fd)
{
    struct pollfd at = {.fd = fd, .events = POLLRDHUP};

    return poll(&at, 1, 0) == 0;
}
