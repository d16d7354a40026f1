# SPDX-License-Identifier: MIT
"""The records of broker-http (ipc/http.h), written and read by a test, and the helper in the test harness."""
import struct

from test_keychain_helper import OK, Helper, field, parse, record

REQUEST, SIGN, SHA1 = 16, 17, 18
(METHOD, URL, HEADER, BODY, CA, CERT, KEY, DIRECT, CONNECT_TIMEOUT, TIMEOUT, WANT, STATUS, FIELD, FAILED, TRANSIENT, PEM, BYTES, POINT,
 BROKEN) = range(1, 20)
CANARY = b"canary-http-55d1c0"


def number(n):
    return struct.pack(">Q", n)


def request(url, method="GET", headers=(), body=None, wants=(), ms=10000, **more):
    fields = [field(METHOD, method), field(URL, url), field(TIMEOUT, number(ms)), *(field(HEADER, h) for h in headers),
              *(field(WANT, w) for w in wants)]
    for name, tag in (("ca", CA), ("cert", CERT), ("key", KEY), ("direct", DIRECT)):
        if name in more:
            fields.append(field(tag, str(more[name])))
    return record(REQUEST, *fields, *([field(BODY, body)] if body is not None else []))


def fields_of(data):
    """An OK answer: (status or None, {number: value} of the repeated fields, {tag: value} of the others)."""
    length, version, kind = struct.unpack(">IBB", data[:6])
    assert (version, kind, length) == (1, OK, len(data) - 4), parse(data)
    body, values, rest = data[6:], {}, {}
    while body:
        tag, n = struct.unpack(">BI", body[:5])
        value, body = body[5:5 + n], body[5 + n:]
        if tag == FIELD:
            values[value[0]] = value[1:]
        else:
            rest[tag] = value
    return int.from_bytes(rest.pop(STATUS), "big") if STATUS in rest else None, values, rest


class Http(Helper):
    def __init__(self, runner):
        super().__init__(runner)
        runner.secret(CANARY)

    def get(self, *args, env={}, **more):
        done = self.runner.run(input=request(*args, **more), env=env, secret_out=True)
        assert (done.err, done.code) == (b"", 0)
        return fields_of(done.out)

    def fails(self, *args, **more):
        """The error message of a request that must fail, and whether a retry may help."""
        status, values, rest = self.get(*args, **more)
        assert status is None and not values
        return rest[FAILED].decode(), TRANSIENT in rest
