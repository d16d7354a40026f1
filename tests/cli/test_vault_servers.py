# SPDX-License-Identifier: MIT
"""The servers of the Vault tests on their own, without broker, because the other tests depend on them: a login with
OpenID Connect as the browser and Vault make it, each other method, leases and their database users, the three
listeners, and a Chromium."""
import json
import re
import ssl
import urllib.error
import urllib.request

import pytest

from conftest import having
from lib.vault import query
from servers import slapd as ldap
from servers.chromium import Chromium
from servers.openid import Browser, Page
from servers.vault import FORM_POST, Refused

REDIRECT = "http://localhost:8250/oidc/callback"


def test_leases_are_users(vault):
    said = vault.vault("GET", vault.path, token=vault.token())
    assert said["lease_duration"] == 3600 and vault.users() == [said["data"]["username"]]
    vault.vault("PUT", "sys/leases/revoke", {"lease_id": said["lease_id"]})
    assert vault.users_become(0)


def test_short_lease_ends_by_itself(vault):
    assert vault.vault("GET", vault.short, token=vault.token())["lease_duration"] == 5
    assert len(vault.users()) == 1 and vault.users_become(0, 60)


def test_login_with_openid(vault, openid):
    mount = vault.oidc(openid)
    asked = {"redirect_uri": REDIRECT, "client_nonce": "fake-nonce", "role": ""}
    url = vault.vault("POST", f"auth/{mount}/oidc/auth_url", asked, token=None)["data"]["auth_url"]
    back = Browser().sign_in(url, until=REDIRECT)
    assert query(back)["state"] == query(url)["state"]
    said = query(back)
    auth = vault.vault("GET", f"auth/{mount}/oidc/callback?code={said['code']}&state={said['state']}&client_nonce=fake-nonce", token=None)["auth"]
    assert auth["metadata"]["role"] == "dba" and vault.vault("GET", vault.path, token=auth["client_token"])["data"]["username"]


def test_openid_with_form_post(vault, openid):
    """Vault asks for response_mode=form_post with an id_token alone."""
    mount = vault.oidc(openid, FORM_POST)
    url = vault.vault("POST", f"auth/{mount}/oidc/auth_url", {"redirect_uri": REDIRECT, "client_nonce": "n"}, token=None)["data"]["auth_url"]
    assert query(url)["response_mode"] == "form_post"
    form = Browser().sign_in(url, until=REDIRECT)
    assert form.action == REDIRECT and form.fields["state"] == query(url)["state"] and form.fields["id_token"]


def test_openid_denied_wrong_password_and_unknown_redirect(vault, openid):
    mount = vault.oidc(openid)
    url = vault.vault("POST", f"auth/{mount}/oidc/auth_url", {"redirect_uri": REDIRECT, "client_nonce": "n"}, token=None)["data"]["auth_url"]
    assert query(Browser().sign_in(url, deny=True, until=REDIRECT))["error"] == "access_denied"
    page = Browser().sign_in(url, password="wrong")
    assert isinstance(page, Page) and page.status == 401
    other = {"redirect_uri": "http://localhost:8250/other", "client_nonce": "n"}
    assert vault.vault("POST", f"auth/{mount}/oidc/auth_url", other, token=None)["data"]["auth_url"] == ""


def test_other_methods(vault, slapd, tmp_path):
    """Each login gives a token that can read the credential; a wrong proof is refused."""
    userpass, ldap_mount = vault.userpass("fake-userpass-1"), vault.ldap(slapd)
    approle, role_id, secret_id = vault.approle()
    jwt, sign = vault.jwt(tmp_path)
    for path, good, bad in (
            (f"auth/{userpass}/login/alice", {"password": "fake-userpass-1"}, {"password": "no"}),
            (f"auth/{ldap_mount}/login/alice", {"password": ldap.PASSWORD}, {"password": "no"}),
            (f"auth/{approle}/login", {"role_id": role_id, "secret_id": secret_id}, {"role_id": role_id, "secret_id": "no"}),
            (f"auth/{jwt}/login", {"role": "job", "jwt": sign()}, {"role": "job", "jwt": sign(exp=1000)})):
        token = vault.vault("PUT", path, good, token=None)["auth"]["client_token"]
        assert vault.vault("GET", vault.path, token=token)["lease_duration"] == 3600
        with pytest.raises(Refused):
            vault.vault("PUT", path, bad, token=None)
    assert len(vault.users()) == 4


@pytest.mark.parametrize("listener, certificate", [("tls", False), ("mutual", True), ("mutual", False)])
def test_listeners(vault_server, pki, listener, certificate):
    context = ssl.create_default_context(cafile=str(pki.ca))
    if certificate:
        context.load_cert_chain(pki.client_cert, pki.client_key)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    url = f"{getattr(vault_server, listener)}/v1/sys/health"
    if listener == "mutual" and not certificate:
        with pytest.raises(OSError):
            opener.open(url, timeout=30)
    else:
        assert json.loads(opener.open(url, timeout=30).read())["version"].startswith("1.21.")


def test_front_forwards_and_records(broker, vault):
    """The front forwards to Vault, except for the answers that it is told to give. The secrets that it has seen become
    secrets of the test, whose output is searched for them."""
    token = vault.token()
    request = urllib.request.Request(f"{vault.front.url}/v1/{vault.path}", headers={"X-Vault-Token": token})
    vault.front.instead[f"/v1/{vault.path}"] = [(429, {"Retry-After": "1"}, b"{}")]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 429
    said = json.load(urllib.request.urlopen(request))
    assert said["data"]["password"].encode() in broker.secrets
    assert vault.front.asked("GET", vault.path) == [f"GET {vault.path}"] * 2
    assert re.fullmatch(r"v-token-long\d+x-.*", said["data"]["username"])


def test_chromium(tmp_path, openid):
    """It opens the provider's login page, and records what it has requested."""
    chromium = having(Chromium, tmp_path / "chromium")
    try:
        chromium.go(f"{openid.url}/login/none")
        chromium.until("document.title == 'Sign in'")
        assert chromium.asked[0] == f"{openid.url}/login/none" in chromium.history()
        chromium.picture(tmp_path / "picture.png")
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    finally:
        chromium.stop()
