# SPDX-License-Identifier: MIT
"""Passwords of any bytes and lengths, through each provider and each client, to real servers: the server gets what was
set.

The accounts have exactly that password, so if a byte is lost, added or read as an escape, the login is refused.
MariaDB's clients corrupt long option lines: beyond 4,000 bytes the password is passed in MYSQL_PWD, and verification
must stay on."""
import itertools
import shlex

import pytest

from servers.pki import RIGHT_NAME

ENV = "PASSWORD_OF_SHOP"
QUERY = "select current_user()"
EVERY_BYTE = bytes(range(1, 256))
ODD = {
    "spaces": b"  \tfake canary\t  ",
    "comment": b"fake#canary ;canary #",
    "quotes": b"'fake\"canary`'\"",
    "quoted": b'"fake-canary"',
    "backslashes": b"\\n\\t\\s\\\\\\x\\\"fake\\",
    "control": b"\b\t\x1b\x7f\x01fake\rcanary\nx",
    "section": b"x\n[client]\nhost=127.0.0.9\n!include /nowhere\n#canary",
    "json": b'{"password": fake canary',
    "utf-8": "pässwörd-密码-🔑-canary".encode(),
    "latin-1": "pässwörd-canary".encode("latin1"),
    "empty": b"",
}
LINES = {"LF": b"\n", "CRLF": b"\r\n", "nothing": b"", "more lines": b"\nsecond line\n"}
SOURCES = ("keychain", "env", "command")
NUMBERS = itertools.count(1)
ACCOUNTS = {}
IN_FILE = 4000 - len('password=""') - 1  # the longest password that a MariaDB client gets in its option file


@pytest.fixture(params=["mariadb_server", "mysql_server"])
def server(request):
    return request.getfixturevalue(request.param)


def account(server, password):
    """The account with that password, created once per server."""
    key = (server.family, password)
    if key not in ACCOUNTS:
        ACCOUNTS[key] = f"word{next(NUMBERS)}"
        server.create_user(ACCOUNTS[key], password)
    return ACCOUNTS[key]


def give(broker, source, password, end=b""):
    """Gives the provider that password and returns its keys; the keychain is filled by `password set`, after the
    profile is written."""
    broker.secret(password)
    if source == "env":
        broker.env[ENV] = password.decode(errors="surrogateescape")
        return {"auth": "env", "auth_env": ENV}
    if source == "keychain":
        return {}
    path = broker.write("secret", password + end, secret=True)
    return {"file": {"auth": "file", "auth_file": path},
            "command": {"auth": "command", "auth_command": f"cat {shlex.quote(str(path))}"}}[source]


