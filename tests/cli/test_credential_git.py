# SPDX-License-Identifier: MIT
"""broker as git's credential helper, with the system's own git: what git's test t0303 requires of any helper, with
each store. What an older git drops before a helper sees it (expiry, refresh tokens, authtype) is tested without git
in test_credential_rules.py, and here if this git supports it."""
import shutil
import time

import pytest

from lib.helpers import Git, git_version

GIT = "/usr/bin/git"
SITE = {"protocol": "https", "host": "example.com"}
ASKED = {"username": "askpass-username", "password": "askpass-password"}


@pytest.fixture
def git(bare_broker, store):
    if not shutil.which(GIT):
        pytest.skip("missing: git")
    return Git(bare_broker(GIT), store)


def filled(git, **asked):
    """What git got; it must be from the helper, without a prompt."""
    found, prompts = git.credential("fill", **asked)
    assert prompts == [], prompts
    return found


def asks(git, **asked):
    """The helper has no answer: git prompts for what is missing."""
    found, prompts = git.credential("fill", **asked)
    assert prompts and all(line.startswith("askpass: ") for line in prompts), prompts
    return found == {**asked, **ASKED, **asked}


def test_requirements_of_t0303(git):
    """The steps are in the order of t0303, because each depends on those before."""
    kept = {"username": "store-user", "password": "store-pass"}
    assert asks(git, **SITE)
    assert git.credential("approve", **SITE, **kept) == ({}, [])
    assert filled(git, **SITE) == {**SITE, **kept}
    assert asks(git, protocol="http", host="example.com")
    assert asks(git, protocol="https", host="other.tld")
    assert asks(git, **SITE, username="other")
    newer = {"username": "store-user", "password": "other-pass"}
    assert git.credential("approve", **SITE, **newer) == ({}, [])
    assert filled(git, **SITE) == {**SITE, **newer}
    assert git.credential("reject", **SITE, **newer) == ({}, [])
    assert asks(git, **SITE)
    git.credential("approve", **SITE, **kept)
    git.credential("reject", **SITE)
    assert asks(git, **SITE)


def test_a_path_must_match(git):
    path = ["credential.useHttpPath=true"]
    place = {"protocol": "http", "host": "path.tld"}
    git.credential("approve", config=path, **place, path="foo.git", username="user", password="pass")
    found, _ = git.credential("fill", config=path, **place, path="bar.git")
    assert found["password"] == ASKED["password"]
    found, prompts = git.credential("fill", config=path, **place, path="foo.git")
    assert (found["password"], prompts) == ("pass", [])


def test_several_users_of_one_host(git):
    for n in "12":
        git.credential("approve", **SITE, username=f"user{n}", password=f"pass{n}")
    for n in "12":
        assert filled(git, **SITE, username=f"user{n}")["password"] == f"pass{n}"
    git.credential("reject", **SITE, username="user1")
    assert asks(git, **SITE, username="user1")
    assert filled(git, **SITE, username="user2")["password"] == "pass2"
    git.credential("reject", **SITE)
    assert asks(git, **SITE, username="user2")


def test_rejected_password_is_not_the_stored_one(git):
    """Another program has stored a new password in the meantime."""
    git.credential("approve", **SITE, username="user", password="new")
    git.credential("reject", **SITE, username="user", password="old")
    assert filled(git, **SITE)["password"] == "new"


def test_an_empty_name_and_password(git):
    sso = {"protocol": "https", "host": "sso.tld"}
    git.credential("approve", **sso, username="", password="")
    assert filled(git, **sso) == {**sso, "username": "", "password": ""}


@pytest.mark.parametrize("size", [1000, 65000])
def test_a_long_line_does_not_become_two(git, size):
    """A server's WWW-Authenticate header reaches the helper as one line."""
    git.credential("approve", protocol="https", host="victim.example.com", username="user", password="to-be-stolen")
    header = ("realm=" + "a" * size)[:size] + "host=victim.example.com"
    found, _ = git.credential("fill", protocol="https", host="bad.example.com", wwwauth_=header)
    assert found["password"] == ASKED["password"]


def test_timeout(git, store):
    if store.kind == "keychain":
        return  # its entries do not expire
    place = {"protocol": "https", "host": "timeout.tld"}
    git.credential("approve", helper="--timeout=1", **place, username="user", password="pass")
    end = time.monotonic() + 60
    while git.credential("fill", helper="--timeout=1", **place)[0]["password"] != ASKED["password"]:
        assert time.monotonic() < end


def test_expiry_and_refresh_token(git):
    if git_version() < (2, 41):
        return  # this git drops both before it calls a helper; test_credential_rules.py tests them without git
    place = {"protocol": "https", "host": "expiry.tld", "username": "user"}
    for end in ("9999999998", "9999999999"):
        git.credential("approve", **place, password="pass", password_expiry_utc=end, oauth_refresh_token="refresh")
        found = filled(git, **place)
        assert (found["password_expiry_utc"], found["oauth_refresh_token"]) == (end, "refresh")
    git.credential("approve", **place, password="pass", oauth_refresh_token="refresh2")
    assert "password_expiry_utc" not in filled(git, **place)


def test_authtype(git):
    if git_version() < (2, 46):
        return
    token = {"authtype": "Bearer", "credential": "a-token"}
    able = {"capability_": ["authtype"]}
    git.credential("approve", **able, **token, **SITE)
    found = filled(git, **able, **SITE)
    assert (found["authtype"], found["credential"]) == ("Bearer", "a-token")
    assert asks(git, **SITE)
    git.credential("approve", **able, **token, protocol="https", host="eph.tld", ephemeral="1")
    found, _ = git.credential("fill", **able, protocol="https", host="eph.tld")
    assert "credential" not in found
