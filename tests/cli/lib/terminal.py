# SPDX-License-Identifier: MIT
"""A program on a terminal of its own: a small version of expect, with the standard library's pty.

The child leads a session whose controlling terminal this is, so /dev/tty works even if its stdin, stdout or stderr is
something else; stdout and stderr on pipes are captured separately, in `out` and `err`."""
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time


MARK = b"\0that was all\0"


class Terminal:
    """stdin, stdout, stderr: "tty", "pipe" (stdout, stderr: captured) or a file object. `shown` is all that appeared
    on the terminal so far, `out` and `err` what came through pipes."""

    def __init__(self, argv, env, cwd, stdin="tty", stdout="tty", stderr="tty", size=(24, 200)):
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, size)
        self.shown, self._matched = b"", 0
        self._streams = {"out": b"", "err": b""}
        place = {"tty": self.slave, "pipe": subprocess.PIPE}
        files = [place.get(f, f) if isinstance(f, str) else f for f in (stdin, stdout, stderr)]
        # setsid can only take its stdin. Python's own way, preexec_fn, copies the whole address space for 15 ms.
        how = {"start_new_session": True, "preexec_fn": self._control}
        if files[0] == self.slave:
            argv, how = ["/usr/bin/setsid", "--ctty", *argv], {}
        self.proc = subprocess.Popen(argv, env=env, cwd=cwd, stdin=files[0], stdout=files[1], stderr=files[2], umask=0o022, **how)
        self.pid = self.proc.pid
        self._sources = {self.master: None}
        for name, pipe in (("out", self.proc.stdout), ("err", self.proc.stderr)):
            if pipe:
                self._sources[pipe.fileno()] = name

    def _control(self):
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    @property
    def out(self):
        return self._streams["out"]

    @property
    def err(self):
        return self._streams["err"]

    def _pump(self, seconds):
        """Read what is available, waiting up to SECONDS for it; returns whether there was anything."""
        poll = select.poll()  # select() cannot take descriptors from 1024 on
        for fd in self._sources:
            poll.register(fd, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(max(0, seconds) * 1000)]
        for fd in ready:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            name = self._sources[fd]
            if not data:
                del self._sources[fd]
            elif name:
                self._streams[name] += data
            else:
                self.shown += data
        return bool(ready)

    def expect(self, wanted, timeout=30):
        """Wait for WANTED (bytes, or a str that is a pattern) after the last match; returns the text up to its end."""
        deadline = time.monotonic() + timeout
        pattern = re.compile(re.escape(wanted) if isinstance(wanted, bytes) else wanted.encode())
        while True:
            found = pattern.search(self.shown, self._matched)
            if found:
                start, self._matched = self._matched, found.end()
                return self.shown[start:self._matched]
            if time.monotonic() > deadline or (self.proc.poll() is not None and not self._pump(0.05)):
                ended = f"ended with {self.proc.returncode}" if self.proc.poll() is not None else "still running"
                raise AssertionError(f"{wanted!r} did not show ({ended}): terminal {self.shown!r} out {self.out!r} err {self.err!r}")
            self._pump(0.05)

    def send(self, data):
        os.write(self.master, data)

    def sendline(self, data=b""):
        self.send(data + b"\n")

    def interrupt(self):
        """Type Ctrl-C."""
        self.send(b"\x03")

    @property
    def echo(self):
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def feed(self, data):
        """Write DATA to stdin, which must be a pipe, and close it."""
        self.proc.stdin.write(data)
        self.proc.stdin.close()

    def wait(self, timeout=60):
        """Wait until the program ends; returns its wait status as in subprocess (-N: signal N)."""
        deadline = time.monotonic() + timeout
        while self.proc.poll() is None:
            if time.monotonic() > deadline:
                self.close()
                raise AssertionError(f"did not end: terminal {self.shown!r} out {self.out!r} err {self.err!r}")
            self._pump(0.02)
        self._drain(time.monotonic() + 20)
        return self.proc.returncode

    def _drain(self, deadline):
        """Read all that the program has printed. The kernel delivers what is written to a terminal with a delay, but in
        order: the MARK that we write comes last."""
        while self._pump(0.02) and self._sources:
            pass
        if self.master in self._sources:
            os.write(self.slave, MARK)
            while not self.shown.endswith(MARK) and time.monotonic() < deadline:
                self._pump(0.02)
            self.shown = self.shown.removesuffix(MARK)
        while self._pump(0) and self._sources:
            pass

    def hang_up(self):
        """Close the terminal while the program runs."""
        self._sources.pop(self.master, None)
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def close(self):
        if self.proc.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.proc.wait()
        for pipe in (self.proc.stdin, self.proc.stdout, self.proc.stderr):
            if pipe:
                pipe.close()
        if self.master >= 0:
            self.hang_up()
