# SPDX-License-Identifier: MIT
"""Every kind of credential over a real sshd, with both engines and the three clients, at three TLS levels; and what
only routes over SSH have: a unix socket on the far side, a bastion behind a bastion, aliases and Match of
~/.ssh/config, an inline URL."""
import secrets
import tempfile
from functools import partial
from pathlib import Path

import pytest

from conftest import BASE, lasting
from lib import ways
from lib.bastion import ENGINES, Home, tunnel, write
from lib.forwards import until
from lib.keeping import gone, keeper, memory_of
from lib.logins import QUERY, logged_in
from servers.secret_service import SecretService

LEVELS = ("preferred", "required", "verify-identity")
QUERY_ACCOUNT = ["-NBe", "select current_user()"]


@pytest.fixture(scope="module")
def shared_keychain():
    yield from lasting(SecretService, Path(tempfile.mkdtemp(dir=BASE)) / "ss")


@pytest.fixture
def home(broker, ssh_home, sshd, user_key):
    """Its known_hosts has the shared sshd, which accepts its key."""
    home = Home(broker, ssh_home)
    home.knows(sshd)
    home.has_key(user_key)
    return home


@pytest.fixture
def place_for(request, broker, names):
    """place_for(provider, client), of lib/ways.py."""
    return partial(ways.place_for, request, broker)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("provider", ways.PROVIDERS)
def test_matrix(broker, client, home, sshd, place_for, shared_keychain, provider, engine, level):
    place = place_for(provider, client)
    ways.write(broker, place, provider, tunnel(sshd, engine), shared_keychain, via="far", tls=level, tls_ca=place.server.ca,
               server_public_key="yes")
    with broker.watch() as watch:
        done = ways.ask(broker, client, place)
    ways.outcome(done, place, provider, level)
    broker.assert_hidden(watch)
    assert gone(broker)


