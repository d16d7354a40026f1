# SPDX-License-Identifier: MIT
"""Processes, read from /proc: the tree below one, what argv and environment they show, and who was left behind.

The test run is a child subreaper, so whatever a test starts, however often it forks, stays below this process."""
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
    """For a fixture: the test may hold as many descriptors as it wants."""
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
    """While `with Watch(...)` runs, samples argv and environment of everything below this process but the servers.
    Afterwards `argv` and `environ` are sets of what was seen, as in /proc (words end in NUL). It may well miss what is over
    soon: what a test wants to be seen waits for the file that tell() names."""

    def __init__(self, interval=0.002):
        self.interval, self.argv, self.environ = interval, set(), set()
        self.done, self.wanted = threading.Event(), {}

    def tell(self, path, word):
        """PATH is made once WORD has been seen in an argv."""
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
    """Below this process, without the servers and what is below them."""
    return list(tree(os.getpid(), process.KNOWN))


def strays(grace=20):
    """What a test left running, as texts; after GRACE seconds it is killed."""
    deadline = time.monotonic() + grace
    while True:
        # Twice, because the kernel's list may leave out others if a process ends while it is read.
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
    """True once PID is gone; an adopted child that has ended is waited for."""
    try:
        return os.waitpid(pid, flags)[0] == pid
    except ChildProcessError:
        return not os.path.exists(f"/proc/{pid}")
