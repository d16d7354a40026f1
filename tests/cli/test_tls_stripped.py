# SPDX-License-Identifier: MIT
"""A network attacker who answers in place of the server before TLS: at `required` and stricter the attacker gets the
request for TLS and nothing else, whatever it sends, with every client, route and verb, including `forward`.

The client of a run is a script that starts the real client once for each attack of servers/hostile_mysql.py, all
through the same keeper. The account's password is sent in cleartext to whoever asks for it inside verified TLS, like a
token: only TLS protects it."""
import sys

import pytest

from lib import canary
from lib.bastion import Home, tunnel
from lib.clients import NAMES
from lib.logins import SECRET_ENV, profile
from servers.hostile_mysql import ATTACKS, HONEST, HostileServer, gave_away
from servers.pki import RIGHT_NAME

LEVELS = ("required", "verify-ca", "verify-identity")
ROUTES = ("direct", "tcp", "ssh")
USER = "app_user"
PLAIN = {"mysql": ["--ssl-mode=DISABLED", "--enable-cleartext-plugin"], "mariadb": ["--skip-ssl"]}
LOOP = f'''#!{sys.executable} -IS
"""The real client, once for each attack, with the same option file each time."""
import os, subprocess, sys
real, rounds = {{real!r}}, {len(ATTACKS)}
argv = sys.argv[1:]
if argv[:1] == ["--version"]:
    os.execv(real, [real, *argv])
text = b""
if argv and argv[0].startswith("--defaults-file="):
    with open(argv[0].partition("=")[2], "rb") as f:
        text = f.read()
for _ in range(rounds):
    given, fds = argv, []
    if text:
        out, into = os.pipe()
        os.write(into, text)
        os.close(into)
        fds, given = [out], ["--defaults-file=/dev/fd/%d" % out, *argv[1:]]
    status = subprocess.run([real, *given], stdin=subprocess.DEVNULL, pass_fds=fds).returncode
    for fd in fds:
        os.close(fd)
sys.exit(status)
'''


@pytest.fixture(scope="module")
def one_hostile(pki):
    """Its certificate is valid even for the verifying levels, as if the attacker passed TLS on to the real server."""
    server = HostileServer(pki.server)
    yield server
    server.stop()


@pytest.fixture
def hostile(one_hostile):
    one_hostile.take()
    return one_hostile


@pytest.fixture(params=ROUTES)
def write(request, broker, names, pki, hostile):
    """write(level) writes the profile `p` for the hostile server."""
    far = ""
    if request.param == "ssh":
        sshd, home = request.getfixturevalue("sshd"), Home(broker, request.getfixturevalue("ssh_home"))
        home.knows(sshd)
        home.has_key(request.getfixturevalue("user_key"))
        far = tunnel(sshd, "libssh2")

    def write(level):
        broker.env[SECRET_ENV] = broker.secret(b"correct horse battery staple").decode()
        via = {"direct": None, "tcp": f"tcp://127.0.0.1:{hostile.port}", "ssh": "far"}[request.param]
        broker.config(profile(host=RIGHT_NAME, port=hostile.port, user=USER, auth="env", auth_env=SECRET_ENV, cleartext="yes", tls=level,
                              tls_ca=pki.ca if level != "required" else None, via=via) + far)
    write.route = request.param
    return write


def loop(broker, client, name=None):
    """The script LOOP for that client."""
    return broker.script(name or client.path.name, LOOP.format(real=str(client.path)))


def assert_nothing_leaked(hostile, broker, rounds=1, keeper=True):
    """Asserts that every attack was tried and got nothing, and that the honest server got the client's answer, inside
    TLS. A stock client that handles TLS itself (KEEPER is false) continues after half a packet."""
    seen = hostile.take()
    assert sorted(one.attack for one in seen) == sorted(list(ATTACKS) * rounds)
    for one in seen:
        assert gave_away(one) == b"", one
        assert not canary.found([*broker.secrets, USER.encode()], one.clear), one
        if one.attack == HONEST:
            assert USER.encode() + b"\0" in one.through_tls, one
        elif keeper and "half" in one.attack:
            assert one.through_tls == b"", one


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("verb", ["connect", "test"])
def test_stock_client(broker, client, write, hostile, verb, level):
    write(level)
    done = broker.run(verb, "p", "--client", loop(broker, client), *(["--", "-e", "select 1"] if verb == "connect" else []))
    assert done.code != 0 and not done.out if verb == "connect" else b"failed" in done.out, done.errors
    assert_nothing_leaked(hostile, broker, keeper=write.route != "direct" or client.family == "mariadb" and level != "verify-identity")


@pytest.mark.parametrize("level", LEVELS)
def test_exec(broker, clients, write, hostile, level):
    write(level)
    lines = [f'{loop(broker, one, name)} --no-defaults --socket="$MYSQL_UNIX_PORT" --host=localhost --user={USER} '
             f'{" ".join(PLAIN[one.family])} -e "select 1"' for name, one in clients.items()]
    broker.script("each", "export MYSQL_PWD\n" + "\n".join(lines))
    done = broker.run("exec", "p", "--", "each")
    assert done.code != 0 and done.errors.count("1045") == len(NAMES), done.errors
    assert_nothing_leaked(hostile, broker, len(NAMES))


@pytest.mark.parametrize("level", LEVELS)
def test_forward(broker, clients, write, hostile, forwards, level):
    write(level)
    host, _, port = forwards.detach("p", "--terminate-tls").rpartition(":")
    for _ in ATTACKS:
        for one in clients.values():
            done = one.raw(FakeAccount, USER, "select 1", *PLAIN[one.family], host=host, port=port,
                           password=broker.secrets[0])
            assert done.returncode != 0
    assert_nothing_leaked(hostile, broker, len(NAMES))


class FakeAccount:
    port = 0
