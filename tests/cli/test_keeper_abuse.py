"""What clients, servers, visitors and files may do to a keeper: it must not spin, leak, grow, hang, or touch what is not its own.

The server is mostly a listener of the test itself, so that each byte and each end comes when the test wants it."""
import os
import resource
import select
import signal
import socket
import struct
import threading
import time

import pytest

from lib.bastion import ENGINES, Home, tunnel
from lib.broker import SANITIZED
from lib.forwards import Forwards, dial, until
from lib.keeping import gone, keeper
from lib.logins import profile
from servers import load, process

TICK = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def forwards(broker):
    made = Forwards(broker)
    yield made
    made.finish()


@pytest.fixture
def many_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Far:
    """The server: `accept()` gives its side of the next connection."""

    def __init__(self, backlog=128):
        self.door = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.door.settimeout(5)
        self.port, self.open = self.door.getsockname()[1], []

    def accept(self):
        self.open.append(self.door.accept()[0])
        self.open[-1].settimeout(5)
        return self.open[-1]

    def follow(self, answer=lambda s: s.recv(65536)):
        """From now on all are served by ANSWER, and closed after it."""
        def serve(s):
            with s:
                try:
                    answer(s)
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    s = self.door.accept()[0]
                except OSError:
                    return
                threading.Thread(target=serve, args=(s,), daemon=True).start()
        self.door.settimeout(None)
        threading.Thread(target=accept, daemon=True).start()

    def stop(self):
        try:
            self.door.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for s in [self.door, *self.open]:
            s.close()


@pytest.fixture
def far():
    made = Far()
    yield made
    made.stop()


