# SPDX-License-Identifier: MIT
"""The canary: a secret that a test has registered must not appear anywhere.

A secret is looked for as it is, escaped as in an option file, percent-encoded, in hex and in base64; a long one also in
pieces, as half a secret is a leak too. Secrets shorter than six bytes are not looked for: they would be found anywhere."""
import base64
import os
import stat
import urllib.parse

PIECE = 16
SHORTEST = 6


def needles(secret):
    """The byte strings whose presence gives SECRET away."""
    if len(secret) < SHORTEST:
        return set()
    if len(secret) >= 2 * PIECE:
        pieces = {secret[i:i + PIECE] for i in range(0, len(secret) - PIECE + 1, PIECE)}
        return {p for p in pieces if len(set(p)) > 1} | {secret}
    escaped = secret.replace(b"\\", b"\\\\")
    quoted = urllib.parse.quote_from_bytes(secret, safe="").encode()
    return {secret, escaped, escaped.replace(b'"', b'\\"'), quoted, secret.hex().encode(), secret.hex().upper().encode(),
            base64.b64encode(secret).rstrip(b"=")}


def found(secrets, data):
    """Which of SECRETS (bytes) is in DATA, or None."""
    for secret in secrets:
        if any(needle in data for needle in needles(secret)):
            return secret
    return None


def files_with(secrets, folder, allowed=()):
    """The regular files below FOLDER, except those in ALLOWED, whose content or name holds one of SECRETS."""
    bad = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            try:
                if not stat.S_ISREG(os.lstat(path).st_mode) or path in allowed:
                    continue
                with open(path, "rb") as f:
                    data = f.read()
            except FileNotFoundError:
                continue
            if found(secrets, data + b"\0" + os.fsencode(name)):
                bad.append(path)
    return bad
