# SPDX-License-Identifier: MIT
"""Bastions other than OpenSSH: dropbear, asyncssh, and one made with Go's x/crypto/ssh. Each has a host key of its own,
accepts the keys of authorize(), logs what clients request (read()), and counts the sessions that are logged in."""
import os
import subprocess
from pathlib import Path

from . import process
from .sshd import user

HERE = Path(__file__).resolve().parent


class Bastion:
    host = "127.0.0.1"
    kinds = ("ed25519",)

    def __init__(self, folder, keys, *options):
        folder.mkdir(parents=True)
        folder.parent.chmod(0o711)
        self.folder, self.log, self.port, self.user = folder, folder / "log", process.free_port(), user()
        self.host_key = keys.make("ed25519")
        self.authorized = folder / "authorized_keys"
        self.authorize()
        self.proc = process.start(self.command(*options), self.log)
        process.wait_until(lambda: self.ready in self.read(), self.proc, self.log)

    ready = "listening"

    def authorize(self, *keys):
        self.authorized.write_text("".join(Path(f"{key}.pub").read_text() for key in keys))

    def public(self):
        return " ".join(Path(f"{self.host_key}.pub").read_text().split()[:2])

    def known(self):
        return f"[{self.host}]:{self.port} {self.public()}\n"

    def read(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def logins(self):
        return self.read().count("\nlogin")

    def sessions(self):
        """How many sessions are logged in."""
        return self.logins() - self.read().count("\ngone")

    def asked(self):
        """What clients have requested, other than forwards."""
        return [line for line in self.read().splitlines() if line.startswith(("channel ", "request ")) and line != "channel direct-tcpip"]

    def stop(self):
        process.stop(self.proc)


class Go(Bastion):
    name = "Go's x/crypto/ssh"

    def command(self, *options):
        program = process.need(process.cache_dir() / "gossh" / "gossh")
        return [program, "-listen", f"{self.host}:{self.port}", "-hostkey", self.host_key, "-authorized", self.authorized, *options]


class AsyncSsh(Bastion):
    name = "asyncssh"

    def command(self, *options):
        if subprocess.run(["/usr/bin/python3", "-W", "ignore", "-c", "import asyncssh"], capture_output=True).returncode:
            raise process.Missing("python3-asyncssh (tests/setup installs it)")
        return ["/usr/bin/python3", HERE / "asyncssh_bastion.py", self.port, self.host_key, self.authorized, *options]


class Dropbear(Bastion):
    """Its user's home is the server's folder: the code that makes one writes passwd() to /etc/passwd."""
    name = "dropbear"
    ready = "Not backgrounding"

    def command(self, *options):
        if os.getuid():
            raise process.Missing("root, for a dropbear with a user of its own")
        program, tool = process.need("/usr/sbin/dropbear"), process.need("/usr/bin/dropbearkey")
        made = self.folder / "host_key"
        text = subprocess.run([tool, "-t", "ed25519", "-f", made], check=True, capture_output=True, text=True).stdout
        self._public = next(" ".join(line.split()[:2]) for line in text.splitlines() if line.startswith("ssh-ed25519"))
        return [program, "-F", "-E", "-p", f"{self.host}:{self.port}", "-r", made, "-s", "-P", self.folder / "pid", *options]

    def passwd(self, text):
        """The text of /etc/passwd with that home."""
        return "".join(line.replace(":/nonexistent:", f":{self.folder}:") if line.startswith(self.user + ":") else line
                       for line in text.splitlines(keepends=True))

    def public(self):
        return self._public

    def authorize(self, *keys):
        folder = self.folder / ".ssh"
        folder.mkdir(exist_ok=True, mode=0o755)
        self.authorized = folder / "authorized_keys"
        super().authorize(*keys)
        self.authorized.chmod(0o644)

    def logins(self):
        return self.read().count("auth succeeded")

    def sessions(self):
        return self.logins() - sum(line.count(" Exit (") for line in self.read().splitlines())

    def asked(self):
        return []  # dropbear does not log requests


KINDS = {"dropbear": Dropbear, "asyncssh": AsyncSsh, "go": Go}