@pytest.mark.parametrize("engine", [*ENGINES, None])
def test_which_engine(broker, clients, home, sshd, mariadb_server, engine):
    """The forced engine, or libssh2. --verbose names it, and the reason if it is not libssh2."""
    write(broker, mariadb_server, tunnel(sshd, engine))
    done = broker.run("connect", "p", "-v", "--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT)
    assert done.text == "app_native@%\n"
    (route_line,) = [line for line in done.errors.splitlines() if line.split()[1] == "route"]
    named = {"openssh": "openssh: ssh_engine"}.get(engine, "libssh2")
    assert route_line.endswith(f"  ssh {sshd.user}@127.0.0.1:{sshd.port}, {named}"), route_line


@pytest.mark.parametrize("engine", [*ENGINES, None])
def test_which_engine_for_a_forward(broker, home, sshd, mariadb_server, engine):
    """The forced engine, or the system's ssh, if there is one, because it moves more data."""
    write(broker, mariadb_server, tunnel(sshd, engine))
    done = broker.run("forward", "p", "--detach", "-v")
    assert done.code == 0 and broker.run("stop", "p").code == 0, done.errors
    named = {"openssh": "openssh: ssh_engine", None: "openssh: a forward"}.get(engine, "libssh2")
    assert f"  ssh {sshd.user}@127.0.0.1:{sshd.port}, {named}\n" in done.errors, done.errors
    assert gone(broker)


@pytest.mark.parametrize("engine", [*ENGINES, None])
def test_test_tries_both_engines(broker, clients, home, sshd, mariadb_server, engine):
    """`test` does so if `forward` uses another engine than `connect`; the row of the second one names it."""
    write(broker, mariadb_server, tunnel(sshd, engine), client=clients["mariadb1011"].path, auth="env", auth_env="PASSWORD", user="app_native")
    env = {"PASSWORD": mariadb_server.password("app_native")}
    done = broker.run("test", "p", env=env)
    rows = [line.split(None, 3) for line in done.text.splitlines() if line.split()[0] == "route"]
    reached = f"ssh {sshd.user}@127.0.0.1:{sshd.port}"
    assert done.code == 0 and [row[3] for row in rows] == [reached, f"{reached}, by the system's ssh as for forward"][:1 if engine else 2], done
    assert gone(broker)


def test_test_names_the_engine_that_fails(broker, clients, home, sshd, mariadb_server):
    """The connection by libssh2 succeeds, that by the system's ssh, which forward would use, fails."""
    broker.script("ssh", 'case " $* " in *" -G "*) exec /usr/bin/ssh "$@" ;; esac; echo "ssh is out of order" >&2; exit 255')
    write(broker, mariadb_server, tunnel(sshd), client=clients["mariadb1011"].path)
    done = broker.run("test", "p")
    assert done.code == 69 and [line.split()[1] for line in done.text.splitlines()] == ["ok", "failed"], done
    assert done.errors.startswith("broker: p: the system's ssh, as for forward: ssh 127.0.0.1: ssh is out of order\nhint: "), done.errors


def test_wrong_server_behind_a_bastion(broker, client, home, sshd, place_for, engine):
    place = place_for("command", client)
    for keys, word in (({"tls_ca": place.server.wrong_ca}, "certificate"), ({"host": ways.wrong_name(place)}, "certificate is not valid for")):
        ways.write(broker, place, "command", tunnel(sshd, engine), via="far", **{"tls": "verify-identity", "tls_ca": place.server.ca, **keys})
        done = ways.ask(broker, client, place)
        assert done.code in (1, 69) and not done.out and word in done.errors, done.errors


# A socket on the far side

def test_far_socket(broker, client, home, sshd, mariadb_server, engine):
    """The server's own socket: the server sees a local login."""
    write(broker, mariadb_server, tunnel(sshd, engine), host=None, port=None, socket=mariadb_server.socket)
    done = broker.run("connect", "p", "--client", client.path, "--", *client.options_for(mariadb_server, "app_native"), "-NBe", QUERY)
    assert logged_in(done).seen_from == "localhost" and gone(broker)


def test_keeper_forgets_the_password_of_a_far_socket(broker, client, home, sshd, mysql_server, engine):
    """Over a unix socket a client sends the password in cleartext, so it passes through the keeper, which must not keep
    it. The path of the socket is found in the keeper's memory, so the search works."""
    password = b"fake-clear-" + b"c" * 200 + b"-canary-0815"
    mysql_server.admin(f"drop user if exists long_one; create user long_one identified with caching_sha2_password by '{password.decode()}'")
    write(broker, mysql_server, tunnel(sshd, engine), user="long_one", host=None, port=None, socket=mysql_server.socket, login="client")
    broker.env["TEST_SECRET"] = broker.secret(password).decode()
    query = f"select sleep(60), '{secrets.token_hex(8)}'"  # unique: a server goes on with the query of a killed client
    run = broker.start("connect", "p", "--client", client.path, "--", *client.options_for(mysql_server, "app_sha2"), "-e", query)
    try:
        assert until(lambda: query in mysql_server.admin("show full processlist"))
        memory = memory_of(keeper()[1])
    finally:
        run.kill()
        run.wait()
    assert str(mysql_server.socket).encode() in memory
    assert password[:12] not in memory and password[-12:] not in memory
    assert gone(broker)


def test_far_socket_that_does_not_exist(broker, clients, home, sshd, mariadb_server, engine):
    write(broker, mariadb_server, tunnel(sshd, engine), host=None, port=None, socket="/nowhere/s.sock")
    done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT)
    assert done.code in (1, 69) and not done.out and "/nowhere/s.sock" in done.errors and "hint: " in done.errors, done.errors


# Settings of ~/.ssh/config

def jump(home, sshd, inner):
    home.config(f"Host first\n HostName {sshd.host}\n Port {sshd.port}\n User {sshd.user}\n"
                f"Host second\n HostName {inner.host}\n Port {inner.port}\n User {inner.user}\n ProxyJump first\n")


def test_bastion_behind_a_bastion(broker, client, home, sshd, start_sshd, user_key, mariadb_server):
    """ProxyJump: the system's ssh is chosen."""
    inner = start_sshd()
    inner.authorize(user_key)
    home.knows(sshd, inner)
    jump(home, sshd, inner)
    write(broker, mariadb_server, "[tunnel far]\ntype = ssh\nhost = second\n", tls="required")
    done = broker.run("connect", "p", "-v", "--client", client.path, "--", *client.options_for(mariadb_server, "app_native"), *QUERY_ACCOUNT)
    assert done.text == "app_native@%\n" and ", openssh" in done.errors and "ProxyJump" in done.errors, done.errors
    assert inner.said("Accepted publickey") and gone(broker)


