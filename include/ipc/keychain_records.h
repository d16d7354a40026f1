/* SPDX-License-Identifier: MIT */
/*
 * What broker and broker-keychain say to each other (docs/records.md). An error record with ERR_UNREACHABLE
 * means that no keychain is running or answering; any other error comes from the keychain itself.
 *
 *   verb    request                             answer
 *   get     identity, timeout, quiet            secret; no field: no such entry
 *   put     identity, timeout, quiet, label,    -
 *           secret
 *   erase   identity, timeout, quiet            count: entries erased, 0 where there was none
 *   list    identity: what it begins with,      identity and label of each entry, in pairs, the newest first
 *           timeout
 *   theirs  identity, label, timeout, quiet:    secret; no field: no such entry
 *           service and account of an entry of
 *           MySQL Workbench's
 */
#ifndef IPC_KEYCHAIN_RECORDS_H
#define IPC_KEYCHAIN_RECORDS_H

#include <ipc/record.h>

enum { KEYCHAIN_GET = RECORD_FIRST_VERB, KEYCHAIN_PUT, KEYCHAIN_ERASE, KEYCHAIN_LIST, KEYCHAIN_THEIRS };

enum {
    KEYCHAIN_TAG_IDENTITY = 1, /* UTF-8 */
    KEYCHAIN_TAG_LABEL,        /* the entry's name in a keychain's list */
    KEYCHAIN_TAG_SECRET,       /* any bytes, at most SECRET_MAX */
    KEYCHAIN_TAG_TIMEOUT,      /* u64, milliseconds for the whole request; absent: 10 s */
    KEYCHAIN_TAG_QUIET,        /* present: the keychain must not prompt */
    KEYCHAIN_TAG_COUNT,        /* u64 */
};

#endif
