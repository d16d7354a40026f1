# SPDX-License-Identifier: MIT
"""Leases of a real Vault on a real MariaDB: what is created once and shared, what is renewed, what is replaced, and
that no unneeded user is created: the rows of mysql.user are counted."""
import subprocess
import sys
import threading
import time

import pytest

from lib.vault import refused
from test_command_provider import NO_KEYRING


@pytest.fixture
def given(desk, vault):
    """A session whose token is in VAULT_TOKEN, so that no login is needed."""
    desk.broker.env["VAULT_TOKEN"] = desk.broker.secret(vault.token().encode()).decode()
    return desk


def stamp(seconds):
    """The time SECONDS from now, in the format of status --json."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def reads(vault, path=None):
    return len(vault.front.asked("GET", path or vault.path))


def test_created_once(given, vault):
    """The second run sends Vault no request."""
    first = given.lease()
    asked = len(vault.front.seen)
    assert given.lease() == first and len(vault.front.seen) == asked
    assert vault.users() == [first.user]


def test_each_verb_uses_it(given, vault, clients):
    user = given.lease().user
    done = given.run("connect", "w", "--client", clients["mariadb1011"].path, "--", "-NBe", "select current_user()")
    assert (done.text, done.code) == (f"{user}@%\n", 0), done.errors
    assert given.run("exec", "w", "--", "sh", "-c", "echo $MYSQL_USER").text == user + "\n"
    assert given.run("test", "w").code == 0
    assert vault.users() == [user]


def test_many_processes_share_one_lease(given, vault):
    """Eight brokers run at once, and Vault is asked for one user."""
    said = []
    threads = [threading.Thread(target=lambda: said.append(given.lease().user)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 8 and set(said) == set(vault.users()) and reads(vault) == 1


def test_two_profiles_of_one_path_share_it(given, vault):
    given.configure("[profile other]\ninherits = w\ndatabase = shop\n")
    first = given.lease().user
    assert given.run("exec", "other", "--", "sh", "-c", "echo $MYSQL_USER").text == first + "\n" and vault.users() == [first]


def test_another_path_needs_another_lease(given, vault):
    first = given.lease().user
    given.configure(vault_path=vault.role("other", "1h", "2h"))
    vault.allow(f'path "{vault.db}/creds/*" {{ capabilities = ["read"] }}')
    assert given.lease().user != first and len(vault.users()) == 2


def test_another_token_needs_another_lease(given, vault):
    """A user ends with the token for which it was created, so another token gets another user."""
    first = given.lease().user
    given.broker.env["VAULT_TOKEN"] = given.broker.secret(vault.token().encode()).decode()
    assert given.lease().user != first and len(vault.users()) == 2


def test_fresh(given, vault):
    first = given.lease().user
    second = given.lease("--fresh").user
    assert first != second == given.lease().user


def test_too_short_to_keep(given, vault):
    """A lease of 5 s is used and not cached, because a cached lease is not used in its last 30 s."""
    given.configure(vault_path=vault.short)
    assert given.lease().user and given.lease().user and reads(vault, vault.short) == 2
    assert vault.users_become(0, 60)


def test_renewed_near_its_end(given, vault):
    """Within its last 30 s it is renewed, and the user stays the same."""
    first, ended = given.lease(), given.sessions()["vault_lease"]["expires_at"]
    again = given.lease(ahead=3580)
    assert again == first and given.sessions()["vault_lease"]["expires_at"] > ended
    assert len(vault.front.asked("sys/leases/renew")) == 1 and reads(vault) == 1 and vault.users() == [first.user]


def test_renewal_that_gives_too_little(given, vault):
    """As near its max_ttl: another user is created. (The duration is faked.)"""
    first = given.lease().user
    vault.front.instead["/v1/sys/leases/renew"] = [(200, {}, b'{"lease_id":"x","renewable":true,"lease_duration":20,"data":null}')]
    second = given.lease(ahead=3580).user
    assert second != first and vault.users() == sorted([first, second])


def test_past_its_end(given, vault):
    """A lease that has ended by the clock is neither used nor renewed."""
    first = given.lease().user
    assert given.lease(ahead=2 * 3600).user != first
    assert not vault.front.asked("renew")


def test_clock_that_jumps_back(given, vault):
    """A lease that was cached for an hour is not used for a day."""
    first = given.lease(ahead=86400).user
    assert given.lease(ahead=86400).user == first
    user = given.lease().user
    assert user in vault.users()


def test_revoked_lease_is_replaced(given, vault):
    """Vault no longer knows it: another user is created."""
    first = given.lease().user
    vault.vault("PUT", f"sys/leases/revoke-prefix/{vault.path}")
    assert vault.users_become(0)
    second = given.lease(ahead=3580).user
    assert second != first and vault.users() == [second]


def test_token_with_less_life_than_the_lease(given, vault):
    """expires_at is the earlier of both: the user ends with the token."""
    given.broker.env["VAULT_TOKEN"] = given.broker.secret(vault.token(ttl="10m", explicit_max_ttl="10m").encode()).decode()
    given.lease()
    assert stamp(540) < given.sessions()["vault_lease"]["expires_at"] < stamp(610)


def test_without_a_keyring(given, vault):
    """Nothing is cached, and nothing fails."""
    wrap = [sys.executable, "-c", NO_KEYRING]
    first, second = given.lease(wrap=wrap).user, given.lease(wrap=wrap).user
    assert first != second and vault.users() == sorted([first, second])


def test_without_a_runtime_folder(given, vault):
    env = {"XDG_RUNTIME_DIR": "/nowhere"}
    assert given.lease(env=env).user == given.lease(env=env).user


def test_static_role(given, vault):
    """Vault changes the password of an existing user. Its lifetime is data.ttl, and it is cached for at most 5
    minutes."""
    user = f"static{vault.tag}"
    vault.database.create_user(user, b"fake-before")
    try:
        vault.vault("POST", f"{vault.db}/static-roles/fixed", {"db_name": "app", "username": user, "rotation_period": "1h"})
        vault.allow(f'path "{vault.db}/static-creds/*" {{ capabilities = ["read"] }}')
        path = f"{vault.db}/static-creds/fixed"
        given.configure(vault_path=path)
        first = given.lease()
        assert first.user == user and given.lease() == first and reads(vault, path) == 1
        keys = subprocess.run([*given.keyring.wrap, "cat", "/proc/keys"], capture_output=True, text=True, check=True).stdout
        assert [row.split()[3] for row in keys.splitlines() if "vault_lease" in row and path in row] in (["4m"], ["5m"]), keys
        assert given.sessions()["vault_lease"]["expires_at"] <= stamp(305)
    finally:
        vault.database.admin(f"drop user {user}@'%'")


# Refusals

def test_role_missing(given, vault):
    given.configure(vault_path=f"{vault.db}/creds/nope")
    vault.allow(f'path "{vault.db}/*" {{ capabilities = ["read", "list"] }}')
    done = given.ask()
    refused(done, 77, "unknown role: nope", f"long{vault.tag}")
    assert not vault.users()


@pytest.mark.parametrize("path", ["{db}", "{db}/", "/{db}"])
def test_mount_alone_lists_its_roles(given, vault, path):
    given.configure(vault_path=path.format(db=vault.db))
    vault.allow(f'path "{vault.db}/*" {{ capabilities = ["read", "list"] }}')
    refused(given.ask(), 78, f"{vault.db}/creds/long{vault.tag}\n", f"{vault.db}/creds/short{vault.tag}\n", r"hint: .*vault_path")


def test_mount_alone_without_the_right_to_list(given, vault):
    given.configure(vault_path=vault.db)
    refused(given.ask(), 78, "permission denied")


def test_unknown_mount(given):
    given.configure(vault_path="nowhere/creds/x")
    refused(given.ask(), 77, "permission denied")


@pytest.mark.parametrize("path", ["../sys/seal", "{db}/../sys/seal", "{db}//creds/x", "{db}/./creds/x", "{db}/creds/.."])
def test_path_traversal_is_refused(given, vault, path):
    """Vault gets no request."""
    given.configure(vault_path=path.format(db=vault.db))
    refused(given.ask(), 78, "vault_path")
    assert not vault.front.seen


def test_special_characters_of_a_path_are_escaped(given, vault):
    """A question mark or an escape in the config is sent literally."""
    given.configure(vault_path=f"{vault.db}/creds/a?list=true&%2e%2e")
    refused(given.ask(), 77)
    assert vault.front.seen[-1].path == f"/v1/{vault.db}/creds/a%3Flist%3Dtrue%26%252e%252e" or \
        any("a%3Flist%3Dtrue%26%252e%252e" in seen.path for seen in vault.front.seen)


def test_database_that_is_down(given, vault, start_server):
    """The error has Vault's own message, and does not ask the user to log in."""
    server = start_server("mariadb")
    from servers.vault import PASSWORD, USER
    server.create_user(USER, PASSWORD)
    vault.vault("POST", f"{vault.db}/config/down", {
        "plugin_name": "mysql-database-plugin", "connection_url": f"{{{{username}}}}:{{{{password}}}}@tcp(127.0.0.1:{server.port})/",
        "allowed_roles": "*", "username": USER, "password": PASSWORD.decode()})
    vault.vault("POST", f"{vault.db}/roles/down", {"db_name": "down", "default_ttl": "1h", "creation_statements": ["select 1"]})
    vault.allow(f'path "{vault.db}/creds/*" {{ capabilities = ["read"] }}')
    server.stop()
    given.configure(vault_path=f"{vault.db}/creds/down")
    refused(given.ask(), 75, "connection refused|invalid connection|bad connection")


def test_sealed(given, vault):
    """An administrator must act, so the request is not repeated. The cached lease stays usable."""
    first = given.lease()
    vault.vault.seal()
    try:
        asked = len(vault.front.seen)
        refused(given.ask("--fresh"), 75, "Vault is sealed", "hint: ask Vault's administrators to unseal it")
        assert len(vault.front.seen) == asked + 1 and given.lease() == first
    finally:
        vault.vault.unseal()
    assert given.lease() == first


def test_rate_limit(given, vault):
    """A quota of Vault's own, whose answer says when to try again: broker waits, and reports nothing."""
    quota = f"sys/quotas/rate-limit/q{vault.number}"
    vault.vault("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    vault.vault("POST", quota, {"path": f"{vault.db}/", "rate": 1, "interval": "3s"})
    try:
        assert given.lease().user and given.lease("--fresh").user and len(vault.users()) == 2
    finally:
        vault.vault("DELETE", quota)
