/* SPDX-License-Identifier: MIT */
/*
 * The protocol between broker and broker-keychain (docs/records.md). An error record with ERR_UNREACHABLE
 * means that there is no keychain or that it does not answer; other errors come from the keychain itself.
 *
 *   verb    request                             answer
 *   get     identity, timeout, quiet            secret; no field: no such entry
 *   put     identity, timeout, quiet, label,    -
 *           secret
 *   erase   identity, timeout, quiet            count: number of erased entries, may be 0
 *   list    identity (used as a prefix),        identity and label of each entry, in pairs, the newest first
 *           timeout
 *   theirs  identity and label: service and     secret; no field: no such entry
 *           account of an entry of MySQL
 *           Workbench; timeout, quiet
 */
#ifndef IPC_KEYCHAIN_RECORDS_H
#define IPC_KEYCHAIN_RECORDS_H

#include <ipc/record.h>

enum { KEYCHAIN_GET = RECORD_FIRST_VERB, KEYCHAIN_PUT, KEYCHAIN_ERASE, KEYCHAIN_LIST, KEYCHAIN_THEIRS };

enum {
    KEYCHAIN_TAG_IDENTITY = 1, /* the entry's identity, in UTF-8 */
    KEYCHAIN_TAG_LABEL,        /* the entry's name, as a keychain program lists it */
    KEYCHAIN_TAG_SECRET,       /* the stored secret: any bytes, at most SECRET_MAX */
    KEYCHAIN_TAG_TIMEOUT,      /* u64, milliseconds for the whole request; absent: 10 s */
    KEYCHAIN_TAG_QUIET,        /* present: the keychain must not ask the user */
    KEYCHAIN_TAG_COUNT,        /* u64, the number of erased entries */
};

#endif
