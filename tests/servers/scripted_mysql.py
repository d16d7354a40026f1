# SPDX-License-Identifier: MIT
"""A fake MySQL server that says what its script has, whatever it gets: for what no real server would do in a log-in.

A script is a list of steps: `Say(payload)` sends a packet with the next sequence number, or with that of its own; `Raw(bytes)` is sent
as it is; `HEAR` waits for one packet; `TLS` hears a request for TLS and makes it; at the end the connection is closed, unless
the last step is `HOLD`. Each connection goes through it from its beginning. `received` is all that came, decrypted what came
through TLS; `answers` are the packets that HEAR has heard."""
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
            while self._receive(connection, 65536):  # what still comes, until the other side has gone
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
