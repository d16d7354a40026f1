# SPDX-License-Identifier: MIT
"""Forwards in tests: starting them, reaching the server through them, and ending those that a test has left running."""
import json
import os
import re
import socket
import subprocess
import time
from dataclasses import dataclass


def greeting(address, seconds=20):
    """The first bytes that a server at ADDRESS sends; HOST:PORT, [HOST]:PORT or a path."""
    with dial(address, seconds) as s:
        return s.recv(128)


def dial(address, seconds=20):
    if address.startswith("/"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(seconds)
        s.connect(address)
        return s
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), seconds)


def refused(address, seconds=20):
    """Whether connections to ADDRESS are refused within SECONDS."""
    def is_refused():
        try:
            dial(address).close()
        except OSError:
            return True
        return False
    return until(is_refused, seconds)


@dataclass
class Running:
    """A forward in the foreground: its process, the lines on its stdout, and its notes on stderr."""
    proc: subprocess.Popen
    lines: list
    notes: str

    @property
    def address(self):
        return self.lines[0]

    def end(self, sent=None, seconds=20):
        """Sends the signal, if any, and waits; returns (subprocess's exit status, the rest of stdout, all of
        stderr)."""
        if sent:
            self.proc.send_signal(sent)
        out, err = self.proc.communicate(timeout=seconds)
        return self.proc.returncode, out.decode(), self.notes + err.decode()


class Forwards:
    """forwards.start(...) runs one in the foreground, forwards.detach(...) in the background. `broker`: the harness."""

    def __init__(self, broker):
        self.broker, self.started = broker, []
        self.folder = broker.runtime / "broker" / "forward"

    def start(self, *args, lines=1, **options):
        pipe = subprocess.PIPE
        proc = self.broker.start("forward", *args, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, **options)
        self.started.append(proc)
        got = [proc.stdout.readline().decode().rstrip("\n") for _ in range(lines)]
        assert all(got), f"no address: {proc.communicate(timeout=20)}"
        # The note is the last text that broker prints before it waits.
        quiet = "-q" in args or "--quiet" in args
        return Running(proc, got, "" if quiet else "".join(proc.stderr.readline().decode() for _ in got))

    def detach(self, *args, **options):
        """Starts a forward in the background; returns its address."""
        done = self.broker.run("forward", *args, "--detach", **options)
        assert (done.code, done.errors) == (0, ""), done.errors
        assert re.fullmatch(r"(\S+\n)+", done.text), done.text
        return done.text.rstrip("\n")

    def status(self, *args):
        """The forwards of `status --json`."""
        done = self.broker.run("status", "--json", *args)
        assert done.code == 0, done.errors
        return json.loads(done.text)["forwards"]

    def one(self, name):
        return self.status(name)[0]

    def left(self):
        """The names of the control sockets that exist."""
        return sorted(path.name for path in self.folder.glob("*")) if self.folder.exists() else []

    def finish(self):
        for proc in self.started:
            if proc.poll() is None:
                proc.kill()
            for pipe in (proc.stdout, proc.stderr):
                pipe.close()
            proc.wait()
        if self.left():
            self.broker.run("stop", "--all", "--timeout", "10")


def until(true, seconds=20):
    """Whether TRUE() becomes true within SECONDS."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def state_of(pid):
    """The state letter in /proc: T means stopped."""
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0]


def alive(pid):
    try:
        return state_of(pid) != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
