# SPDX-License-Identifier: MIT
"""Errors and malformed answers of Vault, from a fake (servers/vault_fake.py), because a real Vault does not give them
on request: broker prints a clear line and one hint, has the right exit status, takes a bounded time, and loses nothing
that it keeps. After each case the next run succeeds. The cases are documented here: the status codes in Vault's API
documentation; 429 of quotas in "Resource quotas"; 472, 473 and 307 in "High availability" and "sys/health"; 412 in
"Vault Enterprise eventual consistency"."""
import json
import re
import threading

import pytest

from lib.keyring import Keyring  # noqa: F401
from lib.vault import Desk, refused, shown
from servers.vault_fake import TOKEN, VaultFake
from servers.vault_front import errors

PATH = "/v1/database/creds/readonly"


class Place:
    """Like an Area (servers/vault.py), for a fake."""
    path = "database/creds/readonly"

    def __init__(self, fake, database):
        self.front, self.database = fake, database


class Nowhere:
    host, port = "127.0.0.1", 3306


@pytest.fixture
def fake(broker):
    made = []

    def make(**told):
        made.append(VaultFake(broker.secret, **told))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture
def given(broker, keyring, fake):
    """A session with the fake's token in VAULT_TOKEN; given.fake is the fake."""
    server = fake()
    desk = Desk(broker, keyring, Place(server, Nowhere))
    broker.env["VAULT_TOKEN"] = broker.secret(TOKEN.encode()).decode()
    desk.fake = server
    return desk


def reads(desk):
    return [seen for seen in desk.fake.seen if seen.path == PATH]


def test_good_answer(given):
    assert given.lease() == given.lease() and len(reads(given)) == 1


# Temporary errors

@pytest.mark.parametrize("status, headers", [(429, {"Retry-After": "1"}), (429, {}), (412, {}), (503, {})])
def test_temporary_error_is_retried(given, status, headers):
    """The request is repeated, without a message. 412: a performance standby that has not seen the token yet."""
    given.fake.instead[PATH] = [(status, headers, errors("not now"))]
    assert given.lease().user and len(reads(given)) == 2


def test_retry_after_is_waited_for(given):
    times = []

    def busy(request):
        import time
        times.append(time.monotonic())
        return (429, {"Retry-After": "2"}, errors("request path \"x\": rate limit quota exceeded")) if len(times) == 1 else given.fake.forward(request)
    given.fake.instead[PATH] = [busy, busy]
    given.lease()
    assert times[1] - times[0] >= 1.9


def test_retry_after_that_is_too_long(given):
    """The request is not repeated before the time that Vault asks for."""
    given.fake.instead[PATH] = [(429, {"Retry-After": "3600"}, errors("rate limit quota exceeded"))] * 4
    refused(given.ask(), 75, "rate limit quota exceeded", "Vault asks for a pause of 1h")
    assert len(reads(given)) == 1


def test_warnings_are_one_line(given):
    """Text of Vault cannot look like a message of broker."""
    body = {"data": {"username": "x", "password": "fake-x"}, "lease_id": "a", "lease_duration": 60, "warnings": ["one\nbroker: fake", "two"]}
    given.fake.instead[PATH] = [(200, {}, json.dumps(body).encode())]
    done = given.ask("-v")
    assert re.search(r"^\S+ +vault +one; broker: fake; two$", done.errors, re.M), done.errors


# Persistent errors

ALWAYS = {
    "rate limit": (429, {"Retry-After": "0"}, errors('request path "database/creds/readonly": rate limit quota exceeded'), 75, "rate limit quota exceeded"),
    "rate limit for an hour": (429, {"Retry-After": "3600"}, errors("rate limit quota exceeded"), 75, "rate limit"),
    "lease count": (429, {}, errors("request path \"x\": lease count quota exceeded"), 75, "lease count quota exceeded"),
    "sealed": (503, {}, errors("Vault is sealed"), 75, "Vault is sealed"),
    "internal error": (500, {}, errors("1 error occurred:\n\t* internal error\n\n"), 75, "internal error"),
    "bad gateway": (502, {"Content-Type": "text/html"}, b"<html><body>Bad Gateway</body></html>", 75, "502"),
    "replica": (412, {}, errors("required index state not present"), 75, "412|index state"),
    "standby": (473, {}, b"", (75, 77), "473"),
    "not found": (404, {}, errors(), 77, "404|vault_path"),
    "wrong method": (405, {}, errors("1 error occurred:\n\t* unsupported operation\n\n"), 77, "unsupported operation"),
    "bad request": (400, {}, errors("unknown role: readonly"), 77, "unknown role"),
    "gone": (410, {}, b"", 77, "410"),
    "200 of a portal": (200, {"Content-Type": "text/html"}, b"<html>log in to this network</html>", 76, None),
    "200 of nothing": (200, {}, b"", 76, None),
    "no user": (200, {}, b'{"data":{"password":"fake-x"},"lease_duration":60}', 76, "user"),
    "no password": (200, {}, b'{"data":{"username":"x"},"lease_duration":60}', 76, "password"),
    "empty user": (200, {}, b'{"data":{"username":"","password":"fake-x"}}', 76, None),
    "user of another type": (200, {}, b'{"data":{"username":["x"],"password":{"a":1}}}', 76, None),
    "user with a line": (200, {}, b'{"data":{"username":"x\\nhost=evil","password":"fake-x"},"lease_id":"a","lease_duration":60}', 76, None),
    "not json": (200, {}, b'{"data":', 76, None),
    "deep json": (200, {}, b"[" * 100000, 76, None),
    "204": (204, {}, b"", 76, None),
}


