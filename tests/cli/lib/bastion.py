# SPDX-License-Identifier: MIT
"""A server behind an sshd: the files of ~/.ssh for it, and the section [tunnel far] that names it."""
import re
import subprocess

from .logins import profile

ENGINES = ("libssh2", "openssh")


def libssh2_version():
    """The version of the library that the keeper is built with, such as (1, 11)."""
    said = subprocess.run(["pkg-config", "--modversion", "libssh2"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


def tunnel(sshd, engine=None, *lines, name="far", **keys):
    """The text of [tunnel far]; a key of None is left out."""
    given = {"type": "ssh", "host": sshd.host, "port": sshd.port, "user": sshd.user, "ssh_engine": engine, **keys}
    return "\n".join([f"[tunnel {name}]", *(f"{key} = {value}" for key, value in given.items() if value is not None), *lines, ""])


class Home:
    """~/.ssh of a test: knows(sshd), has_key(key), config(text)."""

    def __init__(self, broker, folder):
        self.broker, self.folder = broker, folder
        self.known_hosts = folder / "known_hosts"

    def knows(self, *sshds):
        self.known_hosts.write_text("".join(sshd.known() for sshd in sshds))

    def has_key(self, key, name=None):
        """Installs KEY as one of ssh's default keys (id_ed25519 ...), with its .pub and its certificate, if any."""
        name = name or "id_" + key.name.partition("-")[0]
        for suffix in ("", ".pub", "-cert.pub"):
            source = key.with_name(key.name + suffix)
            if source.exists():
                (self.folder / (name + suffix)).write_bytes(source.read_bytes())
                (self.folder / (name + suffix)).chmod(0o600)
        return self.folder / name

    def config(self, text):
        (self.folder / "config").write_text(text)
        (self.folder / "config").chmod(0o600)


class At:
    """Takes a server's place in write(), for a port where something else listens; it has every account name."""

    def __init__(self, port):
        self.port = port

    def password(self, user):
        return b"no-matter-what"


def write(broker, server, tunnels, user="app_native", **keys):
    """Writes the profile `p` for that account of SERVER, which the sshd reaches by TCP, and the sections TUNNELS."""
    broker.env["TEST_SECRET"] = broker.secret(server.password(user)).decode()
    given = {"host": "127.0.0.1", "port": server.port, "user": user, "auth": "env", "auth_env": "TEST_SECRET", "via": "far", **keys}
    broker.config(profile(**given) + tunnels)
