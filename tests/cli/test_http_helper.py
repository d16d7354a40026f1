# SPDX-License-Identifier: MIT
"""broker-http by itself: records on its stdin and stdout, against local HTTP servers. The tests compare what the server
received, compare each answer field by field, and verify signatures by openssl. The values that the tests send are
canaries: they may be in an answer's fields and nowhere else. TLS and proxies: test_http_tls.py."""
import hashlib
import json
import subprocess
import time

import pytest

from lib.http_records import (BROKEN, BYTES, CANARY, FAILED, PEM, POINT, REQUEST, SHA1, SIGN, STATUS, number, request)
from test_keychain_helper import DATA, ERROR, OK, PROTOCOL, failed, field, record


# What is sent

def test_what_is_sent(http, web):
    server = web({"/a": b"{}"})
    assert http.get(server.url + "/a?x=1%202", "POST", ["X-Key: " + CANARY.decode(), "X-Empty: ", "Content-Type: a/b"], CANARY)[0] == 200
    seen = server.seen[0]
    agent = seen.headers.pop("user-agent")
    assert (seen.method, seen.path, seen.body) == ("POST", "/a?x=1%202", CANARY) and agent.startswith("broker/")
    assert seen.headers == {"host": f"127.0.0.1:{server.port}", "accept": "*/*", "x-key": CANARY.decode(), "x-empty": "",
                            "content-type": "a/b", "content-length": str(len(CANARY))}


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("body", [None, b"", b"\0\xff" * 100_000])
def test_methods(http, web, method, body):
    server = web({"/": b"x"})
    assert http.get(server.url + "/", method, body=body)[0] == 200
    assert (server.seen[0].method, server.seen[0].body) == (method, body or b"")


def test_own_host_header(http, web):
    server = web({"/": b"x"})
    assert http.get(server.url + "/", headers=["Host: sts.example.com"])[0] == 200 and server.seen[0].headers["host"] == "sts.example.com"


@pytest.mark.parametrize("header", ["X: a\r\nY: b", "X: a\nY: b", "X: a\0b", ""])
def test_a_header_is_one_line(http, web, header):
    server = web({"/": b"x"})
    assert failed(http.ask(request(server.url + "/", headers=[header])), DATA) == "a header contains a newline"
    assert not server.seen


def test_one_connection_for_many_requests(http, web):
    server = web({"/": b"x"})
    assert len(http.ask(*[request(server.url + "/")] * 5)) == 5 and (len(server.seen), server.connections) == (5, 1)


def test_a_connection_that_was_closed_meanwhile(http, web):
    def closing(handler):
        handler.close_connection = True
        return b"x"
    server = web({"/": closing})
    assert [a[1][STATUS] for a in http.ask(*[request(server.url + "/")] * 3)] == [number(200)] * 3


@pytest.mark.parametrize("data", [record(REQUEST), record(SIGN), record(SHA1), record(99)])
def test_bad_requests(http, data):
    failed(http.ask(data), PROTOCOL)


# What comes back

JSON = {"a": {"b": [{"c": CANARY.decode()}, 7]}, "n": 1795256820000, "t": True, "f": False, "z": None, "e": "", "u": "é\"", "o": {}, "r": 3600.0}


@pytest.mark.parametrize("path, value", [
    ("a.b.0.c", CANARY), ("a.b.1", b"7"), ("n", b"1795256820000"), ("t", b"true"), ("f", b"false"), ("z", None), ("e", b""),
    ("u", "é\"".encode()), ("o", None), ("a", None), ("a.b", None), ("a.b.2", None), ("a.b.x", None), ("a.b.-1", None), ("nope", None),
    ("n.x", None), ("r", b"3600"), ("", None)])
def test_json(http, web, path, value):
    server = web({"/": json.dumps(JSON).encode()})
    status, values, rest = http.get(server.url + "/", wants=["jnope", "j" + path])
    assert (status, values.get(1), 0 in values, rest) == (200, value, False, {})


@pytest.mark.parametrize("body", [
    b"", b"{", b"\0", b'{"a": "x\\u0000y"}', b'{"a": "x\0y"}', b"[" * 500_000, b'{"a":' * 100_000, b'{"a": "\xff"}', b'{"a": "x"} more', b"<a>x</a>",
    b'{"a": 1e999}', b'{"a": "' + b"x" * 70_000 + b'"}'])
def test_invalid_json(http, web, body):
    server = web({"/": body})
    assert http.get(server.url + "/", wants=["ja"]) == (200, {}, {})


XML = b"""<?xml version="1.0"?><R xmlns="https://x/"><r><a>one</a><a>two</a><b><![CDATA[<&]]>&amp;&lt;&#233;</b><c>x<d>in</d>y</c>
<e/><n:f xmlns:n="urn:n">ns</n:f></r><a>outer</a></R>"""


