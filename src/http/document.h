/* SPDX-License-Identifier: MIT */
/* Files that other programs have written: what needs expat or OpenSSL. */
#ifndef HTTP_DOCUMENT_H
#define HTTP_DOCUMENT_H

#include <ipc/record.h>

/* XML as JSON. ERR_DATA: refused. */
int document_xml(const struct record *request, struct record *answer, struct err *e);
/* AES-128, CBC with an IV and ECB without, PKCS #7 padding. ERR_DATA: another key, or damaged. */
int document_decrypt(const struct record *request, struct record *answer, struct err *e);

#endif
