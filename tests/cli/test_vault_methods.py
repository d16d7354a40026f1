# SPDX-License-Identifier: MIT
"""The methods of login to a real Vault that need no browser, and TLS to it: each method with a right and a wrong proof,
when the user is prompted, what is kept."""
import re
import socket
import subprocess

import pytest

from lib.vault import refused, shown
from servers import slapd as directory

CANARY = b"fake-method-canary-5d11"


def type_password(desk, verb, *args, password):
    tty = desk.pty(verb, "w", *args)
    tty.expect(r"password[^\r\n]*: ")
    assert not tty.echo
    tty.sendline(password)
    return tty.wait(), tty


@pytest.fixture(params=["userpass", "ldap"])
def by_password(request, desk, vault):
    """desk.secret: alice's password."""
    if request.param == "ldap":
        desk.secret, mount = directory.PASSWORD.encode(), vault.ldap(request.getfixturevalue("slapd"))
    else:
        desk.secret, mount = CANARY, vault.userpass(CANARY.decode())
    desk.broker.secret(desk.secret)
    desk.configure(vault_auth=request.param, vault_mount=mount, vault_user="alice")
    return desk


def test_password(by_password, vault):
    """The user is prompted once, without echo, and not again."""
    code, tty = type_password(by_password, "login", password=by_password.secret)
    assert code == 0 and re.search(r"logged in, valid for (1h|59m)\n$", shown(tty)), shown(tty)
    assert by_password.lease().user and len(vault.front.asked("/login/")) == 1


def test_verb_that_needs_a_password(by_password, vault):
    code, tty = type_password(by_password, "exec", "--", "sh", "-c", "echo ran as $MYSQL_USER", password=by_password.secret)
    assert code == 0 and f"ran as {vault.users()[0]}" in shown(tty)


def test_wrong_password(by_password, vault):
    code, tty = type_password(by_password, "login", password=by_password.broker.secret(b"fake-wrong-canary-77"))
    assert code == 77
    refused(shown(tty), 77, "invalid username or password|ldap")
    assert by_password.ask().code == 79 and not vault.users()


def test_password_without_a_terminal(by_password, vault):
    done = by_password.ask("--no-input")
    assert (done.text, done.code) == ("", 79) and not vault.front.seen
    assert done.errors == f"broker: w: not logged in to {vault.front.url}\nhint: broker login w\n"


def test_password_prompt_interrupted(by_password):
    tty = by_password.pty("login", "w")
    tty.expect(r"password[^\r\n]*: ")
    tty.interrupt()
    assert tty.wait() == -2 and tty.echo


def test_user_with_special_characters(desk, vault):
    """They are escaped in the path of the request."""
    desk.configure(vault_auth="userpass", vault_mount=vault.userpass(CANARY.decode()), vault_user="a/../../x?y")
    desk.broker.secret(CANARY)
    code, tty = type_password(desk, "login", password=CANARY)
    assert code and all("/../" not in seen.path and "?" not in seen.path for seen in vault.front.seen)


@pytest.fixture
def approle(desk, vault):
    mount, role_id, secret_id = vault.approle()
    desk.broker.write("secret-id", desk.broker.secret(secret_id.encode()) + b"\n", secret=True)
    desk.configure(vault_auth="approle", vault_mount=mount, vault_role_id=role_id, vault_secret_id_file="~/secret-id")
    return desk


def test_approle(approle, vault):
    """The user is not prompted, so no terminal is needed."""
    assert approle.lease() == approle.lease() and len(vault.front.asked(f"auth/approle{vault.number}/login")) == 1


def test_wrong_secret_id(approle, vault):
    approle.broker.write("secret-id", "00000000-0000-0000-0000-000000000000\n")
    refused(approle.ask(), 77, "invalid role or secret ID|invalid secret id")


@pytest.mark.parametrize("case", ["missing", "readable by others"])
def test_unusable_secret_id_file(approle, vault, case):
    path = approle.broker.home / "secret-id"
    path.unlink() if case == "missing" else path.chmod(0o644)
    refused(approle.ask(), 78, "broker: ~/secret-id: ")
    assert not vault.front.seen


