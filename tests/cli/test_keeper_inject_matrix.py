# SPDX-License-Identifier: MIT
"""The keeper logs in: with every authentication plugin of real servers, for every stock client, by every route, at
every level of TLS. The table has all pairs of these. A client never gets the server's password, and the connection
attributes tell the server which profile a session belongs to."""
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import BASE, having, lasting
from lib import ways
from lib.bastion import Home, tunnel
from lib.clients import NAMES, find
from lib.keeping import gone
from lib.logins import LEVELS, QUERY, logged_in
from servers.mariadb import PARSEC, MariaDB
from servers.mariadb_iam import HOST, OTHER
from servers.mysql9 import MySQL
from servers.pki import RIGHT_NAME, WRONG_NAME

ROUTES = ("direct", "tcp", "command", "ssh")
ATTRIBUTES = ("select attr_name, attr_value from performance_schema.session_connect_attrs where processlist_id = connection_id() "
              "and attr_name like '\\_%'")
WATCHED = ["--performance-schema=ON"]  # needed to read a connection's attributes


@dataclass(frozen=True)
class Method:
    """fixture: the server. user: the account. before: the statement that the administrator runs first."""
    fixture: str
    user: str
    before: str = ""


METHODS = {
    "native": Method("maria", "app_native"),
    "caching_sha2 full": Method("mysql", "app_sha2", "flush privileges"),
    "caching_sha2 fast": Method("mysql", "app_sha2"),
    "sha256": Method("mysql", "app_sha256"),
    "ed25519": Method("maria", "app_ed"),
    "cleartext": Method("iam_server", "app"),
    **({"parsec": Method("maria", "app_parsec")} if PARSEC.exists() else {}),
}


def cases():
    """Rows with every pair of values of any two columns; test_pairs checks that."""
    for i, method in enumerate(METHODS):
        for j, level in enumerate(LEVELS):
            yield method, NAMES[(2 * i + j) % len(NAMES)], ROUTES[(i + j) % len(ROUTES)], level


def test_pairs():
    table, columns = list(cases()), (METHODS, NAMES, ROUTES, LEVELS)
    for a, b in itertools.combinations(range(len(columns)), 2):
        assert {(case[a], case[b]) for case in table} == set(itertools.product(columns[a], columns[b])), (a, b)


@pytest.fixture(scope="module")
def mysql(pki):
    """A server whose performance_schema shows the attributes of connections."""
    for server in lasting(MySQL, Path(tempfile.mkdtemp(dir=BASE)) / "mysql", pki, options=WATCHED):
        server.create_user("app_sha256", server.password("app_sha256"), "sha256_password")
        server.admin("grant select on performance_schema.* to app_sha2@'%', app_sha256@'%'")
        yield server


@pytest.fixture(scope="module")
def maria(pki):
    parsec = ["--plugin-load-add=auth_parsec"] if PARSEC.exists() else []
    for server in lasting(MariaDB, Path(tempfile.mkdtemp(dir=BASE)) / "mariadb", pki, options=[*WATCHED, *parsec]):
        if parsec:
            server.create_user("app_parsec", server.password("app_parsec"), "parsec")
        for user in (row.user for row in METHODS.values() if row.fixture == "maria"):
            server.admin(f"grant select on performance_schema.* to {user}@'%'")
        yield server


@pytest.fixture
def through(request, broker, relay):
    """through(route, place): (keys, sections) of the profile for that route."""
    def make(route, place):
        if route == "tcp":
            return {"via": f"tcp://127.0.0.1:{relay((place.server.host, place.server.port)).port}"}, ""
        if route == "command":
            request.getfixturevalue("ssm")
            return {"via": "far"}, ways.SSM
        if route == "ssh":
            home, sshd = Home(broker, request.getfixturevalue("ssh_home")), request.getfixturevalue("sshd")
            home.knows(sshd)
            home.has_key(request.getfixturevalue("user_key"))
            return {"via": "far"}, tunnel(sshd)
        return {}, ""
    return make


