# SPDX-License-Identifier: MIT
"""A fake MySQL server that plays a man in the middle, who can send anything before TLS and wants what the client
answers.

Each connection gets the next attack of ATTACKS. To every packet of the client that is not a request for TLS, the server
answers by requesting the password in cleartext. `seen` has a Seen for each connection: what came in cleartext, and
through TLS. HONEST is not an attack: it shows that the client would log in to this server."""
import select
import socket
import struct
import threading
from dataclasses import dataclass

from .fake_listener import FakeListener
from .fake_mysql import SSL, greeting, packet

HELLO = packet(0, greeting(b"mysql_native_password", True))
OPEN_HELLO = packet(0, greeting(b"mysql_native_password", False))
FULL = b"\xff" + struct.pack("<H", 1040) + b"#08004Too many connections"
PROGRESS = b"\xff\xff\xff#HY000\x01\x01\x02\x00\x00\x00"
OK = b"\0\0\0\x02\0\0\0"
SWITCH = b"\xfemysql_clear_password\0"
FACTOR = b"\x02mysql_clear_password\0"
WISH = b"\x01\x04"
HONEST = "honest"

# What is sent at once; what is sent a moment later; what is sent first through TLS, if the client gets that far.
ATTACKS = {
    "error after the greeting, one segment": (HELLO + packet(1, FULL), b"", b""),
    "progress after the greeting, one segment": (HELLO + packet(1, PROGRESS), b"", b""),
    "error instead of the greeting": (packet(0, FULL), b"", b""),
    "progress instead of the greeting": (packet(0, PROGRESS), b"", b""),
    "error, then the greeting": (packet(0, FULL) + HELLO, b"", b""),
    "progress, then the greeting": (packet(0, PROGRESS) + HELLO, b"", b""),
    "error after the greeting, later": (HELLO, packet(2, FULL), b""),
    "progress after the greeting, later": (HELLO, packet(2, PROGRESS), b""),
    "ok after the greeting": (HELLO + packet(2, OK), b"", b""),
    "ok instead of the greeting": (packet(0, OK), b"", b""),
    "switch after the greeting": (HELLO + packet(2, SWITCH), b"", b""),
    "switch after the greeting, later": (HELLO, packet(2, SWITCH), b""),
    "switch instead of the greeting": (packet(0, SWITCH), b"", b""),
    "plug-in data after the greeting": (HELLO + packet(2, WISH), b"", b""),
    "plug-in data instead of the greeting": (packet(0, WISH), b"", b""),
    "half a packet after the greeting": (HELLO + packet(3, OK)[:6], b"", packet(3, OK)[6:]),
    "half a packet during the TLS handshake": (HELLO, packet(3, OK)[:6], packet(3, OK)[6:]),
    "half a header after the greeting": (HELLO + packet(3, OK)[:1], b"", packet(3, OK)[1:]),
    "next factor after the greeting": (HELLO + packet(2, FACTOR), b"", b""),
    "request for a file after the greeting": (HELLO + packet(2, b"\xfb/etc/passwd"), b"", b""),
    "request for a file instead of the greeting": (packet(0, b"\xfb/etc/passwd"), b"", b""),
    "empty packet after the greeting": (HELLO + packet(2, b""), b"", b""),
    "end of data instead of the greeting": (packet(0, b"\xfe\0\0\2\0"), b"", b""),
    "greeting of protocol 9": (packet(0, b"\x093.20.0\0\7\0\0\0ABCDEFGH\0"), b"", b""),
    "greeting after a compression header": (struct.pack("<I", len(HELLO))[:3] + b"\0\0\0\0" + HELLO, b"", b""),
    "greeting twice": (HELLO + HELLO, b"", b""),
    "greeting without TLS": (OPEN_HELLO, b"", b""),
    "greeting without TLS, then an error": (OPEN_HELLO + packet(1, FULL), b"", b""),
    HONEST: (HELLO, b"", b""),
}
SECONDS, SOON = 20, 0.05


@dataclass
class Seen:
    attack: str
    clear: bytes = b""
    through_tls: bytes = b""
    over: bool = False


class HostileServer(FakeListener):
    """certificate: (cert, key) for clients that request TLS. Clients must connect one at a time."""

    def __init__(self, certificate):
        self.seen, self.lock = [], threading.Condition()
        super().__init__(certificate)

    def take(self):
        """What was seen since the last call, once all connections have ended; the next one gets the first attack
        again."""
        with self.lock:
            assert self.lock.wait_for(lambda: all(one.over for one in self.seen), SECONDS), self.seen
            seen, self.seen = self.seen, []
            return seen

    def _opened(self, connection):
        with self.lock:
            one = Seen(list(ATTACKS)[len(self.seen) % len(ATTACKS)])
            self.seen.append(one)
            return (*super()._opened(connection), one)

    def _serve(self, connection, one):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(SECONDS)
        try:
            self._attack(connection, one)
        except OSError:
            pass
        connection.close()
        with self.lock:
            self.open.remove(connection)
            one.over = True
            self.lock.notify_all()

    def _attack(self, connection, one):
        now, later, inside = ATTACKS[one.attack]
        connection.sendall(now)
        if later:
            select.select([connection], [], [], SOON)  # waits a moment for the client's first packet
            connection.sendall(later)
        while piece := connection.recv(65536, socket.MSG_PEEK):
            if asks_for_tls(piece) and not one.clear:
                one.clear += connection.recv(36)
                self._talk(connection, one, inside)
                return
            one.clear += connection.recv(len(piece))
            connection.sendall(packet(piece[3] + 1 if len(piece) > 3 else 2, SWITCH))

    def _talk(self, connection, one, inside):
        """If the client starts TLS: reads its answer through TLS, and refuses the login."""
        head = connection.recv(1, socket.MSG_PEEK)
        if head != b"\x16":
            one.clear += connection.recv(65536)
            return
        with self.context.wrap_socket(connection, server_side=True) as tls:
            tls.settimeout(SECONDS)
            if inside:
                tls.sendall(inside)
            one.through_tls += tls.recv(65536)
            tls.sendall(packet(3, b"\xff" + struct.pack("<H", 1045) + b"#28000no entry, says the fake"))


def asks_for_tls(data):
    return len(data) >= 36 and data[:4] == b"\x20\0\0\x01" and struct.unpack("<I", data[4:8])[0] & SSL


def gave_away(one):
    """What the client sent in cleartext beyond the request for TLS, which a man in the middle could read; b"" is
    right."""
    request = one.clear[:36]
    return one.clear[36:] if asks_for_tls(request) and request[13:32] == bytes(19) else one.clear