@pytest.fixture
def jwt(desk, vault, tmp_path):
    mount, desk.sign = vault.jwt(tmp_path)
    desk.configure(vault_auth="jwt", vault_mount=mount, vault_role="job", vault_jwt_file="~/jwt")
    desk.give = lambda **claims: desk.broker.write("jwt", desk.broker.secret(desk.sign(**claims).encode()) + b"\n", secret=True)
    return desk


def test_jwt(jwt, vault):
    jwt.give()
    assert jwt.lease().user and jwt.lease() and len(vault.front.asked("/login")) == 1


def test_jwt_of_another_subject(jwt, vault):
    """As on a CI machine, where each job has a JWT at the same path: no job gets another job's token or user. A newer
    JWT of the same subject needs no login."""
    users = []
    for subject in ("job", "job", "other"):
        jwt.give(sub=subject, jti=str(len(users)))
        users.append(jwt.lease().user)
    # Vault cuts the mount and the subject to ten characters together, and the mount has a number of one or two digits.
    assert users[0] == users[1] != users[2] and re.match("v-jwt[0-9]+-othe", users[2]) and len(vault.front.asked("/login")) == 2, users


@pytest.mark.parametrize("claims, words", [({"exp": 1000}, "expired"), ({"iss": "https://evil.example"}, "iss"), ({"aud": "x"}, "aud")])
def test_invalid_jwt(jwt, claims, words):
    jwt.give(**claims)
    refused(jwt.ask(), 77, words)


def test_token_that_is_prompted_for(desk, vault):
    """vault_auth = token: the user pastes it once."""
    desk.configure(vault_auth="token")
    token = desk.broker.secret(vault.token().encode())
    tty = desk.pty("login", "w")
    tty.expect(r"token[^\r\n]*: ")
    assert not tty.echo
    tty.sendline(token)
    assert tty.wait() == 0, shown(tty)
    assert desk.lease().user


# TLS

@pytest.fixture
def given(desk, vault):
    desk.broker.env["VAULT_TOKEN"] = desk.broker.secret(vault.token().encode()).decode()
    return desk


def test_own_ca_certificate(given, vault, pki):
    given.configure(vault_addr=vault.vault.tls, vault_ca=pki.ca)
    assert given.lease().user


def test_environment_fills_the_gaps(given, vault, pki):
    given.configure(vault_addr=None)
    assert given.ask(env={"VAULT_ADDR": vault.vault.mutual, "VAULT_CACERT": str(pki.ca), "VAULT_CLIENT_CERT": str(pki.client_cert),
                                         "VAULT_CLIENT_KEY": str(pki.client_key)}).code == 0
    assert given.ask(env={"BAO_ADDR": vault.front.url, "VAULT_ADDR": "http://127.0.0.1:1"}).code == 0


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy"])
@pytest.mark.parametrize("tls", [False, True])
def test_vault_on_this_machine_needs_no_proxy(given, vault, pki, web, name, tls):
    """A proxy would get the token, over http in cleartext."""
    proxy = web({})
    given.configure(vault_addr=vault.vault.tls if tls else vault.front.url, vault_ca=pki.ca)
    assert given.lease(env={name: proxy.url}).user and not proxy.connections


@pytest.mark.parametrize("ca", ["wrong_ca", None])
def test_ca_that_is_not_trusted(given, vault, pki, ca):
    given.configure(vault_addr=vault.vault.tls, vault_ca=ca and getattr(pki, ca))
    refused(given.ask(), 69, "certificate", "hint: .*vault_ca")


def test_certificate_of_another_name(given, vault, pki, names):
    given.configure(vault_addr=vault.vault.tls.replace("127.0.0.1", "wrong.test.internal"), vault_ca=pki.ca)
    refused(given.ask(), 69, "certificate|wrong.test.internal")


