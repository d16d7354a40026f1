# SPDX-License-Identifier: MIT
"""Processes, read from /proc: the tree below one, their argv and environment, and those that a test leaves behind.

The test run is a child subreaper, so every process that a test starts stays below this one, however often it forks."""
import os
import resource
import threading
import time

from servers import process

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    if not os.path.exists(f"/proc/self/task/{threading.get_native_id()}/children"):
        raise RuntimeError("the tests need a Linux with CONFIG_PROC_CHILDREN")
    process.LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def many_files():
    """For a fixture: raises the soft limit of open descriptors to 8192, or to the hard limit if that is lower."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read()
    except OSError:
        return b""


def _children(pid):
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(child) for thread in threads for child in _read(pid, f"task/{thread}/children").split()]


def tree(root, without=()):
    """The pids below ROOT, as {pid: parent}; without ROOT itself, and without those in WITHOUT and what is below them."""
    below, fresh = {}, [root]
    while fresh:
        parent = fresh.pop()
        for pid in _children(parent):
            if pid not in without and pid not in below:
                below[pid] = parent
                fresh.append(pid)
    return below


def cmdline(pid):
    return _read(pid, "cmdline")


def environ(pid):
    return _read(pid, "environ")


class Watch:
    """While `with Watch(...)` runs, samples argv and environment of all processes below this one, except the servers.
    Afterwards `argv` and `environ` are sets of what was seen, as in /proc (each string ends in NUL). It may miss a
    process that ends soon: a process that the test wants sampled must wait for the file that tell() names."""

    def __init__(self, interval=0.002):
        self.interval, self.argv, self.environ = interval, set(), set()
        self.done, self.wanted = threading.Event(), {}

    def tell(self, path, word):
        """Creates PATH once WORD has been seen in an argv."""
        self.wanted[path] = word

    def __enter__(self):
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def _run(self):
        while not self.done.wait(self.interval):
            for pid in ours():
                self.environ.add(environ(pid))
                self.argv.add(cmdline(pid))
            for path in [path for path, word in self.wanted.items() if any(word in argv for argv in self.argv)]:
                del self.wanted[path]
                path.touch()


def ours():
    """The pids below this process, without the servers and the processes below them."""
    return list(tree(os.getpid(), process.KNOWN))


def strays(grace=20):
    """The processes that a test left running, as texts; those that remain after GRACE seconds are killed."""
    deadline = time.monotonic() + grace
    while True:
        # Read twice, because the kernel's list may miss other processes if one ends while it is read.
        left = [pid for pid in {*ours(), *ours()} if not reap(pid)]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    texts = [f"{pid}: {cmdline(pid).replace(bytes(1), b' ').decode(errors='replace')}" for pid in left]
    for pid in left:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
        reap(pid, 0)
    return texts


def reap(pid, flags=os.WNOHANG):
    """Whether PID is gone; waits for an adopted child that has ended."""
    try:
        return os.waitpid(pid, flags)[0] == pid
    except ChildProcessError:
        return not os.path.exists(f"/proc/{pid}")
