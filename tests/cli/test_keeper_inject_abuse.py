# SPDX-License-Identifier: MIT
"""What clients can do to a keeper that logs in: at whatever moment they disconnect, it must not crash, leak, or keep
its connection to the server."""
import os
import random
import socket
import struct

import pytest

from lib import inject
from lib.forwards import dial, until
from lib.inject import NATIVE, SCRAMBLES, Wire, wire
from lib.keeping import keeper
from lib.logins import profile
from servers.fake_mysql import greeting
from servers.load import Refused
from servers.pki import RIGHT_NAME
from servers.relay import reset
from servers.scripted_mysql import HEAR, TLS, Say, ScriptedServer
from test_keeper_abuse import files, rests

ROUNDS = 40


@pytest.fixture
def end(broker, names, forwards, mariadb_server):
    """end(port, ...) starts a forward that logs in, at a port or at a Unix socket. It takes more keys of the
    profile."""
    def make(port, **keys):
        inject.write(broker, mariadb_server, "app_native", **keys)
        return inject.forward(broker, "--listen", "0" if port else broker.runtime / "end")
    return make


def answer(one, end, plugin=NATIVE):
    said = SCRAMBLES[plugin](end.password or b"any", one.salt)
    return struct.pack("<IIB23x", inject.FLAGS, 1 << 24, 45) + b"x\0" + bytes([len(said)]) + said + plugin.encode() + b"\0"


def greeted(end):
    one = Wire(end.place)
    one.greet()
    return one


def half_answer(end):
    one = greeted(end)
    body = answer(one, end)
    one.socket.sendall(len(body).to_bytes(3, "little") + b"\1" + body[:20])
    return one


def answered(end):
    one = greeted(end)
    one.write(answer(one, end), 1)
    return one


def ahead(end):
    one = answered(end)
    one.write(b"\x03select 1", 0)
    return one


def busy(end):
    one = wire(end)
    one.write(b"\x03select repeat('x', 9000000)", 0)
    return one


def plain(end):
    return Wire(end.place)


STATES = [plain, greeted, half_answer, answered, ahead, wire, busy]
ENDS = [lambda s: s.close(), reset, lambda s: s.shutdown(socket.SHUT_WR), lambda s: s.shutdown(socket.SHUT_RD)]


def open_now(server):
    return int(server.admin("select count(*) from information_schema.processlist where id <> connection_id() and command <> 'Daemon'"))


@pytest.mark.parametrize("port", [False, True], ids=["unix", "port"])
def test_clients_that_disconnect_at_any_moment(end, broker, mariadb_server, port):
    """Many at once, in a random order that is the same each time. Then nothing of them is left, in the keeper or at the
    server."""
    rng = random.Random(port)
    made, held = end(port), []
    pid = keeper()[1]
    assert wire(made).query("select 1") == [b"1"]
    assert until(lambda: open_now(mariadb_server) == 0) and rests(pid)
    before = files(pid)
    for _ in range(ROUNDS):
        for state in rng.sample(STATES, len(STATES)):
            held.append(state(made))
        for one in rng.sample(held, len(held) // 2):
            held.remove(one)
            rng.choice(ENDS)(one.socket)
            one.socket.close()
    for one in held:
        one.socket.close()
    assert until(lambda: files(pid) <= before and open_now(mariadb_server) == 0, 60), (files(pid), before)
    assert wire(made).query("select current_user()") == [b"app_native@%"] and keeper()[1] == pid


@pytest.mark.parametrize("port", [False, True], ids=["unix", "port"])
def test_one_byte_at_a_time(end, port):
    made = end(port)
    one = greeted(made)
    body = answer(one, made)
    for byte in len(body).to_bytes(3, "little") + b"\1" + body:
        one.socket.sendall(bytes([byte]))
    assert one.admitted(made.password)[:1] == b"\0"
    command = b"select current_user()"
    for byte in (len(command) + 1).to_bytes(3, "little") + b"\0\x03" + command:
        one.socket.sendall(bytes([byte]))
    assert b"app_native@%" in b"".join(one.read() for _ in range(4))
    one.close(quit=False)


@pytest.mark.parametrize("size", [(1 << 20) + 1, (1 << 24) - 1])
def test_long_answer(end, size):
    """The keeper limits the length of an answer, and still works afterwards."""
    made = end(True)
    one = greeted(made)
    with pytest.raises((Refused, OSError)):
        one.socket.sendall(size.to_bytes(3, "little") + b"\1" + answer(one, made))
        left = size
        while left > 0:
            left -= one.socket.send(bytes(min(left, 1 << 16)))
        one.read()
    one.socket.close()
    assert wire(made).query("select 1") == [b"1"]


def test_clients_that_disconnect_while_a_credential_is_fetched(broker, names, forwards, mariadb_server):
    """The clients that stay are served."""
    (broker.home / "go").touch()
    kept = broker.write("password", broker.secret(mariadb_server.password("app_native")), secret=True)
    broker.script("slow", f'while [ ! -e "$HOME/go" ]; do sleep 0.02; done; printf \'{{"password": "%s", "expires_at": %s}}\' '
                          f'"$(cat {kept})" "$(($(date +%s) + 20))"')  # expires soon, so each is fetched
    inject.write(broker, mariadb_server, "app_native", auth_command=f"{broker.home}/bin/slow", connect_timeout="60s")
    end = inject.forward(broker, "--listen", broker.runtime / "end")
    os.unlink(broker.home / "go")
    pid = keeper()[1]
    before = files(pid)
    waiting = [dial(end.address) for _ in range(30)]
    assert until(lambda: files(pid) >= before + 30)
    for n, s in enumerate(waiting):
        if n % 3:
            ENDS[n % 2](s)
            s.close()
    (broker.home / "go").touch()
    for s in waiting[::3]:
        assert s.recv(5)
        s.close()
    assert until(lambda: files(pid) <= before)
    assert wire(end).query("select current_user()") == [b"app_native@%"]


def test_client_that_sends_too_much_while_a_credential_is_fetched(broker, names, forwards, pki):
    """The server has refused the first credential. The client gets an error, and the stream that is opened for the
    second credential is closed again, although the client stays."""
    fake = ScriptedServer([Say(greeting(NATIVE.encode(), True)), TLS, HEAR, Say(b"\xff\x15\x04#28000denied")], pki.server)
    kept = broker.write("password", broker.secret(b"fake-abuse-canary-2718-2818"), secret=True)
    broker.script("late", f'cat {kept}; if [ -e "$HOME/first" ]; then touch "$HOME/second"; until [ -e "$HOME/go" ]; do sleep 0.02; done; fi; '
                          'touch "$HOME/first"')
    broker.config(profile(host=RIGHT_NAME, port=fake.port, user="app", login="keeper", auth="command",
                          auth_command=f"{broker.home}/bin/late", tls="verify-identity", tls_ca=pki.ca, connect_timeout="60s"))
    end = inject.forward(broker, "--listen", broker.runtime / "end")
    one = answered(end)
    assert until((broker.home / "second").exists)
    one.socket.sendall(bytes(2 << 20))
    with pytest.raises(Refused, match="broker: 2020 "):
        one.read()
    (broker.home / "go").touch()
    assert until(lambda: fake.finished == 2) and rests(keeper()[1])
    one.socket.close()
    fake.stop()
