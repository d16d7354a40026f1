# SPDX-License-Identifier: MIT
"""What is dead and does not say so: a path under a query, a database that does not answer, a client that does not read. The
session, the connection or nothing ends of it, with both engines in similar time; and who comes during a pause is told of it."""
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
    """Says that to everybody, and hangs up, or says no more."""
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
    """A server with a very long log-in timeout."""
    with server(b"hello", holds=True) as at:
        yield at


@pytest.fixture
def place(broker, ssh_home, start_sshd, user_key, forwards):
    """place(engine, server): a forward `p` there, in the foreground; place.sshd."""
    home = Home(broker, ssh_home)

    def start(way, server, *words, keepalive="60s", **keys):
        far = f"[tunnel far]\ntype = tcp\naddress = 127.0.0.1:{server.port}\n"
        if way in ENGINES:
            start.sshd = start_sshd()
            start.sshd.authorize(user_key)
            home.knows(start.sshd)
            far = tunnel(start.sshd, way, identity=user_key, keepalive=keepalive)
        write(broker, server, far, user="app_native", **({"via": "direct"} if way == "direct" else {}), **keys)
        return forwards.start("p", *words)
    return start


def test_path_dead_under_a_query(place, mysql_server, forwards, engine):
    """Who waits for an answer is not left waiting: 1.5 times `keepalive`, where nothing comes."""
    forward = place(engine, mysql_server, keepalive="8s", connect_timeout="30s")
    with dial(forward.address) as held:
        assert held.recv(128)[4] == 10
        began = time.monotonic()
        with stopped(*place.sshd.sessions()):
            held.settimeout(60)
            try:
                assert held.recv(128) == b""
            except ConnectionResetError:
                pass
        assert time.monotonic() - began > 6  # not by another way than this
    assert until(lambda: forwards.one("p")["connections"] == 0)


def test_path_that_is_only_quiet(place, patient, forwards, engine):
    """A connection that waits for a long query: the far side answers when it is asked."""
    forward = place(engine, patient, keepalive="4s", connect_timeout="30s")
    with dial(forward.address) as held:
        held.settimeout(20)
        assert held.recv(128) == b"hello"
        held.settimeout(15)
        with pytest.raises(TimeoutError):
            held.recv(1)
    assert forwards.one("p")["state"] == "up" and place.sshd.read().count("User child is on pid") == 1


def test_pause_says_when_the_next_try_is(place, mysql_server, engine):
    forward = place(engine, mysql_server)
    place.sshd.stop()

    def told():
        with dial(forward.address) as s:
            text = s.recv(1024).decode(errors="replace")
        return re.search(r"\nhint: a connection after [\d.]+(ms|s) starts it again$", text)
    assert until(told, 30)


def test_database_that_times_out(place, forwards, engine):
    """It costs the one who wanted it, and not the session."""
    with contextlib.ExitStack() as held, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        for _ in range(3):  # its queue is full
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(s.getsockname())
        forward = place(engine, At(s.getsockname()[1]), connect_timeout="1s")
        first = min(place.sshd.sessions())  # the monitor of the first session; its child is another one once logged in
        for _ in range(2):
            with dial(forward.address) as client:
                assert b"no answer within 1s" in client.recv(1024)
        time.sleep(1)
        assert first in place.sshd.sessions() and forwards.one("p")["state"] == "up"


@pytest.fixture
def full():
    """A server that has too many connections, says so, and hangs up."""
    with server(packet(0, b"\xff\x10\x04Too many connections")) as at:
        yield at


@pytest.mark.parametrize("words", [(), ("--terminate-tls",)], ids=["bytes", "tls"])
@pytest.mark.parametrize("way", ["direct", "tcp", *ENGINES])
def test_client_that_does_not_read(place, full, forwards, way, words):
    """Nor does it hang up: it is let go, and what it was told is there."""
    forward = place(way, full, *words, tls="required" if words else "preferred")
    with dial(forward.address) as client:
        assert until(lambda: forwards.one("p")["connections"] == 1 or client.recv(1, socket.MSG_PEEK))
        assert until(lambda: forwards.one("p")["connections"] == 0)
        assert b"Too many connections" in client.recv(1024) and client.recv(1) == b""