def write(request, broker, through, method, route, level, **keys):
    """Writes the profile; returns the server."""
    row = METHODS[method]
    server = request.getfixturevalue(row.fixture)
    iam = row.fixture == "iam_server"
    if iam:
        ways.resolve(broker, HOST, OTHER)
    place = ways.Place(server, row.user, HOST if iam else RIGHT_NAME)
    if row.before:
        server.admin(row.before)
    elif row.fixture == "mysql":  # so that the server has the password in its cache, and the next login is the fast one
        clients = having(find, "mariadb1011")
        clients.raw(server, row.user, "select 1", "--ssl")
    more, sections = through(route, place)
    ways.write(broker, place, "iam" if iam else "command", sections, **{
        "tls": level, "tls_ca": server.ca, "login": "keeper", "server_public_key": "yes", **more, **keys})
    return server


@pytest.mark.parametrize("method, name, route, level", cases())
def test_matrix(request, broker, names, through, method, name, route, level):
    client = having(find, name)
    server = write(request, broker, through, method, route, level)
    with broker.watch() as watch:
        query = QUERY if METHODS[method].fixture == "iam_server" else f"{QUERY}; {ATTRIBUTES}"
        done = broker.run("connect", "p", "--client", client.path, "--", "-NBe", query)
    broker.assert_hidden(watch)
    if (method, level) != ("cleartext", "verify-identity") and method == "cleartext":
        assert done.code == 78 and "cleartext" in done.errors and not done.out, (done.code, done.errors)
        return
    login = logged_in(done)
    assert login.account == f"{METHODS[method].user}@%"
    assert bool(login.cipher) == (level != "disabled") and login.version == ("TLSv1.3" if login.cipher else "")
    if method != "cleartext":
        attributes = dict(line.split("\t") for line in done.text.splitlines()[3:])
        assert attributes["_broker_profile"] == "p" and attributes["_broker_version"] and "_client_name" in attributes, attributes
    assert gone(broker)
    assert server.proc.poll() is None


@pytest.mark.parametrize("method, level", [(method, level) for level in ("required", "verify-identity") for method in METHODS
                                           if (method, level) != ("cleartext", "required")])  # refused before the login
def test_wrong_password(request, broker, names, clients, through, method, level):
    """The server's own error reaches the user, and the password is not in it."""
    server = write(request, broker, through, method, "direct", level)
    if method == "cleartext":
        server.tell(keys={})
    else:
        broker.write("password", broker.secret(b"fake-wrong-canary-0815") + b"\n", secret=True)
    done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", "-NBe", QUERY)
    assert done.code == 1 and "1045" in done.errors and "Access denied for user" in done.errors, (done.code, done.errors)


@pytest.mark.parametrize("wrong", ["name", "ca"])
@pytest.mark.parametrize("method", METHODS)
def test_wrong_server(request, broker, names, clients, through, relay, method, wrong):
    """The server gets nothing of the login: at most a TLS request (36 bytes) and the TLS handshake."""
    server = write(request, broker, through, method, "direct", "verify-identity")
    spy = relay((server.host, server.port))
    keys = {"tls_ca": server.wrong_ca} if wrong == "ca" else {}
    if wrong == "name":
        iam = METHODS[method].fixture == "iam_server"
        keys = {"sign_host": "third.abcdefghijkl.eu-west-1.rds.amazonaws.com"} if iam else {"host": WRONG_NAME}
    write(request, broker, through, method, "direct", "verify-identity", port=spy.port, **keys)
    done = broker.run("connect", "p", "--client", clients["mysql9"].path, "--", "-NBe", QUERY)
    assert done.code in (1, 69, 77) and "certificate" in done.errors and not done.out, (done.code, done.errors)
    assert METHODS[method].user.encode() + b"\0" not in spy.sent and spy.sent[36:38] in (b"", b"\x16\x03")
