# SPDX-License-Identifier: MIT
"""Peers that fail silently: a dead network path during a query, a database that does not answer, a client that does not
read. The session ends, or only the connection, or neither, with both engines in similar time. A client that connects
during a pause between attempts gets an error that says so."""
import contextlib
import re
import socket
import threading
import time

import pytest

from lib.bastion import ENGINES, At, Home, tunnel, write
from lib.forwards import dial, until
from lib.keeping import stopped
from servers.fake_mysql import packet



@contextlib.contextmanager
def server(says, holds=False):
    """Sends SAYS to every client, and then closes the connection, or with HOLDS sends nothing more."""
    listener, held = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            try:
                held.append(listener.accept()[0])
                held[-1].sendall(says)
                if not holds:
                    held.pop().close()
            except OSError:
                return
    threading.Thread(target=serve, daemon=True).start()
    yield At(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    for s in (listener, *held):
        s.close()


@pytest.fixture
def patient():
    """A server that waits for the client's answer forever."""
    with server(b"hello", holds=True) as at:
        yield at


@pytest.fixture
def start_forward(broker, ssh_home, start_sshd, user_key, forwards):
    """start_forward(route, server): the forward `p` to SERVER, in the foreground. start_forward.sshd is the bastion, if
    there is one."""
    home = Home(broker, ssh_home)

    def start(route, server, *words, keepalive="60s", **keys):
        far = f"[tunnel far]\ntype = tcp\naddress = 127.0.0.1:{server.port}\n"
        if route in ENGINES:
            start.sshd = start_sshd()
            start.sshd.authorize(user_key)
            home.knows(start.sshd)
            far = tunnel(start.sshd, route, identity=user_key, keepalive=keepalive)
        write(broker, server, far, user="app_native", **({"via": "direct"} if route == "direct" else {}), **keys)
        return forwards.start("p", *words)
    return start


def test_path_that_dies_during_a_query(start_forward, mysql_server, forwards, engine):
    """The connection of a client that waits for an answer ends if nothing arrives for 1.5 times `keepalive`."""
    forward = start_forward(engine, mysql_server, keepalive="8s", connect_timeout="30s")
    with dial(forward.address) as held:
        assert held.recv(128)[4] == 10
        began = time.monotonic()
        with stopped(*start_forward.sshd.sessions()):
            held.settimeout(60)
            try:
                assert held.recv(128) == b""
            except ConnectionResetError:
                pass
        assert time.monotonic() - began > 6  # not sooner, for another reason
    assert until(lambda: forwards.one("p")["connections"] == 0)


def test_quiet_path_stays_up(start_forward, patient, forwards, engine):
    """A connection that waits for a long query: the SSH server answers the keepalive requests."""
    forward = start_forward(engine, patient, keepalive="4s", connect_timeout="30s")
    with dial(forward.address) as held:
        held.settimeout(20)
        assert held.recv(128) == b"hello"
        held.settimeout(15)
        with pytest.raises(TimeoutError):
            held.recv(1)
    assert forwards.one("p")["state"] == "up" and start_forward.sshd.read().count("User child is on pid") == 1


def test_error_during_a_pause_says_when_the_next_attempt_is(start_forward, mysql_server, engine):
    forward = start_forward(engine, mysql_server)
    start_forward.sshd.stop()

    def told():
        with dial(forward.address) as s:
            text = s.recv(1024).decode(errors="replace")
        return re.search(r"\nhint: a connection after [\d.]+(ms|s) starts it again$", text)
    assert until(told, 30)


def test_database_that_times_out(start_forward, forwards, engine):
    """Only the connection to that database fails; the SSH session stays open."""
    with contextlib.ExitStack() as held, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        for _ in range(3):  # fill the queue of the listener
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(s.getsockname())
        forward = start_forward(engine, At(s.getsockname()[1]), connect_timeout="1s")
        first = min(start_forward.sshd.sessions())  # sshd's monitor process; its child is replaced at login
        for _ in range(2):
            with dial(forward.address) as client:
                assert b"no answer within 1s" in client.recv(1024)
        time.sleep(1)
        assert first in start_forward.sshd.sessions() and forwards.one("p")["state"] == "up"


@pytest.fixture
def full():
    """A server that has too many connections: it says so and closes."""
    with server(packet(0, b"\xff\x10\x04Too many connections")) as at:
        yield at


@pytest.mark.parametrize("words", [(), ("--terminate-tls",)], ids=["bytes", "tls"])
@pytest.mark.parametrize("route", ["direct", "tcp", *ENGINES])
def test_client_that_does_not_read(start_forward, full, forwards, route, words):
    """Nor does it close: the keeper ends its connection, and the error message can still be read."""
    forward = start_forward(route, full, *words, tls="required" if words else "preferred")
    with dial(forward.address) as client:
        assert until(lambda: forwards.one("p")["connections"] == 1 or client.recv(1, socket.MSG_PEEK))
        assert until(lambda: forwards.one("p")["connections"] == 0)
        assert b"Too many connections" in client.recv(1024) and client.recv(1) == b""
