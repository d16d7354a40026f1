/* SPDX-License-Identifier: MIT */
/* Parsing of files that other programs have written, for which expat or OpenSSL is needed. */
#ifndef HTTP_DOCUMENT_H
#define HTTP_DOCUMENT_H

#include <ipc/record.h>

/* Converts XML to JSON. Fails with ERR_DATA if the document is refused. */
int document_xml(const struct record *request, struct record *answer, struct err *e);
/* Decrypts AES-128 (CBC if there is an IV, else ECB) with PKCS #7 padding. Fails with ERR_DATA if the key is
 * wrong or the data damaged. */
int document_decrypt(const struct record *request, struct record *answer, struct err *e);

#endif
