# SPDX-License-Identifier: MIT
"""A keeper that logs in to a hostile server, or through an attacker in the middle: these get no password, and nothing
before TLS, and the client gets an error that says why. The fakes record all that they get."""
import re
import struct
import subprocess
from dataclasses import dataclass

import pytest

from lib import canary, inject
from lib.inject import Wire
from lib.injected import Injected
from lib.keeping import gone
from lib.logins import profile
from servers.fake_mysql import SALT, greeting, packet
from servers.hostile_mysql import ATTACKS, HONEST, HostileServer, gave_away
from servers.load import Refused
from servers.pki import RIGHT_NAME
from servers.scripted_mysql import HEAR, HOLD, TLS, Raw, Say, ScriptedServer

PASSWORD = b"fake-inject-hostile-canary-0815-4711"
NATIVE, SHA2 = b"mysql_native_password", b"caching_sha2_password"
OK = b"\0\0\0\x02\0\0\0"
CLEAR = b"\xfemysql_clear_password\0"
WANTS_ALL, FAST_OK = b"\x01\x04", b"\x01\x03"


def hello(plugin=NATIVE, tls=True):
    return Say(greeting(plugin, tls))


def switch(name, salt=SALT + b"\0"):
    return Say(b"\xfe" + name + b"\0" + salt)


def error(number, text=b"says the fake"):
    return Say(b"\xff" + struct.pack("<H", number) + b"#HY000" + text)


IN = [hello(), TLS, HEAR]  # up to the server's reply to the first answer
SHA2_IN = [hello(SHA2), TLS, HEAR]
LOCKED = Say(b"\x01-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
             + b"A" * 64 + b"\n" + b"A" * 22 + b"==\n-----END PUBLIC KEY-----\n")
RSA = Say(b"\x01-----BEGIN PUBLIC KEY-----\nKEY\n-----END PUBLIC KEY-----\n")


@dataclass(frozen=True)
class Case:
    """steps: what the fake server does. message: a pattern of the error that the client gets. level: the TLS level.
    keys: more keys of the profile."""
    steps: list
    message: str
    level: str = "verify-identity"
    keys: tuple = ()


