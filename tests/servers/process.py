# SPDX-License-Identifier: MIT
"""Starting and stopping the servers of the tests.

Every server is a direct child, in a session of its own, with its output in a log file. The kernel kills it when the
test run ends, even by SIGKILL. KNOWN has the pids of the servers, so that the check for processes left behind leaves
them out. Their data is worthless, so they are stopped with SIGKILL."""
import contextlib
import ctypes
import hashlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
KNOWN = set()
KEPT = deque(maxlen=100)


class Missing(Exception):
    """Something that a test needs is not on this machine; the message names it."""


def cache_dir():
    """The folder where tests/setup keeps what all runs use."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("BROKER_TEST_CACHE") or base + "/broker-tests")


def cached(kind, *of, make):
    """What MAKE(path) makes from the texts OF, a file or a folder; made once, and kept in the tests' cache."""
    path = cache_dir() / kind / hashlib.sha256("\0".join(map(str, of)).encode()).hexdigest()[:20]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as part:
            make(Path(part, path.name))
            with contextlib.suppress(OSError):  # another process was faster
                Path(part, path.name).rename(path)
    return path


def need(path):
    """PATH as a Path, if it is executable; else raises Missing."""
    if not os.access(path, os.X_OK):
        raise Missing(f"{path} (tests/setup installs it)")
    return Path(path)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv, log, **options):
    """Start a server whose stdout and stderr go to LOG."""
    with open(log, "ab") as out:
        return spawn(argv, start_new_session=True, **{"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, **options})


def spawn(argv, **options):
    """A subprocess.Popen whose process stop() ends. It gets SIGKILL if this process ends; by setpriv, because a
    preexec_fn would make Python copy its whole address space for 15 ms."""
    argv = [str(a) for a in argv]
    proc = subprocess.Popen(["/usr/bin/setpriv", "--pdeathsig", "KILL", *argv], **options)
    proc.args = argv
    KNOWN.add(proc.pid)
    return proc


def stop(proc):
    proc.kill()
    proc.wait()
    KNOWN.discard(proc.pid)


def wait_until(ready, proc, log, seconds=100):
    """Poll READY() until it is true; if PROC ends or time is up, raises RuntimeError with the end of the log."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        if proc.poll() is not None:
            break
        time.sleep(0.01)
    tail = "\n".join(Path(log).read_text(errors="replace").splitlines()[-8:])
    raise RuntimeError(f"{proc.args[0]} did not start:\n{tail}")


def free_port():
    """A port on which no process listens, and that is not given out again for a while: it stays bound here without
    listening, so connections are refused, but a server can bind it with SO_REUSEADDR, as all of them do."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    KEPT.append(kept)
    return kept.getsockname()[1]
