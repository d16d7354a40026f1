# SPDX-License-Identifier: MIT
"""Leases of a real Vault behind a keeper that logs in: one for all connections, renewed while they live, given back after the
last; a session keeps its user; and what the client is told once there is none."""
import json
import re
import threading

import pytest

from conftest import lasting
from lib.clock import Clock
from lib.forwards import until
from lib.injected import Injected
from lib.keeping import gone
from lib.vault import shown
from servers import load
from servers.load import Refused
from servers.vault_front import errors
from test_vault_late import HIDDEN, appearing, given, role  # noqa: F401

SLEEP = "select sleep(600)"


@pytest.fixture
def clock(broker):
    yield from lasting(Clock, broker)


@pytest.fixture
def inject(given, forwards):  # noqa: F811
    """inject(...) is an Injected by the profile `w`."""
    return lambda *args, profile="w", **options: Injected(forwards, *args, profile=profile, wrap=given.keyring.wrap, **options)


def test_renewal_that_fails_while_a_connection_waits(given, inject, vault):  # noqa: F811
    """It gets another user, and the session keeps its own. (Faked: the refusal, once a connection is there.)"""
    path = role(vault, "refused", ttl="34s")
    given.configure(vault_path=path)
    begun, another = threading.Event(), threading.Event()

    def refuse(_):
        begun.set()
        another.wait(30)
        return 400, {}, errors("lease is not renewable")
    vault.front.instead["/v1/sys/leases/renew"] = [refuse] * 20
    way = inject()
    connection = way.connect()
    user = connection.query("select current_user()")[0].decode()
    assert begun.wait(60)
    waiting = load.Connection(way.place)  # the keeper accepts it while the renewal runs
    another.set()
    waiting.login(way.user, way.password)
    assert waiting.query("select current_user()")[0].decode() != user == connection.query("select current_user()")[0].decode()
    assert reads(vault, path) == 2
    waiting.close()
    connection.close()


@pytest.fixture
def revoking(given, vault):  # noqa: F811
    """A person who may give users back, and wants it."""
    vault.allow(f'path "{vault.path}" {{ capabilities = ["read"] }}', 'path "sys/leases/revoke" { capabilities = ["update"] }')
    given.configure("[profile other]\ninherits = w\n", vault_revoke="yes")
    return given


def reads(vault, path=None):
    return len(vault.front.asked("GET", path or vault.path))


def renewals(vault, path):
    return [seen for seen in vault.front.seen if seen.path.endswith("/sys/leases/renew") and json.loads(seen.body)["lease_id"].startswith(path)]


def test_one_lease_for_all(inject, vault):
    way = inject()
    users = set(way.ask_often(40, at_once=20))
    assert users == {f"{user}@%" for user in vault.users()} and len(users) == 1 and reads(vault) == 1


def test_renewed_while_a_connection_lives(given, inject, vault):  # noqa: F811
    """And not without one."""
    used, idle = (role(vault, name, ttl="34s") for name in ("used", "idle"))
    vault.allow(f'path "{vault.db}/creds/*" {{ capabilities = ["read"] }}')
    given.configure(f"[profile idle]\ninherits = w\nvault_path = {idle}\n", vault_path=used)
    ways = inject(), inject(profile="idle")
    connection = ways[0].connect()
    user = connection.query("select current_user()")[0].decode()
    assert until(lambda: len(renewals(vault, used)) >= 2, 60)
    assert not renewals(vault, idle)
    assert connection.query("select current_user()")[0].decode() == user == ways[0].ask()
    assert reads(vault, used) == 1
    connection.close()


def test_given_back(revoking, vault, client):
    """vault_revoke = yes: with its session the user is gone."""
    done = revoking.run("connect", "w", "--client", client.path, "--", "-NBe", "select current_user()")
    assert done.code == 0 and re.fullmatch(r"v-\S+@%\n", done.text), done.errors
    assert vault.users_become(0) and vault.front.asked("sys/leases/revoke")


