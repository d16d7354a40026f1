# SPDX-License-Identifier: MIT
"""A fake MySQL server that follows a script, whatever it receives: for what no real server would do during a login.

A script is a list of steps: `Say(payload)` sends a packet with the next sequence number, or the given one; `Raw(bytes)`
sends bytes unchanged; `HEAR` reads one packet; `TLS` reads a request for TLS and does the handshake. At the end the
connection is closed, unless the last step is `HOLD`. Each connection runs the script from its beginning. `received` is
all that clients sent, decrypted if it came through TLS; `answers` are the packets that HEAR has read."""
import socket
from dataclasses import dataclass

from .fake_listener import FakeListener
from .fake_mysql import packet

HEAR, TLS, HOLD = "hear", "tls", "hold"
SECONDS = 60


@dataclass(frozen=True)
class Say:
    payload: bytes
    sequence: int = None


@dataclass(frozen=True)
class Raw:
    bytes: bytes


class ScriptedServer(FakeListener):
    """certificate: (cert, key), for TLS."""

    def __init__(self, script, certificate=None):
        self.script, self.answers, self.finished = script, [], 0
        super().__init__(certificate)

    def _serve(self, connection):
        connection.settimeout(SECONDS)
        try:
            connection = self._play(connection)
            if self.script[-1:] != [HOLD]:
                connection.shutdown(socket.SHUT_WR)
            while self._receive(connection, 65536):  # reads on until the client has closed
                pass
        except (OSError, EOFError):
            pass
        connection.close()
        self.finished += 1

    def _play(self, connection):
        number = 0
        for step in self.script:
            if isinstance(step, Say):
                number = number if step.sequence is None else step.sequence
                connection.sendall(packet(number, step.payload))
                number += 1
            elif isinstance(step, Raw):
                connection.sendall(step.bytes)
            elif step == HEAR:
                sequence, answer = self._read_packet(connection)
                self.answers.append(answer)
                number = sequence + 1
            elif step == TLS:
                number = self._read_packet(connection)[0] + 2
                connection = self.context.wrap_socket(connection, server_side=True)
                self.open.append(connection)
        return connection
