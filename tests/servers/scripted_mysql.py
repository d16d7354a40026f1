# SPDX-License-Identifier: MIT
"""A fake MySQL server that says what its script has, whatever it gets: for what no real server would do in a log-in.

A script is a list of steps: `Say(payload)` sends a packet with the next sequence number, or with that of its own; `Raw(bytes)` is sent
as it is; `HEAR` waits for one packet; `TLS` hears a request for TLS and makes it; at the end the connection is closed, unless
the last step is `HOLD`. Each connection goes through it from its beginning. `received` is all that came, decrypted what came
through TLS; `answers` are the packets that HEAR has heard."""
import socket
import ssl
import threading
from dataclasses import dataclass

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


class ScriptedServer:
    """certificate: (cert, key), for TLS."""
    host = "127.0.0.1"

    def __init__(self, script, certificate=None):
        self.script, self.received, self.answers, self.connections = script, b"", [], 0
        self.open, self.finished = [], 0
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server((self.host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        for s in [self.listener, *self.open]:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

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
                sequence, answer = self._packet(connection)
                self.answers.append(answer)
                number = sequence + 1
            elif step == TLS:
                number = self._packet(connection)[0] + 2
                connection = self.context.wrap_socket(connection, server_side=True)
                self.open.append(connection)
        return connection

    def _packet(self, connection):
        head = self._exactly(connection, 4)
        return head[3], self._exactly(connection, head[0] | head[1] << 8 | head[2] << 16)

    def _exactly(self, connection, length):
        data = b""
        while len(data) < length:
            piece = self._receive(connection, length - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _receive(self, connection, most):
        piece = connection.recv(most)
        self.received += piece
        return piece
