# SPDX-License-Identifier: MIT
"""A server that accepts and says nothing: each hop takes connect_timeout at most, the greeting included, whatever is in
between, and the wait line shows that number."""
import re
import time

import pytest

from lib.bastion import ENGINES, At, Home, tunnel, write
from lib.forwards import dial, greeting, until
from lib.keeping import gone

TIMEOUT = 2
WAYS = ("direct", "tcp", *ENGINES)


@pytest.fixture
def silent(fake_server):
    return At(fake_server("silent").port)


@pytest.fixture
def place(broker, ssh_home, sshd, user_key, silent):
    home = Home(broker, ssh_home)
    home.knows(sshd)
    sshd.authorize(user_key)

    def make(way, **keys):
        far = {"direct": "", "tcp": f"[tunnel far]\ntype = tcp\naddress = 127.0.0.1:{silent.port}\n"}
        given = {"via": "direct" if way == "direct" else "far", "connect_timeout": f"{TIMEOUT}s", **keys}
        write(broker, silent, far.get(way, tunnel(sshd, way, identity=user_key)), user="app", **given)
    return make


def said(silent):
    return f"2013 127.0.0.1:{silent.port}: no greeting within {TIMEOUT}s"


@pytest.mark.parametrize("verb", ["connect", "exec", "test"])
@pytest.mark.parametrize("way", WAYS[1:])
def test_before_the_client_starts(broker, place, silent, clients, tmp_path, way, verb):
    """By broker itself: nothing was started yet."""
    place(way, client=clients["mysql9"].path)
    began = time.monotonic()
    done = broker.run(verb, "p", *{"connect": ["--", "-e", "select 1"], "exec": ["--", "touch", str(tmp_path / "ran")]}.get(verb, []))
    assert done.code == 69 and said(silent) in done.errors, done.errors
    assert TIMEOUT - 0.5 <= time.monotonic() - began < 4 * TIMEOUT  # not five of them
    assert not (tmp_path / "ran").exists() and gone(broker)


@pytest.mark.parametrize("tls", ["preferred", "required"])
@pytest.mark.parametrize("way", WAYS)
def test_forward(place, silent, forwards, way, tls):
    """A client with all the patience in the world is told."""
    place(way, tls=tls)
    forward = forwards.start("p", *(["--terminate-tls"] if tls == "required" else []))
    packet = greeting(forward.address, 60)
    assert packet[4] == 0xff and said(silent).encode() in packet, packet
    assert until(lambda: forwards.one("p")["connections"] == 0)


@pytest.mark.parametrize("way", WAYS)
def test_a_greeting_in_time_is_no_matter(place, mysql_server, silent, forwards, way):
    """A connection that was greeted goes on for as long as it likes."""
    silent.port = mysql_server.port
    place(way)
    forward = forwards.start("p")
    with dial(forward.address) as s:
        assert s.recv(128)[4] == 10
        s.settimeout(2 * TIMEOUT)
        with pytest.raises(TimeoutError):
            s.recv(128)


def test_the_wait_line(broker, place, clients):
    place("libssh2", connect_timeout="3s", client=clients["mysql9"].path)
    t = broker.pty("test", "p")
    assert t.wait() == 69
    shown = re.findall(r"waiting for (.+?) \(\d+s of (\d+)s\)", t.shown.decode())
    assert shown and {most for _, most in shown} == {"3"}, t.shown
