# SPDX-License-Identifier: MIT
"""`exec` at `required` and stricter, with and without a tunnel. The program connects to a port or socket of the keeper,
which handles TLS as the profile requires, whatever the program supports. The port serves only processes of the same
user, and refuses TLS of the program's own."""
import os
import re
import subprocess
import sys

import pytest

from lib import canary, stranger
from lib.keeping import Beside, gone
from lib.logins import SECRET_ENV, profile
from servers.load import Connection
from servers.pki import RIGHT_NAME, WRONG_NAME

QUERY = "select current_user(); show session status like 'Ssl_version'"
THERE = b"app_native@%\nSsl_version\tTLSv1.3\n"
LEVELS = ("required", "verify-ca", "verify-identity")
OFF = {"mysql": ["--ssl-mode=DISABLED"], "mariadb": ["--skip-ssl"]}
ON = {"mysql": ["--ssl-mode=REQUIRED"], "mariadb": ["--ssl", "--ssl-verify-server-cert"]}
PORT = ["--host={host}", "--port={port}", "--protocol=tcp"]
SOCKET = ["--socket={socket}"]


@pytest.fixture(params=["direct", "tunnel"])
def run(request, broker, names, client, mariadb_server, relay):
    """run(place, tls, level): runs the client by `broker exec p`, to the keeper's PORT or SOCKET. run.far is a relay
    between the keeper and the server, and records what is sent."""
    far = relay((mariadb_server.host, mariadb_server.port))

    def write(level="verify-identity", **keys):
        broker.env[SECRET_ENV] = broker.secret(mariadb_server.password("app_native")).decode()
        place = {"port": far.port} if request.param == "direct" else {"port": mariadb_server.port, "via": f"tcp://127.0.0.1:{far.port}"}
        broker.config(profile(**{"host": RIGHT_NAME, "user": "app_native", "auth": "env", "auth_env": SECRET_ENV, "tls": level,
                                 "tls_ca": mariadb_server.ca if level.startswith("verify") else None, **place, **keys}))

    def go(place, tls, level="verify-identity", **keys):
        write(level, **keys)
        return broker.run("exec", "p", "--", client.path, "--no-defaults", "--user=app_native", *place,
                          *(ON if tls else OFF)[client.family], *client.options_for(mariadb_server, "app_native"), "-NBe", QUERY)
    go.far, go.write = far, write
    return go


def hidden(broker, run):
    return not canary.found([*broker.secrets, b"app_native"], run.far.sent)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("place", [PORT, SOCKET], ids=["port", "socket"])
def test_keeper_makes_tls(run, broker, place, level):
    """Also if the client makes no TLS itself. A stock client that is given {socket} connects to it, whatever MYSQL_HOST
    says."""
    done = run(place, tls=False, level=level)
    assert done.out == THERE, done.errors
    assert run.far.connections == 1 and hidden(broker, run)


@pytest.mark.parametrize("wrong", ["name", "ca"])
def test_wrong_server(run, broker, mariadb_server, wrong):
    """The client verifies nothing, but the keeper verifies what the profile asks for."""
    keys = {"host": WRONG_NAME} if wrong == "name" else {"tls_ca": mariadb_server.wrong_ca}
    for place in (PORT, SOCKET):
        done = run(place, tls=False, **keys)
        assert done.code == 1 and not done.out and "2026 certificate " in done.errors, done.errors
    assert hidden(broker, run)


@pytest.mark.parametrize("place", [PORT, SOCKET], ids=["port", "socket"])
def test_client_that_requires_tls(run, broker, place):
    """TLS is not offered: a client that requires it fails with its own message and has sent nothing."""
    done = run(place, tls=True)
    assert done.code == 1 and not done.out and re.search("SSL is required|SSL connection error", done.errors), done.errors
    assert hidden(broker, run)


ASKS = f"""
import os, socket, struct
s = socket.create_connection((os.environ["MYSQL_HOST"], int(os.environ["MYSQL_TCP_PORT"])))
s.recv(4096)
s.sendall(bytes([32, 0, 0, 1]) + struct.pack("<IIB", 0x0fa28d, 1 << 24, 45) + bytes(23))
print(s.recv(4096)[13:].decode())
"""


def test_tls_requested_although_not_offered(broker, clients, names, mariadb_server):
    """A program that requests TLS anyway is told why it is refused, and what to do instead."""
    broker.config(profile(host=RIGHT_NAME, port=mariadb_server.port, user="app", auth="none", tls="required"))
    broker.script("asks", f"#!{sys.executable}\n" + ASKS.replace("0x0fa28d", "0x0faa8d"))
    done = broker.run("exec", "p", "--", "asks")
    assert done.text == ("broker: 2026 broker handles TLS to the server, and accepts no TLS itself\nhint: turn the program's own TLS "
                         "off, or use a broker forward without --terminate-tls\n"), done.errors


@pytest.mark.skipif(os.getuid() != 0, reason="missing: root, for another user")
def test_another_user(run, broker, client):
    """Another user is not served at the port, not even after closing the connection, when the socket looks like
    root's."""
    run.write()
    beside = Beside(broker)
    came = run.far.connections
    code = f"import socket; s = socket.create_connection(('127.0.0.1', {beside.port})); s.settimeout(20); print(s.recv(100))"
    done = subprocess.run([*stranger.WRAP, sys.executable, "-c", code], capture_output=True, timeout=30)
    assert done.stdout == b"b''\n" or b"ConnectionReset" in done.stderr, (done.stdout, done.stderr)
    code = f"import socket; socket.create_connection(('127.0.0.1', {beside.port})).close()"
    subprocess.run([*stranger.WRAP, sys.executable, "-c", code], check=True, timeout=30)
    ours = Connection(("127.0.0.1", int(beside.port)))
    ours.close(quit=False)
    assert run.far.connections - came <= 1  # ours; the keeper may have opened the first one in advance
    beside.end(15)
    assert gone(broker)


def test_below_required_the_keeper_makes_no_tls(run, broker):
    done = run(PORT, tls=False, level="preferred", login="client")
    assert done.out == b"app_native@%\nSsl_version\t\n", done.errors


@pytest.mark.parametrize("level", LEVELS)
def test_stock_client_with_our_option_file_makes_tls(broker, clients, names, mariadb_server, level):
    """Without a tunnel, the option file can give mysql all that the profile asks for, so there is no keeper."""
    broker.env[SECRET_ENV] = broker.secret(mariadb_server.password("app_native")).decode()
    broker.config(profile(host=RIGHT_NAME, port=mariadb_server.port, user="app_native", auth="env", auth_env=SECRET_ENV, tls=level,
                          tls_ca=mariadb_server.ca if level != "required" else None))
    one = clients["mysql9"]
    done = broker.run("exec", "p", "--dry-run", "--", one.path, "--defaults-file={defaults-file}")
    assert f"tls         {level}, by the client" in done.text
    done = broker.run("exec", "p", "--", one.path, "--defaults-file={defaults-file}", *one.options_for(mariadb_server, "app_native"), "-NBe",
                      QUERY)
    assert done.out == THERE, done.errors
