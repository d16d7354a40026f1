# SPDX-License-Identifier: MIT
"""`broker connect` on real servers: mariadbd 10.11 and mysqld 9, each with the three clients, unless a client lacks the
authentication plugin; by TCP, by the server's own socket, by discovery. A query to the server shows what was really
reached."""
import socket

import pytest

from lib.clients import NAMES
from lib.logins import HOSTILE_ENV, QUERY, connect, for_user, hostile_files, logged_in, login, profile

ACCOUNTS = [("mariadb_server", "app_native"), ("mariadb_server", "app_ed"), ("mysql_server", "app_sha2")]
KNOWN = [(name, *account) for name in NAMES for account in ACCOUNTS if (name, account[1]) != ("mysql9", "app_ed")]
INSECURE = (b"ERROR 2061 (HY000): Authentication plugin 'caching_sha2_password' reported error: "
            b"Authentication requires secure connection.\n")
USUAL = "/run/mysqld/mysqld.sock"
SEARCHED = [USUAL, "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock", "/var/tmp/mysql.sock", "/opt/lampp/var/mysql/mysql.sock",
            "/opt/homebrew/var/mysql/mysql.sock", "/home/linuxbrew/.linuxbrew/var/mysql/mysql.sock"]


@pytest.fixture(params=KNOWN, ids=lambda known: f"{known[0]}-{known[2]}")
def known(request, clients):
    """A client, a server, and an account of it whose authentication plugin the client has."""
    name, fixture, user = request.param
    return clients[name], request.getfixturevalue(fixture), user


@pytest.mark.parametrize("host", ["localhost", "db.test.internal"])  # 127.0.0.1: in test_hostile_home
def test_tcp(broker, names, known, host):
    client, server, user = known
    seen = login(broker, client, server, user, host=host, tls="preferred")
    assert (seen.account, seen.seen_from) == (f"{user}@%", "127.0.0.1") and seen.version == "TLSv1.3"


def test_socket(broker, known):
    client, server, user = known
    seen = login(broker, client, server, user, socket=server.socket)
    assert (seen.account, seen.seen_from) == (f"{user}@%", "localhost")


def test_auth_client_with_a_user(broker, client, mysql_server):
    """With `--auth client` the password comes from the client's own files, but a user that is given to broker
    counts."""
    done = broker.run("connect", "-S", str(mysql_server.socket), "-u", "root", "--auth", "client", "--client", client.path,
                      "--", "-NBe", QUERY)
    assert logged_in(done).account == "root@localhost"


@pytest.mark.parametrize("by", ["usual place", "MYSQL_UNIX_PORT", "neither key"])
def test_discovery(broker, names, client, mysql_server, by):
    if by == "MYSQL_UNIX_PORT":
        broker.env["MYSQL_UNIX_PORT"] = str(mysql_server.socket)
    else:
        broker.etc.link(USUAL, mysql_server.socket)
    for_user(broker, mysql_server, "app", socket=None if by == "neither key" else "auto")
    seen = logged_in(connect(broker, client))
    assert (seen.account, seen.seen_from) == ("app@%", "localhost")


@pytest.mark.parametrize("place", ["tcp", "socket"])
def test_hostile_home(broker, known, place):
    client, server, user = known
    hostile_files(broker, client)
    keys = {"socket": server.socket} if place == "socket" else {}
    seen = login(broker, client, server, user, env=HOSTILE_ENV, **keys)
    assert (seen.account, seen.seen_from) == (f"{user}@%", "localhost" if keys else "127.0.0.1")
    assert place == "socket" or seen.cipher


def test_nothing_on_a_socket(broker, names, client):
    """It is not enough that the path exists, because a dead server leaves its socket behind."""
    dead = broker.tmp / "dead.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(dead))
    broker.config(profile("local", auth="none", user="app") + profile("named", auth="none", user="app", socket=dead))
    tried = [(dead, "connection refused"), *((path, "no such file") for path in SEARCHED)]
    width = max(len(str(path)) for path, _ in tried)
    for place in ("local", "local --socket auto"):
        done = broker.run("connect", *place.split(), "--client", client.path, env={"MYSQL_UNIX_PORT": str(dead)})
        assert (done.code, done.out) == (69, b"")
        assert done.errors == "\n".join(["broker: local: no server answers on a local socket",
                                         *(f"  {str(path):{width}}  {why}" for path, why in tried),
                                         "hint: start the server, or set host or socket in [profile local]", ""])
    done = broker.run("connect", "--socket", "auto", "--user", "app", "--auth", "none", "--client", client.path)
    assert done.code == 69 and done.errors.endswith("\nhint: start the server, or give --host or --socket\n")
    done = broker.run("connect", "named", "--client", client.path, "--", "-e", "select 1")
    assert done.code == 1 and b"ERROR 2002 (HY000)" in done.err and str(dead) in done.errors  # the client's own error


@pytest.fixture
def fresh(mysql_server):
    """An account whose password mysqld has not cached yet: without TLS its login needs the server's public key."""
    mysql_server.create_user("fresh", mysql_server.password("fresh"), "caching_sha2_password")
    return "fresh"


@pytest.mark.parametrize("server_public_key", ["no", "yes"])
@pytest.mark.parametrize("fixture, tls", [("mysql_server", "disabled"), ("mysql_notls", "disabled"), ("mysql_notls", "preferred")])
def test_sha2_without_tls(request, broker, client, fixture, tls, server_public_key):
    """mysql requests the server's key only with the option for it. MariaDB's clients have no option against it; but if
    TLS is wanted and the server has none, they request no key, and the server refuses what they send."""
    server = request.getfixturevalue(fixture)
    server.create_user("fresh", server.password("fresh"), "caching_sha2_password")
    for_user(broker, server, "fresh", tls=tls, server_public_key=server_public_key)
    done = connect(broker, client)
    if client.family == "mysql" and server_public_key == "no":
        assert (done.code, done.out, done.err) == (1, b"", INSECURE)
    elif client.family == "mariadb" and tls == "preferred":
        assert done.code == 1 and done.err.startswith(b"ERROR 1045 (28000)")
    else:
        assert logged_in(done).cipher == ""


def test_sha2_without_tls_hostile_home(broker, clients, mysql_server, fresh):
    """get-server-public-key in an option file would reveal the password to an attacker who sends another key."""
    hostile_files(broker, clients["mysql9"])
    for_user(broker, mysql_server, fresh, tls="disabled")
    assert connect(broker, clients["mysql9"], env=HOSTILE_ENV).err == INSECURE
