# SPDX-License-Identifier: MIT
"""Leases of a real Vault, with a keeper that logs in: one lease for all connections, renewed while one is open, revoked
after the last; a session keeps its database user; and what the client is told if there is no lease any more."""
import json
import re
import sys
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
from test_command_provider import NO_KEYRING
from test_vault_late import HIDDEN, appearing, given, role  # noqa: F401

SLEEP = "select sleep(600)"


@pytest.fixture
def clock(broker):
    yield from lasting(Clock, broker)


@pytest.fixture
def inject(given, forwards):  # noqa: F811
    """inject(...) is an Injected of the profile `w`."""
    return lambda *args, profile="w", **options: Injected(forwards, *args, profile=profile, wrap=given.keyring.wrap, **options)


def test_renewal_that_fails_while_a_connection_waits(given, inject, vault):  # noqa: F811
    """The waiting connection gets another user, and the session keeps its own. (The refusal is faked, once a connection
    exists.)"""
    path = role(vault, "refused", ttl="34s")
    given.configure(vault_path=path)
    begun, another = threading.Event(), threading.Event()

    def refuse(_):
        begun.set()
        another.wait(30)
        return 400, {}, errors("lease is not renewable")
    vault.front.instead["/v1/sys/leases/renew"] = [refuse] * 20
    forward = inject()
    connection = forward.connect()
    user = connection.query("select current_user()")[0].decode()
    assert begun.wait(60)
    waiting = load.Connection(forward.place)  # the keeper accepts it while the renewal runs
    another.set()
    waiting.login(forward.user, forward.password)
    assert waiting.query("select current_user()")[0].decode() != user == connection.query("select current_user()")[0].decode()
    assert reads(vault, path) == 2
    waiting.close()
    connection.close()


@pytest.fixture
def revoking(given, vault):  # noqa: F811
    """A Vault policy that allows revoking leases, and a profile that does so (vault_revoke = yes)."""
    vault.allow(f'path "{vault.path}" {{ capabilities = ["read"] }}', 'path "sys/leases/revoke" { capabilities = ["update"] }')
    given.configure("[profile other]\ninherits = w\n", vault_revoke="yes")
    return given


def reads(vault, path=None):
    return len(vault.front.asked("GET", path or vault.path))


def renewals(vault, path):
    return [seen for seen in vault.front.seen if seen.path.endswith("/sys/leases/renew") and json.loads(seen.body)["lease_id"].startswith(path)]


def test_one_lease_for_all(inject, vault):
    forward = inject()
    users = set(forward.ask_often(40, at_once=20))
    assert users == {f"{user}@%" for user in vault.users()} and len(users) == 1 and reads(vault) == 1


def test_renewed_while_a_connection_is_open(given, inject, vault):  # noqa: F811
    """And not without a connection."""
    used, idle = (role(vault, name, ttl="34s") for name in ("used", "idle"))
    vault.allow(f'path "{vault.db}/creds/*" {{ capabilities = ["read"] }}')
    given.configure(f"[profile idle]\ninherits = w\nvault_path = {idle}\n", vault_path=used)
    both = inject(), inject(profile="idle")
    connection = both[0].connect()
    user = connection.query("select current_user()")[0].decode()
    assert until(lambda: len(renewals(vault, used)) >= 2, 60)
    assert not renewals(vault, idle)
    assert connection.query("select current_user()")[0].decode() == user == both[0].ask()
    assert reads(vault, used) == 1
    connection.close()


def test_revoked_at_the_end(revoking, vault, client):
    """vault_revoke = yes: the database user is removed when its session ends."""
    done = revoking.run("connect", "w", "--client", client.path, "--", "-NBe", "select current_user()")
    assert done.code == 0 and re.fullmatch(r"v-\S+@%\n", done.text), done.errors
    assert vault.users_become(0) and vault.front.asked("sys/leases/revoke")


@pytest.mark.parametrize("end", ["kill -9 $$", "kill -HUP $$", "false", "exec sleep 0"])
def test_revoked_however_the_program_ends(revoking, vault, end):
    script = f'mariadb --no-defaults -h 127.0.0.1 -P "$MYSQL_TCP_PORT" -u "$MYSQL_USER" -e "select 1" && {end}'
    assert revoking.run("exec", "w", "--", "sh", "-c", script).text
    assert vault.users_become(0) and len(vault.front.asked("sys/leases/revoke")) == 1