@pytest.mark.parametrize("end", ["kill -9 $$", "kill -HUP $$", "false", "exec sleep 0"])
def test_given_back_however_it_ends(revoking, vault, end):
    script = f'mariadb --no-defaults -h 127.0.0.1 -P "$MYSQL_TCP_PORT" -u "$MYSQL_USER" -e "select 1" && {end}'
    assert revoking.run("exec", "w", "--", "sh", "-c", script).text
    assert vault.users_become(0) and len(vault.front.asked("sys/leases/revoke")) == 1


def test_vault_hangs_at_the_end(revoking, inject, vault):
    """The keeper ends all the same."""
    released = threading.Event()
    vault.front.instead["/v1/sys/leases/revoke"] = [lambda _: (released.wait(60), (204, {}, b""))[1]] * 9
    way = inject()
    assert way.ask()
    try:
        way.end()
        assert gone(revoking.broker)
        assert len(vault.users()) == 1
    finally:
        released.set()


def test_given_back_by_the_last_one(revoking, inject, vault):
    """Of two keepers that share it."""
    ways = inject(), inject(profile="other")
    assert ways[0].ask() == ways[1].ask() and reads(vault) == 1
    ways[0].end()
    assert len(vault.users()) == 1 and not vault.front.asked("sys/leases/revoke")
    assert ways[1].ask()
    ways[1].end()
    assert vault.users_become(0) and len(vault.front.asked("sys/leases/revoke")) == 1


def test_may_not_give_back(given, vault, clients):  # noqa: F811
    """The log of the keeper says so, and what to ask for."""
    given.configure(vault_revoke="yes")
    log = given.broker.home / "log"
    done = given.run("connect", "w", "--log", log, "--client", clients["mariadb1011"].path, "--", "-NBe", "select 1")
    assert (done.code, done.text) == (0, "1\n") and until(lambda: log.exists() and log.read_text().endswith("\n"))
    assert re.search(rf"cannot revoke the database user {vault.users()[0]}: .*permission denied, hint: ask for a policy that allows update on "
                     "sys/leases/revoke\n$", log.read_text()), log.read_text()


def test_kept_for_the_next_run(inject, vault):
    """Unless vault_revoke says so it is not given back."""
    way = inject()
    assert way.ask()
    way.end()
    assert len(vault.users()) == 1 and not vault.front.asked("sys/leases/revoke")


# A session's user

@pytest.fixture
def session(given, vault, client):  # noqa: F811
    """On a terminal, with that client."""
    tty = given.pty("connect", "w", "--client", client.path)
    tty.user, tty.id = who(tty)
    return tty


def who(tty):
    """(user, number of the connection), by the client."""
    tty.sendline(b"select concat('n=', current_user(), ',', connection_id(), '.');")
    return re.search(rb"n=([^,\r\n]+)@%,(\d+)\.", tty.expect(r"n=v-[^,\r\n]+,\d+\."))[1].decode(), number(tty)


def number(tty):
    tty.sendline(b"select concat('i=', connection_id(), '.');")
    return re.search(rb"i=(\d+)\.", tty.expect(r"i=\d+\."))[1].decode()


def asleep(server):
    return server.admin(f"select count(*) from information_schema.processlist where info = '{SLEEP}'") != "0"


def test_ctrl_c_after_the_lease_has_changed(session, given, vault, mariadb_server):  # noqa: F811
    """The query is cancelled by the user who runs it, as long as there is that one."""
    session.sendline(SLEEP.encode() + b";")
    assert until(lambda: asleep(mariadb_server))
    assert given.lease("--fresh").user != session.user
    session.interrupt()
    assert until(lambda: not asleep(mariadb_server))
    assert who(session) == (session.user, session.id)


@pytest.fixture
def running_clock(broker):
    """Which the keeper's timers see as well."""
    yield from lasting(Clock, broker, timers=True)


def test_ctrl_c_after_a_minute(running_clock, session, mariadb_server):
    """The keeper has wiped the password meanwhile, and gets it again: it is that of the same user."""
    session.sendline(SLEEP.encode() + b";")
    assert until(lambda: asleep(mariadb_server))
    running_clock.move(61)
    session.interrupt()
    assert until(lambda: not asleep(mariadb_server))
    assert who(session) == (session.user, session.id)


