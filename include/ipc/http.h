/* SPDX-License-Identifier: MIT */
/*
 * An HTTP request and its answer as records between broker and broker-http (docs/records.md). The request
 * names the parts of the answer that it wants; the body is parsed in the helper and never leaves it.
 */
#ifndef IPC_HTTP_H
#define IPC_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>
#include <ipc/record.h>

/* What the helper does: one HTTP exchange; an ES256 signature (RFC 7518 section 3.4); a SHA-1 digest, by
 * which AWS names its cache files (broker itself links no SHA-1); an XML document as JSON; AES-128. */
enum {
    HTTP_VERB_REQUEST = RECORD_FIRST_VERB,
    HTTP_VERB_SIGN,
    HTTP_VERB_SHA1,
    HTTP_VERB_XML,
    HTTP_VERB_DECRYPT
};

enum {
    HTTP_TAG_METHOD = 1,
    HTTP_TAG_URL,
    HTTP_TAG_HEADER, /* "Name: value"; may repeat */
    HTTP_TAG_BODY,
    HTTP_TAG_CA_FILE,         /* PEM; absent: the system's CA certificates */
    HTTP_TAG_CERT,            /* PEM, the client's certificate */
    HTTP_TAG_KEY,             /* PEM, its key */
    HTTP_TAG_DIRECT,          /* present: never through a proxy */
    HTTP_TAG_CONNECT_TIMEOUT, /* u64, milliseconds */
    HTTP_TAG_TIMEOUT,         /* u64, milliseconds for all of it */
    HTTP_TAG_WANT,            /* one byte, enum http_want, then its path; may repeat */
    /* In the answer. */
    HTTP_TAG_STATUS,    /* u64; absent if no answer came */
    HTTP_TAG_FIELD,     /* one byte, the number of the want, then the value */
    HTTP_TAG_FAILED,    /* why no answer came */
    HTTP_TAG_TRANSIENT, /* present: the same request may work if it is tried again */
    /* To sign. */
    HTTP_TAG_PEM,        /* EC private key on P-256, SEC 1 or PKCS #8 */
    HTTP_TAG_BYTES,      /* what is signed or digested; in the answer the signature, r and s, 64 bytes, or the
                            digest */
    HTTP_TAG_POINT,      /* in the answer: the public key's x and y, 64 bytes */
    HTTP_TAG_BROKEN,     /* present beside FAILED: what came broke the rules */
    HTTP_TAG_STAYS,      /* to request, present: no redirect is followed */
    HTTP_TAG_CONNECT_TO, /* to request: HOST:PORT that is dialled in the place of the URL's */
    /* Of a file that another program has written: it, and its decrypted form or JSON, are BYTES. */
    HTTP_TAG_SECRET_KEY, /* 16 bytes */
    HTTP_TAG_IV,         /* 16 bytes, for CBC; absent: ECB */
};

enum http_want {
    HTTP_JSON = 'j',      /* names and array indexes with dots between: "roleCredentials.accessKeyId" */
    HTTP_JSON_LIST = 'l', /* a list of texts, one a line */
    HTTP_XML = 'x',       /* element names with slashes between, without name spaces */
    HTTP_HEADER = 'h',    /* a header of the answer, by name */
    HTTP_TEXT = 't',      /* the whole body */
};

#define HTTP_WANTS_MAX 32
/* A larger body is an error. */
#define HTTP_BODY_MAX (1024 * 1024)

struct http_request {
    struct record record;
    char host[256]; /* for messages */
    unsigned wants;
};
#define HTTP_REQUEST_INIT                                                                                    \
    {                                                                                                        \
        .record = RECORD_INIT                                                                                \
    }
void http_request_release(struct http_request *r);
#define AUTO_HTTP_REQUEST(name)                                                                              \
    __attribute__((cleanup(http_request_release))) struct http_request name = HTTP_REQUEST_INIT

struct http_answer {
    unsigned status;                      /* 0: no answer came */
    bool transient;                       /* no answer came, but trying again may help */
    struct secret *field[HTTP_WANTS_MAX]; /* NULL: the answer has no such part */
};
void http_answer_release(struct http_answer *a);
#define AUTO_HTTP_ANSWER(name) __attribute__((cleanup(http_answer_release))) struct http_answer name = {0}

/* Starts a request. The URL is http or https and has no user information. */
void http_start(struct http_request *r, const char *method, const char *url);
void http_header(struct http_request *r, const char *name, const char *value);
void http_header_secret(struct http_request *r, const char *name, const struct secret *value);
void http_body(struct http_request *r, const void *bytes, size_t n);
/* The number under which the part will be in the answer. */
unsigned http_want(struct http_request *r, enum http_want kind, const char *path);

/*
 * Makes one exchange by the deadline. 0: an answer came, whatever its status. -1: ERR_UNREACHABLE with the
 * host and why (answer->transient), ERR_PROTOCOL for a body over the bound, ERR_CONFIG if the helper is
 * missing.
 */
int http_call(const struct http_request *r, struct http_answer *answer, int64_t deadline, struct err *e);

/* A field as text (NUL-terminated); "" if there is none. */
const char *http_text(const struct http_answer *a, unsigned want);

/* Signs with ES256. *signature and *point have 64 bytes each. ERR_DATA: not a P-256 key. */
int http_sign_es256(const struct secret *pem, const char *text, unsigned char signature[64],
                    unsigned char point[64], int64_t deadline, struct err *e);

/* The SHA-1 of a text in lower-case hex: used in the names of the AWS CLI's files. */
int http_sha1(const char *text, char out[41], int64_t deadline, struct err *e);

/* An XML document as JSON text: an element is ["tag", {attributes}, child...]. ERR_DATA: refused. */
int http_xml(const struct buf *xml, struct buf *json, int64_t deadline, struct err *e);
/* Decrypts AES-128 with a key of 16 bytes; `iv` NULL: ECB, else CBC. Appends to *out. ERR_DATA: another key.
 */
int http_decrypt(const void *key, const void *iv, const void *bytes, size_t n, struct buf *out,
                 int64_t deadline, struct err *e);

#endif