ANY_ERROR = "broker: "
CASES = {
    "unknown plug-in": Case([*IN, switch(b"dialog_evil"), HEAR], r"authentication method \(dialog_evil\)[\s\S]*login = client"),
    "plug-in with control characters": Case([*IN, switch(b"\x1b]0;x\x07\nhint: rm"), HEAR], r"authentication method \([^\x1b\x07\n]*\)"),
    "plug-in with a long name": Case([*IN, switch(b"p" * 5000), HEAR], r"authentication method \(p{1,80}\)"),
    "the plug-in before 4.1": Case([*IN, Say(b"\xfe"), HEAR], r"mysql_old_password"),
    "second factor": Case([*IN, Say(b"\x02mysql_clear_password\0"), HEAR], r"second factor"),
    "second factor after the scramble": Case([*SHA2_IN, Say(FAST_OK), Say(b"\x02authentication_webauthn_client\0"), HEAR], r"second factor"),
    "OK to a question": Case([hello(b"client_ed25519"), TLS, HEAR, Say(OK), HEAR], ANY_ERROR),
    "OK with a wrong sequence number": Case([*IN, Say(OK, 9), HEAR], ANY_ERROR),
    "OK to a request for a key": Case([hello(SHA2, tls=False), HEAR, Say(WANTS_ALL), HEAR, Say(OK), HEAR], ANY_ERROR, "disabled",
                                   (("server_public_key", "yes"),)),
    "switches without end": Case([hello(), TLS, *[HEAR, switch(NATIVE)] * 50], ANY_ERROR),
    "switches back and forth": Case([hello(), TLS, *[HEAR, switch(SHA2), HEAR, switch(NATIVE)] * 25], ANY_ERROR),
    "switch with a short salt": Case([*IN, switch(b"client_ed25519", b"short"), HEAR], ANY_ERROR),
    "switch without a salt": Case([*IN, switch(SHA2, b""), HEAR], ANY_ERROR),
    "switch with a long salt": Case([*IN, switch(SHA2, SALT * 3000), HEAR], ANY_ERROR),
    "data without end": Case([*IN, *[Say(b"\x01xx")] * 50], ANY_ERROR),
    "full authentication of a native password": Case([*IN, Say(WANTS_ALL), HEAR], ANY_ERROR),
    "fast success, again and again": Case([*SHA2_IN, *[Say(FAST_OK)] * 50], ANY_ERROR),
    "parsec with too many iterations": Case([*IN, switch(b"parsec", bytes(32)), HEAR, Say(b"\x01P\xff" + bytes(18)), HEAR], ANY_ERROR),
    "parsec without salt": Case([*IN, switch(b"parsec", bytes(32)), HEAR, Say(b"\x01P\0"), HEAR], ANY_ERROR),
    "request for a file": Case([*IN, Say(b"\xfb/etc/passwd"), HEAR], ANY_ERROR),
    "an endless packet": Case([*IN, Raw(b"\xff\xff\xff\x03" + bytes(1 << 20)), HOLD], ANY_ERROR),
    "greeting of 1 MB": Case([Raw(b"\0\0\x10\0\x0a8.0.0\0" + bytes(1 << 20)), HOLD], ANY_ERROR),
    "greeting of a long version": Case([Say(b"\x0a" + b"8" * 60000 + b"\0" + greeting(NATIVE, True)[13:]), HOLD], ANY_ERROR),
    "greeting of protocol 9": Case([Say(b"\x093.20.0\0\7\0\0\0ABCDEFGH\0"), HEAR], ANY_ERROR),
    "greeting that is cut short": Case([Say(greeting(NATIVE, True)[:30]), HEAR], ANY_ERROR),
    "greeting without a salt": Case([Say(greeting(NATIVE, True)[:44]), HEAR], ANY_ERROR),
    "no TLS": Case([hello(tls=False), HEAR], r"TLS"),
    "cleartext": Case([hello(), TLS, HEAR, Say(CLEAR), HEAR], r"cleartext[\s\S]*verify-identity", "verify-ca"),
    "cleartext, required": Case([hello(), TLS, HEAR, Say(CLEAR), HEAR], r"cleartext[\s\S]*verify-identity", "required"),
    "cleartext, preferred": Case([hello(), TLS, HEAR, Say(CLEAR), HEAR], r"cleartext[\s\S]*verify-identity", "preferred"),
    "cleartext, disabled": Case([hello(tls=False), HEAR, Say(CLEAR), HEAR], r"cleartext[\s\S]*verify-identity", "disabled"),
    "cleartext, allowed to clients": Case([hello(), TLS, HEAR, Say(CLEAR), HEAR], r"cleartext", "required", (("server_public_key", "yes"),)),
    "cleartext in the greeting": Case([hello(b"mysql_clear_password"), TLS, HEAR, Say(CLEAR), HEAR], r"cleartext", "verify-ca"),
    "cleartext in the greeting, disabled": Case([hello(b"mysql_clear_password", tls=False), HEAR, Say(CLEAR), HEAR], r"cleartext", "disabled"),
    "key of its own": Case([hello(SHA2, tls=False), HEAR, Say(WANTS_ALL), HEAR, RSA, HEAR], r"server_public_key", "disabled"),
    "key of its own, no TLS offered": Case([hello(SHA2, tls=False), HEAR, Say(WANTS_ALL), HEAR, RSA, HEAR], r"server_public_key", "preferred"),
    "key of its own, sha256": Case([hello(tls=False), HEAR, switch(b"sha256_password"), HEAR, RSA, HEAR], r"server_public_key", "disabled"),
    "invalid key": Case([hello(SHA2, tls=False), HEAR, Say(WANTS_ALL), HEAR, RSA, HEAR], ANY_ERROR, "disabled",
                             (("server_public_key", "yes"),)),
    "key without a request": Case([hello(SHA2, tls=False), HEAR, RSA, HEAR], ANY_ERROR, "disabled", (("server_public_key", "yes"),)),
}
CLOSES = {
    "at once": [],
    "after half a greeting": [Raw(packet(0, greeting(NATIVE, True))[:20])],
    "after the greeting": [hello()],
    "after the request for TLS": [hello(), HEAR],
    "after TLS": [hello(), TLS],
    "after the answer": IN,
    "after half a packet header": [*IN, Raw(b"\x07\0\0")],
    "after a switch": [*IN, switch(SHA2)],
    "after the answer to a switch": [*IN, switch(SHA2), HEAR],
    "after fast success": [*SHA2_IN, Say(FAST_OK)],
    "without TLS, after the greeting": [hello(tls=False)],
    "without TLS, after the answer": [hello(tls=False), HEAR],
    "without TLS, after the request for the key": [hello(SHA2, tls=False), HEAR, Say(WANTS_ALL), HEAR],
}


@pytest.fixture
def play(broker, names, forwards, pki):
    """play(steps, level, ...) starts a fake server, and a forward whose keeper logs in to it. Returns (fake, end)."""
    made = []

    def make(steps, level="verify-identity", **keys):
        fake = ScriptedServer(list(steps), pki.server)
        made.append(fake)
        kept = broker.write("password", broker.secret(PASSWORD) + b"\n", secret=True)
        broker.config(profile(**{"host": RIGHT_NAME, "port": fake.port, "user": "app", "login": "keeper", "auth": "command",
                                 "auth_command": f"cat {kept}", "tls": level, "tls_ca": pki.ca if level.startswith("verify") else None,
                                 "connect_timeout": "20s", **keys}))
        return fake, inject.forward(broker, "--listen", broker.runtime / "end")
    yield make
    for fake in made:
        fake.stop()


def attempt(end):
    """The error message that a client gets, or "" if it was accepted."""
    one = Wire(end.place, timeout=60)
    try:
        one.login()
    except Refused as refused:
        return str(refused)
    finally:
        one.socket.close()
    return ""


