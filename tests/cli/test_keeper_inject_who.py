# SPDX-License-Identifier: MIT
"""Which clients a keeper that logs in accepts: processes of its own user, and at a port only with the password of this
run, even while many others try to connect. That password is of no use at the server."""
import json
import os
import socket
import statistics
import subprocess
import sys
import time

import pytest

from lib import inject, stranger
from lib.forwards import dial, until
from lib.inject import NATIVE, SHA2, Wire, ask, wire
from lib.keeping import Beside, gone
from lib.ways import resolve
from servers.load import Refused
from servers.mysql9 import native_plugin_dir
from servers.relay import Relay
from test_keeper_strangers import started

AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="missing: root, for another user")
SERVERS = pytest.mark.parametrize("fixture, user", [("mariadb_server", "app_native"), ("mysql_server", "app_sha2")],
                                  ids=["mariadb", "mysql"])
NEEDED = "1045.*broker: the password of this run is needed"
MAX_NOT_LOGGED_IN = 32
FOREIGN, FOREIGN_NAME = "127.0.0.5", "relay.test.internal"
PRINTS_GREETING = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))) if sys.argv[1].isdigit() else socket.socket(socket.AF_UNIX)
s.settimeout(20)
sys.argv[1].isdigit() or s.connect(sys.argv[1])
print(s.recv(100))
"""


@pytest.fixture
def end(broker, names, forwards):
    """end(server, user, port=True, ...): a listener at which the keeper logs in."""
    def make(server, user, port=True, **keys):
        inject.write(broker, server, user, **keys)
        return inject.forward(broker, "--listen", "0" if port else broker.runtime / "end")
    return make


# The password of the run

@SERVERS
@pytest.mark.parametrize("plugin", [NATIVE, SHA2])
def test_password_of_the_run(request, end, fixture, user, plugin):
    """It is accepted with either plugin, if the client names that plugin, and with any user name."""
    made = end(request.getfixturevalue(fixture), user)
    for name in ("root", inject.ANYBODY, user, "x" * 90):
        one = wire(made, plugin=plugin, user=name)
        assert one.query("select current_user()") == [f"{user}@%".encode()]
        one.close()
    for wrong in (b"", b"wrong", made.password[:-1], made.password + b"x", made.password.upper() + b"A", bytes(len(made.password))):
        with pytest.raises(Refused, match=NEEDED):
            wire(made, plugin=plugin, password=wrong)
    assert wire(made, plugin=plugin).query("select 1") == [b"1"]


def test_each_run_has_a_password_of_its_own(broker, names, forwards, mariadb_server):
    """It is different in each run, and at least 32 characters long."""
    found = set()
    for _ in range(3):
        inject.write(broker, mariadb_server, "app_native")
        end = inject.forward(broker, "--listen", "0")
        found.add(end.password)
        assert len(end.password) >= 32 and end.user == "app_native"
        assert broker.run("stop", "p").code == 0
    assert len(found) == 3


@SERVERS
def test_password_of_the_run_is_refused_by_the_server(request, clients, end, fixture, user):
    server = request.getfixturevalue(fixture)
    made = end(server, user)
    client = clients["mariadb1011"]
    done = client.raw(server, user, "select 1", password=made.password)
    assert done.returncode == 1 and b"ERROR 1045" in done.stderr, done.stderr
    assert client.raw(server, user, "select 1").stdout == b"1\n"


@SERVERS
def test_stock_clients_at_the_port(request, client, end, fixture, user):
    """The keeper asks for a plugin that the client has: mysql 9 has no mysql_native_password built in."""
    made = end(request.getfixturevalue(fixture), user)
    query = "select current_user()"
    assert ask(client, made, query=query).stdout == f"{user}@%\n".encode()
    if client.family == "mysql":
        with_native = ask(client, made, f"--plugin-dir={native_plugin_dir()}", f"--default-auth={NATIVE}", query=query)
        assert with_native.stdout == f"{user}@%\n".encode(), with_native.stderr
    for wrong in (b"", b"fake-wrong"):
        done = ask(client, made, query=query, password=wrong)
        assert done.returncode == 1 and b"ERROR 1045" in done.stderr and b"the password of this run is needed" in done.stderr, done.stderr


def test_only_a_scramble_is_asked_for(end, mysql_server):
    """The keeper never asks for the password itself. Each connection has its own salt, without a NUL."""
    made, salts = end(mysql_server, "app_sha2"), set()
    for _ in range(20):
        one = Wire(made.place)
        one.greet()
        salts.add(one.salt)
        assert len(one.salt) == 20 and 0 not in one.salt and not one.tls
        one.socket.close()
    assert len(salts) == 20


def test_replayed_answer_is_refused(end, mariadb_server):
    """An answer that was accepted on one connection is refused on another."""
    made = end(mariadb_server, "app_native")
    first = Wire(made.place)
    first.login(made.user, made.password, NATIVE)
    second = Wire(made.place)
    second.greet()
    second.salt = first.salt
    with pytest.raises(Refused, match=NEEDED):
        second.login(made.user, made.password, NATIVE)
    first.close()


@pytest.mark.parametrize("answer", [b"", b"\0" * 40, b"\xff" * 40, b"\x8d\xa6\x0f\0" + bytes(28), b"\x8d\xa6\x0f\0" + bytes(28) + b"x" * 100,
                                  b"\x8d\xa6\x0f\0" + bytes(28) + b"x\0\xfe\xff\xff\xff\xff\xff\xff\xff\xff"],
                         ids=["empty", "zeros", "ones", "no user", "unterminated user", "long answer"])
def test_malformed_answer(end, mariadb_server, answer):
    """The client gets an error, and the keeper continues to serve others."""
    made = end(mariadb_server, "app_native")
    one = Wire(made.place)
    one.greet()
    one.write(answer, 1)
    with pytest.raises(Refused):
        one.read()
    one.socket.close()
    assert wire(made).query("select 1") == [b"1"]


def test_query_before_the_login_is_refused(mariadb_server, end):
    """It does not reach the server."""
    made = end(mariadb_server, "app_native")
    mariadb_server.admin("create table shop.unproved (id int)")
    try:
        one = Wire(made.place)
        one.greet()
        one.write(b"\x03insert into shop.unproved values (1)", 0)
        with pytest.raises(Refused):
            one.read()
        assert mariadb_server.admin("select count(*) from shop.unproved") == "0"
    finally:
        mariadb_server.admin("drop table shop.unproved")


# Another user

@AS_ROOT
@pytest.mark.parametrize("port", [False, True], ids=["unix", "port"])
def test_another_user_is_refused(broker, mariadb_server, end, port):
    """Even if everyone may enter the folders: the keeper asks the kernel for the uid of the peer."""
    made = end(mariadb_server, "app_native", port)
    where = made.address.rpartition(":")[2]
    logins = mariadb_server.admin("show global status like 'Connections'")
    opened = [] if port else [p for p in (broker.runtime / "end", *(broker.runtime / "end").parents)
                              if p.as_posix().startswith("/tmp/")]
    modes = {p: p.stat().st_mode & 0o7777 for p in opened}
    if not port:
        assert modes[broker.runtime / "end"] == 0o600
        done = subprocess.run([*stranger.WRAP, sys.executable, "-c", PRINTS_GREETING, where], capture_output=True, text=True, timeout=60)
        assert "PermissionError" in done.stderr
    try:
        for p in opened:
            p.chmod(0o777)
        done = subprocess.run([*stranger.WRAP, sys.executable, "-c", PRINTS_GREETING, where], capture_output=True, text=True, timeout=60)
        assert done.stdout == "b''\n" or "ConnectionReset" in done.stderr, (done.stdout, done.stderr)
    finally:
        for p, mode in modes.items():
            p.chmod(mode)
    after = mariadb_server.admin("show global status like 'Connections'")
    assert int(after.split()[1]) - int(logins.split()[1]) == 1  # only this query; none for the other user
    assert wire(made).query("select 1") == [b"1"]


@AS_ROOT
def test_another_user_at_the_listeners_of_exec(broker, names, mariadb_server):
    inject.write(broker, mariadb_server, "app_native")
    beside = Beside(broker)
    assert beside.port and beside.path
    done = subprocess.run([*stranger.WRAP, sys.executable, "-c", PRINTS_GREETING, beside.port], capture_output=True, text=True, timeout=60)
    assert done.stdout == "b''\n" or "ConnectionReset" in done.stderr, (done.stdout, done.stderr)
    done = subprocess.run([*stranger.WRAP, sys.executable, "-c", PRINTS_GREETING, beside.path], capture_output=True, text=True, timeout=60)
    assert "PermissionError" in done.stderr, (done.stdout, done.stderr)
    ours = Wire(beside.path)
    ours.login()
    assert ours.query("select current_user()") == [b"app_native@%"]
    ours.close()
    with pytest.raises(Refused, match=NEEDED):
        Wire(("127.0.0.1", int(beside.port))).login()
    beside.end(15)
    assert gone(broker)


FLOOD, BATCH, AT_ONCE = 10000, 500, 8
# For each line on stdin, makes a batch of connections, AT_ONCE at a time, as fast as the keeper closes them. It runs at
# the lowest priority, so that it only uses the processor time that is left.
FLOODS = """
import os, socket, sys
os.nice(19)
port, batch, at_once = map(int, sys.argv[1:])
for line in sys.stdin:
    for _ in range(batch // at_once):
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(at_once)]
        for s in held:
            try:
                line.startswith("rude") and s.sendall(b"x" * 300)
                assert s.recv(1) == b""
            except OSError:
                pass
            s.close()
    print("done", flush=True)