@pytest.mark.parametrize("name", ALWAYS)
def test_persistent_error(given, name):
    """The error has Vault's message. When Vault works again, so does broker."""
    status, headers, body, code, words = ALWAYS[name]
    given.fake.instead[PATH] = [(status, headers, body)] * 20
    done = given.ask("--timeout", "20")
    refused(done, done.code, *([words] if words else []))
    assert done.code in (code if isinstance(code, tuple) else (code,)), (done.code, done.errors)
    given.fake.instead.clear()
    assert given.lease().user


def test_server_errors_start_no_login(given):
    """429 and 5xx never start a login."""
    for status in (429, 500, 502, 503):
        given.fake.instead[PATH] = [(status, {}, errors("trouble"))] * 20
        tty = given.pty("exec", "w", "--timeout", "15", "--", "true")
        assert tty.wait() == 75, shown(tty)
    assert not given.fake.asked("login") and not given.fake.asked("auth_url") and not (given.broker.home / "seen").exists()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect(given, fake, status):
    """As from a standby: the error names the host, and the token is not sent there."""
    other = fake()
    given.fake.instead[PATH] = [(status, {"Location": f"{other.url}{PATH}"}, b"")]
    refused(given.ask(), 76, other.url, f"hint: .*vault_addr = {other.url}")
    assert not other.seen


def test_redirect_to_an_invalid_host(given):
    given.fake.instead[PATH] = [(307, {"Location": "https://evil.example\x1b[2J/x;rm"}, b"")]
    done = given.ask()
    refused(done, 76)
    assert "\x1b" not in done.errors


def test_truncated_answer(given):
    def half(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"data\":{\"username\":\"x\"")
        request.close_connection = True
    given.fake.instead[PATH] = [half] * 20
    refused(given.ask(), None)
    given.fake.instead.clear()
    assert given.lease().user


def test_huge_answer(given):
    """broker does not read all of it."""
    sent = []

    def flood(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n{\"data\":{\"x\":\"")
        try:
            for _ in range(100):
                request.wfile.write(b"a" * 1000000)
                sent.append(1)
        except OSError:
            pass
        request.close_connection = True
    given.fake.instead[PATH] = [flood]
    done = given.ask()
    refused(done, done.code)
    assert done.code in (65, 69, 74, 76) and len(sent) < 50


@pytest.mark.parametrize("step", ["nothing", "headers", "drops"])
def test_never_answers(given, step):
    """--timeout ends the wait."""
    gate = threading.Event()

    def silent(request):
        try:
            if step != "nothing":
                request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while step == "drops" and not gate.wait(0.2):
                request.wfile.write(b" ")
        except OSError:
            pass
        gate.wait(60)
    given.fake.instead[PATH] = [silent] * 20
    done = given.ask("--timeout", "2", timeout=30)
    gate.set()
    refused(done, 69)
    given.fake.instead.clear()
    assert given.lease().user


def log_in(broker, desk, code=0):
    """Runs `login` with a password on a terminal, which it returns; the exit status must be CODE."""
    desk.configure(vault_auth="userpass", vault_user="alice")
    tty = desk.pty("login", "w")
    tty.expect(r"password[^\r\n]*: ")
    tty.sendline(broker.secret(b"fake-mfa-canary-0c"))
    assert tty.wait() == code, shown(tty)
    return tty


def test_second_factor(broker, keyring, fake):
    """mfa_requirement in an answer is recognised, and the error names it."""
    server = fake()
    mfa = {"mfa_request_id": "fake-request", "mfa_constraints": {"team": {"any": [{"type": "totp", "id": "x", "uses_passcode": True}]}}}
    body = json.dumps({"auth": {"client_token": "", "mfa_requirement": mfa, "policies": None, "lease_duration": 0}, "data": None}).encode()
    server.instead["/v1/auth/userpass/login/alice"] = [(200, {}, body)]
    desk = Desk(broker, keyring, Place(server, Nowhere))
    tty = log_in(broker, desk, 77)
    refused(shown(tty), 77, "MFA|mfa|second factor")


def test_login_to_the_fake(broker, keyring, fake):
    server = fake()
    desk = Desk(broker, keyring, Place(server, Nowhere))
    log_in(broker, desk)
    assert desk.lease().user


@pytest.mark.parametrize("life", [{}, {"lease_duration": 0}, {"lease_duration": -1}, {"lease_duration": "x"}])
def test_renewal_without_a_life(broker, keyring, fake, life):
    """The token's end stays as it was; it does not become one without an end."""
    server = fake()
    desk = Desk(broker, keyring, Place(server, Nowhere))
    log_in(broker, desk)
    end = desk.sessions()["vault_token"]["expires_at"]
    server.instead["/v1/auth/token/renew-self"] = [(200, {}, json.dumps({"auth": {"client_token": TOKEN, "renewable": True, **life}}).encode())]
    desk.lease(ahead=2400)
    assert server.asked("renew-self") and desk.sessions()["vault_token"]["expires_at"] == end


@pytest.mark.parametrize("token", ["", "hvs.fake\nX-Evil: 1", "hvs.f\u00e4ke", None])
def test_invalid_token(broker, keyring, fake, token):
    """Invalid tokens from a hostile Vault."""
    server = fake()
    server.instead["/v1/auth/userpass/login/alice"] = [
        (200, {}, json.dumps({"auth": {"client_token": token, "lease_duration": 60, "renewable": False}}).encode())]
    desk = Desk(broker, keyring, Place(server, Nowhere))
    desk.configure(vault_auth="userpass", vault_user="alice")
    tty = desk.pty("login", "w")
    tty.expect(r"password[^\r\n]*: ")
    tty.sendline(broker.secret(b"fake-mfa-canary-0c"))
    assert tty.wait() in (76, 77), shown(tty)
    refused(shown(tty), None)
