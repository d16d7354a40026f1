# SPDX-License-Identifier: MIT
"""What clients, servers, clients of the control socket, and files can do to a keeper: it must not spin, leak, grow,
hang, or touch what is not its own.

The server is mostly a listener of the test itself, so that each byte and each close comes when the test wants it."""
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from lib.bastion import ENGINES, Home, tunnel
from lib.broker import SANITIZED
from lib.forwards import dial, greeting, until
from lib.keeping import gone, keeper, keepers, named, send
from lib.logins import profile
from servers import process

TICK = os.sysconf("SC_CLK_TCK")
OK, STATUS, STOP = 1, 20, 21  # include/ipc/keeper.h


class Far:
    """The server: `accept()` returns its side of the next connection."""

    def __init__(self, backlog=128):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.listener.settimeout(20)
        self.port, self.open = self.listener.getsockname()[1], []

    def accept(self):
        self.open.append(self.listener.accept()[0])
        self.open[-1].settimeout(20)
        return self.open[-1]

    def follow(self, answer=lambda s: s.recv(65536)):
        """From now on, calls ANSWER for each connection, and then closes it."""
        def serve(s):
            with s:
                try:
                    answer(s)
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    s = self.listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=serve, args=(s,), daemon=True).start()
        self.listener.settimeout(None)
        threading.Thread(target=accept, daemon=True).start()

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for s in [self.listener, *self.open]:
            s.close()


@pytest.fixture
def far():
    made = Far()
    yield made
    made.stop()