"""


def login_ms(made):
    before = time.perf_counter()
    wire(made).close()
    return (time.perf_counter() - before) * 1e3


@AS_ROOT
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_logins_stay_fast_during_ten_thousand_connections_of_another_user(broker, mariadb_server, end):
    """Compares the medians of our logins during these connections and between them. None of the other user's is
    accepted."""
    made = end(mariadb_server, "app_native")
    quiet, loud = [], []
    with started(stranger.WRAP, FLOODS, made.address.rpartition(":")[2], BATCH, AT_ONCE) as flood:
        for n in range(FLOOD // BATCH):
            quiet += [login_ms(made) for _ in range(5)]
            flood.stdin.write("rude\n" if n % 2 else "go\n")
            flood.stdin.flush()
            loud += [login_ms(made) for _ in range(5)]
            assert flood.stdout.readline() == "done\n"
    before, meanwhile = statistics.median(quiet), statistics.median(loud)
    assert meanwhile <= 2 * before, (before, meanwhile)


# Our own user without the password

def idle(end, count):
    """COUNT connections that have got the greeting and send nothing."""
    made = []
    for _ in range(count):
        made.append(dial(end.address))
        assert made[-1].recv(5)
    return made


def test_connections_that_do_not_log_in(broker, names, mariadb_server):
    """They use up all places at the port, but none at the socket. The keeper ends them in time, and the port is free
    again."""
    inject.write(broker, mariadb_server, "app_native", connect_timeout="1s")
    beside = Beside(broker, script='echo "$MYSQL_TCP_PORT:$MYSQL_PWD|$MYSQL_UNIX_PORT"; exec sleep 77')
    port, _, password = beside.port.partition(":")
    made = inject.End(f"127.0.0.1:{port}", None, password.encode())
    held = idle(made, MAX_NOT_LOGGED_IN)
    waits = dial(made.address)
    for _ in range(3):
        one = Wire(beside.path)
        one.login()
        assert one.query("select 1") == [b"1"]
        one.close()
    waits.settimeout(0.3)
    with pytest.raises(TimeoutError):
        waits.recv(5)
    waits.settimeout(60)
    for s in held:
        s.settimeout(60)
        while s.recv(4096):
            pass
        s.close()
    assert waits.recv(5)
    waits.close()
    assert wire(made).query("select 1") == [b"1"]
    beside.end(15)
    assert gone(broker)


def test_place_is_free_after_close_or_login(end, mariadb_server):
    made = end(mariadb_server, "app_native")
    for _ in range(3):
        held = idle(made, MAX_NOT_LOGGED_IN)
        for s in held:
            s.close()
    logged_in = [wire(made) for _ in range(2 * MAX_NOT_LOGGED_IN)]
    assert [one.query("select 1") for one in logged_in] == [[b"1"]] * len(logged_in)
    for one in logged_in:
        one.close()


def test_wrong_passwords_leave_no_connection(broker, forwards, end, mariadb_server):
    made = end(mariadb_server, "app_native")
    for _ in range(100):
        with pytest.raises(Refused, match=NEEDED):
            wire(made, password=b"wrong")
    def open_now():
        return json.loads(broker.run("status", "p", "--json", secret_out=True).text)["forwards"][0]["connections"]
    assert until(lambda: open_now() == 0)
    assert mariadb_server.admin("select count(*) from information_schema.processlist where user like '%unauth%'") in ("0", "1")


class From(Relay):
    """It dials from an address other than 127.0.0.1, whose failed connections a server does not count."""

    def _dial(self):
        return socket.create_connection(self.target, 10, (FOREIGN, 0))


def test_the_server_does_not_block_this_host(broker, names, forwards, start_server):
    """A server blocks a host (error 1129) after max_connect_errors connections that end at its greeting. Those of a
    client that does not log in to the keeper must not count, because everyone behind the same bastion would be
    blocked."""
    resolve(broker, FOREIGN_NAME, address=FOREIGN)
    server = start_server("mariadb", options=["--skip-name-resolve=OFF", "--max-connect-errors=3"])
    far = From((server.host, server.port))
    try:
        inject.write(broker, server, "app_native", port=far.port)
        end = inject.forward(broker, "--listen", "0")
        for n in range(12):
            with pytest.raises(Refused, match=NEEDED):
                wire(end, password=b"wrong", plugin=(NATIVE, SHA2)[n % 2])
            one = Wire(end.place)
            one.greet()
            one.socket.close()
        assert until(lambda: wire(end).query("select current_user()") == [b"app_native@%"])
        for _ in range(5):
            one = Wire(("127.0.0.1", far.port))
            one.socket.recv(1)
            one.socket.close()

        def blocked():
            try:
                wire(end).close()
            except Refused as refused:
                return "1129" in str(refused)
            return False
        assert until(blocked), "the server blocks no one, so this test cannot fail"
    finally:
        far.stop()