def test_vault_hangs_at_the_end(revoking, inject, vault):
    """The keeper ends nevertheless."""
    released = threading.Event()
    vault.front.instead["/v1/sys/leases/revoke"] = [lambda _: (released.wait(60), (204, {}, b""))[1]] * 9
    forward = inject()
    assert forward.ask()
    try:
        forward.end()
        assert gone(revoking.broker)
        assert len(vault.users()) == 1
    finally:
        released.set()


def test_revoked_by_the_last_keeper(revoking, inject, vault):
    """Two keepers share the lease; the one that ends last revokes it."""
    both = inject(), inject(profile="other")
    assert both[0].ask() == both[1].ask() and reads(vault) == 1
    both[0].end()
    assert len(vault.users()) == 1 and not vault.front.asked("sys/leases/revoke")
    assert both[1].ask()
    both[1].end()
    assert vault.users_become(0) and len(vault.front.asked("sys/leases/revoke")) == 1


def test_fresh_user_beside_a_session(revoking, inject, vault):
    """Each of two users is revoked by the keeper that used it, although the cache has only the newer one."""
    forward = inject()
    first = forward.ask()
    assert revoking.run("exec", "w", "--fresh", "--", "true").code == 0 and reads(vault) == 2 and vault.users_become(1)
    assert [f"{user}@%" for user in vault.users()] == [first] == [forward.ask()]
    forward.end()
    assert vault.users_become(0)


def test_revoked_with_a_token_file(revoking, vault, clients):
    revoking.broker.write(".vault-token", revoking.broker.env.pop("VAULT_TOKEN").encode(), secret=True)
    revoking.configure(vault_revoke="yes", vault_auth="token-file")
    done = revoking.run("connect", "w", "--client", clients["mariadb1011"].path, "--", "-NBe", "select 1")
    assert done.text == "1\n" and vault.users_become(0), done.errors


def test_revocation_without_a_keyring(revoking, vault, clients):
    """The lease is not cached, so nothing can revoke it; the keeper's log says so."""
    log = revoking.broker.home / "log"
    done = revoking.run("connect", "w", "--log", log, "--client", clients["mariadb1011"].path, "--", "-NBe", "select 1",
                        wrap=[sys.executable, "-c", NO_KEYRING])
    assert done.text == "1\n" and until(lambda: log.exists() and log.read_text().endswith("\n")), done.errors
    assert f"cannot revoke the database user {vault.users()[0]}: its lease is not cached" in log.read_text()


def test_revocation_is_denied(given, vault, clients):  # noqa: F811
    """The keeper's log says so, and which policy to ask for."""
    given.configure(vault_revoke="yes")
    log = given.broker.home / "log"
    done = given.run("connect", "w", "--log", log, "--client", clients["mariadb1011"].path, "--", "-NBe", "select 1")
    assert (done.code, done.text) == (0, "1\n") and until(lambda: log.exists() and log.read_text().endswith("\n"))
    assert re.search(rf"cannot revoke the database user {vault.users()[0]}: .*permission denied, hint: ask for a policy that allows update on "
                     "sys/leases/revoke\n$", log.read_text()), log.read_text()


def test_kept_for_the_next_run(inject, vault):
    """Without vault_revoke = yes the lease is not revoked."""
    forward = inject()
    assert forward.ask()
    forward.end()
    assert len(vault.users()) == 1 and not vault.front.asked("sys/leases/revoke")


# A session's user

@pytest.fixture
def session(given, vault, client):  # noqa: F811
    """A session on a terminal, with that client."""
    tty = given.pty("connect", "w", "--client", client.path)
    tty.user, tty.id = who(tty)
    return tty


def who(tty):
    """(user, connection ID), as the client prints them."""
    tty.sendline(b"select concat('n=', current_user(), ',', connection_id(), '.');")
    return re.search(rb"n=([^,\r\n]+)@%,(\d+)\.", tty.expect(r"n=v-[^,\r\n]+,\d+\."))[1].decode(), number(tty)


def number(tty):
    tty.sendline(b"select concat('i=', connection_id(), '.');")
    return re.search(rb"i=(\d+)\.", tty.expect(r"i=\d+\."))[1].decode()


def asleep(server):
    return server.admin(f"select count(*) from information_schema.processlist where info = '{SLEEP}'") != "0"


def test_ctrl_c_after_the_lease_has_changed(session, given, vault, mariadb_server):  # noqa: F811
    """The query is cancelled as the database user that runs it, as long as that user exists."""
    session.sendline(SLEEP.encode() + b";")
    assert until(lambda: asleep(mariadb_server))
    assert given.lease("--fresh").user != session.user
    session.interrupt()
    assert until(lambda: not asleep(mariadb_server))
    assert who(session) == (session.user, session.id)