def test_libssh2_cannot_jump(broker, clients, home, sshd, start_sshd, user_key, mariadb_server):
    """If libssh2 is forced, the error says why it does not work, before any connection is attempted."""
    inner = start_sshd()
    jump(home, sshd, inner)
    write(broker, mariadb_server, "[tunnel far]\ntype = ssh\nhost = second\nssh_engine = libssh2\n")
    done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT)
    assert done.code == 78 and "ProxyJump" in done.errors.splitlines()[0] and "ssh_engine" in done.errors.splitlines()[-1], done.errors
    assert not inner.said("Connection from")


def test_alias(broker, clients, home, sshd, ssh_keys, mariadb_server, engine):
    """Host, port, user and identity come from ssh_config; a setting of the tunnel overrides them. The command of the
    hint names the alias."""
    other = ssh_keys.make("ecdsa")
    sshd.authorize(other)
    home.has_key(other, "elsewhere")
    home.config(f"Host alias\n HostName {sshd.host}\n Port {sshd.port}\nMatch originalhost alias\n User {sshd.user}\n"
                f"IdentityFile ~/.ssh/elsewhere\nHost *\n User nobody\n Port 1\n")
    write(broker, mariadb_server, f"[tunnel far]\ntype = ssh\nhost = alias\nssh_engine = {engine}\n")
    run = ["--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT]
    assert broker.run("connect", "p", *run).text == "app_native@%\n"
    done = broker.run("connect", "p", "-o", "tunnel.port=1", *run)
    assert done.code == 69 and "connection refused" in done.errors.lower(), done.errors
    assert done.errors.endswith(f"\nhint: try ssh -p 1 {sshd.user}@alias\n")


@pytest.mark.parametrize("alias", ["prod/bastion", "prod:eu"])
def test_alias_that_is_not_a_host_name(broker, clients, home, sshd, mariadb_server, engine, alias):
    home.config(f"Host {alias}\n HostName {sshd.host}\n Port {sshd.port}\n User {sshd.user}\n")
    write(broker, mariadb_server, f"[tunnel far]\ntype = ssh\nhost = {alias}\nssh_engine = {engine}\n")
    done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT)
    assert done.text == "app_native@%\n", done.errors


def test_inline(broker, clients, home, sshd, mariadb_server, engine):
    write(broker, mariadb_server, f"[defaults]\nssh_engine = {engine}\n", via=f"ssh://{sshd.user}@{sshd.host}:{sshd.port}")
    done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT)
    assert done.text == "app_native@%\n", done.errors


def test_without_ssh(broker, clients, home, sshd, mariadb_server):
    """Without the program `ssh`, only the tunnel's own settings apply, and libssh2 is used."""
    for name in ("env", "sh", "cat"):
        (broker.home / "bin" / name).symlink_to(f"/usr/bin/{name}")
    write(broker, mariadb_server, tunnel(sshd))
    env = {"PATH": f"{broker.home}/bin"}
    done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT, env=env)
    assert done.text == "app_native@%\n", done.errors
    done = broker.run("forward", "p", "--detach", "-v", env=env)
    assert done.code == 0 and f"  ssh {sshd.user}@127.0.0.1:{sshd.port}, libssh2\n" in done.errors, done.errors
    assert broker.run("stop", "p").code == 0
    write(broker, mariadb_server, tunnel(sshd, "openssh"))
    done = broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", *QUERY_ACCOUNT, env=env)
    assert (done.code, done.errors) == (78, "broker: p: ssh_engine = openssh: no ssh on PATH\n"
                                            "hint: install OpenSSH's client, or ssh_engine = auto\n")


def test_exec_and_test(broker, client, home, sshd, mariadb_server, engine):
    write(broker, mariadb_server, tunnel(sshd, engine), tls="verify-identity", host="localhost", tls_ca=mariadb_server.ca)
    options = client.options_for(mariadb_server, "app_native")
    if client.family == "mariadb":  # mysqldump 9 needs privileges that no account has here
        done = broker.run("exec", "p", "--client", client.path, "--", client.dump, "--defaults-file={defaults-file}", *options,
                          "--skip-lock-tables", "--no-tablespaces", "shop")
        assert done.code == 0 and "quince" in done.text, done.errors
        done = broker.run("test", "p", "--client", client.path)
        rows = [line.split(None, 3) for line in done.text.splitlines()]
        assert done.code == 0 and [row[0] for row in rows if row[1] == "ok"] == ["route", "credential", "server"], done.text
        assert rows[0][3] == f"ssh {sshd.user}@127.0.0.1:{sshd.port}"
    assert gone(broker)
