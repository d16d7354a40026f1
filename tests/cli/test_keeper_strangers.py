# SPDX-License-Identifier: MIT
"""Another user of the same machine (a process with another uid): it listens at the port where a tunnel is expected, and
uses up the connections of our listener."""
import contextlib
import os
import socket
import subprocess
import sys

import pytest

from conftest import BUILD
from lib import stranger
from lib.bastion import ENGINES
from lib.broker import REPO
from lib.forwards import dial, greeting, until
from lib.keeping import gone
from lib.logins import SECRET_ENV, profile
from servers.pki import RIGHT_NAME
from servers.sshd import user as sshd_user
from test_exec_tls import Beside, Connection, run  # noqa: F401
from test_keeper_abuse import far, forward, open_now  # noqa: F401
from test_ssh_matrix import home  # noqa: F401

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="missing: root, for another user")
THIRD = ["setpriv", "--reuid=54322", "--regid=54322", "--clear-groups", "--"]
# Arguments: HOST HOW TARGET. Listens at a free port of HOST and prints it; after a line on stdin, prints what it has
# received.
LISTENER = """
import select, socket, sys, threading
host, how, target = sys.argv[1], sys.argv[2], int(sys.argv[3])
door = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, dualstack_ipv6=host == "::")
print(door.getsockname()[1], flush=True)
came = []
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(1)
def serve():
    while how != "never":
        s = door.accept()[0]
        if how == "once":
            door.close()
        if how == "relay":
            far = socket.create_connection(("127.0.0.1", target))
            for pair in ((s, far), (far, s)):
                threading.Thread(target=copy, args=pair, daemon=True).start()
            continue
        came.append(s.recv(65536))
        if how == "once":
            return
threading.Thread(target=serve, daemon=True).start()
sys.stdin.readline()
print(repr(b"".join(came)), flush=True)
"""
# Arguments: PORT COUNT. Opens COUNT connections; after a line on stdin, prints how many of them get data.
MANY = """
import socket, sys
held, served = [], 0
for _ in range(int(sys.argv[2])):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.settimeout(20)
    held.append(s)
print("open", flush=True)
sys.stdin.readline()
for s in held:
    try:
        served += s.recv(1) != b""
    except OSError:
        pass
print(served, flush=True)
"""