@pytest.fixture
def running_clock(broker):
    """A clock whose jumps the keeper's timers see as well."""
    yield from lasting(Clock, broker, timers=True)


def test_ctrl_c_after_a_minute(running_clock, session, mariadb_server):
    """The keeper has wiped the password by then, and gets it again, for the same user."""
    session.sendline(SLEEP.encode() + b";")
    assert until(lambda: asleep(mariadb_server))
    running_clock.move(61)
    session.interrupt()
    assert until(lambda: not asleep(mariadb_server))
    assert who(session) == (session.user, session.id)


@pytest.mark.parametrize("client", ["mariadb1011"], indirect=True)
def test_user_of_the_session_has_ended(clock, session, given, mariadb_server):  # noqa: F811
    """Another user could not cancel the session's queries, so the second connection gets an error that says so."""
    clock.move(15)  # so that the user does not count as new
    mariadb_server.admin(f"drop user '{session.user}'@'%'")
    with pytest.raises(Refused, match=f"the database user {session.user} of this session has ended\nhint: "):
        connection = load.Connection(socket_of(given))
        connection.login("anybody", b"")


def socket_of(desk):
    """The socket on which a session's keeper listens."""
    (path,) = [path for path in desk.broker.runtime.rglob("*") if path.is_socket()]
    return path


# Database users that the server does not know, and users whom Vault does not know

def test_user_that_does_not_exist_yet(given, vault, mariadb_server, client):  # noqa: F811
    """As on a replica that lags: the same user is tried again, and no other is created. (Here the server has the user
    with another host name until it has refused it.)"""
    path = role(vault, "late", HIDDEN)
    given.configure(vault_path=path)
    with appearing(vault, mariadb_server):
        done = given.run("connect", "w", "--client", client.path, "--", "-NBe", "select current_user()")
    assert (done.code, done.text) == (0, f"{vault.users()[0]}@%\n"), done.errors
    assert reads(vault, path) == 1 and len(vault.users()) == 1


def test_user_that_never_exists(given, vault, clients):  # noqa: F811
    """The client gets the server's own message, after some seconds, and still only one user was created."""
    path = role(vault, "never", HIDDEN)
    given.configure(vault_path=path)
    done = given.run("connect", "w", "--client", clients["mysql9"].path, "--", "-e", "select 1")
    assert done.code == 1 and re.search(r"ERROR 1045 \(28000\): Access denied for user 'v-", done.errors), done.errors
    assert reads(vault, path) == 1


def test_user_that_was_dropped(clock, inject, vault, mariadb_server):
    """Another user is created, once, and no client notices, because no session uses the first one."""
    forward = inject()
    first = forward.ask()
    clock.move(15)
    mariadb_server.admin(f"drop user '{first.removesuffix('@%')}'@'%'")
    second = forward.ask()
    assert second != first and forward.ask() == second and reads(vault) == 2


@pytest.fixture
def log_in(desk, vault):
    """log_in(vault_path=...) writes a profile with which the user has to log in to Vault by password, and logs in."""
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
    """The client shows the command to run, also if the server has refused the database user before. Once the command
    was run, the next connection works."""
    path = {"short": vault.short, "long": vault.path}[life]
    log_in(vault_path=path)
    forward = Injected(forwards, profile="w", wrap=desk.keyring.wrap)
    assert forward.ask()
    clock.move(15)
    vault.revoke(vault.front.tokens[-1])
    assert vault.users_become(0)
    with pytest.raises(Refused, match=r"(?s)not logged in to http.*\nhint: broker login w"):
        forward.ask()
    log_in(vault_path=path)
    assert forward.ask()


def test_vault_is_sealed(inject, given, vault):  # noqa: F811
    """The client gets Vault's message with the reason. Later, connections work again."""
    given.configure(vault_path=vault.short)
    forward = inject()
    assert forward.ask()
    vault.vault.seal()
    try:
        with pytest.raises(Refused, match="Vault is sealed"):
            forward.ask()
    finally:
        vault.vault.unseal()
    assert forward.ask()


def test_renewed_after_a_suspend(given, inject, vault, clock):  # noqa: F811
    """The timers stand still while the machine is suspended, but the lease does not."""
    path = role(vault, "slept", ttl="10m")
    given.configure(vault_path=path)
    forward = inject()
    connection = forward.connect()
    clock.move(10 * 60 - 25)
    assert until(lambda: renewals(vault, path), 60)
    connection.close()
