# SPDX-License-Identifier: MIT
"""A keeper beside a program: which processes there are, and whether anything of it is left."""
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
    """The pids below the test run whose command line has WORD in its first two words."""
    found = []
    for pid in procs.tree(os.getpid()):
        if any(word.encode() in part for part in procs.cmdline(pid).split(b"\0")[:2]):
            found.append(pid)
    return found


def keeper():
    """(guard, keeper): the one is the other's parent."""
    found = keepers()
    assert len(found) == 1, found
    return found[0]


def keepers():
    """What a keeper has just forked, to run another program, looks like a keeper too, and is none."""
    below = procs.tree(os.getpid())
    ours = [pid for pid in below if procs.cmdline(pid).split(b"\0")[0].endswith(b"broker-keeper")]
    return [(below[pid], pid) for pid in ours if below[pid] in ours and below[below[pid]] not in ours]


def memory_of(pid):
    """Everything that the process has mapped for itself and can be read."""
    found = []
    try:
        maps, mem = open(f"/proc/{pid}/maps"), open(f"/proc/{pid}/mem", "rb", 0)
    except PermissionError:
        pytest.skip("missing: the right to read another process's memory")
    with maps, mem:
        for line in maps:
            span, rights, *_ = line.split()
            start, stop = (int(x, 16) for x in span.split("-"))
            if rights.startswith("rw") and stop - start < 1 << 30:  # a sanitizer's own has terabytes
                mem.seek(start)
                try:
                    found.append(mem.read(stop - start))
                except OSError:  # guard pages, what the kernel keeps to itself
                    continue
    return b"".join(found)


@contextlib.contextmanager
def stopped(*pids):
    """They do nothing meanwhile, those of them that are still there."""
    send(signal.SIGSTOP, pids)
    try:
        yield
    finally:
        send(signal.SIGCONT, pids)


def left(broker):
    """What is still there of any keeper of this test: files and sockets of the runtime and the temporary folder. The links to
    a client's plug-ins are broker's, and stay; so may the lock file of a broker that was killed, until the next."""
    found = [Path(place, name) for folder in (broker.runtime, broker.tmp) for place, _, names in os.walk(folder) for name in names]
    return [str(path) for path in found if path.suffix != ".lock" and not path.parent.name.startswith("plugins-")]


def gone(broker, *ports, seconds=20):
    """Whether, within SECONDS, no process, socket file or listener of a keeper is left; else what is."""
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
    """`broker exec p -- PROGRAM`, once the program runs: `proc`, its `port` and `path` (local ends, "" for none)."""

    def __init__(self, broker, *args, script=SHOW, **options):
        self.proc = broker.start("exec", "p", *args, "--", "sh", "-c", script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, **options)
        line = self.proc.stdout.readline().decode().strip()
        assert "|" in line, self.proc.communicate(timeout=20)
        self.port, _, self.path = line.partition("|")

    def end(self, number=None, seconds=20):
        """Its wait status, after that signal or by itself."""
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
