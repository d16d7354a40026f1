# SPDX-License-Identifier: MIT
"""Which process has the server's password while the keeper logs in, and afterwards: as root, the tests search all
memory of all processes for it."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from conftest import lasting
from lib import canary, inject, procs
from lib.broker import SANITIZED
from lib.clock import Clock
from lib.forwards import until
from lib.injected import Injected
from lib.keeping import keeper, left, memory_of, stopped
from lib.inject import Wire
from servers.pki import RIGHT_NAME

pytestmark = [pytest.mark.skipif(os.getuid() != 0, reason="missing: root, for other processes' memory"),
              pytest.mark.skipif(SANITIZED, reason="missing: a build without sanitizers, which keep freed memory")]
LIFE = 8


def areas(pid):
    """[(line of maps, VmFlags of smaps, bytes)] of each mapping of that process; the bytes are empty if it cannot be
    read."""
    found, head = [], None
    with open(f"/proc/{pid}/smaps") as smaps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in smaps:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                head = line
            elif line.startswith("VmFlags:"):
                span, rights, *_ = head.split()
                start, stop = (int(x, 16) for x in span.split("-"))
                found.append((head, line.split()[1:], read_at(mem, start, stop) if rights[0] == "r" else b""))
    return found


def read_at(mem, start, stop):
    try:
        mem.seek(start)
        return mem.read(stop - start)
    except (OSError, ValueError, OverflowError):  # pages of the kernel, such as [vvar]
        return b""


def pieces(password):
    """The beginning of a freed buffer is soon overwritten, so the end of the password is searched for, too."""
    return [password, password[:12], password[-12:]]


def holders(pid, password):
    """The indexes of the areas that have any of these pieces."""
    return [i for i, (_, _, data) in enumerate(areas(pid)) if any(piece in data for piece in pieces(password))]


def guarded(pid, number):
    """Whether the area is private, left out of core dumps, and has an inaccessible page on both sides."""
    all_of_them = areas(pid)
    head, flags, _ = all_of_them[number]
    fences = [all_of_them[i][0].split()[1] for i in (number - 1, number + 1)]
    return head.split()[1] == "rw-p" and "dd" in flags and fences == ["---p", "---p"]


def answer(broker, server, user, life):
    """An auth_command whose password expires after LIFE seconds, and which notes in ~/asked that it was run."""
    password = broker.secret(server.password(user)).decode()
    broker.script("give", f"echo x >> $HOME/asked\nprintf '{json.dumps({'user': user, 'password': password, 'expires_at': 0})}' "
                          f"| sed \"s/: 0/: $(($(date +%s) + {life}))/\"", secret=True)
    return password.encode()


@pytest.mark.parametrize("fixture, user", [("mariadb_server", "app_native"), ("mysql_server", "app_sha2"), ("mariadb_server", "app_ed")],
                         ids=["native", "caching_sha2", "ed25519"])
def test_only_the_keeper_has_the_password_until_it_expires(request, broker, names, clients, fixture, user):
    """A client has logged in and stays connected. The memory and the environment of the client and of all other
    processes of the run are searched, too: they do not have the password even before it expires."""
    server, client = request.getfixturevalue(fixture), clients["mariadb118"]
    inject.write(broker, server, user, auth_command="give")
    password = answer(broker, server, user, LIFE)
    server.admin("flush privileges")
    log = broker.home / "done"
    proc = broker.start("connect", "p", "--client", client.path, "--", "-NBe", "select 'here'; select sleep(60)", stdin=subprocess.DEVNULL,
                        stdout=open(log, "wb"), stderr=subprocess.STDOUT)
    try:
        assert until(lambda: server.admin("select count(*) from information_schema.processlist where info like 'select sleep(60)%' "
                                           f"and user = '{user}'") == "1")
        guard, pid = keeper()
        seen = holders(pid, password)
        # The password has not expired yet, unless this machine was too slow.
        expired = len(seen) == 0 and time.time() - os.stat(broker.home / "asked").st_mtime >= LIFE
        assert expired or (len(seen) == 1 and guarded(pid, seen[0])), [areas(pid)[i][:2] for i in seen]
        for other in {guard, proc.pid, *procs.tree(proc.pid)} - {pid}:
            assert not holders(other, password), other
            assert not canary.found([password], open(f"/proc/{other}/environ", "rb").read())
        assert RIGHT_NAME.encode() in memory_of(pid)
        time.sleep(max(0, os.stat(broker.home / "asked").st_mtime + LIFE - time.time()))
        assert until(lambda: not holders(pid, password), 20), "still there after it has expired"
        assert proc.poll() is None
    finally:
        os.killpg(proc.pid, signal.SIGKILL)
        proc.wait()


@pytest.mark.parametrize("auth", ["command", "env"])
def test_program_of_exec_does_not_get_the_password(broker, names, mariadb_server, auth):
    """The program's environment has the password of this run; only the keeper has the server's, also if it cannot be
    fetched again (`auth = env`)."""
    password = mariadb_server.password("app_native")
    inject.write(broker, mariadb_server, "app_native", auth=auth, auth_env="SHOP_PASSWORD" if auth == "env" else None,
                 auth_command=None if auth == "env" else f"cat {broker.home}/password")
    script = 'echo "$MYSQL_TCP_PORT|$MYSQL_PWD|$MYSQL_UNIX_PORT"; exec sleep 77'
    proc = broker.start("exec", "p", "--", "sh", "-c", script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        env={"SHOP_PASSWORD": password.decode()} if auth == "env" else {})
    try:
        port, of_run, path = proc.stdout.readline().decode().strip().split("|")
        assert of_run and of_run.encode() != password
        # While the shell executes `sleep`, the environment that /proc shows is empty for a moment.
        assert until(lambda: of_run.encode() in open(f"/proc/{proc.pid}/environ", "rb").read())
        assert not canary.found([password], open(f"/proc/{proc.pid}/environ", "rb").read())
        for place, password_sent in ((path, b""), (("127.0.0.1", int(port)), of_run.encode())):
            one = Wire(place)
            one.login(password=password_sent)
            assert one.query("select current_user()") == [b"app_native@%"]
        guard, pid = keeper()
        for other in (guard, proc.pid):
            assert not holders(other, password), other
        seen = holders(pid, password)
        assert len(seen) == 1 and guarded(pid, seen[0]), [areas(pid)[i][:2] for i in seen]
    finally:
        os.killpg(proc.pid, signal.SIGKILL)
        proc.wait()
        proc.stdout.close()


def test_forward_in_the_foreground_does_not_keep_the_password(broker, names, forwards, mariadb_server):
    """`broker forward` has fetched the password to check that it can be had, but no longer has it in its memory."""
    inject.write(broker, mariadb_server, "app_native")
    running = forwards.start("p", "--inject", "--listen", str(broker.runtime / "end"))
    one = Wire(running.address)
    one.login()
    guard, pid = keeper()
    password = mariadb_server.password("app_native")
    for other in (guard, running.proc.pid):
        assert not holders(other, password), other
    assert len(holders(pid, password)) == 1
    one.close()
    running.end(signal.SIGTERM)


def test_guard_process_has_no_secrets(broker, names, forwards, mariadb_server):
    """The guard, the keeper's parent, is forked before the keeper reads its request. So its memory has neither the
    server's name nor the password of the run, which are in the request, nor the server's password, which comes later;
    and it has no descriptor through which it could get them. It does have the path of the control socket, which it may
    have to remove."""
    inject.write(broker, mariadb_server, "app_native")
    place = forwards.folder / "p.sock"
    forward = Injected(forwards)
    assert forward.ask() == "app_native@%"
    guard, pid = keeper()
    texts = [RIGHT_NAME.encode(), forward.password, mariadb_server.password("app_native")]
    both = [memory_of(one) for one in (pid, guard)]
    assert [[text in memory for text in [*texts, os.fsencode(place)]] for memory in both] == [[True] * 4, [False] * 3 + [True]]
    assert os.listdir(f"/proc/{guard}/fd") == []
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not place.exists() and not left(broker)) and forward.proc.wait(30)


@pytest.fixture
def clock(broker):
    """A clock whose jumps the keeper's timers see, too."""
    yield from lasting(Clock, broker, timers=True)


@pytest.mark.parametrize("auth", ["command", "env"])
def test_password_is_wiped_a_minute_after_the_last_login(broker, names, forwards, clock, mariadb_server, auth):
    """If the password can be fetched again, the next connection does that; if it cannot (`auth = env`), the keeper
    keeps it."""
    password = mariadb_server.password("app_native")
    inject.write(broker, mariadb_server, "app_native", auth=auth, auth_env="SHOP_PASSWORD" if auth == "env" else None,
                 auth_command=None if auth == "env" else f"cat {broker.home}/password")
    forward = Injected(forwards, env={"SHOP_PASSWORD": password.decode()} if auth == "env" else {})
    pid, held = keeper()[1], []

    def later(seconds):
        clock.move(seconds)
        with stopped(pid):  # the signals wake it, so that it looks at the clock
            pass
    for _ in range(2):
        for _ in range(2):  # the second login starts the minute again
            held.append(forward.connect())
            later(45)
            assert len(holders(pid, password)) == 1
        later(30)
        if auth == "command":
            assert until(lambda: later(1) or not holders(pid, password))
        else:
            assert len(holders(pid, password)) == 1
    assert [one.query("select current_user()") for one in held] == [[b"app_native@%"]] * 4
    for one in held:
        one.close()
