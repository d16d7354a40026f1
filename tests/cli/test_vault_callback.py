# SPDX-License-Identifier: MIT
"""The callback listener of a login to Vault, which any local program and any web page can reach: whatever else arrives
there gets an answer and is not trusted, and the user's login still succeeds after it."""
import socket
import threading

import pytest

from lib.forwards import until
from lib.vault import query, shown

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def waiting(desk, vault, openid):
    """A login that waits for its browser: desk.tty, desk.back (the address that the browser is about to open),
    desk.mount."""
    desk.mount = vault.oidc(openid)
    desk.configure(vault_mount=desk.mount)
    desk.tty = desk.pty("login", "w")
    desk.back = desk.browser.sign_in(desk.invited(desk.tty), until=desk.address)
    desk.target = desk.back.removeprefix(f"http://localhost:{desk.callback}")
    return desk


def send(desk, data, address="127.0.0.1", seconds=20, then=lambda: None):
    """The listener's answer to these bytes; b"" if it closes the connection. then() is called once they are sent."""
    with socket.create_connection((address, desk.callback), seconds) as s:
        answer = b""
        try:
            s.sendall(data)
            then()
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def request(desk, target, *lines, method="GET", host=None, body=b""):
    host = f"localhost:{desk.callback}" if host is None else host
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{method} {target} HTTP/1.1", *([f"Host: {host}"] if host else []), *lines, *length, "", ""]).encode() + body


def status(answer):
    return int(answer.split(None, 2)[1]) if answer else 0


def finish(desk):
    """The user's browser arrives and completes the login; no other request was passed to Vault."""
    page = desk.browser.go(desk.back)
    assert desk.tty.wait() == 0 and page.status == 200, shown(desk.tty)
    assert len(desk.vault.front.asked("oidc/callback")) == 1


def bad(**changes):
    """A request with the user's own code, and one error."""
    return lambda desk: request(desk, changes.get("target", lambda t: t)(desk.target), *changes.get("lines", ()),
                                **{k: v for k, v in changes.items() if k in ("method", "host", "body")})


def state(new):
    return lambda desk: request(desk, desk.target.replace(query(desk.back)["state"], new(query(desk.back)["state"])))


