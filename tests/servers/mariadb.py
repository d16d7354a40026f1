# SPDX-License-Identifier: MIT
"""A private mariadbd 10.11, as Debian 12 packages it, with TLS (a certificate of the tests' CA) or without."""
import hashlib
import os
import subprocess
from pathlib import Path

from . import process
from .database import X509, Server, quote

FETCHED = process.cache_dir() / "mariadb-plugin"  # see ed25519-fetch
PLUGINS = FETCHED if FETCHED.exists() else Path("/usr/lib/mysql/plugin")
PARSEC = PLUGINS / "auth_parsec.so"  # MariaDB has it from 11.6 on


class MariaDB(Server):
    family = "mariadb"
    plugins = {"app": None, X509: None, "app_native": "mysql_native_password", "app_ed": "ed25519"}

    def program(self):
        return process.need("/usr/sbin/mariadbd")

    def command(self):
        folder = [f"--plugin-dir={FETCHED}"] if FETCHED.exists() else []
        return [self.program(), "--no-defaults", "--innodb-log-file-size=8M", *folder, "--plugin-load-add=auth_ed25519"]

    def make_template(self, path):
        """Makes a data directory; the script requires --user for root, and only for root."""
        user = ["--user=root"] if os.getuid() == 0 else []
        subprocess.run([process.need("/usr/bin/mariadb-install-db"), "--no-defaults", *user, f"--datadir={path}",
                        "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--force",
                        "--innodb-log-file-size=8M"], check=True, capture_output=True)

    def tls_options(self):
        if not self.tls:
            return ["--skip-ssl"]
        cert, key = self.certificate
        return [f"--ssl-ca={self.ca}", f"--ssl-cert={cert}", f"--ssl-key={key}"]

    def identified(self, plugin, password):
        if plugin in (None, "mysql_native_password"):
            digest = hashlib.sha1(hashlib.sha1(password).digest()).hexdigest().upper()
            return "identified via mysql_native_password using '" + (f"*{digest}'" if password else "'")
        return f"identified via {plugin} using password({quote(password)})"
