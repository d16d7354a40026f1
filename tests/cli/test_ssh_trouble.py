# SPDX-License-Identifier: MIT
"""Failures between a client and a server behind a bastion, with both engines: the error that the client gets, and that
nothing is left afterwards. How a route ends is tested in test_left.py."""
import re
import signal
import subprocess

import pytest

from lib.bastion import tunnel, write
from lib.forwards import until
from lib.keeping import gone
from lib.logins import logged_in
from servers import load, process

NATIVE, MANY, SOME = "app_native", 512, 50
QUERY = ["--", "-NBe", "select current_user()"]


def prepare(home, sshd, engine, *lines, server=None, known=True, **keys):
    if known:
        home.knows(sshd)
    write(home.broker, server or home.server, tunnel(sshd, engine, *lines), client=home.client.path, **keys)


@pytest.fixture
def far(broker, home, start_sshd, user_key, engine):
    """The profile `p`. far.sshd serves only this test, so that its sessions can be counted."""
    broker.sshd = start_sshd(host_keys=["ed25519"])
    broker.sshd.authorize(user_key)
    prepare(home, broker.sshd, engine)
    return broker


def all_gone(broker, *ports):
    return gone(broker, *ports) and until(lambda: not broker.sshd.sessions())


def far_password(far):
    return far.env["TEST_SECRET"].encode()


def forward(far, forwards, *args):
    """Starts it, and returns its local address as (host, port)."""
    address = forwards.detach("p", *args)
    return "127.0.0.1", int(address.rpartition(":")[2])


def test_sshd_restarted_under_open_connections(far, forwards, engine):
    """All connections end at once with an error. While the sshd is down, a client gets an error that says so. Later the
    next connection makes a new login."""
    place, password = forward(far, forwards), far_password(far)
    held = [load.Connection(place) for _ in range(SOME)]
    for connection in held:
        connection.login(NATIVE, password)
    far.sshd.stop()
    for connection in held:
        with pytest.raises((load.Refused, OSError)):
            connection.query("select 1")
        connection.close(quit=False)
    with pytest.raises((load.Refused, ConnectionError)) as told:
        load.once(place, NATIVE, password)
    assert "refused" in str(told.value) or "lost" in str(told.value), told.value
    far.sshd.start()

    def back():
        try:
            return load.once(place, NATIVE, password) == [b"1"]
        except (load.Refused, ConnectionError):
            return False
    assert until(back, 60) and forwards.one("p")["state"] == "up"
    assert far.run("stop", "p").code == 0 and all_gone(far, place[1])


@pytest.mark.alone
def test_512_at_once(far, home, forwards, start_server, many_files, engine):
    server = start_server("mariadb", options=["--max-connections=600", "--back-log=600", "--connect-timeout=100"])
    prepare(home, far.sshd, engine, server=server, connect_timeout="30s")
    place, before = forward(far, forwards), server.troubles()
    held = [load.Connection(place) for _ in range(MANY)]
    for connection in held:
        connection.login(NATIVE, server.password(NATIVE))
    assert len({connection.query("select connection_id()")[0] for connection in held}) == MANY
    assert forwards.one("p")["connections"] == MANY
    for connection in held:
        connection.close()
    assert until(lambda: forwards.one("p")["connections"] == 0)
    assert server.troubles() == before
    assert far.run("stop", "p").code == 0 and all_gone(far, place[1])


def test_bastion_cannot_connect_to_the_server(far, home, client, forwards, engine):
    """broker reports it before it starts the client, and a forward reports it to each client, with sshd's reason."""
    port = process.free_port()
    prepare(home, far.sshd, engine, port=port)
    done = far.run("connect", "p", *QUERY)
    why = f"2003 127.0.0.1:{port}: "
    assert done.code == 69 and not done.out and done.errors.startswith(f"broker: p: {why}") and "refused" in done.errors, done.errors
    place = forward(far, forwards)
    done = far.run("connect", "--host", place[0], "--port", str(place[1]), "--user", "x", "--auth", "none", "--tls", "preferred",
                   "--client", client.path, "--", "-e", "select 1")
    assert done.code == 1 and why in done.errors, done.errors
    assert far.run("stop", "p").code == 0 and all_gone(far, place[1])


