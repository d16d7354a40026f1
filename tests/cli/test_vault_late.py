# SPDX-License-Identifier: MIT
"""A database user created by Vault that the server refuses: a new user is tried again, and no second one is created; a
cached user is replaced once. Also the note about a user that ends soon, logout, and tokens that are given."""
import contextlib
import re
import threading

import pytest

from lib.forwards import until
from lib.vault import refused, shown

HIDDEN = "192.0.2.1"  # for a user of this host the server answers 1045


@pytest.fixture
def given(desk, vault):
    """A session whose token is in VAULT_TOKEN."""
    desk.broker.env["VAULT_TOKEN"] = desk.broker.secret(vault.token().encode()).decode()
    return desk


def role(vault, name, host="%", ttl="1h", more=()):
    """Another role, which creates its users for HOST; returns its vault_path."""
    name = f"{name}{vault.tag}"
    vault.vault("POST", f"{vault.db}/roles/{name}", {
        "db_name": "app", "default_ttl": ttl, "max_ttl": "24h",
        "creation_statements": [f"CREATE USER '{{{{name}}}}'@'{host}' IDENTIFIED BY '{{{{password}}}}'", *more]})
    path = f"{vault.db}/creds/{name}"
    vault.allow(f'path "{path}" {{ capabilities = ["read"] }}')
    return path


@contextlib.contextmanager
def appearing(vault, database):
    """Users of the host HIDDEN become usable once the server has refused one."""
    before = denied(database)

    def appear():
        until(lambda: vault.users() and denied(database) > before, 60)
        for user in vault.users():
            database.admin(f"rename user '{user}'@'{HIDDEN}' to '{user}'@'%'")
    thread = threading.Thread(target=appear)
    thread.start()
    yield
    thread.join()


def denied(database):
    return int(database.admin("show global status like 'Access_denied_errors'").split()[-1])


@pytest.mark.parametrize("login", ["client", "keeper"])
def test_user_that_does_not_exist_yet(given, vault, mariadb_server, login):
    """As on a replica that lags: the same user is accepted once it exists there, and Vault has created only one. (Here
    the server has it for another host until it has refused it.)"""
    path = role(vault, "late", HIDDEN)
    given.configure(vault_path=path, login=login)
    with appearing(vault, mariadb_server):
        done = given.run("test", "w", "-v")
    assert done.code == 0, done.errors
    assert login == "keeper" or "the user is new; trying again" in done.errors
    assert len(vault.front.asked("GET", path)) == 1 and len(vault.users()) == 1


@pytest.mark.parametrize("login", ["client", "keeper"])
def test_user_that_never_exists(given, vault, login):
    """After some seconds this is an error, and still only one user was created."""
    path = role(vault, "never", HIDDEN)
    given.configure(vault_path=path, login=login)
    done = given.run("test", "w")
    assert done.code == 77 and "1045" in done.errors and "--fresh" in done.errors
    assert len(vault.front.asked("GET", path)) == 1 and len(vault.users()) == 1


def test_cached_user_that_was_dropped(given, vault, mariadb_server):
    """`test` gets another one, which the next run uses too."""
    first = given.lease()
    mariadb_server.admin(f"drop user '{first.user}'@'%'")
    done = given.run("test", "w", ahead=15)  # so that it does not count as new
    assert done.code == 0, done.errors
    assert len(vault.front.asked("GET", vault.path)) == 2 and given.lease(ahead=20).user in done.text


def test_note_about_a_user_that_ends_soon(given, vault, clients):
    """On a terminal a note says when the database user ends, if that is within half an hour. There is none without a
    terminal, or if the keeper renews the credential."""
    client = str(clients["mariadb1011"].path)
    brief = role(vault, "brief", ttl="10m")
    given.configure(vault_path=brief)
    tty = given.pty("connect", "w", "--client", client, "--", "-NBe", "select 1")
    assert tty.wait() == 0 and "note:" not in shown(tty)
    given.configure(vault_path=brief, login="client")
    tty = given.pty("connect", "w", "--client", client, "--", "-NBe", "select 1")
    assert tty.wait() == 0 and re.search(r"note: the database user ends in 9m\r?\n", shown(tty))
    assert given.run("connect", "w", "--client", client, "--", "-NBe", "select 1").errors == ""
    given.configure()
    vault.allow(f'path "{vault.path}" {{ capabilities = ["read"] }}')
    tty = given.pty("connect", "w", "--client", client, "--", "-NBe", "select 1")
    assert tty.wait() == 0 and "note:" not in shown(tty)


def test_logout_all(desk, vault):
    """--all revokes the tokens of all profiles, and their users are gone."""
    mount, role_id, secret_id = vault.approle()
    desk.broker.write("secret-id", desk.broker.secret(secret_id.encode()) + b"\n", secret=True)
    keys = {"vault_auth": "approle", "vault_mount": mount, "vault_role_id": role_id, "vault_secret_id_file": "~/secret-id"}
    other = vault.role("other", "1h", "2h")
    vault.allow(f'path "{vault.db}/creds/*" {{ capabilities = ["read"] }}')
    desk.configure("[profile broken]\nauth = vault\n[profile two]\ninherits = w\nvault_path = " + other + "\n", **keys)
    assert desk.ask().code == 0 and desk.run("exec", "two", "--", "true").code == 0 and len(vault.users()) == 2
    assert len(vault.front.asked("PUT", f"auth/{mount}/login")) == 1, "one token for both"
    done = desk.run("logout", "--all")
    assert (done.code, done.errors) == (0, "forgot 3 sessions\n") and vault.users_become(0)
    assert len(vault.front.asked("revoke-self")) == 1 and desk.run("status").text == ""


@pytest.mark.parametrize("name, good", [("db.test.internal", True), ("other.example", False)])
def test_tls_server_name(given, vault, vault_server, pki, name, good):
    """VAULT_TLS_SERVER_NAME is the name that Vault's certificate must have."""
    given.configure(vault_addr=vault_server.tls, vault_ca=str(pki.ca))
    given.broker.env["VAULT_TLS_SERVER_NAME"] = name
    done = given.ask()
    if good:
        assert done.code == 0, done.errors
    else:
        refused(done, 69, "certificate is not trusted")


@pytest.mark.parametrize("value", ["-x", "a b", "a:1", "a/b"])
def test_invalid_tls_server_name(given, vault, vault_server, value):
    given.configure(vault_addr=vault_server.tls)
    given.broker.env["VAULT_TLS_SERVER_NAME"] = value
    done = given.ask()
    assert done.code == 78 and done.errors.startswith("broker: VAULT_TLS_SERVER_NAME: no host name\nhint: ")


def test_login_with_a_given_token(given, vault):
    """The token is looked up, and no login is made."""
    done = given.run("login", "w")
    assert (done.code, done.errors) == (0, f"nothing to log in to: vault {vault.front.url}, VAULT_TOKEN\n")
    assert vault.front.asked("lookup-self")
    vault.revoke(given.broker.env["VAULT_TOKEN"])
    refused(given.run("login", "w"), 77, "VAULT_TOKEN", "hint: unset VAULT_TOKEN")