@pytest.mark.parametrize("client", ["mariadb1011"], indirect=True)
def test_user_of_the_session_has_ended(clock, session, given, mariadb_server):  # noqa: F811
    """Another one could not cancel anything of its: the second connection is told."""
    clock.move(15)  # so that it is no new one
    mariadb_server.admin(f"drop user '{session.user}'@'%'")
    with pytest.raises(Refused, match=f"the database user {session.user} of this session has ended\nhint: "):
        connection = load.Connection(socket_of(given))
        connection.login("anybody", b"")


def socket_of(desk):
    """The local end of a session's keeper."""
    (path,) = [path for path in desk.broker.runtime.rglob("*") if path.is_socket()]
    return path


# Users that the server does not know, people that Vault does not know

def test_user_that_is_not_there_yet(given, vault, mariadb_server, client):  # noqa: F811
    """As on a replica that lags: the same one is tried again, and no other is made. (Here the server has it under another
    host's name until it has refused it.)"""
    path = role(vault, "late", HIDDEN)
    given.configure(vault_path=path)
    with appearing(vault, mariadb_server):
        done = given.run("connect", "w", "--client", client.path, "--", "-NBe", "select current_user()")
    assert (done.code, done.text) == (0, f"{vault.users()[0]}@%\n"), done.errors
    assert reads(vault, path) == 1 and len(vault.users()) == 1


def test_user_that_is_never_there(given, vault, clients):  # noqa: F811
    """The server's own words, after some seconds, and still one user was made."""
    path = role(vault, "never", HIDDEN)
    given.configure(vault_path=path)
    done = given.run("connect", "w", "--client", clients["mysql9"].path, "--", "-e", "select 1")
    assert done.code == 1 and re.search(r"ERROR 1045 \(28000\): Access denied for user 'v-", done.errors), done.errors
    assert reads(vault, path) == 1


def test_user_that_was_dropped(clock, inject, vault, mariadb_server):
    """Another is made, once, and nobody has noticed: no session has the first one."""
    way = inject()
    first = way.ask()
    clock.move(15)
    mariadb_server.admin(f"drop user '{first.removesuffix('@%')}'@'%'")
    second = way.ask()
    assert second != first and way.ask() == second and reads(vault) == 2


@pytest.fixture
def log_in(desk, vault):
    """log_in(vault_path=...) writes the profile of a person who has to log in with a password, and does it."""
    secret = desk.broker.secret(b"fake-userpass-canary-77aa")
    mount = vault.userpass(secret.decode())

    def log_in(**keys):
        desk.configure(vault_auth="userpass", vault_user="alice", vault_mount=mount, **keys)
        tty = desk.pty("login", "w")
        tty.expect(r"password[^\r\n]*: ")
        tty.sendline(secret)
        assert tty.wait() == 0, shown(tty)
    return log_in


@pytest.mark.parametrize("life", ["short", "long"])
def test_needs_a_login(clock, log_in, desk, vault, forwards, life):
    """The client shows the command to run, also if the server has refused it before; and once that was run, the next connection
    works."""
    path = {"short": vault.short, "long": vault.path}[life]
    log_in(vault_path=path)
    way = Injected(forwards, profile="w", wrap=desk.keyring.wrap)
    assert way.ask()
    clock.move(15)
    vault.revoke(vault.front.tokens[-1])
    assert vault.users_become(0)
    with pytest.raises(Refused, match=r"(?s)not logged in to http.*\nhint: broker login w"):
        way.ask()
    log_in(vault_path=path)
    assert way.ask()


def test_vault_is_away(inject, given, vault):  # noqa: F811
    """Its words, with the reason; later it works."""
    given.configure(vault_path=vault.short)
    way = inject()
    assert way.ask()
    vault.vault.seal()
    try:
        with pytest.raises(Refused, match="Vault is sealed"):
            way.ask()
    finally:
        vault.vault.unseal()
    assert way.ask()
