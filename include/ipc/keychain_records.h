/*
 * What broker and broker-keychain say to each other (docs/records.md). An error record with ERR_UNREACHABLE
 * means that there is no keychain here, or none that answers; every other error is that of a keychain which
 * is there.
 *
 *   verb    request                             answer
 *   get     identity, timeout, quiet            secret; no field: no such entry
 *   put     identity, timeout, quiet, label,    -
 *           secret
 *   erase   identity, timeout, quiet            count: entries erased, 0 where there was none
 */
#ifndef IPC_KEYCHAIN_RECORDS_H
#define IPC_KEYCHAIN_RECORDS_H

#include <ipc/record.h>

enum { KEYCHAIN_GET = RECORD_FIRST_VERB, KEYCHAIN_PUT, KEYCHAIN_ERASE };

enum {
    KEYCHAIN_TAG_IDENTITY = 1, /* UTF-8 */
    KEYCHAIN_TAG_LABEL,        /* what a person sees in a list of entries */
    KEYCHAIN_TAG_SECRET,       /* any bytes, at most SECRET_MAX */
    KEYCHAIN_TAG_TIMEOUT,      /* u64, milliseconds for the whole request; absent: 10 s */
    KEYCHAIN_TAG_QUIET,        /* present: the keychain must not show a question of its own */
    KEYCHAIN_TAG_COUNT,        /* u64 */
};

#endif
