# SPDX-License-Identifier: MIT
"""Starting and stopping the servers of the tests.

Every server is a direct child, in a session of its own, with its output in a log file, and dies with the test run even
when that is killed with -9. Servers are known here by pid, so that a check for processes left behind can tell them from
strays. Their data is worthless, so they are stopped with SIGKILL."""
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections import deque
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
KNOWN = set()
KEPT = deque(maxlen=100)


class Missing(Exception):
    """What a test needs is not on this machine; the message names it."""


def cache_dir():
    """Where tests/setup puts what is worth keeping between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("BROKER_TEST_CACHE") or base + "/broker-tests")


def need(path):
    """PATH as a Path, if it can be run."""
    if not os.access(path, os.X_OK):
        raise Missing(f"{path} (tests/setup installs it)")
    return Path(path)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv, log, **options):
    """Start a server whose stdout and stderr go to LOG."""
    with open(log, "ab") as out:
        options = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, **options}
        proc = subprocess.Popen([str(a) for a in argv], start_new_session=True, preexec_fn=die_with_parent, **options)
    KNOWN.add(proc.pid)
    return proc


def stop(proc):
    proc.kill()
    proc.wait()
    KNOWN.discard(proc.pid)


def wait_until(ready, proc, log, seconds=100):
    """Poll READY() until it is true; an early death or a timeout raises with the end of the log."""
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
    """On which nobody listens, and which nobody else is given for a while: it stays bound here, which refuses connections
    and does not hinder who binds it with SO_REUSEADDR, as every server does."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    KEPT.append(kept)
    return kept.getsockname()[1]
