# SPDX-License-Identifier: MIT
"""Tokens of a real Vault: given in a variable or a file, kept in the keyring and the keychain, expired, revoked,
denied, of each type; and `logout`. For a given token no browser is ever opened."""
import json
import re
import stat

import pytest

from lib.keyring import Keyring
from lib.vault import refused, shown

UNKNOWN = "hvs.fake-canary-token-that-nobody-knows"


@pytest.fixture
def password(desk, vault):
    """The session of a user who logs in with userpass."""
    desk.secret = desk.broker.secret(b"fake-userpass-canary-20c7")
    desk.mount = vault.userpass(desk.secret.decode(), token_ttl="1h")
    desk.configure(vault_auth="userpass", vault_user="alice", vault_mount=desk.mount)

    def log_in(verb="login", *args, **more):
        tty = desk.pty(verb, "w", *args, **more)
        tty.expect(r"password[^\r\n]*: ")
        assert not tty.echo
        tty.sendline(desk.secret)
        assert tty.wait() == 0, shown(tty)
        return tty
    desk.log_in = log_in
    return desk


def logins(vault):
    return len(vault.front.asked("/login/")) + len(vault.front.asked("auth_url"))


def with_token(desk, token):
    desk.broker.env["VAULT_TOKEN"] = desk.broker.secret(token.encode()).decode()


# given in the environment

@pytest.mark.parametrize("name", ["VAULT_TOKEN", "BAO_TOKEN"])
def test_unknown_token_of_a_variable(desk, vault, name):
    """The error names the variable, and no browser is opened."""
    desk.broker.env[name] = desk.broker.secret(UNKNOWN.encode()).decode()
    tty = desk.pty("exec", "w", "--", "true")
    assert tty.wait() == 77
    refused(shown(tty), 77, name, f"unset {name}", "permission denied")
    assert not logins(vault) and not (desk.broker.home / "seen").exists()


def test_bao_token_overrides_vault_token(desk, vault):
    with_token(desk, UNKNOWN)
    desk.broker.env["BAO_TOKEN"] = desk.broker.secret(vault.token().encode()).decode()
    assert desk.lease().user


@pytest.mark.parametrize("fault", ["line end", "space", "escape", "not ascii"])
def test_token_that_cannot_be_a_header(desk, vault, fault):
    text = {"line end": "hvs.fake\nX-Evil: 1", "space": "hvs.fake canary", "escape": "hvs.fake\x1b[2J", "not ascii": "hvs.fäke"}[fault]
    desk.broker.env["VAULT_TOKEN"] = text
    refused_token = desk.ask()
    assert refused_token.code == 78 and "VAULT_TOKEN" in refused_token.errors and not vault.front.seen
    assert text not in refused_token.errors


def test_policy_denies(desk, vault):
    """The token is valid: the error has Vault's message and status 77, and no login is started."""
    with_token(desk, vault.token(policies=["default"]))
    tty = desk.pty("exec", "w", "--", "true")
    assert tty.wait() == 77
    refused(shown(tty), 77, "permission denied")
    assert not logins(vault) and vault.front.asked("lookup-self") and not (desk.broker.home / "seen").exists()


def test_policy_denies_after_a_login(password, vault):
    password.log_in()
    vault.allow('path "nothing" { capabilities = ["read"] }')
    tty = password.pty("exec", "w", "--", "true")
    assert tty.wait() == 77
    refused(shown(tty), 77, "permission denied")
    assert logins(vault) == 1


def test_policy_denies_a_batch_token(password, vault):
    """As for other tokens, no login is started."""
    vault.vault("POST", f"auth/{password.mount}/users/alice", {"token_type": "batch"})
    password.log_in()
    vault.allow('path "nothing" { capabilities = ["read"] }')
    tty = password.pty("exec", "w", "--", "true")
    assert tty.wait() == 77, shown(tty)
    refused(shown(tty), 77, "permission denied")
    assert logins(vault) == 1


def test_batch_token(desk, vault):
    """It cannot be renewed, and its leases end with it."""
    with_token(desk, vault.token(type="batch"))
    assert desk.lease() == desk.lease() and not vault.front.asked("renew-self")
    assert set(desk.sessions()) == {"vault_token", "vault_lease"}


def test_few_uses(desk, vault):
    """num_uses: each request is one use; with one left Vault gives no credential."""
    with_token(desk, vault.token(num_uses=4))
    assert desk.lease().user
    with_token(desk, vault.token(num_uses=1))
    refused(desk.ask(), 77)
    assert len(vault.users()) == 1