def nothing_given(fake):
    """Whether the fake got neither the password nor a piece of it, in any form."""
    return not canary.found([PASSWORD], fake.received) and PASSWORD[:12] not in fake.received


@pytest.mark.parametrize("name", CASES)
def test_server(play, name):
    case = CASES[name]
    fake, end = play(case.steps, case.level, **dict(case.keys))
    said = attempt(end)
    assert re.search(case.message, said), said
    assert "broker: " in said and "\x1b" not in said
    assert nothing_given(fake), fake.received
    if case.level.startswith("verify") and TLS not in case.steps:
        assert b"app\0" not in fake.received


@pytest.mark.parametrize("name", CLOSES)
def test_server_that_closes(play, name):
    """At whatever point it closes, the client gets an error, and the keeper still works."""
    steps = CLOSES[name]
    fake, end = play(steps, "preferred" if "without TLS" in name else "verify-identity")
    for _ in range(2):
        said = attempt(end)
        assert "broker: " in said, said
    assert nothing_given(fake)


def test_session_tickets_without_end(play):
    """The server sends nothing else, and the connection ends."""
    fake, end = play([*IN, HOLD])
    fake.context.num_tickets = 10_000_000
    assert "the server closed the connection" in attempt(end)
    assert nothing_given(fake)


def test_encrypted_key(broker, play, forwards):
    """The keeper asks nobody for a passphrase: neither broker, which still listens to it, nor a terminal."""
    play([hello(SHA2, tls=False), HEAR, Say(WANTS_ALL), HEAR, LOCKED, HEAR], "disabled", server_public_key="yes")
    assert broker.run("stop", "p").code == 0
    forward = Injected(forwards)
    with pytest.raises(Refused, match="public key cannot be used"):
        forward.ask()
    forward.end()


def test_correct_fake_is_accepted(play):
    """A fake that does everything right is accepted. So the others are refused for what they do."""
    _, end = play([*IN, Say(OK), HOLD])
    assert attempt(end) == ""


@pytest.mark.parametrize("steps, level", [([*SHA2_IN, Say(WANTS_ALL), HEAR, Say(OK), HOLD], "required"),
                                          ([hello(), TLS, HEAR, Say(CLEAR), HEAR, Say(OK), HOLD], "verify-identity")],
                         ids=["caching_sha2 over TLS", "cleartext at verify-identity"])
def test_password_is_sent_where_it_is_allowed(play, steps, level):
    """Shows that the other tests would find the password if it was sent."""
    fake, end = play(steps, level)
    assert attempt(end) == ""
    assert not nothing_given(fake) and fake.answers[-1] == PASSWORD + b"\0"


@pytest.mark.parametrize("number", [1820, 1862, 1044, 1049, 1040, 1045, 1226])
def test_server_errors_are_passed_on(play, number):
    """With the server's own message, through TLS."""
    fake, end = play([*IN, error(number, b"words of the fake")])
    said = attempt(end)
    assert said.startswith(f"{number} ") and "words of the fake" in said, said
    assert nothing_given(fake)


def test_1045_is_retried_once(play):
    """The next retry is a minute later."""
    fake, end = play([*IN, error(1045, b"Access denied")])
    for _ in range(4):
        assert "1045" in attempt(end)
    assert fake.connections <= 5, fake.connections


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != HONEST])
def test_before_tls(broker, names, forwards, pki, name):
    """An attacker in the middle, who sends any data before TLS is set up."""
    hostile = HostileServer(pki.server)
    try:
        kept = broker.write("password", broker.secret(PASSWORD) + b"\n", secret=True)
        broker.config(profile(host=RIGHT_NAME, port=hostile.port, user="app", login="keeper", auth="command", auth_command=f"cat {kept}",
                              tls="verify-identity", tls_ca=pki.ca, connect_timeout="20s"))
        end = inject.forward(broker, "--listen", broker.runtime / "end")
        for _ in range(list(ATTACKS).index(name)):  # the attacks come in their order: skips the earlier ones
            hostile.seen.append(type("Past", (), {"over": True, "attack": ""})())
        said = attempt(end)
        assert said, "it was accepted"
        seen = [one for one in hostile.take() if one.attack]
        assert [one.attack for one in seen] == [name]
        assert gave_away(seen[0]) == b"" and PASSWORD not in seen[0].clear + seen[0].through_tls, seen
    finally:
        hostile.stop()


def test_stock_client_gets_the_error(broker, clients, play):
    """`connect` shows the error."""
    fake, _ = play([*IN, switch(b"dialog_evil"), HEAR])
    for client in clients.values():
        done = broker.run("connect", "p", "--client", client.path, "--", "-NBe", "select 1")
        assert done.code == 1 and "authentication method (dialog_evil)" in done.errors and "hint: login = client" in done.errors, done.errors
    assert nothing_given(fake)
    assert broker.run("stop", "p").code == 0 and gone(broker)
