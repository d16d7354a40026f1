# SPDX-License-Identifier: MIT
"""Python code that copies bytes to and from a server. A test appends it to a program that it gives to ssh or to a
tunnel; what the program does first, such as prompting, is up to the test."""

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
    """For a ProxyCommand: connects stdin and stdout with the server."""
    return STDIO.format(host=server.host, port=server.port)


def listen(server, late="pass"):
    """For a tunnel's command: forwards connections to the port in its first argument. The statement LATE runs before
    data that a client sends is passed on."""
    return LISTEN.format(host=server.host, port=server.port, late=late)