@pytest.fixture
def stalled():
    """A port to which no connection can be made, because its listener's queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fill = []
    for _ in range(2):
        fill.append(socket.socket())
        fill[-1].setblocking(False)
        fill[-1].connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for s in (listener, *fill):
        s.close()


@pytest.fixture
def forward(request, broker, forwards, names):
    """forward(port, ...) writes the profile `p`, starts its forward and returns the address. The fixture's parameter is
    an SSH engine, or None for a direct route."""
    engine = getattr(request, "param", None)
    if engine:
        home, sshd = Home(broker, request.getfixturevalue("ssh_home")), request.getfixturevalue("sshd")
        home.knows(sshd)
        home.has_key(request.getfixturevalue("user_key"))

    def start(port, *args, tls="preferred", wrap=(), **keys):
        broker.config(profile(**{"host": "127.0.0.1", "port": port, "user": "app", "tls": tls, "via": engine and "far", **keys})
                      + (tunnel(sshd, engine) if engine else ""))
        return forwards.detach("p", *args, wrap=wrap)
    start.engine = engine
    return start


ROUTES = pytest.mark.parametrize("forward", [None, *ENGINES], indirect=True, ids=["direct", *ENGINES])


def open_now(forwards):
    return forwards.one("p")["connections"]


def cpu(pid):
    """Seconds of processor time so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rests(pid, seconds=0.3, most=0.02):
    """Whether the process soon uses (almost) no processor time, while nothing happens."""
    def at_rest():
        before = cpu(pid)
        time.sleep(seconds)
        return cpu(pid) - before <= most
    return until(at_rest, 20)


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def files_at_rest(forwards, pid):
    """The number of the keeper's descriptors, once it has answered a request and so has opened those that it keeps."""
    assert open_now(forwards) == 0 and rests(pid)
    return files(pid)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def memory(pid):
    """Resident anonymous memory of the process, in bytes."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("RssAnon:"))


def ended(s):
    """Reads S to its end, which must come, and closes it."""
    s.settimeout(20)
    try:
        while s.recv(1 << 20):
            pass
    except ConnectionError:
        pass
    s.close()


def fill(s):
    """Sends until nothing more is accepted; S must be non-blocking."""
    while until(lambda: writable(s), 0.3):
        s.send(bytes(1 << 16))


def writable(s):
    return bool(select.select([], [s], [], 0)[1])


def record(kind, body=b"", version=1):
    return struct.pack(">IBB", len(body) + 2, version, kind) + body


def dial_control(forwards):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(str(forwards.folder / "p.sock"))
    return s


# Clients

@ROUTES
@pytest.mark.parametrize("how", ["close", "shutdown", "reset"])
def test_client_gives_up_while_the_server_is_dialled(forward, forwards, stalled, how):
    address = forward(stalled, connect_timeout="30s")
    s = dial(address)
    assert until(lambda: open_now(forwards) == 1) and rests(keeper()[1])
    {"close": s.close, "reset": lambda: reset(s), "shutdown": lambda: s.shutdown(socket.SHUT_WR)}[how]()
    assert until(lambda: open_now(forwards) == 0)
    s.close()


@ROUTES
def test_out_of_descriptors(forward, forwards, far, many_files):
    """Clients wait or are told why, and `status` and `stop` still work. If ssh itself lacks descriptors and leaves a
    request unanswered, that ends at connect_timeout, so the test waits longer. If ssh has died of it, and there was no
    descriptor to start it again, the next clients are told so until the pause before the next start is over."""
    def is_served():
        with dial(address):
            return until(lambda: open_now(forwards) == 1, 2)
    far.follow()
    address = forward(far.port, wrap=["prlimit", "--nofile=48:48"])
    held = [dial(address) for _ in range(60)]
    assert until(lambda: open_now(forwards) >= 15, 30)
    pid = keeper()[1]
    assert rests(pid)
    with socket.socket(socket.AF_UNIX) as control:  # a second client of the control socket at the same time
        control.connect(str(forwards.folder / "p.sock"))
        assert rests(pid)
    assert open_now(forwards) >= 15 and rests(pid)
    for s in held:
        s.close()
    assert until(lambda: open_now(forwards) == 0, 30)
    assert until(is_served, 30)
    held = [dial(address) for _ in range(60)]
    assert until(lambda: open_now(forwards) >= 15, 30)
    assert forwards.broker.run("stop", "p").code == 0 and gone(forwards.broker)
    for s in held:
        s.close()


@ROUTES
def test_client_that_never_reads(forward, forwards, far, size=30 << 20):
    """A result that its client does not read stays at the server; other clients are served."""
    def flood(s):
        block, left = bytes(1 << 16), size
        while left:
            left -= s.send(block)
    far.follow(flood)
    address = forward(far.port)
    pid = keeper()[1]
    held = [dial(address) for _ in range(8)]
    assert until(lambda: open_now(forwards) == 8)
    assert rests(pid)
    assert memory(pid) < (400 if SANITIZED else 40) << 20
    for s in (dial(address), *held[::4]):  # also those who have not read for a while
        assert sum(iter(lambda: len(s.recv(1 << 20)), 0)) == size
        s.close()
    for s in held:
        s.close()
    assert until(lambda: open_now(forwards) == 0)


@ROUTES
def test_one_byte_at_a_time(forward, forwards, far):
    """In both directions, and with one direction closed."""
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


@ROUTES
@pytest.mark.parametrize("who", ["client", "server"])
def test_reset_in_the_middle(forward, forwards, far, who):
    address = forward(far.port)
    pid = keeper()[1]
    before = files_at_rest(forwards, pid)
    for waits in (False, True):
        client = dial(address)
        server = far.accept()
        if waits:  # for the other side to read, which reads nothing
            (server if who == "client" else client).setblocking(False)
            fill(client if who == "server" else server)
        reset(client if who == "client" else server)
        ended(server if who == "client" else client)
        assert until(lambda: open_now(forwards) == 0), waits
    assert until(lambda: files(pid) <= before)


@ROUTES
def test_last_message_of_the_server(forward, forwards, far):
    """What a server sends before it closes the connection reaches a client that is still sending."""
    address = forward(far.port)
    data = b"too much"
    with dial(address) as client:
        server = far.accept()
        client.setblocking(False)
        fill(client)
        server.sendall(data)
        server.close()  # much is unread, so this is a reset
        client.settimeout(20)
        assert client.recv(100) == data


@ROUTES
def test_idle_connections(forward, forwards, far, mariadb_server):
    """No timer runs for them."""
    address = forward(far.port)
    pid = keeper()[1]
    ends = [(dial(address), far.accept()) for _ in range(6)]
    ends[1][0].shutdown(socket.SHUT_WR)
    ends[2][1].shutdown(socket.SHUT_WR)
    ends[3][0].close()
    ends[4][1].close()
    assert rests(pid, 0.5)
    for pair in ends:
        for s in pair:
            s.close()
    assert until(lambda: open_now(forwards) == 0)


@ROUTES
@pytest.mark.parametrize("size", [3200 << 10, 5 << 20])
def test_client_that_reads_later(forward, far, size):
    """What was buffered arrives then, and the end of file after it, although the server sends nothing more."""
    far.follow(lambda s: s.sendall(bytes(size)))
    host, _, port = forward(far.port).rpartition(":")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(20)
        s.connect((host, int(port)))
        assert rests(keeper()[1])
        assert sum(iter(lambda: len(s.recv(1 << 20)), 0)) == size


# How it ends

def test_stop_while_the_server_is_dialled(forward, forwards, stalled, broker):
    """The keeper does not wait for a server that does not answer, with --drain or without."""
    for drain in ([], ["--drain", "30s"]):
        address = forward(stalled, *drain, connect_timeout="30s")
        with dial(address) as s:
            assert until(lambda: open_now(forwards) == 1)
            if drain:
                assert broker.run("stop", "p", "--timeout", "1").code == 69
                s.close()
            assert broker.run("stop", "p", "--timeout", "20").code == 0
        assert gone(broker, address.rpartition(":")[2])


def test_stop_twice(forward, forwards, far, broker):
    """The second `stop` finds nothing and prints nothing. Clients that connected to the control socket before see its
    end."""
    address = forward(far.port, "--drain", "30s")
    with dial(address) as client, dial_control(forwards) as one, dial_control(forwards) as two, dial_control(forwards) as idle:
        client_far = far.accept()
        for control in (one, two):
            control.sendall(record(STOP))
            assert control.recv(100) == record(OK)
        one.sendall(record(STOP))
        assert broker.run("stop", "p").code == 0 and broker.run("stop", "p").code == 0
        assert broker.run("status", "p").code == 69
        client.sendall(b"still")
        assert client_far.recv(10) == b"still" and keeper()
        client.close()
        client_far.close()
        for control in (one, two, idle):
            ended(control)
    assert gone(broker)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_before_it_is_ready(broker, names, stalled, number):
    broker.config(profile(host="127.0.0.1", port=stalled, user="app", auth="none", tls="required", connect_timeout="30s",
                          via=f"tcp://127.0.0.1:{stalled}"))
    proc = broker.start("exec", "p", "--", "true", stderr=subprocess.PIPE)
    assert until(lambda: len(named("broker-keeper")) == 2)
    os.kill(keeper()[1], number)
    assert b"broker-keeper" in proc.communicate(timeout=20)[1] and proc.returncode == 76
    assert gone(broker)


# Clients of the control socket

@pytest.mark.parametrize("data", [b"\0\0\0\0\0\0", b"\xff" * 6, record(200), record(STATUS, version=9),
                                  record(STATUS, b"\1\0\0\0\xff"), record(STATUS, bytes(5)) * 3,
                                  b"GET / HTTP/1.1\r\n\r\n", record(STOP)[:-1], bytes(1 << 20)],
                         ids=["empty", "ones", "kind", "version", "field", "thrice", "http", "short", "long"])
def test_hostile_control_client(forward, forwards, far, data):
    forward(far.port)
    pid = keeper()[1]
    before = files_at_rest(forwards, pid)
    with dial_control(forwards) as control:
        try:
            control.sendall(data)
            control.shutdown(socket.SHUT_WR)
            while control.recv(65536):
                pass
        except ConnectionError:
            pass
    assert until(lambda: files(pid) <= before) and open_now(forwards) == 0


def test_many_silent_control_clients(forward, forwards, far, broker):
    """They are disconnected in time, and delay no other client."""
    forward(far.port)
    pid = keeper()[1]
    before = files_at_rest(forwards, pid)
    held = [dial_control(forwards) for _ in range(100)]
    for n, control in enumerate(held):
        control.sendall(record(STATUS)[:n % 6])
    assert open_now(forwards) == 0 and rests(pid)
    for control in held:
        assert control.recv(1) == b""
        control.close()
    assert until(lambda: files(pid) <= before)


# Files

def test_foreign_files(forward, forwards, far, broker):
    """A file that is not a keeper's socket is named in the error, not followed, and not removed. The other forwards are
    listed nevertheless."""
    forward(far.port)
    folder = forwards.folder
    kept = broker.write("kept", "kept")
    (folder / "a.sock").symlink_to(kept)
    (folder / "b.sock").symlink_to(folder / "p.sock")
    (folder / "c.sock").write_text("file")
    (folder / "d.sock").mkdir()
    os.mkfifo(folder / "e.sock")
    done = broker.run("status", "--json")
    assert done.code != 0 and "hint: " in done.errors and '"p"' in done.text
    for name in "abcde":
        for verb in (["status", name], ["stop", name]):
            done = broker.run(*verb)
            assert done.code == 78 and f"/{name}.sock: not a socket that you own" in done.errors, done.errors
        broker.config(profile(name, host="127.0.0.1", port=far.port, user="app", tls="preferred"))
        assert broker.run("forward", name, "--detach").code == 78
    assert broker.run("stop", "p").code == 0
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.sock" for name in "abcde"] and kept.read_text() == "kept"
    (folder / "d.sock").rmdir()
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("kind", ["link", "file", "dead"])
def test_foreign_folder(forward, broker, far, kind):
    """The folder of control sockets is a link or a file, or contains the socket of a keeper that no longer runs."""
    place = broker.runtime / "broker"
    place.mkdir(mode=0o700)
    if kind == "link":
        (place / "forward").symlink_to(broker.home)
    elif kind == "file":
        (place / "forward").write_text("")
    else:
        (place / "forward").mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(place / "forward" / "p.sock"))
    broker.config(profile(host="127.0.0.1", port=far.port, user="app", tls="preferred"))
    done = broker.run("forward", "p", "--detach")
    if kind == "dead":
        assert done.code == 0 and broker.run("stop", "p").code == 0 and gone(broker)
    else:
        assert done.code == 78 and "not a folder that you own" in done.errors
        (place / "forward").unlink()


def test_replaced_socket_is_not_removed(forward, broker, far, pki):
    """A keeper removes only the socket that it has made."""
    path = broker.runtime / "s"
    forward(far.port, "--listen", str(path), tls="required")
    path.unlink()
    path.write_text("another's")
    assert broker.run("stop", "p").code == 0 and path.read_text() == "another's"
    path.unlink()


def test_keeper_that_ends_while_it_is_asked(broker, forwards, far):
    """A keeper that another process stops resets the connections that wait for an answer: it then counts as not
    running."""
    folder = broker.runtime / "broker" / "forward"
    folder.mkdir(mode=0o700, parents=True)
    folder.parent.chmod(0o700)
    broker.config(profile(host="127.0.0.1", port=far.port, user="app", tls="preferred"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "p.sock"))
        listener.listen()
        threading.Thread(target=reset_all, args=(listener,), daemon=True).start()
        assert broker.run("status", "p").code == 69
        assert broker.run("stop", "p").code == 0
        address = forwards.detach("p")
        listener.shutdown(socket.SHUT_RDWR)
    with dial(address):
        assert far.accept()
    assert broker.run("stop", "p").code == 0 and gone(broker)


def reset_all(listener):
    """Closes each connection once data has come, without reading it, so that the connection is reset."""
    while True:
        try:
            s = listener.accept()[0]
        except OSError:
            return
        select.select([s], [], [], 20)
        s.close()


def test_log_that_no_process_reads(forward, forwards, broker):
    """Lines that cannot be written are lost, and nothing waits for them."""
    fifo = broker.runtime / "fifo"
    os.mkfifo(fifo)
    with open(os.open(fifo, os.O_RDWR), "rb") as reader:
        address = forward(process.free_port(), "--log", str(fifo))
        assert b"2003 " in greeting(address)
        assert b"2003 " in os.read(reader.fileno(), 4096)
    for _ in range(3):
        assert b"2003 " in greeting(address)
    assert open_now(forwards) == 0 and broker.run("stop", "p").code == 0
    fifo.unlink()


# Killed

@ROUTES
@pytest.mark.parametrize("verb", ["exec", "forward"])
@pytest.mark.parametrize("whom", ["keeper", "broker"])
def test_killed_at_any_moment(forward, forwards, broker, mariadb_server, verb, whom):
    """Whenever that happens, nothing is left behind."""
    words = {"exec": ["exec", "p", "--tls", "required", "--auth", "none", "--", "sleep", "55.5"],
             "forward": ["forward", "p", "--detach"]}[verb]
    port = mariadb_server.port
    forward(port, **({} if forward.engine else {"via": f"tcp://127.0.0.1:{port}"}))
    assert broker.run("stop", "p").code == 0
    for n in range(8):
        proc = broker.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.011 * n)
        if whom == "broker":
            proc.kill()
        else:
            until(lambda: proc.poll() is not None or end_keepers())
        if verb == "exec":
            proc.kill()
        proc.wait(20)
        if verb == "forward":
            assert broker.run("stop", "p").code == 0
        assert gone(broker)


def end_keepers():
    """Kills the keepers, but not their guards. Returns whether there was one."""
    found = keepers()
    send(signal.SIGKILL, [pid for _, pid in found])
    return bool(found)
