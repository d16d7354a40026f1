# SPDX-License-Identifier: MIT
"""A small MySQL client, for many connections: logs in by mysql_native_password, or without a password, without TLS, runs
statements, disconnects. `Refused` has the server's message."""
import hashlib
import socket
import struct

LONG_PASSWORD, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH = 0x1, 0x200, 0x2000, 0x8000, 0x80000
FLAGS = LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH
MULTI = 0x30000  # several statements in one packet, and their results
MORE_RESULTS = 8
UTF8MB4, LATIN1 = 45, 8  # collations


class Refused(Exception):
    """An ERR packet, or a connection that ended when an answer was expected."""


def scramble(password, salt):
    if not password:
        return b""
    once = hashlib.sha1(password).digest()
    mask = hashlib.sha1(salt + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mask))


def length(data, at):
    """A length-encoded integer at AT: its value, or None for NULL, and the offset behind it."""
    size = {0xFB: 0, 0xFC: 2, 0xFD: 3, 0xFE: 8}.get(data[at])
    if size is None:
        return data[at], at + 1
    return (int.from_bytes(data[at + 1:at + 1 + size], "little") if size else None), at + 1 + size


def values(row):
    """The columns of a row: bytes, or None for NULL."""
    found, at = [], 0
    while at < len(row):
        size, at = length(row, at)
        found.append(None if size is None else row[at:at + size])
        at += size or 0
    return found


class Connection:
    """address: (host, port), or the path of a Unix socket. The constructor connects, but does not read the greeting."""

    def __init__(self, address, timeout=30):
        if isinstance(address, tuple):
            self.socket = socket.create_connection(address, timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(address))
        self.data = b""

    def _exactly(self, length):
        while len(self.data) < length:
            piece = self.socket.recv(65536)
            if not piece:
                raise Refused("the connection ended")
            self.data += piece
        data, self.data = self.data[:length], self.data[length:]
        return data

    def read(self):
        """Reads a packet; returns its payload."""
        head = self._exactly(4)
        self.sequence = head[3]
        payload = self._exactly(head[0] | head[1] << 8 | head[2] << 16)
        if payload[:1] == b"\xff":
            raise Refused(f"{struct.unpack('<H', payload[1:3])[0]} {payload[3:].decode(errors='replace')}")
        return payload

    def write(self, payload, sequence):
        self.socket.sendall(struct.pack("<I", len(payload))[:3] + bytes([sequence & 255]) + payload)

    def login(self, user, password, flags=FLAGS, collation=UTF8MB4):
        greeting = self.read()
        version, _, rest = greeting[1:].partition(b"\0")
        salt = rest[4:12] + rest[31:].partition(b"\0")[0][:12]
        answer = scramble(password, salt)
        self.write(struct.pack("<IIB23x", flags, 1 << 24, collation) + user.encode() + b"\0" + bytes([len(answer)]) + answer
                   + b"mysql_native_password\0", self.sequence + 1)
        payload = self.read()
        if payload[:1] == b"\xfe":  # another salt
            salt = payload[1:].partition(b"\0")[2][:20]
            self.write(scramble(password, salt), self.sequence + 1)
            payload = self.read()
        if payload[:1] != b"\0":
            raise Refused(f"unexpected {payload[:1]!r}")
        return version.decode()

    def results(self, sql):
        """The rows of all statements in SQL (bytes), each as values(); with MULTI in the flags it may be several."""
        self.write(b"\x03" + sql, 0)
        rows, status = [], MORE_RESULTS
        while status & MORE_RESULTS:
            head = self.read()
            if head[:1] == b"\0":
                at = length(head, length(head, 1)[1])[1]
                status = struct.unpack_from("<H", head, at)[0]
                continue
            for _ in range(head[0] + 1):
                self.read()
            while (row := self.read())[:1] != b"\xfe" or len(row) >= 9:
                rows.append(values(row))
            status = struct.unpack_from("<H", row, 3)[0]
        return rows

    def query(self, sql):
        """The rows' raw bytes of a statement with one column."""
        return [row[0] for row in self.results(sql.encode())]

    def close(self, quit=True):
        """quit: send COM_QUIT first, as a client that ends normally."""
        if quit:
            self.write(b"\x01", 0)
        self.socket.close()


def once(address, user, password, sql="select 1"):
    """Connects, runs the query, and disconnects with COM_QUIT."""
    connection = Connection(address)
    connection.login(user, password)
    rows = connection.query(sql)
    connection.close()
    return rows