@pytest.fixture
def stalled():
    """A port where a connection is never made: the queue of its listener is full."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen(0)
    fill = []
    for _ in range(2):
        fill.append(socket.socket())
        fill[-1].setblocking(False)
        fill[-1].connect_ex(door.getsockname())
    yield door.getsockname()[1]
    for s in (door, *fill):
        s.close()


@pytest.fixture
def forward(request, broker, forwards, names):
    """forward(port, ...) writes the profile `p` and starts its forward: the address. Its parameter is an engine of SSH."""
    engine = getattr(request, "param", None)
    if engine:
        home, sshd = Home(broker, request.getfixturevalue("ssh_home")), request.getfixturevalue("sshd")
        home.knows(sshd)
        home.has_key(request.getfixturevalue("user_key"))

    def start(port, *args, tls="preferred", wrap=(), **keys):
        broker.config(profile(**{"host": "127.0.0.1", "port": port, "user": "app", "tls": tls, "via": engine and "far", **keys})
                      + (tunnel(sshd, engine) if engine else ""))
        return forwards.detach("p", *args, wrap=wrap)
    return start


WAYS = pytest.mark.parametrize("forward", [None, *ENGINES], indirect=True, ids=["direct", *ENGINES])


def open_now(forwards):
    return forwards.one("p")["connections"]


def cpu(pid):
    """Seconds of processor time so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rests(pid, seconds=0.5, most=0.05):
    """Whether it uses (nearly) no processor while nothing happens."""
    before = cpu(pid)
    time.sleep(seconds)
    return cpu(pid) - before <= most


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def memory(pid):
    """Resident bytes that are its own."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("RssAnon:"))


def ended(s):
    """Reads S to its end, and closes it."""
    s.settimeout(5)
    try:
        while s.recv(1 << 20):
            pass
    except ConnectionError:
        pass
    s.close()


def fill(s):
    """Sends until nothing more is taken; S does not block."""
    while until(lambda: writable(s), 0.3):
        s.send(bytes(1 << 16))


def writable(s):
    return bool(select.select([], [s], [], 0)[1])


# Clients

@pytest.mark.parametrize("how", ["close", "shutdown", "reset"])
def test_gives_up_while_it_is_dialled(forward, forwards, stalled, how):
    address = forward(stalled, connect_timeout="30s")
    s = dial(address)
    assert until(lambda: open_now(forwards) == 1) and rests(keeper()[1])
    {"close": s.close, "reset": lambda: reset(s), "shutdown": lambda: s.shutdown(socket.SHUT_WR)}[how]()
    assert until(lambda: open_now(forwards) == 0, 5)
    s.close()


@WAYS
def test_no_descriptor_left(forward, forwards, far, many_files):
    """Clients wait or are told why; it still can be looked at and ended."""
    far.follow()
    address = forward(far.port, wrap=["prlimit", "--nofile=48:48"])
    held = [dial(address) for _ in range(60)]
    assert until(lambda: open_now(forwards) >= 15)
    pid = keeper()[1]
    assert rests(pid)
    with socket.socket(socket.AF_UNIX) as visitor:  # a second one at the same time
        visitor.connect(str(forwards.folder / "p.sock"))
        assert rests(pid)
    assert open_now(forwards) >= 15 and rests(pid)
    for s in held:
        s.close()
    assert until(lambda: open_now(forwards) == 0)
    with dial(address):
        assert until(lambda: open_now(forwards) == 1)
    held = [dial(address) for _ in range(60)]
    assert until(lambda: open_now(forwards) >= 15)
    assert forwards.broker.run("stop", "p").code == 0 and gone(forwards.broker)
    for s in held:
        s.close()


@WAYS
def test_never_reads(forward, forwards, far, size=100 << 20):
    """A result that nobody takes stays where it is; others go on."""
    def flood(s):
        block, left = bytes(1 << 16), size
        while left:
            left -= s.send(block)
    far.follow(flood)
    address = forward(far.port)
    pid = keeper()[1]
    held = [dial(address) for _ in range(8)]
    assert until(lambda: open_now(forwards) == 8)
    time.sleep(0.3)
    before = memory(pid)
    assert rests(pid)
    assert memory(pid) <= before + (1 << 20) < (400 if SANITIZED else 40) << 20
    for s in (dial(address), *held[::4]):  # also where it was not taken for a while
        assert sum(iter(lambda: len(s.recv(1 << 20)), 0)) == size
        s.close()
    for s in held:
        s.close()
    assert until(lambda: open_now(forwards) == 0)


@WAYS
def test_one_byte_at_a_time(forward, forwards, far):
    """Both ways, and half of it closed."""
    address = forward(far.port)
    pid = keeper()[1]
    with dial(address) as client:
        server = far.accept()
        for n in range(20):
            client.send(bytes([n]))
            assert server.recv(10) == bytes([n])
            server.send(bytes([n]))
            assert client.recv(10) == bytes([n])
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b"" and rests(pid)
        server.sendall(b"still")
        assert client.recv(10) == b"still" and rests(pid)
        server.close()
        assert client.recv(1) == b""
    assert until(lambda: open_now(forwards) == 0)


@WAYS
@pytest.mark.parametrize("who", ["client", "server"])
def test_reset_in_the_middle(forward, forwards, far, who):
    address = forward(far.port)
    pid = keeper()[1]
    before = files(pid)
    for waits in (False, True):
        client = dial(address)
        server = far.accept()
        if waits:  # for the other side, which reads nothing
            (server if who == "client" else client).setblocking(False)
            fill(client if who == "server" else server)
        reset(client if who == "client" else server)
        ended(server if who == "client" else client)
        assert until(lambda: open_now(forwards) == 0, 5), waits
    assert until(lambda: files(pid) == before), (before, [os.readlink(f"/proc/{pid}/fd/{f}") for f in os.listdir(f"/proc/{pid}/fd")])


@WAYS
def test_last_words(forward, forwards, far):
    """What a server says before it hangs up reaches a client that is still sending."""
    address = forward(far.port)
    said = b"too much"
    with dial(address) as client:
        server = far.accept()
        client.setblocking(False)
        fill(client)
        server.sendall(said)
        server.close()  # much is unread: a reset
        client.settimeout(5)
        assert client.recv(100) == said


@WAYS
def test_idle_of_every_kind(forward, forwards, far, mariadb_server):
    """No timer ticks for them."""
    address = forward(far.port)
    pid = keeper()[1]
    ends = [(dial(address), far.accept()) for _ in range(6)]
    ends[1][0].shutdown(socket.SHUT_WR)
    ends[2][1].shutdown(socket.SHUT_WR)
    ends[3][0].close()
    ends[4][1].close()
    time.sleep(2.5)  # the relay's own patience with an end that a client does not see
    assert rests(pid, 1)
    for pair in ends:
        for s in pair:
            s.close()
    assert until(lambda: open_now(forwards) == 0)


@WAYS
@pytest.mark.parametrize("size", [3200 << 10, 5 << 20])
def test_reads_later(forward, far, size):
    """What has piled up comes then, and the end behind it, though the server has nothing more to say."""
    far.follow(lambda s: s.sendall(bytes(size)))
    host, _, port = forward(far.port).rpartition(":")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(5)
        s.connect((host, int(port)))
        assert rests(keeper()[1])
        assert sum(iter(lambda: len(s.recv(1 << 20)), 0)) == size
