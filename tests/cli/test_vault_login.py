# SPDX-License-Identifier: MIT
"""The login to Vault with OpenID Connect: a real Vault, a third party's provider, and a browser that the test drives.
What the user sees, which requests Vault gets and how often, and each case in which the login ends without a token."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from lib import stranger
from lib.broker import BUILD
from lib.vault import query, refused, shown
from test_command_provider import NO_KEYRING
from servers.vault import FORM_POST
from servers.vault_front import errors

LOGGED_IN = r"logged in, valid for (1h|59m)\n"


@pytest.fixture
def oidc(desk, vault, openid):
    """The session of a user whose Vault knows the provider."""
    vault.mount_oidc = vault.oidc(openid)
    desk.configure(vault_mount=vault.mount_oidc)
    return desk


def test_first_login(oidc, vault):
    """The terminal shows three lines, the page reports success, and nothing is written to ~/.vault-token."""
    status, tty, page = oidc.login()
    url = next(p.url for p in oidc.browser.pages)
    assert status == 0 and re.fullmatch(re.escape(f"log in to {vault.front.url} in the browser:\n{url}\n") + LOGGED_IN, shown(tty)), shown(tty)
    assert (page.status, "code=" in page.url) == (200, False) and page.url.startswith(f"http://localhost:{oidc.callback}/")
    assert vault.front.asked("auth_url") == [f"POST auth/{vault.mount_oidc}/oidc/auth_url"] or vault.front.asked("auth_url") == [
        f"PUT auth/{vault.mount_oidc}/oidc/auth_url"]
    assert len(vault.front.asked("oidc/callback")) == 1 and not (oidc.broker.home / ".vault-token").exists()
    assert all(seen.headers["x-vault-request"] == "true" for seen in vault.front.seen)


def test_second_run_needs_no_login(oidc, vault):
    assert oidc.login()[0] == 0
    first, again = oidc.lease(), oidc.lease()
    assert first.user == again.user and vault.users() == [first.user]
    assert len(vault.front.asked("auth_url")) == 1 and len(vault.front.asked("GET", vault.path)) == 1


@pytest.mark.parametrize("verb", ["connect", "exec", "test"])
def test_verb_that_needs_a_login(oidc, vault, verb, clients):
    """The verb continues after the login."""
    args = {"connect": ["--client", str(clients["mariadb1011"].path), "--", "-NBe", "select 'it ran'"], "test": [],
            "exec": ["--", "sh", "-c", "echo it ran as $MYSQL_USER"]}[verb]
    status, tty, page = oidc.login(verb, *args)
    assert status == 0 and page.status == 200 and re.search(LOGGED_IN, shown(tty))
    assert ("it ran" if verb != "test" else "server      ok") in shown(tty)
    assert len(vault.users()) == 1


@pytest.mark.parametrize("verb", [("exec", "--", "true"), ("connect", "--", "-e", "select 1"), ("exec", "--no-input", "--", "true")])
def test_without_a_terminal(oidc, vault, verb):
    """No login is started."""
    done = oidc.run(verb[0], "w", *verb[1:])
    assert (done.text, done.code) == ("", 79)
    assert done.errors == f"broker: w: not logged in to {vault.front.url}\nhint: broker login w\n"
    assert not vault.front.asked("auth_url")


def test_browser_is_opened(oidc):
    tty = oidc.pty("login", "w")
    url = oidc.invited(tty)
    assert oidc.opened() == url
    oidc.browser.sign_in(url)
    assert tty.wait() == 0


@pytest.mark.parametrize("env", [{"DISPLAY": None}, {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}], ids=["no display", "over ssh"])
def test_pasted_address(oidc, env):
    """If no browser can be opened, an ssh command for a forward is shown, and the address at which the user's browser
    ends can be pasted."""
    tty = oidc.pty("login", "w", env=env)
    url = oidc.invited(tty)
    assert f"ssh -L {oidc.callback}:localhost:{oidc.callback} " in tty.expect(b"address: ").decode()
    assert not tty.echo
    back = oidc.browser.sign_in(url, until=oidc.address)
    tty.sendline(back.encode())
    assert tty.wait() == 0 and re.search(LOGGED_IN, shown(tty)) and query(back)["code"] not in shown(tty)
    assert not (oidc.broker.home / "seen").exists() and tty.echo


def test_browser_arrives_while_an_address_is_awaited(oidc):
    """Through the ssh forward that was suggested."""
    tty = oidc.pty("login", "w", env={"DISPLAY": None})
    page = oidc.browser.sign_in(oidc.invited(tty))
    assert tty.wait() == 0 and page.status == 200 and tty.echo


@pytest.mark.parametrize("wrong", ["state", "base", "port", "empty code", "words"])
def test_wrong_paste(oidc, vault, wrong):
    """It is not used, and the right one is still accepted."""
    tty = oidc.pty("login", "w", env={"DISPLAY": None})
    back = oidc.browser.sign_in(oidc.invited(tty), until=oidc.address)
    tty.expect(b"address: ")
    said = query(back)
    bad = {"state": back.replace(said["state"], "st_wrong"), "base": back.replace("/oidc/callback", "/other"),
           "port": back.replace(f":{oidc.callback}/", ":1/"), "empty code": back.replace(said["code"], ""), "words": "no address"}[wrong]
    tty.sendline(bad.encode())
    tty.expect(b"address: ")
    assert not vault.front.asked("oidc/callback")
    tty.sendline(back.encode())
    assert tty.wait() == 0 and len(vault.front.asked("oidc/callback")) == 1


def test_form_post(desk, vault, openid):
    """response_mode=form_post: the browser brings the code by POST."""
    desk.configure(vault_mount=vault.oidc(openid, FORM_POST))
    status, tty, page = desk.login()
    assert status == 0 and page.status == 200, shown(tty)
    assert any(p.headers.get("location") for p in desk.browser.pages[-2:])


def failed_login(desk, *words, code=77, verb="login", **person):
    status, tty, page = desk.login(verb, **person)
    assert status == code, shown(tty)
    refused(shown(tty), code, *words)
    return tty, page


def test_user_denies(oidc, vault):
    tty, page = failed_login(oidc, "access_denied|End-User aborted interaction", deny=True)
    assert page.status != 200 or "fail" in page.body.lower() or "not logged in" in page.body.lower()
    assert not vault.front.asked("oidc/callback")


def test_wrong_group(desk, vault, openid):
    """bound_claims: Vault refuses, after the login at the provider."""
    desk.configure(vault_mount=vault.oidc(openid, bound_claims={"groups": ["dba"]}))
    tty, page = failed_login(desk, "bound claim", user="bob")
    assert "logged in" not in page.body.lower().replace("not logged in", "")


def test_role_missing(desk, vault, openid):
    desk.configure(vault_mount=vault.oidc(openid), vault_role="nope")
    tty = desk.pty("login", "w")
    assert tty.wait() == 77
    refused(shown(tty), 77, r'role "?nope"? could not be found', "vault_role")
    assert not (desk.broker.home / "seen").exists()


def no_url(desk, code, *words):
    tty = desk.pty("login", "w")
    assert tty.wait() == code, shown(tty)
    refused(shown(tty), code, *words)
    assert not (desk.broker.home / "seen").exists()


def test_redirect_not_allowed(desk, vault, openid):
    desk.configure(vault_mount=vault.oidc(openid, allowed_redirect_uris=["http://localhost:8250/elsewhere"]))
    no_url(desk, 77, re.escape(desk.address), "allowed_redirect_uris|redirect")


def test_provider_down(desk, vault, openid, make_provider):
    """Vault then answers as if the redirect were not allowed; the error names the provider too."""
    provider = make_provider()
    mount = vault.oidc(provider)
    provider.stop()
    vault.vault("PUT", "sys/plugins/reload/backend", {"mounts": [f"auth/{mount}"]})
    desk.configure(vault_mount=mount)
    no_url(desk, 77, "provider")


@pytest.fixture
def make_provider(tmp_path):
    from conftest import having
    from servers.openid import Provider
    made = []

    def make():
        made.append(having(Provider, tmp_path / f"provider{len(made)}"))
        return made[-1]
    yield make
    for provider in made:
        if provider.proc.poll() is None:
            provider.stop()


def test_provider_stops_before_the_exchange(desk, vault, make_provider):
    provider = make_provider()
    desk.configure(vault_mount=vault.oidc(provider))
    tty = desk.pty("login", "w")
    back = desk.browser.sign_in(desk.invited(tty), until=desk.address)
    provider.stop()
    page = desk.browser.go(back)
    assert tty.wait() == 77 and "logged in" not in page.body.lower().replace("not logged in", "")
    refused(shown(tty), 77, "connection refused")


def test_mount_missing(desk):
    desk.configure(vault_mount="nowhere")
    no_url(desk, 77, "permission denied|nowhere")


def test_browser_never_arrives(oidc):
    tty = oidc.pty("login", "w", "-o", "login_timeout=1")
    assert tty.wait() == 79
    refused(shown(tty), 79, "login_timeout")


@pytest.mark.parametrize("url", ["https://-evil", "javascript:alert(1)", "http://evil.example/auth?state=x", "file:///etc/passwd",
                                 "-X", "https://idp.example/a\nb?state=x", "x-app://steal", "https://idp.example/auth?nothing=1"])
def test_invalid_auth_url(desk, vault, url):
    """URLs that a hostile Vault would have opened in the browser. (Faked: a real Vault returns the provider's URL.)"""
    body = ('{"data":{"auth_url":%s},"auth":null}' % json.dumps(url)).encode()
    vault.front.instead["/v1/auth/oidc/oidc/auth_url"] = [(200, {}, body)]
    tty = desk.pty("login", "w")
    assert tty.wait() in (76, 77), shown(tty)
    refused(shown(tty), None)
    assert not (desk.broker.home / "seen").exists()


# Ctrl-C ends the login at once, without a message, and nothing is left

def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        s.listen()
    return True


def interrupted(desk, tty):
    tty.interrupt()
    assert tty.wait(20) == -signal.SIGINT
    assert tty.echo and "broker:" not in shown(tty) and is_free(desk.callback)


def test_interrupted_while_the_browser_is_away(oidc):
    tty = oidc.pty("login", "w")
    oidc.invited(tty)
    tty.expect(r"waiting for the browser \(\ds of 1(19|20)s\)")
    interrupted(oidc, tty)
    assert tty.shown.endswith(b"\r\x1b[K")


def test_interrupted_while_an_address_is_awaited(oidc):
    tty = oidc.pty("login", "w", env={"DISPLAY": None})
    tty.expect(b"address: ")
    interrupted(oidc, tty)


@pytest.mark.parametrize("step", ["auth_url", "callback", "creds"])
def test_interrupted_while_vault_is_silent(oidc, vault, step):
    """(The silence is faked.)"""
    came, go = threading.Event(), threading.Event()

    def silence(request):
        came.set()
        go.wait(60)
    path = vault.path if step == "creds" else f"auth/{vault.mount_oidc}/oidc/{step}"
    vault.front.instead[f"/v1/{path}"] = [silence]
    tty = oidc.pty("exec", "w", "--", "true")
    browser = None
    if step != "auth_url":
        url = oidc.invited(tty)
        browser = threading.Thread(target=lambda: attempt(oidc.browser.sign_in, url))
        browser.start()
    assert came.wait(30)
    interrupted(oidc, tty)
    go.set()
    if browser:
        browser.join(30)


def attempt(do, *args):
    """Returns None if the connection is closed."""
    try:
        return do(*args)
    except OSError:
        return None


# Two at once; the port

def test_two_at_once_make_one_login(oidc, vault):
    both = [oidc.pty("exec", "w", "--", "sh", "-c", "echo ran as $MYSQL_USER") for _ in range(2)]
    oidc.browser.sign_in(oidc.opened())
    assert [tty.wait() for tty in both] == [0, 0]
    users = {re.search(r"ran as (\S+)", shown(tty))[1] for tty in both}
    assert users == set(vault.users()) and len(users) == 1
    assert len(vault.front.asked("auth_url")) == 1


def test_port_that_is_taken(oidc, vault):
    """The error names the program that has it, and the key to set. No browser is opened, because it would return to
    another program."""
    holder = subprocess.Popen([sys.executable, "-c", f"import socket, time; s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(('127.0.0.1', {oidc.callback}))\n"
                               "s.listen(); print(flush=True); time.sleep(100)"], stdout=subprocess.PIPE)
    holder.stdout.readline()
    try:
        tty = oidc.broker.pty("login", "w")  # outside the test's keyring, where other processes cannot be inspected
        assert tty.wait() == 69
        refused(shown(tty), 69, rf"{oidc.callback} is taken by python3\S* \(pid {holder.pid}\)", "vault_callback")
        assert not (oidc.broker.home / "seen").exists()
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_exchange_that_fails(oidc, vault):
    """The page does not report success if Vault refuses. (Faked: the answer is Vault's real one for an expired
    state.)"""
    vault.front.instead[f"/v1/auth/{vault.mount_oidc}/oidc/callback"] = [
        (400, {}, errors("Vault login failed. Expired or missing OAuth state."))]
    tty, page = failed_login(oidc, "Expired or missing OAuth state")
    assert "logged in" not in page.body.lower().replace("not logged in", "")


# The address of the callback; where the token is kept

@pytest.mark.parametrize("callback, redirect", [(None, "http://localhost:8250/oidc/callback"), ("127.0.0.1:8250", "http://127.0.0.1:8250/oidc/callback")])
def test_redirect_uri_of_the_request(desk, vault, openid, callback, redirect):
    """Vault refuses both here, so no browser is needed."""
    desk.configure(vault_mount=vault.oidc(openid, allowed_redirect_uris=["http://localhost:8250/elsewhere"]), vault_callback=callback)
    no_url(desk, 77, re.escape(redirect))
    assert json.loads(vault.front.seen[-1].body)["redirect_uri"] == redirect


def test_callback_at_127_0_0_1(desk, vault, openid):
    """vault_callback = 127.0.0.1:PORT: the Host header has that address."""
    mount = vault.oidc(openid, allowed_redirect_uris=["http://127.0.0.1:8250/oidc/callback"])
    desk.configure(vault_mount=mount, vault_callback=f"127.0.0.1:{desk.callback}")
    status, tty, page = desk.login()
    assert status == 0 and page.status == 200, shown(tty)


@pytest.mark.parametrize("callback", ["0.0.0.0:8250", "db.example.com:8250", "localhost", "localhost:65536", "localhost:80/x"])
def test_invalid_callback(desk, callback):
    """The code would be sent to another machine, or nowhere."""
    desk.configure(vault_callback=callback)
    done = desk.ask()
    assert done.code in (64, 78) and "vault_callback" in done.errors and "hint: " in done.errors, done.errors


def no_keyring(desk):
    desk.keyring = type("Bare", (), {"wrap": [sys.executable, "-c", NO_KEYRING]})


def test_without_a_keyring_the_keychain_keeps_the_token(oidc, vault, keychain):
    no_keyring(oidc)
    oidc.broker.env.update(keychain.env)
    assert oidc.login()[0] == 0
    assert oidc.lease().user and len(vault.front.asked("auth_url")) == 1


def test_without_a_keyring_and_a_keychain(oidc, vault):
    """Each run logs in, and nothing fails."""
    no_keyring(oidc)
    for n in (1, 2):
        status, tty, _ = oidc.login("exec", "--", "true")
        assert status == 0 and len(vault.front.asked("auth_url")) == n, shown(tty)
    assert oidc.ask().code == 79


@pytest.mark.parametrize("bus", ["locked_keychain", "empty_bus", "silent_bus"])
def test_keychain_that_is_unavailable(oidc, vault, request, bus):
    """Only the keyring keeps the token, for the session."""
    oidc.broker.env.update(request.getfixturevalue(bus).env)
    status, tty, page = oidc.login()
    assert status == 0 and page.status == 200, shown(tty)
    assert oidc.lease().user


def test_no_secret_in_argv_or_environment(oidc, vault):
    """No token, code, nonce or password is in those of broker, its helpers, the browser or the program."""
    with oidc.broker.watch() as watch:
        status, tty, _ = oidc.login("connect", "--", "-e", "select 1")
    assert status == 0 and len(oidc.broker.secrets) >= 4, shown(tty)
    oidc.broker.assert_hidden(watch)


def test_as_a_user_without_privileges(oidc, vault):
    """Without a passwd entry either: a complete login, a lease that the next run finds, and a logout, with the user's
    own keyring."""
    if os.getuid():
        pytest.skip("missing: root, to become another user")
    oidc.keyring = type("Bare", (), {"wrap": stranger.WRAP})
    stranger.settle(oidc.broker, BUILD)
    stranger.own(oidc.broker)
    tty = oidc.pty("login", "w", env={"DISPLAY": None})
    page = oidc.browser.sign_in(oidc.invited(tty))
    assert tty.wait() == 0 and page.status == 200, shown(tty)
    assert oidc.lease() == oidc.lease() and len(vault.front.asked("auth_url")) == 1
    assert oidc.run("logout", "w").code == 0 and vault.users_become(0)
