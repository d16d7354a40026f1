# SPDX-License-Identifier: MIT
"""Fake MySQL servers, written from the public description of the protocol, for what a real server would not do.

`FakeServer("switch")` greets as MySQL 8, then sends an AuthSwitchRequest for mysql_clear_password, with or without TLS,
and refuses the login whatever the answer is. `"sha2"` requests caching_sha2_password and full authentication: the
client then sends the password, or requests a public key. `"sha256"` requests sha256_password. Both send the public key
of `rsa`, if it is given, to a client that requests one. `"no greeting"`, `"greets"` and `"refuses"` send `refusal`
instead of the greeting, right after it, or after the client's answer. `"silent"` accepts the connection and sends
nothing. `"reset"` accepts it and resets it. `received` holds every byte that a client sends (with TLS: decrypted), so
that a test can assert that no secret is in it; `answers` holds the client's answer to each request of the server."""
import socket
import struct
import subprocess

from .fake_listener import FakeListener

LONG_PASSWORD, WITH_DB, PROTOCOL_41, SSL, TRANSACTIONS = 0x1, 0x8, 0x200, 0x800, 0x2000
SECURE_CONNECTION, PLUGIN_AUTH = 0x8000, 0x80000
SALT = b"ABCDEFGHIJKLMNOPQRST"


def packet(sequence, payload):
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 255]) + payload


def greeting(plugin, tls):
    flags = LONG_PASSWORD | WITH_DB | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH | (SSL if tls else 0)
    return (b"\x0a8.0.40-fake\0" + struct.pack("<I", 7) + SALT[:8] + b"\0" + struct.pack("<H", flags & 0xFFFF)
            + b"\x2d" + struct.pack("<HH", 2, flags >> 16) + bytes([len(SALT) + 1]) + bytes(10) + SALT[8:] + b"\0"
            + plugin + b"\0")


class FakeServer(FakeListener):
    """mode: switch, sha2, sha256, no greeting, greets, refuses, silent or reset. certificate: (cert, key) to offer TLS.
    plugin: the one that the switch requests. rsa: the path of a private key, whose public key clients can request; an
    answer that is encrypted with it is decrypted in `answers`."""

    def __init__(self, mode="switch", certificate=None, plugin=b"mysql_clear_password",
                 greeting_plugin=b"mysql_native_password", rsa=None,
                 refusal=(1045, b"no entry, says the fake")):
        self.mode, self.plugin, self.greeting_plugin = mode, plugin, greeting_plugin
        self.tls_used, self.answers, self.rsa, self.encrypted = False, [], rsa, False
        self.refusal = b"\xff" + struct.pack("<H", refusal[0]) + b"#28000" + refusal[1]
        super().__init__(certificate)

    def _serve(self, connection):
        try:
            if self.mode == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif self.mode == "silent":
                while self._receive(connection, 4096):
                    pass
            else:
                self._login(connection)
        except (OSError, EOFError):
            pass
        connection.close()

    def _login(self, connection):
        first = b"" if self.mode == "no greeting" else packet(0, greeting(self.greeting_plugin, self.context))
        if self.mode in ("no greeting", "greets"):
            connection.sendall(first + packet(1 if first else 0, self.refusal if first else self.refusal[:3] + self.refusal[9:]))
            self._receive(connection, 4096)
            return
        connection.sendall(first)
        sequence, answer = self._read_packet(connection)
        if self.context and struct.unpack("<I", answer[:4])[0] & SSL:
            connection = self.context.wrap_socket(connection, server_side=True)
            self.open.append(connection)
            self.tls_used = True
            sequence, answer = self._read_packet(connection)
        if self.mode == "sha2":
            sequence = self._ask(connection, sequence, b"\xfecaching_sha2_password\0" + SALT + b"\0")
            sequence = self._ask(connection, sequence, b"\x01\x04")
            sequence = self._give_key(connection, sequence, b"\x02")
        elif self.mode == "sha256":
            sequence = self._ask(connection, sequence, b"\xfesha256_password\0" + SALT + b"\0")
            sequence = self._give_key(connection, sequence, b"\x01")
        elif self.mode != "refuses":
            sequence = self._ask(connection, sequence, b"\xfe" + self.plugin + b"\0")
        connection.sendall(packet(sequence + 1, self.refusal))
        connection.close()

    def _ask(self, connection, sequence, question):
        connection.sendall(packet(sequence + 1, question))
        sequence, answer = self._read_packet(connection)
        self.answers.append(answer)
        return sequence

    def _give_key(self, connection, sequence, wish):
        """Sends the public key, decrypts what comes back (OAEP, of the password XOR the scramble) into the last
        answer."""
        if self.answers[-1] != wish or not self.rsa:
            return sequence
        public = subprocess.run(["openssl", "pkey", "-in", self.rsa, "-pubout"], capture_output=True, check=True).stdout
        sequence = self._ask(connection, sequence, b"\x01" + public)
        hidden = subprocess.run(["openssl", "pkeyutl", "-decrypt", "-inkey", self.rsa, "-pkeyopt", "rsa_padding_mode:oaep"],
                                input=self.answers[-1], capture_output=True, check=True).stdout
        self.answers[-1] = bytes(byte ^ SALT[i % len(SALT)] for i, byte in enumerate(hidden))
        self.encrypted = True
        return sequence
