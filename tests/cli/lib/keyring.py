# SPDX-License-Identifier: MIT
"""A kernel keyring for one test: a user namespace has its own @u for as long as a process is in it."""

import shutil
import subprocess

from servers import process


class Keyring:
    """`wrap`: the arguments before a program that make it run in that namespace. Raises process.Missing if the machine
    has no user namespaces."""

    def __init__(self):
        for program in ("unshare", "nsenter"):
            if not shutil.which(program):
                raise process.Missing(program)
        self.holder = process.spawn(["unshare", "--user", "--map-root-user", "sh", "-c", "echo here; exec sleep 600"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self.holder.stdout.readline() != b"here\n":
            self.stop()
            raise process.Missing("user namespaces")
        self.wrap = ["/usr/bin/nsenter", "--preserve-credentials", "--user", "--target", str(self.holder.pid)]

    def stop(self):
        process.stop(self.holder)
        self.holder.stdout.close()
