# SPDX-License-Identifier: MIT
"""A server that accepts connections and sends nothing: each hop takes at most connect_timeout, including the greeting,
on every kind of route, and the wait line shows that number."""
import re
import time

import pytest

from lib.bastion import ENGINES, At, Home, tunnel, write
from lib.forwards import dial, greeting, until
from lib.keeping import gone

TIMEOUT = 2
ROUTES = ("direct", "tcp", *ENGINES)


@pytest.fixture
def silent(fake_server):
    return At(fake_server("silent").port)


@pytest.fixture
def write_profile(broker, ssh_home, sshd, user_key, silent):
    home = Home(broker, ssh_home)
    home.knows(sshd)
    sshd.authorize(user_key)

    def make(route, **keys):
        far = {"direct": "", "tcp": f"[tunnel far]\ntype = tcp\naddress = 127.0.0.1:{silent.port}\n"}
        given = {"via": "direct" if route == "direct" else "far", "connect_timeout": f"{TIMEOUT}s", **keys}
        write(broker, silent, far.get(route, tunnel(sshd, route, identity=user_key)), user="app", **given)
    return make


def no_greeting(silent):
    return f"2013 127.0.0.1:{silent.port}: no greeting within {TIMEOUT}s"


@pytest.mark.parametrize("verb", ["connect", "exec", "test"])
@pytest.mark.parametrize("route", ROUTES[1:])
def test_before_the_client_starts(broker, write_profile, silent, clients, tmp_path, route, verb):
    """broker itself reports it, and has not started the client or program."""
    write_profile(route, client=clients["mysql9"].path)
    began = time.monotonic()
    done = broker.run(verb, "p", *{"connect": ["--", "-e", "select 1"], "exec": ["--", "touch", str(tmp_path / "ran")]}.get(verb, []))
    assert done.code == 69 and no_greeting(silent) in done.errors, done.errors
    assert TIMEOUT - 0.5 <= time.monotonic() - began < 4 * TIMEOUT  # not five timeouts
    assert not (tmp_path / "ran").exists() and gone(broker)


@pytest.mark.parametrize("tls", ["preferred", "required"])
@pytest.mark.parametrize("route", ROUTES)
def test_client_of_a_forward_gets_the_error(write_profile, silent, forwards, route, tls):
    """A client that waits longer than connect_timeout gets the error."""
    write_profile(route, tls=tls)
    forward = forwards.start("p", *(["--terminate-tls"] if tls == "required" else []))
    packet = greeting(forward.address, 60)
    assert packet[4] == 0xff and no_greeting(silent).encode() in packet, packet
    assert until(lambda: forwards.one("p")["connections"] == 0)


@pytest.mark.parametrize("route", ROUTES)
def test_no_timeout_after_the_greeting(write_profile, mysql_server, silent, forwards, route):
    """Once the greeting has arrived, connect_timeout does not limit a connection."""
    silent.port = mysql_server.port
    write_profile(route)
    forward = forwards.start("p")
    with dial(forward.address) as s:
        assert s.recv(128)[4] == 10
        s.settimeout(2 * TIMEOUT)
        with pytest.raises(TimeoutError):
            s.recv(128)


def test_wait_line(broker, write_profile, clients):
    write_profile("libssh2", connect_timeout="3s", client=clients["mysql9"].path)
    t = broker.pty("test", "p")
    assert t.wait() == 69
    shown = re.findall(r"waiting for (.+?) \(\d+s of (\d+)s\)", t.shown.decode())
    assert shown and {most for _, most in shown} == {"3"}, t.shown
