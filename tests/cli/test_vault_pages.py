# SPDX-License-Identifier: MIT
"""The pages that a browser shows after a login to Vault, in a real Chromium, which logs in at the provider itself.
Besides the provider's pages it requests only the two pages of broker, and its history does not contain the code.
BROKER_PICTURES=FOLDER keeps screenshots."""
import os
from pathlib import Path

import pytest

from conftest import lasting
from lib.vault import shown
from servers.chromium import Chromium
from servers.openid import PEOPLE
from servers.vault import FORM_POST
from servers.vault_front import errors


@pytest.fixture
def chromium(tmp_path):
    yield from lasting(Chromium, tmp_path / "chromium")


def picture(chromium, name):
    if "BROKER_PICTURES" in os.environ:
        chromium.picture(Path(os.environ["BROKER_PICTURES"]) / f"{name}.png")


def sign_in(chromium, url, button="button"):
    chromium.go(url)
    chromium.until("document.title == 'Sign in'")
    chromium.value(f"document.querySelector('[name=user]').value = 'alice'; document.querySelector('[name=password]').value = '{PEOPLE['alice']}';"
                   f"document.querySelector('{button}').click()")


@pytest.mark.parametrize("ending", ["success", "form_post", "denied", "refused"])
def test_pages(desk, vault, openid, chromium, ending):
    mount = vault.oidc(openid, FORM_POST if ending == "form_post" else {})
    desk.configure(vault_mount=mount)
    if ending == "refused":
        vault.front.instead[f"/v1/auth/{mount}/oidc/callback"] = [(400, {}, errors("<b>no</b> <script>alert(1)</script>"))]
    tty = desk.pty("login", "w")
    sign_in(chromium, desk.invited(tty), "[name=deny]" if ending == "denied" else "button")
    ours = f"http://localhost:{desk.callback}"
    code = tty.wait()
    assert code == (77 if ending in ("denied", "refused") else 0), shown(tty)
    chromium.until(f"location.href.startsWith('{ours}/') && document.readyState == 'complete' && document.body.innerText.length > 10")
    picture(chromium, ending)
    assert chromium.value("document.querySelector('h1').innerText") == ("The login failed" if code else "You are logged in")
    assert chromium.value("document.scripts.length") == 0 and chromium.value("document.querySelectorAll('b').length") == 0
    asked = [url for url in chromium.asked if url.startswith(ours)]
    rest = [url for url in chromium.asked if not url.startswith((ours, openid.url, "about:"))]
    assert not rest and len([url for url in asked if not url.endswith("/favicon.ico")]) <= 2, chromium.asked
    assert all("code=" not in url and "state=" not in url for url in chromium.history() if url.startswith(ours)), chromium.history()