def test_explicit_max_ttl(desk, vault):
    with_token(desk, vault.token(explicit_max_ttl="5m"))
    assert desk.lease().user


# token-file

def test_token_file(desk, vault):
    desk.broker.write(".vault-token", desk.broker.secret(vault.token().encode()), secret=True)
    desk.configure(vault_auth="token-file")
    assert desk.lease().user and not logins(vault)


@pytest.mark.parametrize("case", ["missing", "writable by others", "empty", "unknown"])
def test_unusable_token_file(desk, vault, case):
    desk.configure(vault_auth="token-file")
    if case != "missing":
        token = {"empty": "", "unknown": UNKNOWN}.get(case) or ("" if case == "empty" else vault.token())
        desk.broker.write(".vault-token", desk.broker.secret(token.encode()) if token else b"", mode=0o622 if "writable" in case else 0o600,
                          secret=True)
    done = desk.ask()
    refused(done, None, r"~/\.vault-token")
    assert done.code in (77, 78, 79) and (case == "unknown" or not vault.front.seen)


def test_token_file_is_not_read_by_default(desk, vault):
    desk.broker.write(".vault-token", desk.broker.secret(vault.token().encode()), secret=True)
    assert desk.ask().code == 79


# kept tokens

def test_kept_in_the_keyring(password, vault):
    """For the session: there is one login."""
    password.log_in()
    assert password.lease().user and password.lease().user and logins(vault) == 1
    assert not (password.broker.home / ".vault-token").exists()


def test_kept_in_the_keychain(password, vault, keychain):
    """Another session finds it there, and first looks it up at Vault."""
    password.broker.env.update(keychain.env)
    password.log_in()
    other = Keyring()
    try:
        password.keyring = other
        assert password.lease().user and logins(vault) == 1 and vault.front.asked("lookup-self")
    finally:
        other.stop()


def test_revoked_token_needs_one_login(password, vault):
    password.log_in()
    vault.revoke(vault.front.tokens[-1])
    done = password.ask()
    refused(done, 79, "not logged in")
    password.log_in("exec", "--", "true")
    assert logins(vault) == 2 and len(vault.users()) == 1


def test_expired_token(password, vault):
    """By its own ttl: Vault gets no request."""
    password.log_in()
    assert password.ask(ahead=2 * 3600).code == 79


def test_renewed_token(password, vault):
    """With less than half of its lifetime left it is renewed."""
    password.log_in()
    assert password.ask("--fresh", ahead=45 * 60).code == 0
    assert len(vault.front.asked("renew-self")) == 1 and logins(vault) == 1


@pytest.mark.parametrize("key, value", [("vault_mount", None), ("vault_user", "bob"), ("vault_addr", None)])
def test_scopes_do_not_mix(password, vault, key, value):
    """Another mount, user or address is another identity, which has no token."""
    password.log_in()
    other = {"vault_mount": "userpass-other", "vault_addr": vault.vault.url}.get(key, value)
    password.configure(vault_auth="userpass", **{"vault_user": "alice", "vault_mount": password.mount, key: other})
    assert password.ask().code == 79


# status, logout

def test_status(password, vault):
    password.log_in()
    user = password.lease().user
    rows = password.run("status").text
    assert re.search(rf"^vault_token +{re.escape(vault.front.url)} +valid for (1h|59m) +userpass\S*$", rows, re.M), rows
    assert re.search(rf"^vault_lease +{vault.path} +valid for (1h|59m) +{user}$", rows, re.M), rows
    kinds = {s["kind"] for s in json.loads(password.run("status", "--json").text)["sessions"]}
    assert kinds == {"vault_token", "vault_lease"}


def test_logout(password, vault):
    """The token is revoked, and the database users with it."""
    password.log_in()
    password.lease()
    done = password.run("logout", "w")
    assert done.code == 0 and vault.users_become(0), (done.errors, vault.users())
    assert "revoke-self" in str(vault.front.asked("revoke")) and password.run("status").text == ""
    assert password.ask().code == 79


def test_logout_of_a_keychain(password, vault, keychain):
    password.broker.env.update(keychain.env)
    password.log_in()
    assert password.run("logout", "w").code == 0
    assert password.ask().code == 79 and vault.users_become(0)


def test_logout_without_vault(password, vault):
    """The error says what cannot be revoked; broker forgets it anyway."""
    password.log_in()
    user = password.lease().user
    vault.front.stop()
    done = password.run("logout", "w")
    assert "cannot revoke" in done.errors and user in vault.users() and password.run("status").text == ""


