/* SPDX-License-Identifier: MIT */
/*
 * An HTTP request and its answer, as records between broker and broker-http (docs/records.md). A request
 * lists the parts of the response that it wants; the body is parsed in the helper and never leaves it.
 */
#ifndef IPC_HTTP_H
#define IPC_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>
#include <ipc/record.h>

/* Kinds of requests: an HTTP exchange; an ES256 signature (RFC 7518, section 3.4); a SHA-1 digest, for the
 * names of AWS's cache files (broker itself does not link a SHA-1 function); conversion of XML to JSON;
 * AES-128 decryption. */
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
    HTTP_TAG_HEADER, /* "Name: value"; may be repeated */
    HTTP_TAG_BODY,
    HTTP_TAG_CA_FILE,         /* a PEM file; absent: the system's CA certificates */
    HTTP_TAG_CERT,            /* a PEM file with the client certificate */
    HTTP_TAG_KEY,             /* a PEM file with the client certificate's private key */
    HTTP_TAG_DIRECT,          /* present: do not use a proxy */
    HTTP_TAG_CONNECT_TIMEOUT, /* u64, milliseconds for connecting */
    HTTP_TAG_TIMEOUT,         /* u64, milliseconds for the whole exchange */
    HTTP_TAG_WANT,            /* one byte, a value of enum http_want, then the path; may be repeated */
    /* In the answer: */
    HTTP_TAG_STATUS,    /* u64, the HTTP status; absent if there was no response */
    HTTP_TAG_FIELD,     /* one byte, the index of the WANT field, then the value */
    HTTP_TAG_FAILED,    /* why there was no response */
    HTTP_TAG_TRANSIENT, /* present: a retry may succeed */
    /* For SIGN and SHA1: */
    HTTP_TAG_PEM,    /* an EC private key on P-256, in SEC 1 or PKCS #8 */
    HTTP_TAG_BYTES,  /* what to sign or hash; in the answer the signature (r and s, 64 bytes) or the digest */
    HTTP_TAG_POINT,  /* in the answer: the public key (x and y, 64 bytes) */
    HTTP_TAG_BROKEN, /* present together with FAILED: the response was invalid */
    HTTP_TAG_STAYS,  /* in a request; present: do not follow redirects */
    HTTP_TAG_CONNECT_TO, /* in a request: the HOST:PORT to connect to, instead of those in the URL */
    /* For XML and DECRYPT, whose input and output are both in BYTES: */
    HTTP_TAG_SECRET_KEY, /* the AES key, 16 bytes */
    HTTP_TAG_IV,         /* the initialisation vector for CBC, 16 bytes; absent: ECB mode */
};

enum http_want {
    HTTP_JSON = 'j', /* member names and array indexes separated by dots: "roleCredentials.accessKeyId" */
    HTTP_JSON_LIST = 'l', /* a list of texts, one per line */
    HTTP_XML = 'x',       /* element names separated by slashes, without namespaces */
    HTTP_HEADER = 'h',    /* a response header, by name */
    HTTP_TEXT = 't',      /* the whole body */
};

#define HTTP_WANTS_MAX 32
/* The maximum size of a body in bytes; a larger one is an error. */
#define HTTP_BODY_MAX (1024 * 1024)

struct http_request {
    struct record record;
    char host[256]; /* the host name, for messages */
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
    unsigned status;                      /* the HTTP status; 0: there was no response */
    bool transient;                       /* there was no response, but a retry may succeed */
    struct secret *field[HTTP_WANTS_MAX]; /* the requested parts; NULL: the response has no such part */
};
void http_answer_release(struct http_answer *a);
#define AUTO_HTTP_ANSWER(name) __attribute__((cleanup(http_answer_release))) struct http_answer name = {0}

/* Starts a request. The URL must be http or https and have no user or password. */
void http_start(struct http_request *r, const char *method, const char *url);
void http_header(struct http_request *r, const char *name, const char *value);
void http_header_secret(struct http_request *r, const char *name, const struct secret *value);
void http_body(struct http_request *r, const void *bytes, size_t n);
/* Requests a part of the response. Returns its index in http_answer.field. */
unsigned http_want(struct http_request *r, enum http_want kind, const char *path);

/*
 * Sends the request. Returns 0 if there was a response, whatever its status. Otherwise returns -1 with
 * ERR_UNREACHABLE, naming the host and the reason (and sets answer->transient if a retry may help),
 * ERR_PROTOCOL if the body is too large, or ERR_CONFIG if the helper is not installed.
 */
int http_call(const struct http_request *r, struct http_answer *answer, int64_t deadline, struct err *e);

/* Returns a part as a NUL-terminated text; "" if the response does not have it. */
const char *http_text(const struct http_answer *a, unsigned want);

/* Signs a text with ES256. `signature` receives r and s, `point` the public key's x and y. Fails with
 * ERR_DATA if the key is not a P-256 private key. */
int http_sign_es256(const struct secret *pem, const char *text, unsigned char signature[64],
                    unsigned char point[64], int64_t deadline, struct err *e);

/* Computes the SHA-1 of a text in lower-case hex, for the names of the AWS CLI's files. */
int http_sha1(const char *text, char out[41], int64_t deadline, struct err *e);

/* Converts an XML document to JSON text. An element becomes ["tag", {attributes}, child...]. Fails with
 * ERR_DATA if the document is refused. */
int http_xml(const struct buf *xml, struct buf *json, int64_t deadline, struct err *e);
/* Decrypts AES-128 with a key of 16 bytes, in CBC mode, or in ECB mode if `iv` is NULL. Appends to *out.
 * Fails with ERR_DATA if the key is wrong. */
int http_decrypt(const void *key, const void *iv, const void *bytes, size_t n, struct buf *out,
                 int64_t deadline, struct err *e);

#endif