def test_client_certificate(given, vault, pki):
    given.configure(vault_addr=vault.vault.mutual, vault_ca=pki.ca, vault_cert=pki.client_cert, vault_key=pki.client_key)
    assert given.lease().user


def test_client_certificate_missing(given, vault, pki):
    given.configure(vault_addr=vault.vault.mutual, vault_ca=pki.ca)
    refused(given.ask(), 69, "it requires a client certificate", "hint: set vault_cert")


@pytest.mark.parametrize("addr", ["http://vault.example.com", "http://192.0.2.1:8200", "http://127.0.0.1.evil.example", "http://localhost@evil.example",
                                  "ftp://127.0.0.1", "http://0x7f000001:8200"])
def test_http_to_another_machine_is_refused(given, addr):
    """The token could be read on the network."""
    given.configure(vault_addr=addr)
    done = given.ask()
    assert done.code in (64, 78) and "vault_addr" in done.errors and "hint: " in done.errors, done.errors


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.5.5.5"])
def test_http_to_this_machine(given, vault, host):
    given.configure(vault_addr=vault.front.url.replace("127.0.0.1", host))
    done = given.ask(secret_out=True)
    if host == "127.5.5.5":  # where no program listens
        assert done.code == 69
    else:
        assert done.code == 0, done.errors


def test_vault_that_is_down(given):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        given.configure(vault_addr=f"http://127.0.0.1:{s.getsockname()[1]}")
        refused(given.ask(), 69, "vault_addr")


def test_second_factor(desk, vault):
    """Vault asks for a TOTP, which this version does not support: the error names it."""
    mount = vault.userpass(CANARY.decode())
    desk.broker.secret(CANARY)
    accessor = vault.vault("GET", "sys/auth")["data"][f"{mount}/"]["accessor"]
    method = vault.vault("POST", "identity/mfa/method/totp", {"issuer": "test"})["data"]["method_id"]
    vault.vault("POST", f"identity/mfa/login-enforcement/e{vault.number}", {"mfa_method_ids": [method], "auth_method_accessors": [accessor]})
    try:
        desk.configure(vault_auth="userpass", vault_mount=mount, vault_user="alice")
        code, tty = type_password(desk, "login", password=CANARY)
        assert code == 77
        refused(shown(tty), 77, "MFA|mfa|second factor")
    finally:
        vault.vault("DELETE", f"identity/mfa/login-enforcement/e{vault.number}")
        vault.vault("DELETE", f"identity/mfa/method/totp/{method}")


def test_bare_host_is_https(given, vault, pki):
    given.configure(vault_addr=vault.vault.tls.removeprefix("https://"), vault_ca=pki.ca)
    assert given.lease().user


def test_namespace(given, vault):
    """It is sent with each request, and is part of a cached lease's key. (The community edition ignores it.)"""
    given.lease()
    given.configure(vault_namespace="team/db")
    given.lease()
    assert [seen.headers.get("x-vault-namespace") for seen in vault.front.seen][-1] == "team/db"
    assert given.lease("--fresh").user and len(vault.users()) == 3
    given.configure(vault_namespace=None)
    assert given.run("exec", "w", "--", "true", env={"VAULT_NAMESPACE": "of/the/environment", "BAO_NAMESPACE": "first"}).code == 0
    assert vault.front.seen[-1].headers.get("x-vault-namespace") == "first"


def test_client_key_with_a_passphrase(given, vault, pki):
    """It cannot be used, and nothing is asked for: neither on the terminal nor in the records of the helper."""
    key = given.broker.home / "locked.pem"
    subprocess.run(["openssl", "pkey", "-aes128", "-passout", "pass:fake", "-in", pki.client_key, "-out", key], check=True, capture_output=True)
    given.configure(vault_addr=vault.vault.mutual, vault_ca=pki.ca, vault_cert=pki.client_cert, vault_key=key)
    refused(given.ask(), 69, "client certificate or its key cannot be read", "hint: .*its key without a passphrase")
