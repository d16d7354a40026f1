# SPDX-License-Identifier: MIT
"""A TCP relay between a client and a server: a tunnel that the user opened, a failing network, a man in the middle.

`sent` records what clients send, `heads` the first bytes of that for each connection, `answered` what the server sends.
`strip_tls`: clears the TLS bit of the server's greeting, as a man in the middle would. After `after` bytes from the
server, a connection is ended as `then` says: "reset", "close", or "silent" (it stays open, but nothing passes any
more). `header`: is sent to the server first, as HAProxy's send-proxy does. The server's answer to it is passed on until
the server closes or is silent, before data from the client is: that data would cause a reset, by which the answer would
be lost."""
import contextlib
import socket
import struct
import threading
import time

SSL, HEAD = 0x0800, 64


def without_tls(greeting):
    """A MySQL greeting (one packet) without CLIENT_SSL."""
    flags = greeting.index(0, 5) + 1 + 4 + 8 + 1  # past version, thread id, salt, filler
    low = struct.unpack_from("<H", greeting, flags)[0] & ~SSL
    return greeting[:flags] + struct.pack("<H", low) + greeting[flags + 2:]


class Relay:
    host = "127.0.0.1"

    def __init__(self, target, strip_tls=False, after=None, then="reset", delay=0, record=True, port=0, header=b""):
        """target: (host, port), or a path."""
        self.target, self.strip_tls, self.after, self.then = target, strip_tls, after, then
        self.delay, self.record, self.header = delay, record, header
        self.sent, self.heads, self.answered, self.connections, self.open = b"", {}, b"", 0, set()
        self.lock = threading.Lock()
        self.listener = socket.create_server((self.host, port), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def stop(self):
        stop_listening(self.listener, self.acceptor)
        self.cut()

    def cut(self):
        """Resets all open connections."""
        with self.lock:
            sockets, self.open = self.open, set()
        for s in sockets:
            reset(s)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _dial(self):
        if isinstance(self.target, tuple):
            return socket.create_connection(self.target, 10)
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(self.target))
        return s

    def _serve(self, client):
        try:
            server = self._dial()
        except OSError:
            reset(client)
            return
        for s in (client, server):
            s.settimeout(None)
            if s.family != socket.AF_UNIX:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.open |= {client, server}
        if self.header:
            server.sendall(self.header)
            client.sendall(until_silent(server))
        up = threading.Thread(target=self._copy, args=(client, server, "sent"), daemon=True)
        up.start()
        self._down(server, client)
        up.join()
        with self.lock:
            self.open -= {client, server}
        client.close()
        server.close()

    def _copy(self, source, sink, name):
        while data := receive(source, 262144):
            time.sleep(self.delay)
            if self.record:
                with self.lock:
                    setattr(self, name, getattr(self, name) + data)
                    if name == "sent":
                        self.heads[source] = (self.heads.get(source, b"") + data)[:HEAD]
            try:
                sink.sendall(data)
            except OSError:
                if not self.header:
                    break
        half_close(sink)

    def _down(self, server, client):
        """Copies from the server; its greeting may be changed, and its data cut off early."""
        passed = 0
        if self.strip_tls:
            head = receive_exactly(server, 4)
            greeting = head + receive_exactly(server, head[0] | head[1] << 8 | head[2] << 16) if len(head) == 4 else head
            client.sendall(without_tls(greeting))
        if self.after is None:
            return self._copy(server, client, "answered")
        while passed < self.after:
            data = receive(server, min(262144, self.after - passed))
            if not data:
                break
            passed += len(data)
            client.sendall(data)
        if self.then == "reset":
            reset(client)
        elif self.then == "close":
            shut(client)
        else:
            while receive(server, 65536):
                pass
        return None


def receive(s, most):
    try:
        return s.recv(most)
    except OSError:
        return b""


def receive_exactly(s, length):
    data = b""
    while len(data) < length and (piece := receive(s, length - len(data))):
        data += piece
    return data


def until_silent(s, seconds=2):
    data = b""
    s.settimeout(seconds)
    while piece := receive(s, 65536):
        data += piece
    s.settimeout(None)
    return data


def half_close(s):
    try:
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def shut(s):
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    s.close()


def stop_listening(listener, acceptor):
    """Closes LISTENER once the thread ACCEPTOR no longer accepts on it: that thread could otherwise accept on the next
    socket that gets the same descriptor."""
    with contextlib.suppress(OSError):  # closed already
        listener.shutdown(socket.SHUT_RDWR)
    acceptor.join()
    listener.close()


def reset(s):
    """Closes with RST, and wakes a thread that reads from it."""
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    s.close()