def test_logout_with_a_given_token(desk, vault):
    """broker does not revoke it. The default policy does not allow revoking the lease, and the error says so."""
    with_token(desk, vault.token())
    user = desk.lease().user
    done = desk.run("logout", "w")
    assert done.code == 0 and re.search(rf"{user}.*permission denied", done.errors), done.errors
    assert vault.users() == [user] and not vault.front.asked("revoke-self")
    vault.allow('path "sys/leases/revoke" { capabilities = ["update"] }', f'path "{vault.path}" {{ capabilities = ["read"] }}')
    desk.lease()
    assert desk.run("logout", "w").code == 0
    assert len(vault.users()) <= 1


def test_logout_after_two_logins(password, vault):
    """The token of the first login is revoked too, and its database user with it. A session may have used it until
    then, so the second login does not revoke it."""
    users = []
    for _ in range(2):
        password.log_in()
        users.append(password.lease().user)
    assert vault.users() == sorted(users) and users[0] != users[1]
    done = password.run("logout", "w")
    assert (done.code, done.errors) == (0, "forgot 3 sessions\n") and vault.users_become(0), vault.users()
    assert len(vault.front.asked("revoke-self")) == 2 and password.run("status").text == ""


def test_logout_of_all_leases_of_a_given_token(desk, vault):
    """Of each path, not only of the profile's own."""
    with_token(desk, vault.token())
    other = vault.role("other", "1h", "2h")
    vault.allow(f'path "{vault.db}/creds/*" {{ capabilities = ["read"] }}', 'path "sys/leases/revoke" { capabilities = ["update"] }')
    desk.configure(f"[profile two]\ninherits = w\nvault_path = {other}\n")
    assert desk.ask().code == desk.run("exec", "two", "--", "true").code == 0 and len(vault.users()) == 2
    done = desk.run("logout", "w")
    assert (done.code, done.errors) == (0, "forgot 2 sessions\n") and vault.users_become(0), vault.users()


def test_logout_with_a_token_file(desk, vault):
    """As with a given token. Without the file there is nothing to revoke."""
    vault.allow(f'path "{vault.path}" {{ capabilities = ["read"] }}', 'path "sys/leases/revoke" { capabilities = ["update"] }')
    path = desk.broker.write(".vault-token", desk.broker.secret(vault.token().encode()), secret=True)
    desk.configure(vault_auth="token-file")
    assert desk.lease().user
    done = desk.run("logout", "w")
    assert (done.code, done.errors) == (0, "forgot 1 session\n") and vault.users_become(0) and not vault.front.asked("revoke-self")
    path.unlink()
    assert desk.run("logout", "w").code == 0


def test_logout_without_the_right_to_revoke(password, vault):
    """A token without the policy `default` cannot revoke itself: the error says what stays, and until when."""
    vault.vault("POST", f"auth/{password.mount}/users/alice", {"token_no_default_policy": True})
    password.log_in()
    user = password.lease().user
    done = password.run("logout", "w")
    assert done.code == 0 and re.search(r"cannot revoke the token \(.*permission denied\); it ends in (1h|59m)\n", done.errors), done.errors
    assert re.search(rf"cannot revoke the database user {user} \(.*permission denied", done.errors) and vault.users() == [user]


def test_logout_of_a_revoked_token(password, vault):
    password.log_in()
    vault.revoke(vault.front.tokens[-1])
    done = password.run("logout", "w")
    assert (done.code, done.errors) == (0, "forgot 1 session\n")


def test_logout_of_a_locked_keychain(password, vault, keychain):
    """The token is only there: it is neither revoked nor forgotten, and the error says so."""
    password.broker.env.update(keychain.env)
    password.log_in()
    other = Keyring()
    try:
        password.keyring = other
        keychain.lock()
        done = password.run("logout", "w")
        assert done.code == 79 and "the keychain is locked" in done.errors and "no session" not in done.errors, done.errors
        assert "broker: warning: w: the keychain is locked" in password.run("logout", "--all").errors
    finally:
        other.stop()


def test_logout_of_a_keychain_without_vault(password, vault, keychain):
    """The life of a token from the keychain is not known."""
    password.broker.env.update(keychain.env)
    password.log_in()
    other = Keyring()
    try:
        password.keyring = other
        vault.front.stop()
        done = password.run("logout", "w")
        assert re.search(r"cannot revoke the token \(.*\); it may still be valid\n", done.errors), done.errors
    finally:
        other.stop()


def test_token_file_of_vault_is_left_alone(password, vault):
    path = password.broker.write(".vault-token", "hvs.of-another-program")
    password.log_in()
    password.run("logout", "w")
    assert path.read_text() == "hvs.of-another-program" and stat.S_IMODE(path.stat().st_mode) == 0o600