@contextlib.contextmanager
def started(wrap, code, *args):
    process = subprocess.Popen([*wrap, sys.executable, "-c", code, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def trigger(process):
    """Sends a line to the process, and returns the line that it prints then."""
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def behind(broker, port, host="127.0.0.1", **keys):
    broker.env[SECRET_ENV] = broker.secret(b"fake-stranger-canary").decode()
    at = f"[{host}]" if ":" in host else host
    broker.config(profile(**{"host": "db.far.invalid", "port": 3306, "user": "app", "auth": "env", "auth_env": SECRET_ENV, "tls": "disabled",
                             "via": f"tcp://{at}:{port}", "connect_timeout": "20s", **keys}))


# Another user listens in place of a forward

DIALS = [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "localhost"),
         ("0.0.0.0", "127.9.9.9")]


@pytest.mark.parametrize("how", ["accept", "once", "never"])
@pytest.mark.parametrize("listens, host", DIALS)
def test_listener_of_another_user_gets_nothing(broker, clients, how, listens, host):
    """The other user gets no byte, whether the listener accepts, has closed after one connection, or never accepts."""
    with started(stranger.WRAP, LISTENER, listens, how, 0) as thief:
        port = int(thief.stdout.readline())
        behind(broker, port, host)
        done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", "-e", "select 1")
        assert (done.code, done.errors) == (77, f"broker: p: 2003 port {port} of this machine: another user listens there (uid {stranger.UID})\n"
                                                "hint: start your own forward at another port; for a service of this machine, set host and port without via\n")
        assert trigger(thief) == "b''\n"
    assert gone(broker)


@pytest.mark.parametrize("verb, code", [(["test"], 77), (["exec", "--", "true"], 77), (["forward", "--detach"], None)])
def test_listener_of_another_user_by_verb(broker, forwards, mariadb_server, verb, code):
    with started(stranger.WRAP, LISTENER, "127.0.0.1", "relay", mariadb_server.port) as thief:
        port = int(thief.stdout.readline())
        behind(broker, port)
        done = broker.run(verb[0], "p", *verb[1:])
        words = f"port {port} of this machine: another user listens there (uid {stranger.UID})"
        if code is None:
            assert done.code == 0 and words.encode() in greeting(done.text.strip())
        else:
            assert done.code == code and words in done.text + done.errors, (done.code, done.text, done.errors)
        assert trigger(thief) == "b''\n"


@pytest.mark.parametrize("whose, good", [("ours", True), ("root's", True), ("another's", False)])
def test_listener_of_ours_or_of_root_is_accepted(broker, mariadb_server, clients, whose, good):
    """broker runs as a user without privileges: a listener of that user or of root is accepted."""
    wrap = {"ours": stranger.WRAP, "root's": [], "another's": THIRD}[whose]
    with started(wrap, LISTENER, "127.0.0.1", "relay", mariadb_server.port) as listener:
        behind(broker, int(listener.stdout.readline()), user="app_native", auth="env")
        broker.env[SECRET_ENV] = broker.secret(mariadb_server.password("app_native")).decode()
        stranger.settle(broker, BUILD)
        done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", "-NBe", "select current_user()", wrap=stranger.WRAP)
    assert (done.code, done.text) == ((0, "app_native@%\n") if good else (77, "")), done.errors
    assert ("another user listens there (uid 54322)" in done.errors) != good


@pytest.mark.parametrize("how", ["drops", "drops late"])
def test_service_of_root_that_drops_its_privileges(broker, mariadb_server, clients, how):
    """It listens as root, then accepts connections as another user."""
    code = LISTENER.replace("print(door", ("import os; os.setuid(54322)\n" if how == "drops" else "") + "print(door", 1)
    if how == "drops late":
        code = code.replace("        if how ==", "        import os; os.geteuid() or os.setuid(54322)\n        if how ==", 1)
    with started([], code, "127.0.0.1", "relay", mariadb_server.port) as listener:
        behind(broker, int(listener.stdout.readline()), user="app_native")
        broker.env[SECRET_ENV] = broker.secret(mariadb_server.password("app_native")).decode()
        for _ in range(3):
            done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", "-NBe", "select current_user()")
            assert (done.code, done.text) == (0, "app_native@%\n"), done.errors


def test_server_of_another_user(broker, mariadb_server, clients):
    """A server that is dialled directly may run as another user, as mysqld usually does."""
    with started(THIRD, LISTENER, "127.0.0.1", "relay", mariadb_server.port) as listener:
        broker.env[SECRET_ENV] = broker.secret(mariadb_server.password("app_native")).decode()
        broker.config(profile(host="127.0.0.1", port=int(listener.stdout.readline()), user="app_native", auth="env", auth_env=SECRET_ENV,
                              tls="required"))
        done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", "-NBe", "select current_user()")
    assert (done.code, done.text) == (0, "app_native@%\n"), done.errors


# Connections of another user

FLOOD, LIMIT = 300, 256


def greets(s):
    s.sendall(b"hello")
    s.recv(1)


@pytest.mark.parametrize("forward", [None, *ENGINES], indirect=True, ids=["direct", *ENGINES])
def test_another_user_leaves_room_for_us(forward, forwards, far, many_files):  # noqa: F811
    """Other users may have an eighth of the descriptors; beyond that the keeper looks up whose connection it is, and
    serves only ours."""
    far.follow(greets)
    address = forward(far.port, wrap=["prlimit", f"--nofile={LIMIT}:{LIMIT}"])
    with started(stranger.WRAP, MANY, address.rpartition(":")[2], FLOOD) as flood:
        assert flood.stdout.readline() == "open\n"
        assert until(lambda: open_now(forwards) == LIMIT // 8)
        held = [dial(address) for _ in range(20)]
        assert [s.recv(5) for s in held] == [b"hello"] * len(held)
        assert open_now(forwards) == LIMIT // 8 + len(held)
        assert trigger(flood) == f"{LIMIT // 8}\n"
    assert until(lambda: open_now(forwards) == len(held))
    for s in held:
        s.close()
    assert until(lambda: open_now(forwards) == 0)
    with started(stranger.WRAP, MANY, address.rpartition(":")[2], 3) as again:  # the share of other users is free again
        assert again.stdout.readline() == "open\n"
        assert trigger(again) == "3\n"


PEER = """
import sys
sys.path.insert(0, sys.argv[1])
from servers import load
connection = load.Connection(("127.0.0.1", int(sys.argv[2])))
connection.login("peer", b"")
print(connection.query("select current_user()")[0].decode())
"""


@pytest.mark.parametrize("forward", [None, *ENGINES], indirect=True, ids=["direct", *ENGINES])
def test_another_user_is_refused_at_the_port_of_a_servers_socket(forward, mysql_server):  # noqa: F811
    """An account with auth_socket accepts whoever connects as a certain user of its machine, which is ours, or that of
    the SSH login, for every connection through the keeper."""
    own = sshd_user() if forward.engine else "root"
    mysql_server.admin("install plugin auth_socket soname 'auth_socket.so'")
    try:
        mysql_server.admin(f"create user peer@localhost identified with auth_socket as '{own}'")
        port = forward(None, host=None, socket=mysql_server.socket).rpartition(":")[2]
        login = [sys.executable, "-c", PEER, str(REPO / "tests"), port]
        ours = subprocess.run(login, capture_output=True, text=True)
        assert ours.stdout == "peer@localhost\n", ours.stderr
        with started(stranger.WRAP, MANY, port, 3) as other:
            assert other.stdout.readline() == "open\n"
            assert trigger(other) == "0\n"
    finally:
        mysql_server.admin("drop user if exists peer@localhost; uninstall plugin auth_socket")


def test_another_user_is_refused_at_the_port_of_exec(run, broker):  # noqa: F811
    run.write()
    beside = Beside(broker)
    with started(stranger.WRAP, MANY, beside.port, FLOOD) as flood:
        assert flood.stdout.readline() == "open\n"
        ours = [Connection(("127.0.0.1", int(beside.port))) for _ in range(5)]
        assert trigger(flood) == "0\n"
        for connection in ours:
            connection.close(quit=False)
    beside.end(15)
    assert gone(broker)


def test_another_user_is_refused_at_the_control_socket(forward, forwards, far):  # noqa: F811
    """The folder's mode keeps other users out; even if it does not, the keeper checks the uid of the peer."""
    far.follow(greets)
    forward(far.port)
    path = forwards.folder / "p.sock"
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r}); s.settimeout(20); print(s.recv(1))"
    connects = [*stranger.WRAP, sys.executable, "-c", code]
    assert "PermissionError" in subprocess.run(connects, capture_output=True, text=True).stderr
    modes = {p: p.stat().st_mode & 0o7777 for p in (path, *path.parents) if p.is_relative_to("/tmp") and p.as_posix() != "/tmp"}
    try:
        for p in modes:
            p.chmod(0o777)
        assert subprocess.run(connects, capture_output=True, text=True).stdout == "b''\n"
    finally:
        for p, mode in modes.items():
            p.chmod(mode)
    assert open_now(forwards) == 0
