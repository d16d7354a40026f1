# SPDX-License-Identifier: MIT
"""A private mysqld 9, as mysql9-fetch unpacked it, with TLS (a certificate of the tests' CA) or without."""
import subprocess

from . import process
from .database import X509, Server, quote


def home():
    """The folder of the fetched programs and their files."""
    return process.cache_dir() / "mysql9" / "mysql9"


def native_plugin_dir():
    """For `mysql --plugin-dir=`: mysql 9 has mysql_native_password only as a plugin."""
    return home() / "root/usr/lib/mysql/plugin"


def tool(name):
    """The arguments that start another program of that release, with its own C library."""
    root = home() / "root"
    libs = root / "usr/lib/x86_64-linux-gnu"
    return [str(libs / "ld-linux-x86-64.so.2"), "--argv0", name, "--library-path", f"{libs}:{root}/usr/lib/mysql/private",
            str(process.need(root / "usr/bin" / name))]


class MySQL(Server):
    family = "mysql"
    plugins = {"app": None, X509: None, "app_sha2": "caching_sha2_password"}

    def program(self):
        return process.need(home() / "mysqld")

    def command(self):
        share = home() / "root/usr/share/mysql"
        return [self.program(), "--no-defaults", f"--lc-messages-dir={share}", f"--character-sets-dir={share}/charsets",
                f"--plugin-dir={native_plugin_dir()}", "--secure-file-priv=NULL", "--mysqlx=OFF",
                "--innodb-redo-log-capacity=8M", "--innodb-doublewrite=OFF", "--innodb-log-writer-threads=OFF"]

    def make_template(self, path):
        subprocess.run([*self.command(), "--user=root", f"--datadir={path}", "--initialize-insecure"], check=True,
                       capture_output=True)

    def tls_options(self):
        if not self.tls:
            return ["--tls-version="]
        cert, key = self.certificate
        return [f"--ssl-ca={self.ca}", f"--ssl-cert={cert}", f"--ssl-key={key}"]

    def identified(self, plugin, password):
        return f"identified with {plugin or 'caching_sha2_password'} by {quote(password)}"
