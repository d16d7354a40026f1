# SPDX-License-Identifier: MIT
"""The base class of a private MariaDB and a private MySQL server: a data directory that is made once and copied, a port
and a socket, accounts, a database `shop` with a small table, and a stop by pid.

Each server has the accounts of its `plugins`, with the password `server.password(name)`, and root without a password on
its socket. All of them have all privileges on `shop`."""
import fcntl
import hashlib
import os
import pwd
import shutil
import socket
import subprocess

from . import process
from .load import FLAGS, LATIN1, MULTI, UTF8MB4, Connection, Refused

SHOP = ["create database shop",
        "create table shop.item (id int primary key, name varchar(40))",
        "insert into shop.item values (1, 'apple'), (2, 'pear'), (3, 'quince')"]
X509 = "app_x509"  # an account that requires a client certificate


class Server:
    """A running server; subclasses say how to make the data directory, the command line and the accounts."""
    family = ""
    host = "127.0.0.1"
    plugins = {}  # account name -> plugin

    def __init__(self, folder, pki, tls=True, certificate=None, options=()):
        self.folder, self.pki, self.tls = folder, pki, tls
        self.ca, self.wrong_ca = pki.ca, pki.wrong_ca
        self.certificate = certificate or pki.server
        self.socket, self.log = folder / "s.sock", folder / "log"
        folder.mkdir(parents=True)
        subprocess.run(["cp", "-a", "--reflink=auto", "--sparse=always", self.template(), folder / "data"], check=True)
        (folder / "init.sql").write_text("".join(line + ";\n" for line in SHOP + self.account_sql()))
        self._start([*options, f"--init-file={folder}/init.sql"])
        self.options = options

    def _start(self, options, port=None):
        self.port = port or process.free_port()
        argv = [*self.command(), "--user=" + pwd.getpwuid(os.getuid()).pw_name, f"--datadir={self.folder}/data",
                "--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.socket}",
                f"--pid-file={self.folder}/pid", "--skip-log-bin", "--skip-name-resolve", "--local-infile=ON",
                "--performance-schema=OFF", "--innodb-buffer-pool-size=16M", *self.tls_options(), *options]
        self.proc = process.start(argv, self.log)
        process.wait_until(self._greets, self.proc, self.log)

    def _greets(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            try:
                s.connect(str(self.socket))
                return len(s.recv(16)) > 4
            except OSError:
                return False

    @property
    def pid(self):
        return self.proc.pid

    def stop(self):
        process.stop(self.proc)

    def restart(self, same_port=False):
        """Kill the server and start it again, on another port unless SAME_PORT."""
        self.stop()
        self.start_again(self.port if same_port else None)

    def start_again(self, port=None):
        self.socket.unlink(missing_ok=True)
        self._start(self.options, port)

    def template(self):
        """An empty data directory, made once per server version and kept in the cache."""
        path = process.cache_dir() / "data" / f"{self.family}-{hashlib.sha256(self.version().encode()).hexdigest()[:12]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                part = path.with_suffix(".part")
                shutil.rmtree(part, ignore_errors=True)
                self.make_template(part)
                part.rename(path)
        return path

    def version(self):
        return subprocess.run([self.program(), "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def admin(self, sql, charset="utf8mb4"):
        """Runs statements as root over the socket; rows come back as tab-separated lines, as from `mysql -NB`."""
        connection = Connection(self.socket)
        try:
            connection.login("root", b"", FLAGS | MULTI, LATIN1 if charset == "latin1" else UTF8MB4)
            rows = connection.results(sql.encode("latin1" if charset == "latin1" else "utf-8"))
        except Refused as error:
            raise RuntimeError(f"{sql!r}: {error}") from None
        finally:
            connection.close()
        return "\n".join("\t".join(map(shown, row)) for row in rows)

    def troubles(self):
        """{name: count} of failed connections, from the server's status counters."""
        rows = self.admin("show global status where variable_name like 'Aborted%' or variable_name like 'Connection_errors%'")
        return {name: int(count) for name, count in (row.split("\t") for row in rows.splitlines())}

    def password(self, name):
        """The password of one of the accounts in `plugins`; obviously a fake one."""
        return f"fake-{name}-{self.family}-canary-4711".encode()

    def account_sql(self):
        lines = []
        for name, plugin in self.plugins.items():
            lines += self.user_sql(name, self.password(name), plugin, "X509" if name == X509 else None)
        return lines

    def create_user(self, name, password=b"", plugin=None, require=None):
        """Creates or replaces a user with all privileges on shop. PASSWORD: any bytes 1-255; PLUGIN: its name; REQUIRE:
        SSL or X509."""
        lines = [f"drop user if exists {name}@'%'", *self.user_sql(name, password, plugin, require)]
        self.admin("".join(line + ";\n" for line in lines), charset="latin1")

    def user_sql(self, name, password, plugin, require):
        """The statements that create a user, in Latin-1, in which each byte of a password is one character that the
        server keeps."""
        using = self.identified(plugin, password)
        return [f"create user {name}@'%' {using}" + (f" require {require}" if require else ""),
                f"grant all on shop.* to {name}@'%'"]


def shown(value):
    """A column as `mysql -NB` prints it."""
    if value is None:
        return "NULL"
    text = value.decode(errors="replace").replace("\\", "\\\\")
    return text.replace("\n", "\\n").replace("\t", "\\t").replace("\0", "\\0")


def quote(password):
    """Bytes as an SQL string literal in a Latin-1 statement."""
    escapes = {0x27: "''", 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x1A: "\\Z"}
    return "'" + "".join(escapes.get(c, chr(c)) for c in password) + "'"
