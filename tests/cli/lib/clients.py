# SPDX-License-Identifier: MIT
"""The three stock clients, each with its tools, and the authentication plugins that they know.

mysql9: Oracle's mysql 9.7; mariadb1011: Debian 12's mariadb; mariadb118: MariaDB 11.8's. The first and the last are
scripts of tests/servers/mysql9-fetch that exec the real program with its own C library."""
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import mysql9, process

NAMES = ("mysql9", "mariadb1011", "mariadb118")


@dataclass(frozen=True)
class Client:
    """name: one of NAMES. family: mysql or mariadb. path, dump, admin, load, binlog, check, show, slap: programs."""
    name: str
    family: str
    path: Path
    dump: Path
    admin: Path
    load: Path
    binlog: Path
    check: Path
    show: Path
    slap: Path

    def __str__(self):
        return str(self.path)

    def knows(self, plugin):
        """Whether it can log in to an account with this plugin (mysql 9 has the native one only with options_for())."""
        return plugin != "ed25519" or self.family == "mariadb"

    def options_for(self, server, user):
        """The options after `--` that this client needs to log in to that account: a plug-in folder, or none."""
        native = server.family == "mariadb" and server.plugins.get(user) in (None, "mysql_native_password")
        return [f"--plugin-dir={mysql9.native_plugin_dir()}"] if self.family == "mysql" and native else []

    def raw(self, server, user, sql, *options, host="127.0.0.1", port=None, password=None):
        """Run the client without broker; returns subprocess's result, with output as bytes."""
        password = server.password(user) if password is None else password
        argv = [self.path, "--no-defaults", f"--user={user}", f"--host={host}", f"--port={port or server.port}",
                "--protocol=tcp", *options, "-NBe", sql]
        return subprocess.run([str(a) for a in argv], capture_output=True, timeout=30,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "MYSQL_PWD": os.fsdecode(password)})


def find(name):
    """The client of that name; raises Missing."""
    fetched = process.cache_dir() / "mysql9"
    folder = {"mysql9": fetched / "mysql9", "mariadb1011": Path("/usr/bin"), "mariadb118": fetched / "mariadb118"}[name]
    tools = ("dump", "admin", "import", "binlog", "check", "show", "slap")
    words = ["mysql", *(f"mysql{t}" for t in tools)] if name == "mysql9" else ["mariadb", *(f"mariadb-{t}" for t in tools)]
    paths = [process.need(folder / word) for word in words]
    return Client(name, "mysql" if name == "mysql9" else "mariadb", *paths)
