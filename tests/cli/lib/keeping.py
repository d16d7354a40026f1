# SPDX-License-Identifier: MIT
"""A keeper that runs while a program does: which processes there are, and whether it leaves anything behind."""
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from servers.sshd import send

from . import procs

SHOW = 'echo "$MYSQL_TCP_PORT|$MYSQL_UNIX_PORT"; exec sleep 77'


def named(word):
    """The pids below the test run whose first two arguments contain WORD."""
    found = []
    for pid in procs.tree(os.getpid()):
        if any(word.encode() in part for part in procs.cmdline(pid).split(b"\0")[:2]):
            found.append(pid)
    return found


def keeper():
    """(guard, keeper); the guard is the keeper's parent."""
    found = keepers()
    assert len(found) == 1, found
    return found[0]


def keepers():
    """[(guard, keeper)] of all keepers; leaves out a child that a keeper has forked and that has not yet called
    exec."""
    below = procs.tree(os.getpid())
    ours = [pid for pid in below if procs.cmdline(pid).split(b"\0")[0].endswith(b"broker-keeper")]
    return [(below[pid], pid) for pid in ours if below[pid] in ours and below[below[pid]] not in ours]


def memory_of(pid):
    """The contents of all writable mappings of the process that can be read."""
    found = []
    try:
        maps, mem = open(f"/proc/{pid}/maps"), open(f"/proc/{pid}/mem", "rb", 0)
    except PermissionError:
        pytest.skip("missing: permission to read the memory of another process")
    with maps, mem:
        for line in maps:
            span, rights, *_ = line.split()
            start, stop = (int(x, 16) for x in span.split("-"))
            if rights.startswith("rw") and stop - start < 1 << 30:  # a sanitizer's shadow memory has terabytes
                mem.seek(start)
                try:
                    found.append(mem.read(stop - start))
                except OSError:  # guard pages, kernel mappings
                    continue
    return b"".join(found)


@contextlib.contextmanager
def stopped(*pids):
    """Suspends the processes (those that still exist) during the `with` block."""
    send(signal.SIGSTOP, pids)
    try:
        yield
    finally:
        send(signal.SIGCONT, pids)


def left(broker):
    """What this test's keepers have left: files and sockets of the runtime and the temporary folder. The links to a
    client's plug-ins are broker's, and stay; so does the lock file of a killed broker until the next one runs."""
    found = [Path(place, name) for folder in (broker.runtime, broker.tmp) for place, _, names in os.walk(folder) for name in names]
    return [str(path) for path in found if path.suffix != ".lock" and not path.parent.name.startswith("plugins-")]


def gone(broker, *ports, seconds=20):
    """Waits until no process, socket file or listener of a keeper is left; after SECONDS fails, and names the rest."""
    deadline = time.monotonic() + seconds
    while True:
        there = [*(f"{pid} {procs.cmdline(pid)!r}" for pid in procs.ours() if not procs.reap(pid)), *left(broker),
                 *(f"port {port}" for port in ports if listens(port))]
        if not there:
            return True
        assert time.monotonic() < deadline, there
        time.sleep(0.02)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", int(port)), 5).close()
    except ConnectionError:
        return False
    return True


class Beside:
    """`broker exec p -- PROGRAM`, once the program runs: `proc`, and `port` and `path`, where the keeper listens (""
    for none)."""

    def __init__(self, broker, *args, script=SHOW, **options):
        self.proc = broker.start("exec", "p", *args, "--", "sh", "-c", script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, **options)
        line = self.proc.stdout.readline().decode().strip()
        assert "|" in line, self.proc.communicate(timeout=20)
        self.port, _, self.path = line.partition("|")

    def end(self, number=None, seconds=20):
        """Sends the signal, if any, and waits; returns the wait status."""
        if number and self.proc.poll() is None:
            self.proc.send_signal(number)
        try:
            return self.proc.wait(seconds)
        finally:
            if self.proc.poll() is None:
                self.proc.kill()
                self.proc.wait()
            self.proc.stdout.close()
            self.proc.stderr.close()
