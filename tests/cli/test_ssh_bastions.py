# SPDX-License-Identifier: MIT
"""Common kinds of bastions: an sshd that forces a command, has no shell or allows no session, dropbear, asyncssh, and
one made with Go's x/crypto/ssh. Both engines connect, request only their forwards, run nothing, and leave no session
behind."""
import time

import pytest

from lib.bastion import tunnel, write
from lib.forwards import until
from lib.keeping import gone
from servers import load
from servers.bastions import KINDS

QUERY = ["--", "-NBe", "select current_user()"]
RESULT = "app_native@%\n"


def connects(home, bastion, engine, *lines):
    home.knows(bastion)
    write(home.broker, home.server, tunnel(bastion, engine, *lines), client=home.client.path)
    done = home.broker.run("connect", "p", *QUERY)
    assert (done.code, done.text, done.errors) == (0, RESULT, ""), done.errors


def nothing_left(home, bastion):
    return gone(home.broker) and until(lambda: not bastion.sessions())


@pytest.mark.parametrize("lines", [["ForceCommand touch {folder}/ran; sleep 1000"], ["ForceCommand internal-sftp"], ["MaxSessions 0"],
                                   ["ForceCommand echo no shell here; exit 1"], ["PermitOpen 127.0.0.1:{port}", "PermitTTY no"],
                                   ["ChrootDirectory /", "AllowStreamLocalForwarding no", "Banner /etc/hostname"]],
                         ids=["shell that never ends", "sftp only", "no sessions", "no shell", "one target", "chroot"])
def test_restricted_sshd(home, start_sshd, user_key, engine, lines):
    folder = home.broker.home
    sshd = start_sshd(lines=[line.format(folder=folder, port=home.server.port) for line in lines], host_keys=["ed25519"])
    sshd.authorize(user_key)
    connects(home, sshd, engine)
    assert nothing_left(home, sshd) and "session" not in session_lines(sshd) and not (folder / "ran").exists()


def session_lines(sshd):
    """The lines of the sshd's log that say what it runs."""
    return "".join(line for line in sshd.all_said().splitlines() if "Starting session" in line or "subsystem" in line)


@pytest.mark.parametrize("kind", KINDS)
def test_other_ssh_servers(home, start_bastion, user_key, engine, kind):
    bastion = start_bastion(kind)
    bastion.authorize(user_key)
    connects(home, bastion, engine)
    assert bastion.logins() == 1 and bastion.asked() == [] and nothing_left(home, bastion)


@pytest.mark.parametrize("kind", KINDS)
def test_many_connections_over_other_ssh_servers(home, start_bastion, user_key, forwards, engine, kind):
    """A forward with 30 connections at once. Under load libssh2 logs in more than once."""
    bastion = start_bastion(kind)
    bastion.authorize(user_key)
    home.knows(bastion)
    write(home.broker, home.server, tunnel(bastion, engine), client=home.client.path)
    address = forwards.detach("p")
    place, password = ("127.0.0.1", int(address.rpartition(":")[2])), home.server.password("app_native")
    held = [load.Connection(place) for _ in range(30)]
    for connection in held:
        connection.login("app_native", password)
    for connection in held:
        assert connection.query("select repeat('x', 300000)") == [b"x" * 300000]
        connection.close()
    assert bastion.logins() <= (4 if engine == "libssh2" else 1) and bastion.asked() == []
    assert home.broker.run("stop", "p").code == 0 and nothing_left(home, bastion)


@pytest.mark.alone
def test_small_packets_are_not_delayed(home, start_sshd, user_key, forwards, engine):
    """sshd before 10.1, if it runs no session, holds a small packet back until the previous one is acknowledged, and
    the peer delays the acknowledgement by 40 ms if it has nothing to send. The fastest of many attempts shows whether
    each had to wait."""
    sshd = start_sshd(host_keys=["ed25519"])
    sshd.authorize(user_key)
    home.knows(sshd)
    write(home.broker, home.server, tunnel(sshd, engine), client=home.client.path)
    address = forwards.detach("p")
    place, password, fastest = ("127.0.0.1", int(address.rpartition(":")[2])), home.server.password("app_native"), 1.0
    for _ in range(40):
        began = time.monotonic()
        assert load.once(place, "app_native", password) == [b"1"]
        fastest = min(fastest, time.monotonic() - began)
    assert fastest < 0.035
    assert home.broker.run("stop", "p").code == 0 and nothing_left(home, sshd)
