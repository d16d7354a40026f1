/* SPDX-License-Identifier: MIT */
/*
 * What an error of libssh2 means for its session: one table, for both versions. Any other error ends the
 * session, because the state of the protocol is then unknown. bounds.c handles a server that misbehaves
 * without causing an error.
 */
#include "session.h"

#include <base/mem.h>

#define ALGO_UNSUPPORTED (-51) /* not in the header of libssh2 1.10 */

enum fate libssh2_fate(long code)
{
    static const struct {
        long code;
        enum fate fate;
    } fates[] = {
        {LIBSSH2_ERROR_EAGAIN, FATE_AGAIN},
        {LIBSSH2_ERROR_AUTHENTICATION_FAILED, FATE_REFUSED},
        {LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, FATE_REFUSED},
        {LIBSSH2_ERROR_PASSWORD_EXPIRED, FATE_REFUSED},
        {LIBSSH2_ERROR_FILE, FATE_REFUSED},
        {LIBSSH2_ERROR_KEYFILE_AUTH_FAILED, FATE_REFUSED},
        {LIBSSH2_ERROR_METHOD_NONE, FATE_REFUSED},
        {LIBSSH2_ERROR_METHOD_NOT_SUPPORTED, FATE_REFUSED},
        {ALGO_UNSUPPORTED, FATE_REFUSED},
        {LIBSSH2_ERROR_CHANNEL_FAILURE, FATE_CHANNEL},
        {LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED, FATE_CHANNEL},
        {LIBSSH2_ERROR_CHANNEL_UNKNOWN, FATE_CHANNEL},
        {LIBSSH2_ERROR_CHANNEL_CLOSED, FATE_CHANNEL},
        {LIBSSH2_ERROR_CHANNEL_EOF_SENT, FATE_CHANNEL},
        {LIBSSH2_ERROR_TIMEOUT, FATE_CHANNEL}, /* while opening a channel; a login has a shorter deadline */
    };

    for (size_t i = 0; code < 0 && i < ARRAY_LEN(fates); i++) {
        if (fates[i].code == code)
            return fates[i].fate;
    }
    return code < 0 ? FATE_OVER : FATE_WELL;
}
