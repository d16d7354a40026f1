# SPDX-License-Identifier: MIT
"""The user approves the login elsewhere: on a page that a banner or a program's stderr names, or on a phone. After the
key exchange login_timeout limits the wait; the banner or the stderr is shown on a terminal once the wait is over a
second, and is part of the error. With a real sshd, whose PAM delays the login."""
import re
from pathlib import Path

import pytest

from lib.bastion import Home, tunnel, write
from lib.keeping import gone
from lib.passing import listen, stdio

PAGE = "Approve this log-in at https://id.example.com/device?code=WDJB-MJHT"
QUERY = ["--", "-NBe", "select 1"]
RELAY = """\
import sys, time
print("{page}", file=sys.stderr, flush=True)
time.sleep({seconds})
{body}
"""


@pytest.fixture
def place(broker, ssh_home, start_sshd, user_key, mysql_server, clients):
    """place(engine, seconds): an sshd that accepts the login after so long, or refuses it; `banner` says where to
    approve."""
    home = Home(broker, ssh_home)

    def start(engine, seconds, accepts=True, banner=True, tunnels="", **keys):
        folder = broker.folder / "approval"
        folder.mkdir(exist_ok=True)
        (folder / "banner").write_text(f"\n  {PAGE}\n" if banner else "")
        (folder / "approve").write_text(f"#!/bin/sh\nsleep {seconds}\nexit {0 if accepts else 1}\n")
        (folder / "approve").chmod(0o755)
        sshd = start_sshd(questions=[], lines=[f"Banner {folder / 'banner'}" if banner else "Banner none"])
        Path(f"/etc/pam.d/sshd-{sshd.port}").write_text(f"auth required pam_deny.so\naccount required pam_exec.so quiet "
                                                        f"{folder / 'approve'}\nsession required pam_permit.so\n")
        sshd.authorize(user_key)
        home.knows(sshd)
        write(broker, mysql_server, tunnel(sshd, engine, identity=user_key) + tunnels,
              **{"user": "app", "client": clients["mysql9"].path, "connect_timeout": "2s", **keys})
        start.sshd, start.home = sshd, home
        return sshd
    return start


def test_banner_is_shown_if_the_login_takes_long(broker, place, engine):
    sshd = place(engine, 5)
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    t.expect(re.escape(f"({sshd.user}@127.0.0.1)   {PAGE}"))
    assert t.wait() == 0 and t.out == b"1\n", t.shown
    assert t.shown.count(PAGE.encode()) == 1
    assert gone(broker)


def test_nothing_is_shown_if_the_login_is_fast(broker, place, engine):
    """`connect` prints nothing of its own before the result of the query."""
    place(engine, 0, connect_timeout="30s")
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    assert t.wait() == 0 and t.out == b"1\n" and PAGE.encode() not in t.shown, t.shown
    done = broker.run("connect", "p", *QUERY)
    assert (done.code, done.errors) == (0, "")


def test_approval_without_a_banner(broker, place, engine):
    """An approval on a phone, about which the bastion sends no text; no terminal is needed."""
    place(engine, 5, banner=False)
    done = broker.run("connect", "p", *QUERY)
    assert (done.code, done.text, done.errors) == (0, "1\n", "")


def test_not_approved(broker, place, engine):
    """The error contains the address of the page."""
    place(engine, 3, accepts=False)
    t = broker.pty("connect", "p", *QUERY, stdout="pipe", stderr="pipe")
    assert t.wait() in (69, 77) and PAGE.encode() in t.err, t.err
    assert gone(broker)


def test_approval_does_not_come(broker, place, engine):
    sshd = place(engine, 60, login_timeout="6s")
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    assert t.wait() == 69, t.shown
    assert f"broker: p: {sshd.user}@127.0.0.1: not logged in within 6s".encode() in t.shown and t.shown.count(PAGE.encode()) >= 2, t.shown
    assert b"raise login_timeout" in t.shown
    assert gone(broker)


def test_approval_does_not_come_without_a_banner(broker, place, engine):
    """login_timeout limits the wait, not connect_timeout."""
    sshd = place(engine, 60, banner=False, login_timeout="4s")
    done = broker.run("connect", "p", *QUERY)
    assert done.code == 69 and f"broker: p: {sshd.user}@127.0.0.1: not logged in within 4s" in done.errors, done.errors
    assert gone(broker)


def test_approval_without_a_banner_behind_a_jump_host(broker, place, start_sshd, user_key):
    """The jump host accepts the login at once; the last host delays it."""
    sshd, jump = place(None, 6, banner=False, connect_timeout="2s"), start_sshd()
    jump.authorize(user_key)
    place.home.knows(sshd, jump)
    place.home.config(f"Host 127.0.0.1\nProxyJump hop\nHost hop\nHostName {jump.host}\nPort {jump.port}\nUser {jump.user}\n"
                      f"IdentityFile {user_key}\n")
    done = broker.run("connect", "p", *QUERY)
    assert (done.code, done.text, done.errors) == (0, "1\n", "")


def test_proxy_command_that_names_a_page(broker, place):
    """As `cloudflared access` does."""
    sshd = place(None, 0, banner=False)
    relay = broker.folder / "relay.py"
    relay.write_text(RELAY.format(page=PAGE, seconds=6, body=stdio(sshd)))
    place.home.config(f"Host 127.0.0.1\nProxyCommand python3 {relay}\n")
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    t.expect(re.escape(PAGE))
    assert t.wait() == 0 and t.out == b"1\n", t.shown
    assert gone(broker)


def test_tunnel_command_that_names_a_page(broker, mysql_server, clients):
    relay = broker.folder / "relay.py"
    relay.write_text(RELAY.format(page=PAGE, seconds=6, body=listen(mysql_server)))
    write(broker, mysql_server, f"[tunnel far]\ntype = command\ncommand = python3 {relay} {{local_port}}\n",
          user="app", client=clients["mysql9"].path, connect_timeout="2s")
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    t.expect(re.escape(f"(python3) {PAGE}"))
    assert t.wait() == 0 and t.out == b"1\n", t.shown
    assert gone(broker)
