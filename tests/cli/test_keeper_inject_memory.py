# SPDX-License-Identifier: MIT
"""Where the server's password is while the keeper logs in, and after: all memory of all processes is searched for it, as root can."""
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
              pytest.mark.skipif(SANITIZED, reason="missing: a build without sanitizers, which keep what was freed")]
LIFE = 8


def areas(pid):
    """[(its line in maps, flags of smaps, the bytes)] of all that can be read in that process."""
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
    except (OSError, ValueError, OverflowError):  # the kernel's own pages
        return b""


def pieces(password):
    """A buffer's beginning is soon overwritten, so its end is looked for too."""
    return [password, password[:12], password[-12:]]


def holders(pid, password):
    """The areas that have any of it."""
    return [i for i, (_, _, data) in enumerate(areas(pid)) if any(piece in data for piece in pieces(password))]


def guarded(pid, number):
    """Not in dumps, private, and with a page on both sides that nobody may touch."""
    all_of_them = areas(pid)
    head, flags, _ = all_of_them[number]
    fences = [all_of_them[i][0].split()[1] for i in (number - 1, number + 1)]
    return head.split()[1] == "rw-p" and "dd" in flags and fences == ["---p", "---p"]


def answer(broker, server, user, life):
    """A program that says how long the password is good for, and that it has been asked."""
    password = broker.secret(server.password(user)).decode()
    broker.script("give", f"echo x >> $HOME/asked\nprintf '{json.dumps({'user': user, 'password': password, 'expires_at': 0})}' "
                          f"| sed \"s/: 0/: $(($(date +%s) + {life}))/\"", secret=True)
    return password.encode()


@pytest.mark.parametrize("fixture, user", [("mariadb_server", "app_native"), ("mysql_server", "app_sha2"), ("mariadb_server", "app_ed")],
                         ids=["native", "caching_sha2", "ed25519"])
def test_only_the_keeper_has_it_and_not_for_long(request, broker, names, clients, fixture, user):
    """With a client that has logged in and stays. mysql's own memory is searched too, and its environment; nobody else's has it
    even while it is good."""
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
        # It is good for some seconds yet, unless this machine stood still.
        expired = len(seen) == 0 and time.time() - os.stat(broker.home / "asked").st_mtime >= LIFE
        assert expired or (len(seen) == 1 and guarded(pid, seen[0])), [areas(pid)[i][:2] for i in seen]
        for other in {guard, proc.pid, *procs.tree(proc.pid)} - {pid}:
            assert not holders(other, password), other
            assert not canary.found([password], open(f"/proc/{other}/environ", "rb").read())
        assert RIGHT_NAME.encode() in memory_of(pid)
        assert until(lambda: not holders(pid, password), LIFE + 20), "still there after it has expired"
        assert proc.poll() is None
    finally:
        os.killpg(proc.pid, signal.SIGKILL)
        proc.wait()


@pytest.mark.parametrize("auth", ["command", "env"])
def test_of_a_program(broker, names, mariadb_server, auth):
    """Its environment and its files have the password of the run; the keeper alone has the server's: what it cannot ask for again it keeps."""
    password = mariadb_server.password("app_native")
    inject.write(broker, mariadb_server, "app_native", auth=auth, auth_env="SHOP_PASSWORD" if auth == "env" else None,
                 auth_command=None if auth == "env" else f"cat {broker.home}/password")
    script = 'echo "$MYSQL_TCP_PORT|$MYSQL_PWD|$MYSQL_UNIX_PORT"; exec sleep 77'
    proc = broker.start("exec", "p", "--", "sh", "-c", script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        env={"SHOP_PASSWORD": password.decode()} if auth == "env" else {})
    try:
        port, of_run, path = proc.stdout.readline().decode().strip().split("|")
        assert of_run and of_run.encode() != password
        # While the shell becomes the other program there is none.
        assert until(lambda: of_run.encode() in open(f"/proc/{proc.pid}/environ", "rb").read())
        assert not canary.found([password], open(f"/proc/{proc.pid}/environ", "rb").read())
        for place, said in ((path, b""), (("127.0.0.1", int(port)), of_run.encode())):
            one = Wire(place)
            one.login(password=said)
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


def test_of_a_forward(broker, names, forwards, mariadb_server):
    """`broker forward` in the foreground has nothing of it, though it has read it to see that it is there."""
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


def test_the_guard_has_nothing_of_what_was_asked(broker, names, forwards, mariadb_server):
    """It is forked before the request is read: of a name and the run's password, which are in that, and of the server's password, which
    is an answer, it has no byte; and no descriptor through which it could get one. Of a path that it may have to remove it has a copy."""
    inject.write(broker, mariadb_server, "app_native")
    place = forwards.folder / "p.sock"
    way = Injected(forwards)
    assert way.ask() == "app_native@%"
    guard, pid = keeper()
    texts = [RIGHT_NAME.encode(), way.password, mariadb_server.password("app_native")]
    both = [memory_of(one) for one in (pid, guard)]
    assert [[text in memory for text in [*texts, os.fsencode(place)]] for memory in both] == [[True] * 4, [False] * 3 + [True]]
    assert os.listdir(f"/proc/{guard}/fd") == []
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not place.exists() and not left(broker)) and way.proc.wait(30)


@pytest.fixture
def clock(broker):
    """Whose jumps the keeper's timers see."""
    yield from lasting(Clock, broker, timers=True)


@pytest.mark.parametrize("auth", ["command", "env"])
def test_gone_a_minute_after_the_last_log_in(broker, names, forwards, clock, mariadb_server, auth):
    """What can be asked for again is, by the next connection; what cannot stays."""
    password = mariadb_server.password("app_native")
    inject.write(broker, mariadb_server, "app_native", auth=auth, auth_env="SHOP_PASSWORD" if auth == "env" else None,
                 auth_command=None if auth == "env" else f"cat {broker.home}/password")
    way = Injected(forwards, env={"SHOP_PASSWORD": password.decode()} if auth == "env" else {})
    pid, held = keeper()[1], []

    def later(seconds):
        clock.move(seconds)
        with stopped(pid):  # which ends its sleep
            pass
    for _ in range(2):
        for _ in range(2):  # the second one begins the minute again
            held.append(way.connect())
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