def profile(broker, client, server, user, keys, **more):
    keys = {"host": "127.0.0.1", "port": server.port, "user": user, "client": client.path, **keys, **more}
    broker.config("[profile p]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()))


def connect(broker, client, server, *args, **kwargs):
    return broker.run("connect", "p", *args, "--", *client.options_for(server, None), "-NBe", QUERY, **kwargs)


def arrives(broker, client, server, password, source="env", end=b"", **more):
    user = account(server, password)
    profile(broker, client, server, user, give(broker, source, password, end), **more)
    if source == "keychain":
        done = broker.run("password", "set", "p", input=password)
        assert (done.code, done.out) == (0, b""), done.errors
    done = connect(broker, client, server)
    assert (done.code, done.out) == (0, f"{user}@%\n".encode()), done.errors


@pytest.mark.parametrize("source", SOURCES)
def test_every_byte(request, broker, client, server, source):
    if source == "keychain":
        broker.env.update(request.getfixturevalue("keychain").env)
    arrives(broker, client, server, EVERY_BYTE.replace(b"\n", b"") if source == "command" else EVERY_BYTE, source)


@pytest.mark.parametrize("name", ODD)
def test_odd_passwords(broker, client, server, name):
    arrives(broker, client, server, ODD[name])


@pytest.mark.parametrize("source", ["command", "keychain"])
def test_odd_passwords_of_other_providers(request, broker, clients, mariadb_server, source):
    if source == "keychain":
        broker.env.update(request.getfixturevalue("keychain").env)
    for name, client in zip(ODD, itertools.cycle(clients.values())):
        if source == "keychain" or (ODD[name] and b"\n" not in ODD[name]):
            arrives(broker, client, mariadb_server, ODD[name], source)


@pytest.mark.parametrize("end", LINES)
@pytest.mark.parametrize("password", [b" fake canary\t\\ ", b"fake\rcanary", b""])
def test_first_line_of_a_file(broker, clients, mariadb_server, password, end):
    arrives(broker, clients["mariadb1011"], mariadb_server, password, "file", LINES[end])


@pytest.mark.parametrize("end, lost", [(b"\n", 1), (b"\r\n", 2), (b"\n\n", 1), (b"\r", 0), (b" \n", 1), (b"\n\r\n", 2)])
def test_one_line_end_is_removed(keychain, broker, clients, end, lost):
    """From the input of `password set`; of a program's output only the first line is used
    (test_command_provider.py)."""
    typed = b"fake-canary" + end
    broker.secret(b"fake-canary")
    broker.env.update(keychain.env)
    broker.config("[profile p]\nhost = h\nuser = u\n")
    assert broker.run("password", "set", "p", input=typed).code == 0
    done = broker.run("token", "p", secret_out=True)
    assert done.out == typed[:len(typed) - lost] + b"\n"


def letters(length):
    """A password without repetitions, so that each piece of it differs from all others."""
    return "".join(f"canary{i:06}" for i in range(length // 12 + 1))[:length].encode()


@pytest.mark.parametrize("length", [IN_FILE, IN_FILE + 1, 4000, 4100, 6000])
def test_long_passwords(broker, client, mariadb_server, length):
    arrives(broker, client, mariadb_server, letters(length))


@pytest.mark.parametrize("password", [b"\\\"" * (IN_FILE // 4), b"\\\"" * (IN_FILE // 4) + b"12"])
def test_length_of_the_escaped_line_counts(broker, client, mariadb_server, password):
    arrives(broker, client, mariadb_server, password)


def test_256_bytes_on_mysqld(broker, client, mysql_server):
    arrives(broker, client, mysql_server, letters(256))


def test_long_passwords_of_other_providers(broker, clients, mariadb_server, keychain):
    broker.env.update(keychain.env)
    for source, client in zip(("keychain", "command", "file"), clients.values()):
        arrives(broker, client, mariadb_server, letters(6000), source)


def test_mysql_accepts_any_length(broker, clients, mariadb_server):
    arrives(broker, clients["mysql9"], mariadb_server, letters(50000), "file")


@pytest.mark.parametrize("ca", ["right", "wrong"])
def test_server_is_verified_with_long_passwords(broker, client, mariadb_server, names, ca):
    """MYSQL_PWD by itself makes MariaDB's clients skip verification."""
    user, password = account(mariadb_server, letters(6000)), letters(6000)
    profile(broker, client, mariadb_server, user, give(broker, "env", password), host=RIGHT_NAME, tls="verify-identity",
            tls_ca=mariadb_server.ca if ca == "right" else mariadb_server.wrong_ca)
    done = connect(broker, client, mariadb_server)
    if ca == "right":
        assert done.out == f"{user}@%\n".encode(), done.errors
    else:
        assert (done.code, done.out) == (1, b"") and b"ERROR 2026" in done.err


@pytest.mark.parametrize("length, version, by_env", [
    (IN_FILE, "mariadb118", False), (IN_FILE + 1, "mariadb118", True), (6000, "mariadb1011", True), (6000, "mysql9", False)])
def test_how_long_passwords_are_passed(broker, length, version, by_env):
    stub, password = broker.stub("client", version=version), letters(length)
    broker.write(".my.cnf", "[mysql]\nprompt=x\n")
    broker.config(f"[profile p]\nhost = 127.0.0.1\nuser = u\nclient = {stub.path}\nauth = env\nauth_env = {ENV}\n")
    broker.env[ENV] = broker.secret(password).decode()
    done = broker.run("connect", "p", "-v")
    assert done.code == 0 and (b"using MYSQL_PWD" in done.err) == by_env
    assert (stub.environ.get("MYSQL_PWD") == password.decode()) == by_env and ENV not in stub.environ
    assert ("password=" in stub.seen["options"], "!include" in stub.seen["options"]) == (not by_env, not by_env)
    if version != "mysql9":
        assert "ssl-verify-server-cert\n" in stub.seen["options"]
    quiet = broker.run("connect", "p")
    assert quiet.err == b""


LIMIT = 65536
TOO_LONG = {
    "env": (f"the variable {ENV} has over 65536 bytes", 65, LIMIT + 1),
    "file": ("over 65536 bytes", 78, LIMIT + 1),
    "command": ("printed over 32768 bytes", 65, 32769),
    "options": ("the client's options are over 60000 bytes long", 65, 60000),
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_too_long(broker, clients, mariadb_server, case):
    why, code, length = TOO_LONG[case]
    source = "file" if case == "options" else case
    profile(broker, clients["mysql9"], mariadb_server, "u", give(broker, source, letters(length)))
    done = connect(broker, clients["mysql9"], mariadb_server)
    assert (done.code, done.out) == (code, b"") and done.errors.startswith("broker: ") and why in done.errors.splitlines()[0]


def test_too_long_for_the_keychain(broker, keychain):
    broker.env.update(keychain.env)
    broker.config("[profile p]\nhost = h\nuser = u\n")
    done = broker.run("password", "set", "p", input=broker.secret(letters(32769)))
    assert (done.code, done.out, done.err) == (65, b"", b"broker: stdin: over 32768 bytes\nhint: send only the password\n")
    assert broker.run("token", "p").code == 79


NUL = b"fake\0canary-behind"


@pytest.mark.parametrize("verb", ["connect", "exec"])
@pytest.mark.parametrize("source", ["file", "command", "keychain"])
def test_nul_is_refused(request, broker, source, verb):
    """Cut at the NUL, it would be another password."""
    stub = broker.stub("client")
    keys = give(broker, source, NUL)
    if source == "keychain":
        store = request.getfixturevalue("keychain")
        broker.env.update(store.env)
        broker.config("[profile p]\nhost = h\nuser = u\n")
        store.store("label", NUL, {"identity": "mysql://u@h:3306", "xdg:schema": "org.broker.Password"})
    broker.secret(b"canary-behind")
    broker.config("[profile p]\nhost = h\nuser = u\ntls = preferred\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()))
    rest = ["--client", stub.path] if verb == "connect" else ["--", stub.path]
    done = broker.run(verb, "p", *rest)
    assert (done.code, done.out, stub.seen) == (65, b"", None) and "NUL" in done.errors.splitlines()[0]
    assert done.errors.endswith("\nhint: set another password on the server\n")


def test_nul_is_not_stored(broker, keychain):
    broker.env.update(keychain.env)
    broker.config("[profile p]\nhost = h\nuser = u\n")
    done = broker.run("password", "set", "p", input=NUL)
    assert (done.code, done.out) == (65, b"")
    assert done.err == b"broker: stdin: contains a NUL byte, which clients do not support\nhint: send only the password\n"
    assert broker.run("token", "p").code == 79