WRONG = {
    "favicon": lambda desk: request(desk, "/favicon.ico"),
    "root": lambda desk: request(desk, "/"),
    "foreign host": bad(host="evil.example"),
    "foreign host, our port": lambda desk: request(desk, desk.target, host=f"evil.example:{desk.callback}"),
    "another port": bad(host="localhost:1"),
    "no host": bad(host=""),
    "two hosts": lambda desk: request(desk, desk.target, "Host: evil.example"),
    "wrong state": state(lambda s: "st_wrong"),
    "longer state": state(lambda s: s + "x"),
    "shorter state": state(lambda s: s[:-1]),
    "empty state": state(lambda s: ""),
    "two states": bad(target=lambda t: t + "&state=st_other"),
    "no state": lambda desk: request(desk, f"/oidc/callback?code={query(desk.back)['code']}"),
    "no code": lambda desk: request(desk, f"/oidc/callback?state={query(desk.back)['state']}"),
    "empty code": lambda desk: request(desk, f"/oidc/callback?state={query(desk.back)['state']}&code="),
    "two codes": bad(target=lambda t: t + "&code=other"),
    "no query": lambda desk: request(desk, "/oidc/callback"),
    "longer path": bad(target=lambda t: t.replace("/callback", "/callbackX")),
    "deeper path": bad(target=lambda t: t.replace("/callback", "/callback/x")),
    "absolute target": lambda desk: request(desk, "http://evil.example" + desk.target),
    "post": lambda desk: request(desk, "/oidc/callback", "Content-Type: application/x-www-form-urlencoded", method="POST",
                                 body=desk.target.partition("?")[2].encode()),
    "post with query": bad(method="POST"),
    "head": bad(method="HEAD"),
    "options": bad(method="OPTIONS"),
    "put": bad(method="PUT"),
    "refusal of another state": lambda desk: request(desk, "/oidc/callback?error=access_denied&state=st_wrong"),
    "refusal without state": lambda desk: request(desk, "/oidc/callback?error=access_denied"),
    "20 KB header": bad(lines=["X-Big: " + "a" * 20000]),
    "1000 headers": bad(lines=[f"X-{i}: a" for i in range(1000)]),
    "20 KB target": bad(target=lambda t: t + "&x=" + "a" * 20000),
    "huge body": lambda desk: request(desk, "/oidc/callback", "Content-Length: 99999999999999999999", method="POST"),
    "chunked": lambda desk: request(desk, "/oidc/callback", "Transfer-Encoding: chunked", method="POST", body=b"5\r\nabcde\r\n"),
    "no http": lambda desk: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n",
    "http/0.9": lambda desk: f"GET {desk.target}\r\n\r\n".encode(),
    "zero byte": lambda desk: request(desk, desk.target + "\0"),
    "bare line feeds": lambda desk: request(desk, desk.target).replace(b"\r\n", b"\n").replace(b"localhost", b"evil.example"),
    "folded host": lambda desk: f"GET {desk.target} HTTP/1.1\r\nHost:\r\n evil.example\r\n\r\n".encode(),
    "bad escape": bad(target=lambda t: t + "&x=%zz"),
    "script": lambda desk: request(desk, f"/{SCRIPT}?{SCRIPT}"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_requests(waiting, name):
    """The answer is an error, or the connection is closed; then the user's browser arrives. (An unknown parameter with
    a bad escape may be accepted.)"""
    answer = send(waiting, WRONG[name](waiting))
    if name == "bad escape" and status(answer) < 400:
        assert waiting.tty.wait() == 0
        return
    assert status(answer) == 0 or 400 <= status(answer) < 600, answer
    assert SCRIPT.encode() not in answer and b"\nLocation:" not in answer
    assert not waiting.vault.front.asked("oidc/callback")
    finish(waiting)


def test_all_wrong_requests_in_one_login(waiting):
    for name in WRONG:
        if name != "bad escape":
            send(waiting, WRONG[name](waiting))
    finish(waiting)


@pytest.mark.parametrize("said", [b"", b"G", b"GET /oidc/call", b"GET / HTTP/1.1\r\nHost: loc"])
def test_slow_clients(waiting, said):
    """They hold connections open and send little; the user's browser does not wait for them."""
    slow = [socket.create_connection(("127.0.0.1", waiting.callback), 20) for _ in range(5)]
    for s in slow:
        s.sendall(said)
    finish(waiting)
    for s in slow:
        s.close()


def test_many_connections(waiting):
    """More connections than the listener keeps."""
    many = [socket.create_connection(("127.0.0.1", waiting.callback), 20) for _ in range(100)]
    finish(waiting)
    for s in many:
        s.close()


def test_connections_that_close_at_once(waiting):
    for _ in range(50):
        socket.create_connection(("127.0.0.1", waiting.callback), 20).close()
    finish(waiting)


def test_ipv6_only(waiting):
    """A browser that resolves localhost to ::1."""
    answer = send(waiting, request(waiting, waiting.target), "::1", seconds=60)
    assert status(answer) in (200, 303), answer
    if status(answer) == 303:
        place = answer.partition(b"\nLocation: ")[2].partition(b"\r")[0].decode()
        answer = send(waiting, request(waiting, place.removeprefix(f"http://localhost:{waiting.callback}")), "::1")
    assert status(answer) == 200 and waiting.tty.wait() == 0


def test_two_callbacks(waiting):
    """The code is used once. One browser is redirected to the page with the result, the other is told that its request
    is not for this login. Vault answers only once both requests are sent."""
    front, sent, answers = waiting.vault.front, [], []
    front.instead[f"/v1/auth/{waiting.mount}/oidc/callback"] = [lambda asked: until(lambda: len(sent) == 2) and front.forward(asked)]

    def call():
        answers.append(send(waiting, request(waiting, waiting.target), seconds=60, then=lambda: sent.append(True)))
    both = [threading.Thread(target=call) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    first, second = sorted(answers, key=status)
    assert status(first) == 303 and b"\nLocation: /done\r" in first
    assert status(second) == 400 and b"Not this login" in second and b"You are logged in" not in second
    assert waiting.tty.wait() == 0 and len(front.asked("oidc/callback")) == 1


def test_replayed_callback(waiting):
    """After the login the port is closed."""
    finish(waiting)
    with pytest.raises(OSError):
        send(waiting, request(waiting, waiting.target))


def test_listens_on_loopback_only(waiting):
    """On the two addresses of localhost, and no other."""
    places = set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}") as table:
            for row in list(table)[1:]:
                local, state_ = row.split()[1], row.split()[3]
                if state_ == "0A" and int(local.rpartition(":")[2], 16) == waiting.callback:
                    places.add(local.rpartition(":")[0])
    assert places == {"0100007F", "00000000000000000000000001000000"}
    finish(waiting)


def test_refusal_of_the_provider(waiting):
    """error= with the right state ends the login; its text is shown without what a terminal or a browser would
    interpret."""
    said = f"/oidc/callback?error=access_denied&error_description=no%1b%5b2J+{SCRIPT.replace('<', '%3C').replace('/', '%2F')}&state={query(waiting.back)['state']}"
    page = waiting.browser.go(f"http://localhost:{waiting.callback}{said}")
    assert waiting.tty.wait() == 77 and "access_denied" in shown(waiting.tty) and "\x1b[2J" not in shown(waiting.tty)
    assert SCRIPT not in page.body and not waiting.vault.front.asked("oidc/callback")


def test_headers_of_the_pages(waiting):
    """No script, no external resource, not cached, not framed; a redirect removes the code from the browser's
    history."""
    finish(waiting)
    pages = [p for p in waiting.browser.pages if p.url.startswith(f"http://localhost:{waiting.callback}/")]
    assert len(pages) == 2 and pages[0].status == 303 and "?" not in pages[1].url
    for page in pages:
        assert page.headers["cache-control"] == "no-store" and page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["connection"] == "close" and page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
    body = pages[1].body.lower()
    assert pages[1].headers["content-type"].startswith("text/html") and not any(
        word in body for word in ("<script", "http:", "https:", "src=", "<link", "<img", "onload", "@import", "url("))