def test_silent_bastion(broker, home, fake_server, engine):
    silent = fake_server("silent")
    silent.user, silent.known = "nobody", lambda: ""
    prepare(home, silent, engine, "connect_timeout = 3s")
    done = broker.run("connect", "p", *QUERY)
    assert done.code == 69 and "3s" in done.errors.splitlines()[0] and gone(broker), done.errors


@pytest.mark.parametrize("what", ["closed", "reset", "garbage"])
def test_not_an_ssh_server(broker, home, fake_server, web, engine, what):
    bad = {"closed": lambda: None, "reset": lambda: fake_server("reset"), "garbage": lambda: fake_server("switch")}[what]()
    bad = bad or type("Closed", (), {"host": "127.0.0.1", "port": process.free_port()})()
    bad.user, bad.known = "nobody", lambda: ""
    prepare(home, bad, engine, f"connect_timeout = {2 if what == 'garbage' else 100}s")
    done = broker.run("connect", "p", *QUERY)
    assert done.code in (69, 76) and not done.out and done.errors.startswith("broker: p: "), done.errors
    assert re.fullmatch(rf"hint: (try|make) ssh -p {bad.port} nobody@{bad.host}( work)?", done.errors.splitlines()[-1]), done.errors
    if what == "closed":
        assert "onnection refused" in done.errors.splitlines()[0]
    assert gone(broker)


def test_wait_is_shown(broker, home, fake_server, engine):
    silent = fake_server("silent")
    silent.user, silent.known = "nobody", lambda: ""
    prepare(home, silent, engine, "connect_timeout = 5s")
    terminal = broker.pty("connect", "p", stdout="pipe")
    terminal.expect(r"waiting for ssh nobody@127\.0\.0\.1 \(\ds of 5s\)")
    assert terminal.wait() == 69 and gone(broker)


def test_wait_shows_the_timeout_of_the_run(broker, home, fake_server):
    silent = fake_server("silent")
    silent.user, silent.known = "nobody", lambda: ""
    prepare(home, silent, "libssh2", "connect_timeout = 30s")
    terminal = broker.pty("connect", "p", "--timeout", "8s", stdout="pipe")
    terminal.expect(r"waiting for ssh nobody@127\.0\.0\.1 \(\ds of [1-8]s\)")
    terminal.interrupt()
    assert terminal.wait() == -signal.SIGINT and gone(broker)


def test_forwarding_forbidden(far, home, start_sshd, user_key, engine):
    strict = start_sshd(lines=["AllowTcpForwarding no"], host_keys=["ed25519"])
    strict.authorize(user_key)
    prepare(home, strict, engine)
    done = far.run("connect", "p", *QUERY)
    assert done.code == 77 and "prohibited" in done.errors.splitlines()[0] and "AllowTcpForwarding" in done.errors.splitlines()[-1], done.errors
    assert gone(far)


def test_rekeying(far, home, start_sshd, user_key, forwards, engine):
    """RekeyLimit: the session negotiates new keys several times while connections are open."""
    rekeying = start_sshd(lines=["RekeyLimit 3M"], host_keys=["ed25519"])
    rekeying.authorize(user_key)
    prepare(home, rekeying, engine)
    place = forward(far, forwards)
    held = [load.Connection(place) for _ in range(4)]
    for connection in held:
        connection.login(NATIVE, far_password(far))
    for i in range(12):
        rows = held[i % 4].query("select repeat('x', 1000000)")
        assert len(rows) == 1 and rows[0] == b"x" * 1000000
        assert held[i % 4].query("select length('" + "y" * 300000 + "')") == [b"300000"]
    for connection in held:
        connection.close()
    assert far.run("stop", "p").code == 0 and gone(far, place[1])


def test_two_clients_at_once(far, client, mariadb_server, engine):
    """Two clients at the same time over one bastion do not affect each other."""
    words = ["connect", "p", "--client", client.path, "--", *client.options_for(mariadb_server, NATIVE), "-NBe",
             "select current_user(), user(); show session status where variable_name in ('Ssl_cipher', 'Ssl_version')"]
    first = far.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert logged_in(far.run(*words)).account == "app_native@%"
    assert first.communicate(timeout=20)[0].startswith(b"app_native@%") and all_gone(far)
