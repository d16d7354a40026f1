# SPDX-License-Identifier: MIT
"""The base class of the fake MySQL servers: a port of 127.0.0.1, a thread for each connection, and packets."""
import socket
import ssl
import threading

from .relay import shut, stop_listening


class FakeListener:
    """Calls self._serve(connection) for each connection. certificate: (cert, key), for TLS. `received`: all that
    clients sent."""
    host = "127.0.0.1"

    def __init__(self, certificate=None):
        self.received, self.connections, self.open = b"", 0, []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server((self.host, 0))
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def stop(self):
        stop_listening(self.listener, self.acceptor)
        for s in self.open:
            shut(s)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=self._opened(connection), daemon=True).start()

    def _opened(self, connection):
        """Records a new connection. Returns the arguments of its _serve()."""
        self.connections += 1
        self.open.append(connection)
        return (connection,)

    def _read_packet(self, connection):
        """Reads a packet; returns its sequence number and its body."""
        head = self._read_exactly(connection, 4)
        return head[3], self._read_exactly(connection, head[0] | head[1] << 8 | head[2] << 16)

    def _read_exactly(self, connection, length):
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
