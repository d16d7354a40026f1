# SPDX-License-Identifier: MIT
"""A clock that the test sets, for broker and the programs it starts: libfaketime reads its offset from a file."""
import os
import struct
import time
from pathlib import Path

import pytest

from servers import process

from .broker import PROGRAM

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
SHARED = Path("/dev/shm")


def need_movable():
    """Skips the test if the program is static (make STATIC=1), because no library can be preloaded into it."""
    if b"/ld-linux" not in PROGRAM.read_bytes():
        pytest.skip("missing: a program with another clock: a static one has the system's")


class Clock:
    """The wall clock of BROKER's programs. Their timers (CLOCK_MONOTONIC) are not faked, unless `timers` is true: then
    they see the jumps, too. Raises process.Missing."""

    def __init__(self, broker, timers=False):
        if not os.path.exists(LIBRARY):
            raise process.Missing(f"{LIBRARY} (tests/setup installs it)")
        need_movable()
        self.ahead, self.path = 0, broker.folder / "clock"
        self.move(0)
        broker.env.update(LD_PRELOAD=LIBRARY, FAKETIME_TIMESTAMP_FILE=str(self.path), FAKETIME_NO_CACHE="1",
                          FAKETIME_SHARED=self.share(f"broker-clock-{os.urandom(6).hex()}"),
                          ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
        if not timers:
            broker.env["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"

    def share(self, name):
        """Makes what the library would otherwise make in each process, and leave behind when a process calls exec: a
        semaphore, and a page with two counters and unset start times."""
        self.shared = [SHARED / name, SHARED / f"sem.{name}"]
        self.shared[0].write_bytes(bytes(16) + struct.pack("qq", 0, -1) * 4 + bytes(4000))
        assert process.LIBC.sem_open(f"/{name}".encode(), os.O_CREAT | os.O_EXCL, 0o600, 1)
        for path in self.shared:
            path.chmod(0o666)
        return f"/{name} /{name}"

    def move(self, seconds):
        """Moves the clock ahead by SECONDS."""
        self.ahead += seconds
        part = self.path.with_suffix(".part")
        part.write_text(f"+{self.ahead}s\n")
        part.chmod(0o644)
        part.rename(self.path)

    @property
    def now(self):
        return time.time() + self.ahead

    def stop(self):
        for path in self.shared:
            path.unlink()
