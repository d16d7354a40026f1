# SPDX-License-Identifier: MIT
"""Python that passes bytes on to a server, for the end of a program that a test gives to ssh or to a tunnel: what the program does
first, such as a question, is the test's own."""

STDIO = """\
import socket, sys, threading
s = socket.create_connection(("{host}", {port}))
def up():
    while data := sys.stdin.buffer.raw.read(65536):
        s.sendall(data)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := s.recv(65536):
    sys.stdout.buffer.raw.write(data)
"""
LISTEN = """\
import os, socket, sys, threading
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def copy(a, b, late=False):
    while data := a.recv(65536):
        if late:
            {late}
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
while True:
    near = listener.accept()[0]
    far = socket.create_connection(("{host}", {port}))
    threading.Thread(target=copy, args=(near, far, True), daemon=True).start()
    threading.Thread(target=copy, args=(far, near), daemon=True).start()
"""


def stdio(server):
    """As a ProxyCommand: its stdin and stdout."""
    return STDIO.format(host=server.host, port=server.port)


def listen(server, late="pass"):
    """As a tunnel's command: connections to the port that its first word names. It does `late` at what a client sends."""
    return LISTEN.format(host=server.host, port=server.port, late=late)
