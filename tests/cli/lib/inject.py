# SPDX-License-Identifier: MIT
"""A keeper that logs in for the client: profiles for it, its listeners and what a client needs there, and a client.

At a Unix socket the keeper accepts any user and password; at a port a client needs the password of that run, which is
useless elsewhere. The server's password is always registered as a secret: the harness looks for it in all output and
all files."""
import hashlib
import json
import os
import struct
import subprocess
from dataclasses import dataclass

from servers.load import Connection, Refused, scramble
from servers.pki import RIGHT_NAME

from .logins import profile

LONG_PASSWORD, WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH = 0x1, 0x8, 0x200, 0x2000, 0x8000, 0x80000
LOCAL_FILES, MULTI_STATEMENTS, SESSION_TRACK = 0x80, 0x10000, 0x800000
FLAGS = LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH
NATIVE, SHA2 = "mysql_native_password", "caching_sha2_password"
ANYBODY = "anybody"  # the user name that a client gives to the keeper
OFF = {"mysql": ["--ssl-mode=DISABLED"], "mariadb": ["--skip-ssl"]}


def write(broker, server, user, tunnel="", answer=None, **keys):
    """Writes the profile `p`, for which the keeper logs in: a program prints the password, and can be run again.
    `answer`: what that program prints instead of the password."""
    password = broker.secret(server.password(user))
    kept = broker.write("password", answer or password + b"\n", secret=True)
    broker.config(profile(**{"host": RIGHT_NAME, "port": server.port, "user": user, "login": "keeper", "auth": "command",
                             "auth_command": f"cat {kept}", "tls": "verify-identity", "tls_ca": server.ca, **keys}) + tunnel)


@dataclass
class End:
    """A listener of `forward --inject`: `address` as in lib/forwards.py, and the user and password for it."""
    address: str
    user: str
    password: bytes

    @property
    def words(self):
        """The options of a stock client that name it."""
        if self.address.startswith("/"):
            return ["--protocol=socket", f"--socket={self.address}"]
        return ["--protocol=tcp", "--host=127.0.0.1", f"--port={self.address.rpartition(':')[2]}"]

    @property
    def place(self):
        """The address, as load.Connection takes it."""
        return self.address if self.address.startswith("/") else ("127.0.0.1", int(self.address.rpartition(":")[2]))


def forward(broker, *args, name="p", **run):
    """`broker forward --inject` in the background. It prints the run's password, which is a secret from then on."""
    done = broker.run("forward", name, "--inject", "--detach", "--json", *args, secret_out=True, **run)
    assert done.code == 0 and not done.err, (done.code, done.errors)
    said = json.loads(done.text)
    one = said["forwards"][0] if "forwards" in said else said
    password = broker.secret((one["password"] or "").encode())
    return End(one["socket"] or f"{one['host']}:{one['port']}", one["user"], password)


def run(program, client, end, *args, user=None, password=None, input=None, timeout=60):
    """Runs PROGRAM of CLIENT against that listener, without option files and without TLS between it and the keeper."""
    argv = [program, "--no-defaults", f"--user={user or end.user or ANYBODY}", *end.words, *OFF[client.family], *args]
    password = end.password if password is None else password
    return subprocess.run([str(a) for a in argv], input=input, capture_output=True, timeout=timeout,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **({"MYSQL_PWD": os.fsdecode(password)} if password else {})})


def ask(client, end, *options, query, **more):
    return run(client.path, client, end, *options, "-NBe", query, **more)


def sha2(password, salt):
    """caching_sha2_password's scramble."""
    if not password:
        return b""
    once = hashlib.sha256(password).digest()
    mask = hashlib.sha256(hashlib.sha256(once).digest() + salt).digest()
    return bytes(a ^ b for a, b in zip(once, mask))


SCRAMBLES = {NATIVE: scramble, SHA2: sha2}


class Wire(Connection):
    """A client that speaks the protocol itself; `Refused` has the message of an error packet."""

    def greet(self):
        greeting = self.read()
        assert greeting[0] == 10, greeting
        self.version, _, rest = greeting[1:].partition(b"\0")
        self.thread, = struct.unpack_from("<I", rest)
        self.salt = rest[4:12] + rest[31:43]
        self.plugin = rest[44:].partition(b"\0")[0].decode()
        self.tls = bool(struct.unpack_from("<H", rest, 13)[0] & 0x0800)

    def login(self, user=ANYBODY, password=b"", plugin=None, flags=0, database=""):
        """Reads the greeting, unless that is done; logs in by PLUGIN or the greeting's plug-in; returns the OK
        packet."""
        if not hasattr(self, "salt"):
            self.greet()
        plugin = plugin or (self.plugin if self.plugin in SCRAMBLES else SHA2)
        answer = SCRAMBLES[plugin](password, self.salt)
        self.write(struct.pack("<IIB23x", FLAGS | flags | (WITH_DB if database else 0), 1 << 24, 45) + user.encode() + b"\0"
                   + bytes([len(answer)]) + answer + (database.encode() + b"\0" if database else b"") + plugin.encode() + b"\0",
                   self.sequence + 1)
        return self.admitted(password)

    def admitted(self, password):
        """Reads what follows the client's answer: an AuthSwitchRequest or "fast auth success", if any, then OK."""
        payload = self.read()
        if payload[:1] == b"\xfe":
            plugin, _, salt = payload[1:].partition(b"\0")
            self.write(SCRAMBLES[plugin.decode()](password, salt[:20]), self.sequence + 1)
            payload = self.read()
        if payload == b"\x01\x03":
            payload = self.read()
        if payload[:1] != b"\0":
            raise Refused(f"unexpected {payload[:40]!r}")
        return payload

    def command(self, body):
        """Sends one command packet; returns the first packet of the answer."""
        self.write(body, 0)
        return self.read()

    def ends(self):
        """Whether the keeper closes the connection without sending anything more."""
        return not self.data and self.socket.recv(1) == b""


def wire(end, **login):
    """A Wire that has logged in at that listener."""
    made = Wire(end.place)
    made.login(**{"user": end.user or ANYBODY, "password": end.password, **login})
    return made
