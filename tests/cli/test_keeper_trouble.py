# SPDX-License-Identifier: MIT
"""Errors on the route to a server, and what the user or the client sees of them: the server does not exist, sends
nothing, drops the connection at any point of the login, or is restarted; and many connections at once."""
import re
import socket
import threading
from dataclasses import dataclass

import pytest

from lib.clients import NAMES
from lib.forwards import until
from lib.keeping import gone, keeper
from lib.logins import QUERY, logged_in, profile
from lib.ways import SSM
from servers import load, process
from servers.pki import RIGHT_NAME

NATIVE = "app_native"
MANY, SOME = 512, 50


@pytest.fixture
def p(broker, names, mariadb_server, ssm):
    """p(route, host=..., ...) writes the profile `p`; route: "direct", "command", or an object with the port of a tcp
    tunnel."""
    broker.env["TEST_SECRET"] = broker.secret(mariadb_server.password(NATIVE)).decode()

    def write(route="direct", *lines, **keys):
        via = {"direct": None, "command": "far"}.get(route) or (route != "direct" and f"tcp://127.0.0.1:{route.port}") or None
        broker.config(profile(**{"host": RIGHT_NAME, "port": mariadb_server.port, "user": NATIVE, "auth": "env", "auth_env": "TEST_SECRET",
                                 "tls": "required", "via": via, **keys}) + SSM + "".join(f"{line}\n" for line in lines))
    return write


@dataclass(frozen=True)
class At:
    """A port of this machine, used as a tunnel that is already open (via = tcp://)."""
    port: int


def ask(broker, client, server, *args, **options):
    return broker.run("connect", "p", "--client", client.path, *args, "--", *client.options_for(server, NATIVE), "-NBe", QUERY, **options)


# A server that does not exist

@pytest.mark.parametrize("route", ["tcp", "command"])
@pytest.mark.parametrize("level", ["preferred", "required"])
def test_connection_refused(broker, p, client, mariadb_server, relay, route, level):
    """With a tcp tunnel broker reports it, before the client starts. With a tunnel program it cannot, because the
    program's local listener accepts every connection."""
    port = process.free_port()
    p(At(port) if route == "tcp" else "command", port=port, tls=level)
    done = ask(broker, client, mariadb_server)
    if route == "tcp":
        assert (done.code, done.out) == (69, b"") and done.errors.startswith(f"broker: p: 2003 127.0.0.1:{port}: connection refused\nhint: ")
    else:
        assert done.code in (1, 69) and not done.out and re.search("2013|Lost connection", done.errors), done.errors
    assert gone(broker)


def test_no_such_host(broker, p, clients, mariadb_server):
    p(host="no.such.name.invalid")
    done = ask(broker, clients["mariadb1011"], mariadb_server)
    assert (done.code, done.out) == (69, b"")
    assert done.errors.startswith("broker: p: 2005 no.such.name.invalid: no such host\nhint: ")


@pytest.mark.parametrize("listener_kind", ["bytes", "tls"])
def test_the_client_shows_why(broker, p, client, mariadb_server, forwards, listener_kind):
    """The server of a forward is down: each client shows the reason, with MySQL's error number for it (2003)."""
    port = process.free_port()
    p(port=port)
    path = str(broker.runtime / "s")
    forwards.detach("p", *(["--listen", path] if listener_kind == "tls" else []))
    place = ["--socket", path] if listener_kind == "tls" else ["--host", "127.0.0.1", "--port", forwards.one("p")["port"]]
    done = broker.run("connect", *map(str, place), "--user", "app", "--auth", "none", "--tls", "preferred", "--client", client.path, "--",
                      "-e", "select 1")
    assert done.code == 1 and f"2003 {RIGHT_NAME}:{port}: connection refused" in done.errors, done.errors
    assert broker.run("stop", "p").code == 0 and gone(broker)


# A server that drops the connection

# After how many bytes from the server, and how ("silent": it stays open): in the greeting, before TLS, in the TLS
# handshake.
DROPS = [(0, "reset"), (0, "close"), (0, "silent"), (3, "reset"), (3, "close"), (3, "silent"), (120, "close"), (120, "silent"),
          (900, "reset"), (900, "silent")]


@pytest.mark.parametrize("name, after, then", [(NAMES[i % 3], *case) for i, case in enumerate(DROPS)]
                         + [(name, 120, "silent") for name in NAMES[:2]])
def test_server_drops_the_connection(broker, p, clients, mariadb_server, relay, name, after, then):
    """An error of ours with MySQL's number, at the latest after connect_timeout; the client itself would wait
    longer."""
    seconds = 1 if then == "silent" else 100
    p(relay((mariadb_server.host, mariadb_server.port), after=after, then=then), connect_timeout=f"{seconds}s")
    done = ask(broker, clients[name], mariadb_server)
    assert not done.out and done.code in (1, 69) and re.search("broker: .*20(03|13|26) ", done.errors), done.errors
    assert (" within 1s" in done.errors) == (then == "silent"), done.errors
    assert gone(broker)


@pytest.mark.parametrize("mode", ["silent", "reset"])
@pytest.mark.parametrize("verb", ["connect", "test"])
def test_fake_servers(broker, p, clients, mariadb_server, fake_server, mode, verb):
    fake = fake_server(mode)
    p(At(fake.port), connect_timeout="1s", client=clients["mariadb1011"].path)
    done = broker.run(verb, "p", *(["--", "-e", "select 1"] if verb == "connect" else []))
    assert done.code in (1, 69) and re.search("20(03|13) ", done.errors), done.errors
    assert verb == "connect" or re.match("broker: p: 20(03|13) ", done.errors)
    assert gone(broker)


