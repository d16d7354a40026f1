# SPDX-License-Identifier: MIT
"""The `broker` fixture: the program in a private home, and its output.

From the caller's environment it gets only the sanitizers' options; PATH is the home's bin folder and the system's. What
it prints, and every file below its home, is searched for the secrets that the test registered with `secret()`."""
import os
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from servers import process

from . import canary, procs
from .namespace import Etc
from .stub import Stub
from .terminal import Terminal

REPO = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("BROKER_BUILD") or REPO / "build").resolve()
PROGRAM = BUILD / "bin" / "broker"
UMASK = 0o022
SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
SANITIZER_WORDS = (b"ERROR: AddressSanitizer", b"ERROR: LeakSanitizer", b"runtime error:")
# AddressSanitizer keeps freed memory, and adds to each allocation.
SANITIZED = PROGRAM.exists() and b"__asan_init" in PROGRAM.read_bytes()


@dataclass
class Result:
    """code: the exit status, or 128 + signal as in sh. tty: what the terminal showed, if there was one."""
    out: bytes
    err: bytes
    code: int
    signal: int
    tty: bytes = b""

    @property
    def text(self):
        return self.out.decode(errors="replace")

    @property
    def errors(self):
        return self.err.decode(errors="replace")


class Broker:
    families = ""  # the client cache of earlier tests, so that not every test runs the clients for their version

    def __init__(self, folder, program=PROGRAM):
        self.folder, self.program = folder, Path(program)
        self.home, self.tmp, self.runtime = folder / "home", folder / "tmp", folder / "run"
        self.reports = folder / "reports"
        for path in (folder, self.home, self.tmp, self.runtime, self.home / "bin", self.reports):
            path.mkdir(mode=0o700)
        config, data, state, cache = (self.home / p for p in (".config", ".local/share", ".local/state", ".cache"))
        self.env = {"HOME": str(self.home), "PATH": f"{self.home}/bin:/usr/bin:/bin", "TMPDIR": str(self.tmp), "LANG": "C.UTF-8",
                    "XDG_CONFIG_HOME": str(config), "XDG_DATA_HOME": str(data), "XDG_STATE_HOME": str(state),
                    "XDG_CACHE_HOME": str(cache), "XDG_RUNTIME_DIR": str(self.runtime), "TERM": "xterm", "NO_COLOR": "1"}
        self.env.update((name, os.environ[name]) for name in SANITIZERS if name in os.environ)
        self.config_path = config / "broker" / "config"
        if Broker.families:
            self.write(cache / "broker" / "clients", Broker.families)
        self.etc = Etc()
        self.secrets, self.allowed, self.said, self.terminals, self.stubs = [], set(), [], [], 0

    # Setting up a test

    def secret(self, value):
        """Register the canary VALUE; returns it."""
        self.secrets.append(value)
        return value

    def write(self, path, data, mode=0o600, secret=False):
        """Writes a file; PATH is relative to the home. secret: the file may hold a registered secret."""
        path = self.home / path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        path.chmod(mode)
        if secret:
            self.allow(path)
        return path

    def allow(self, path):
        self.allowed.add(str(path))

    def config(self, text):
        """Writes the user's config file."""
        return self.write(self.config_path, text)

    def script(self, name, text, secret=False):
        """Writes a program into ~/bin, which is first on PATH; without a #! line, TEXT is for sh."""
        text = text if text.startswith("#!") else "#!/bin/sh\n" + text
        return self.write(f"bin/{name}", text + "\n", mode=0o700, secret=secret)

    def stub(self, name="mysql", **told):
        """A stand-in for a client (see stub.py), outside the home; `stub.path` goes to --client."""
        self.stubs += 1
        return Stub(self.folder.with_name(f"{self.folder.name}-stubs") / str(self.stubs), name, os.getpid(), **told)

    # Running the program

    def argv(self, args, wrap=()):
        return [os.fsencode(a) for a in (*wrap, self.program, *args)]

    def environment(self, env):
        """The environment, changed by ENV; a value of None removes a variable. Sanitizers report to files, because a
        keeper's stderr is /dev/null and a helper's may be."""
        merged = {**self.env, **env}
        if SANITIZED:
            for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
                merged[name] = f"{merged.get(name) or ''}:log_path={self.reports / 'report'}".lstrip(":")
        return {name: value for name, value in merged.items() if value is not None}

    def run(self, *args, input=b"", env={}, timeout=60, tty=False, secret_out=False, wrap=(), cwd=None, stdin=None,
            stdout=None, stderr=None):
        """Run the program to its end. With tty it has a controlling terminal, where no one types; otherwise none.
        stdin, stdout, stderr: a file instead of a pipe. wrap: arguments before the program, such as ["strace", "-f"].
        secret_out: the program may print a secret on stdout."""
        options = {"env": self.environment(env), "cwd": cwd or self.home}
        argv = self.argv(args, wrap)
        streams = {"stdin": stdin or subprocess.PIPE, "stdout": stdout or subprocess.PIPE, "stderr": stderr or subprocess.PIPE}
        if tty:
            terminal = Terminal(argv, **options, **{k: "pipe" if v == subprocess.PIPE else v for k, v in streams.items()})
            self.terminals.append((terminal, secret_out))
            if not stdin:
                terminal.feed(input)
            return result(terminal.wait(timeout), terminal.out, terminal.err, terminal.shown)
        proc = subprocess.Popen(argv, start_new_session=True, umask=UMASK, **options, **streams)
        try:
            out, err = proc.communicate(None if stdin else input, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(proc.pid, signal.SIGKILL)
            out, err = proc.communicate()
            raise AssertionError(f"{args} did not end in {timeout} s: out {out!r} err {err!r}") from None
        self.said.append((out or b"", err or b"", secret_out))
        return result(proc.returncode, out or b"", err or b"")

    def pty(self, *args, env={}, secret_out=False, wrap=(), cwd=None, **streams):
        """Start the program on a terminal; returns the Terminal. The streams: "tty" (default), "pipe" or a file."""
        terminal = Terminal(self.argv(args, wrap), self.environment(env), cwd or self.home, **streams)
        self.terminals.append((terminal, secret_out))
        return terminal

    def start(self, *args, env={}, wrap=(), **options):
        """A subprocess.Popen in a session of its own, for a test that does the rest; its output is not searched."""
        return subprocess.Popen(self.argv(args, wrap), env=self.environment(env), cwd=self.home, start_new_session=True,
                                umask=UMASK, **options)

    # Checks after each test

    def finish(self):
        """Ends the terminals; returns the faults: secrets in output or files, and sanitizer reports."""
        for terminal, secret_out in self.terminals:
            terminal.close()
            self.said.append((terminal.out, terminal.err, secret_out))
            self.said.append((b"", terminal.shown, secret_out))
        self.etc.undo()
        self.remember_families()
        faults = []
        for out, err, secret_out in self.said:
            leak = canary.found(self.secrets, err if secret_out else out + b"\0" + err)
            if leak:
                faults.append(f"canary {leak[:40]!r} in output: {(out + err)[:2000]!r}")
            faults += [f"sanitizer: {err.decode(errors='replace')}" for word in SANITIZER_WORDS if word in err]
        faults += [f"sanitizer: {path.read_text(errors='replace')}" for path in self.reports.iterdir()]
        faults += [f"canary in file {path}" for path in canary.files_with(self.secrets, self.folder, self.allowed)]
        return faults

    def forget_families(self):
        """Removes the cache of client families, for a test that looks at the files of its home, or at that cache."""
        shutil.rmtree(self.home / ".cache", ignore_errors=True)

    def remember_families(self):
        """Keeps the families of the clients in the tests' cache, as these clients outlive the test."""
        try:
            text = (self.home / ".cache" / "broker" / "clients").read_text()
        except (OSError, UnicodeDecodeError):
            return
        lasting = re.findall(rf"(?m)^(?:mysql|mariadb) \d+ \d+ [\d.]+ {re.escape(str(process.cache_dir()))}/.*\n", text)
        Broker.families = "".join(dict.fromkeys([*Broker.families.splitlines(keepends=True), *lasting]))

    def assert_hidden(self, watch):
        """Asserts that no registered secret is in the argv and environments that a procs.Watch saw."""
        for name in ("argv", "environ"):
            for data in getattr(watch, name):
                assert not canary.found(self.secrets, data), f"canary in {name}: {data!r}"

    def watch(self):
        """`with broker.watch() as w:` samples /proc meanwhile; then `broker.assert_hidden(w)`."""
        return procs.Watch()


def result(status, out, err, tty=b""):
    return Result(out, err, status if status >= 0 else 128 - status, max(0, -status), tty)