@pytest.mark.parametrize("path, value", [
    ("R/r/a", b"one"), ("R/a", b"outer"), ("R/r/b", "<&&<é".encode()), ("R/r/c/d", b"in"), ("R/r/e", b""), ("R/r/f", b"ns"), ("a", None),
    ("R/r/a/x", None), ("r/a", None), ("R/r/c", b"x"), ("", None), ("R/r/", None)])
def test_xml(http, web, path, value):
    server = web({"/": XML})
    assert http.get(server.url + "/", wants=["x" + path]) == (200, {} if value is None else {0: value}, {})


def laughs(levels, wide):
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * wide}">' for i in range(1, levels))
    return f'<!DOCTYPE R [<!ENTITY l0 "lol">{entities}]><R><a>&l{levels - 1};</a></R>'.encode()


@pytest.mark.parametrize("body", [
    laughs(10, 10), laughs(2, 1), b'<!DOCTYPE R [<!ENTITY x SYSTEM "file:///etc/passwd">]><R><a>&x;</a></R>', b"<R><a>x</a>", b"<R><a>x</R></a>",
    b'<!DOCTYPE R SYSTEM "http://127.0.0.1:1/x.dtd"><R><a>x</a></R>', b"<R><a>\0</a></R>", b"<R><a>\xff</a></R>", b"<R><a>&nope;</a></R>",
    b"<R><a>x</a></R><R/>", b"<b>" * 200_000, b"<R><a>" + b"x" * 70_000 + b"</a></R>", b"", b"{}"],
    ids=lambda body: body[:24].decode(errors="replace"))
def test_hostile_or_invalid_xml(http, web, body):
    server = web({"/": body})
    started = time.monotonic()
    assert http.get(server.url + "/", wants=["xR/a"]) == (200, {}, {}) and time.monotonic() - started < 15


def test_headers_and_text(http, web):
    server = web({"/": (418, {"X-A": "one", "X-B": "", "Date2": "x"}, b"\0text\n")})
    status, values, _ = http.get(server.url + "/", wants=["hx-a", "hX-B", "hX-C", "hdate", "t", "q", "hX"])
    assert status == 418 and {k: v for k, v in values.items() if k != 3} == {0: b"one", 1: b"", 4: b"\0text\n"} and b"GMT" in values[3]


def test_only_what_was_wanted_is_answered(http, web):
    server = web({"/": (500, {"X-A": CANARY.decode()}, CANARY)})
    assert http.get(server.url + "/") == (500, {}, {})


def test_no_compression_is_requested(http, web):
    server = web({"/": b"x"})
    http.get(server.url + "/")
    assert "accept-encoding" not in server.seen[0].headers


def chunked(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in (b'{"a":', b' "x', b'y"}'):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
    handler.wfile.write(b"0\r\nX-Trailer: t\r\n\r\n")


def continued(handler):
    handler.wfile.write(b"HTTP/1.1 100 Continue\r\nX-A: no\r\n\r\nHTTP/1.1 200 OK\r\nX-B: yes\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize("route, wants, values", [
    (chunked, ["ja"], {0: b"xy"}), (continued, ["hx-a", "hx-b"], {1: b"yes"})])
def test_odd_answers(http, web, route, wants, values):
    server = web({"/": route})
    assert http.get(server.url + "/", wants=wants) == (200, values, {})


def endless(handler, declared=True):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 104857600\r\n" if declared else b"Connection: close\r\n") + b"\r\n")
    block = b"x" * 65536
    for sent in range(1600):
        handler.server.web.sent = sent
        handler.wfile.write(block)


@pytest.mark.parametrize("declared", [True, False])
def test_a_hundred_megabytes(http, web, declared):
    server = web({"/": lambda handler: endless(handler, declared)})
    server.sent = 0
    status, _, rest = http.get(server.url + "/", wants=["t"])
    assert status is None and rest == {FAILED: b"the answer has over 1 MiB", BROKEN: number(1)}
    assert server.sent < 400


def test_headers_without_end(http, web):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200_000)
    assert http.fails(web({"/": answer}).url + "/")[1] is False


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"])
def test_answer_that_is_cut_off(http, web, sent):
    def answer(handler):
        handler.wfile.write(sent)
        handler.wfile.flush()
        handler.close_connection = True
    assert http.fails(web({"/": answer}).url + "/") == ("the connection broke", True)


def test_a_reset(http, fake_server):
    """The reset comes before the connection is known to be open, or after."""
    message, transient = http.fails(f"http://127.0.0.1:{fake_server('reset').port}/")
    assert message in ("the connection broke", "connection reset", "connection failed") and transient


def test_a_server_that_never_answers(http, fake_server):
    started = time.monotonic()
    assert http.fails(f"http://127.0.0.1:{fake_server('silent').port}/", ms=200) == ("no answer in time", True)
    assert time.monotonic() - started < 10


def test_a_server_that_is_slow(http, web):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(2000):
            handler.wfile.write(b"x")
            time.sleep(0.01)
    started = time.monotonic()
    assert http.fails(web({"/": answer}).url + "/", ms=300) == ("no answer in time", True) and time.monotonic() - started < 10