def test_web_server(broker, p, clients, mariadb_server, web):
    """A web server in place of MySQL waits for the client to send something first, so no greeting comes in time."""
    p(At(web({}).port), connect_timeout="1s")
    done = ask(broker, clients["mysql9"], mariadb_server)
    assert done.code in (1, 69) and not done.out and " within 1s" in done.errors


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\xff\xff\xff\x00" + b"x" * 70000, b"\x00\x00\x00\x00", b"\x01\x00\x00\x05\x0a"],
                         ids=["ssh", "long", "empty", "short"])
def test_garbage_for_a_greeting(broker, p, client, mariadb_server, greeting):
    listener, held = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            try:
                s = listener.accept()[0]
            except OSError:
                return
            s.sendall(greeting)
            held.append(s)
    threading.Thread(target=serve, daemon=True).start()
    p(At(listener.getsockname()[1]), connect_timeout="1s")
    done = ask(broker, client, mariadb_server)
    listener.shutdown(socket.SHUT_RDWR)
    for s in (listener, *held):
        s.close()
    assert done.code in (1, 69) and not done.out and "broker: " in done.errors and gone(broker), done.errors


def test_too_many_connections(broker, p, client, start_server):
    """The error that the server sends instead of a greeting reaches the client through either kind of listener."""
    server = start_server("mariadb", options=["--max-connections=10"])
    held = []

    def is_full():
        """Counts only our connections: the one that checked whether the server is up may take a place for a moment."""
        connection = load.Connection((server.host, server.port))
        try:
            connection.login(NATIVE, server.password(NATIVE))
        except load.Refused as no:
            assert "1040" in str(no)
            connection.close(quit=False)
        else:
            held.append(connection)
        return len(held) == 10
    assert until(is_full)
    for level in ("preferred", "required"):
        p(At(server.port), tls=level)
        done = ask(broker, client, server)
        assert done.code == 1 and "Too many connections" in done.errors, done.errors
    for connection in held:
        connection.close(quit=False)
    assert gone(broker)


# A socket path that is too long

def test_long_socket_path(broker, p, clients, mariadb_server):
    deep = broker.folder / ("d" * 60) / ("e" * 30)
    deep.mkdir(parents=True, mode=0o700)
    p()
    done = ask(broker, clients["mariadb1011"], mariadb_server, env={"XDG_RUNTIME_DIR": str(deep)})
    assert done.code == 78 and "too long for a unix socket" in done.errors.splitlines()[0] and "hint: " in done.errors, done.errors


# Many connections, and a server that is stopped while they are open

@pytest.mark.alone
@pytest.mark.parametrize("listener_kind", ["bytes", "tls"])
@pytest.mark.parametrize("route", ["direct", "command"])
def test_512_at_once(broker, p, forwards, start_server, many_files, route, listener_kind):
    server = start_server("mariadb", options=["--max-connections=600", "--back-log=600", "--connect-timeout=100"])
    p(route, port=server.port, tls_ca=server.ca, tls="verify-identity", connect_timeout="30s")
    path = str(broker.runtime / "s")
    address = forwards.detach("p", *(["--listen", path] if listener_kind == "tls" else []),
                              wrap=["prlimit", "--nofile=1024:"] if route == "direct" else [])
    before = server.troubles()
    place = address if listener_kind == "tls" else ("127.0.0.1", int(address.rpartition(":")[2]))
    held = [load.Connection(place) for _ in range(MANY)]
    for connection in held:
        connection.login(NATIVE, server.password(NATIVE))
    assert forwards.one("p")["connections"] == MANY
    assert len({connection.query("select connection_id()")[0] for connection in held}) == MANY
    for connection in held:
        connection.close()
    assert until(lambda: forwards.one("p")["connections"] == 0)
    assert server.troubles() == before
    assert broker.run("stop", "p").code == 0 and gone(broker)


@pytest.mark.parametrize("route", ["direct", "tcp", "command"])
def test_server_restarted_under_open_connections(broker, p, forwards, start_server, relay, route):
    """All connections end at once with an error, and a new one fails. After the restart, new ones work as
    before."""
    server = start_server("mariadb")
    kind = relay((server.host, server.port)) if route == "tcp" else route
    p(kind, port=server.port, tls_ca=server.ca, tls="verify-identity")
    path = str(broker.runtime / "s")
    forwards.detach("p", "--listen", path)
    held = [load.Connection(path) for _ in range(SOME)]
    for connection in held:
        connection.login(NATIVE, server.password(NATIVE))
    server.stop()
    for connection in held:
        with pytest.raises((load.Refused, OSError)):
            connection.query("select 1")
        connection.close(quit=False)
    with pytest.raises((load.Refused, ConnectionError), match="2003|2013|ended|eset"):
        load.once(path, NATIVE, server.password(NATIVE))
    assert until(lambda: forwards.one("p")["connections"] == 0)
    server.start_again(server.port)
    assert load.once(path, NATIVE, server.password(NATIVE)) == [b"1"]
    assert keeper() and broker.run("stop", "p").code == 0 and gone(broker)
