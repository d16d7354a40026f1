# SPDX-License-Identifier: MIT
"""Rekeying and flow control of the libssh2 engine: constant key exchanges lose no connection, and clients that never
read cost no more memory than their channel windows."""
import contextlib
import socket
import threading
import time

from lib.bastion import tunnel, write
from lib.broker import SANITIZED
from lib.forwards import dial, until
from lib.keeping import gone, keeper
from servers import load

NATIVE, SECONDS, MANY, MEMORY = "app_native", 8, 512, (64 << 10) * (16 if SANITIZED else 1)


def prepare(home, sshd, **keys):
    home.knows(sshd)
    write(home.broker, home.server, tunnel(sshd, "libssh2"), client=home.client.path, **keys)


def busy(place, password, number, lost):
    """Transfers in both directions, of sizes that end at any point of a key exchange."""
    end = time.monotonic() + SECONDS
    try:
        connection = load.Connection(place)
        connection.login(NATIVE, password)
        while time.monotonic() < end:
            n = 100000 + 37777 * (number + 1)
            assert connection.query(f"select repeat('x', {n})") == [b"x" * n]
            assert connection.query("select length('" + "y" * n + "')") == [b"%d" % n]
        connection.close()
    except Exception as error:
        lost.append(error)


def test_busy_connections_while_keys_change(home, start_sshd, user_key, forwards):
    """RekeyLimit 1M. `tests/soak rekey` does this for a minute or longer."""
    sshd = start_sshd(lines=["RekeyLimit 1M"], host_keys=["ed25519"])
    sshd.authorize(user_key)
    prepare(home, sshd)
    address = forwards.detach("p")
    place = "127.0.0.1", int(address.rpartition(":")[2])
    lost = []
    workers = [threading.Thread(target=busy, args=(place, home.server.password(NATIVE), i, lost)) for i in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not lost, lost[:3]
    assert forwards.one("p")["state"] == "up"
    assert home.broker.run("stop", "p").code == 0 and gone(home.broker)


class EndlessSender:
    """A server that sends without end to each client, in total `sent` bytes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=MANY)
        self.port, self.sent, self.open = self.listener.getsockname()[1], 0, []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                s = self.listener.accept()[0]
                self.open.append(s)
                threading.Thread(target=self._pour, args=(s,), daemon=True).start()

    def _pour(self, s):
        with contextlib.suppress(OSError):
            while True:
                self.sent += s.send(bytes(16384))

    def stop(self):
        for s in (self.listener, *self.open):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()


def test_clients_that_do_not_read(home, sshd, forwards, many_files):
    sender = EndlessSender()
    prepare(home, sshd, port=sender.port, connect_timeout="60s")
    address = forwards.detach("p")
    pid = keeper()[1]
    held = [dial(address, 60) for _ in range(MANY)]
    assert until(lambda: len(sender.open) >= MANY, 60)
    before = -1
    while sender.sent > before:  # until no more data flows
        before = sender.sent
        time.sleep(1)
    with open(f"/proc/{pid}/status") as f:
        peak = int(f.read().partition("VmHWM:")[2].split()[0])
    assert peak < MEMORY, peak
    assert forwards.one("p")["state"] == "up" and forwards.one("p")["connections"] == MANY
    for s in held[::100]:  # data still reaches each of them
        s.settimeout(30)
        left = 4 << 20
        while left > 0:
            data = s.recv(1 << 16)
            assert data
            left -= len(data)
    for s in held:
        s.close()
    sender.stop()
    assert home.broker.run("stop", "p").code == 0 and gone(home.broker)