@pytest.mark.parametrize("url, message, transient", [
    ("http://127.0.0.1:1/", "connection refused", True), ("http://nowhere.test.invalid/", "no such host", True),
    ("http://user:canary-http-55d1c0@127.0.0.1:1/", "user and password in a URL are not sent", False),
    ("ftp://127.0.0.1/", "only http and https are supported", False), ("file:///etc/passwd", "only http and https are supported", False),
    ("http://[::1/", "not a valid URL", False)])
def test_bad_urls(http, url, message, transient):
    assert http.fails(url) == (message, transient)


# Redirects

@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_to_the_same_origin(http, web, status):
    server = web({"/": (status, {"Location": "/next"}, b""), "/next": b"there"})
    followed = status in (307, 308)
    assert http.get(server.url + "/", "POST", ["X-Key: " + CANARY.decode()], CANARY, wants=["t"]) == (
        (200, {0: b"there"}, {}) if followed else (status, {0: b""}, {}))
    assert [(s.method, s.path, s.body) for s in server.seen] == [("POST", "/", CANARY), ("POST", "/next", CANARY)][:2 if followed else 1]


def test_redirects_without_end(http, web):
    server = web({"/": (307, {"Location": "/"}, b"")})
    assert http.get(server.url + "/")[0] == 307 and len(server.seen) == 4


@pytest.mark.parametrize("to", ["http://localhost:{port}/", "http://127.0.0.1:{other}/", "https://127.0.0.1:{port}/", "//127.0.0.1:{other}/",
                                "http://user@127.0.0.1:{port}/", "file:///etc/passwd", "http://127.0.0.1:{port}@127.0.0.1:{other}/"])
def test_redirects_to_another_origin(http, web, to):
    """The headers are only for the first server, so the redirect is not followed, but is itself the answer."""
    other = web({"/": b"x"})
    server = web({})
    server.routes["/"] = (307, {"Location": to.format(port=server.port, other=other.port)}, b"")
    assert http.get(server.url + "/", headers=["X-Key: " + CANARY.decode()])[0] == 307
    assert len(server.seen) == 1 and not other.seen


# Signatures and hashes

def ec_key(curve="prime256v1", pkcs8=False):
    pem = subprocess.run(["openssl", "ecparam", "-name", curve, "-genkey", "-noout"], capture_output=True, check=True).stdout
    if pkcs8:
        pem = subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt"], input=pem, capture_output=True, check=True).stdout
    return pem


def der(*integers):
    """The signature in DER, as openssl reads it."""
    body = b""
    for n in integers:
        n = n.lstrip(b"\0") or b"\0"
        n = b"\0" + n if n[0] & 128 else n
        body += bytes([2, len(n)]) + n
    return bytes([0x30, len(body)]) + body


@pytest.mark.parametrize("pkcs8", [False, True])
def test_es256(http, tmp_path, pkcs8):
    pem, text = ec_key(pkcs8=pkcs8), b'{"typ":"dpop+jwt"}.x'
    http.runner.secret(pem.splitlines()[1])
    kind, fields = http.ask(record(SIGN, field(PEM, pem), field(BYTES, text)))
    signature, point = fields[BYTES], fields[POINT]
    assert kind == OK and len(signature) == len(point) == 64
    public = subprocess.run(["openssl", "ec", "-pubout", "-outform", "DER"], input=pem, capture_output=True, check=True).stdout
    assert public.endswith(b"\x04" + point)
    for name, data in (("key", public), ("sig", der(signature[:32], signature[32:])), ("text", text)):
        (tmp_path / name).write_bytes(data)
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", tmp_path / "key", "-keyform", "DER", "-signature", tmp_path / "sig",
                    tmp_path / "text"], check=True, capture_output=True)


@pytest.mark.parametrize("pem", [b"", b"nonsense", b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", ec_key("secp384r1"),
                                 ec_key("secp256k1"), "rsa"], ids=["empty", "nonsense", "cut", "p384", "k1", "rsa"])
def test_wrong_key_for_es256(http, pem):
    if pem == "rsa":
        pem = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], capture_output=True).stdout
    assert failed(http.ask(record(SIGN, field(PEM, pem), field(BYTES, b"x"))), DATA) == "not an EC private key on P-256"


@pytest.mark.parametrize("text", [b"", b"admin", "{\"RoleArn\": \"é\"}".encode()])
def test_sha1(http, text):
    assert http.ask(record(SHA1, field(BYTES, text))) == (OK, {BYTES: hashlib.sha1(text).digest()})


def test_helper_continues_after_an_error(http, web):
    """A request that fails leaves the helper ready for the next one."""
    server = web({"/": b"x"})
    answers = http.ask(request("http://127.0.0.1:1/"), record(99), request(server.url + "/"))
    assert [answers[0][1][FAILED], answers[1][0], answers[2][1][STATUS]] == [b"connection refused", ERROR, number(200)]
