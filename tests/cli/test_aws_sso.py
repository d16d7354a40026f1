# SPDX-License-Identifier: MIT
"""SSO: the AWS CLI's token file is read and renewed as botocore does it; one broker renews it for all and writes the
whole file back. The role's keys come from the portal, whose refusals get messages of their own. If the user must log in
but there is no terminal, the error names the command. The portal is a fake (servers/aws_fake.py); the login itself is
tested in test_aws_sso_login.py."""

import hashlib
import json
import os
import signal
import stat
import time

import pytest

from lib.aws import IAM, assert_same_token, at_rename, endpoint, files
from servers.aws_fake import iso
from test_aws_sessions import at_once

START = "https://d-92671207e4.awsapps.com/start"
ACCOUNT = "123456789012"
TOKEN, REFRESH, NEW_TOKEN, ROTATED = (
    f"canary-{name}-7c1e55d02b9f4a36" for name in ("token", "refresh", "newer", "rotated")
)
SECRETS = {"secretAccessKey": "canary/sso+secret/0f3b7d11aa", "sessionToken": "canary/sso+session/9b2c"}


@pytest.fixture
def role(broker):
    """A role that no other test has, because its keys stay in the kernel's keyring until 5 minutes before they
    expire."""
    for secret in (TOKEN, REFRESH, NEW_TOKEN, ROTATED, *SECRETS.values()):
        broker.secret(secret.encode())
    return "role-" + os.urandom(6).hex()


@pytest.fixture
def fake(aws_fake, role):
    keys = {"accessKeyId": "ASIAFAKESSOKEY", **SECRETS, "expiration": int((time.time() + 310) * 1000)}
    return aws_fake(
        {
            "sso": {
                "access_tokens": [TOKEN, NEW_TOKEN],
                "refresh": {REFRESH: NEW_TOKEN},
                "rotated": ROTATED,
                "login": NEW_TOKEN,
                "creds": {f"{ACCOUNT}/{role}": keys, f"{ACCOUNT}/{role}-b": keys},
            }
        }
    )


def configure(broker, role, session="corp", extra="", name="prod"):
    where = f"sso_start_url = {START}\nsso_region = eu-west-1\n"
    more = f"sso_session = {session}\n" if session else where
    files(
        broker,
        f"[profile {name}]\nsso_account_id = {ACCOUNT}\nsso_role_name = {role}\nregion = eu-west-1\n{more}"
        + (f"[sso-session {session}]\n{where}{extra}" if session else "")
        + f"[profile other]\nsso_account_id = {ACCOUNT}\nsso_role_name = {role}-b\nregion = eu-west-1\n{more}",
    )


def token_path(broker, key="corp"):
    path = broker.home / ".aws/sso/cache" / (hashlib.sha1(key.encode()).hexdigest() + ".json")
    broker.allow(path)
    return path


def token_file(broker, seconds, key="corp", **more):
    """Writes the CLI's token file, with a field that only a later version would know."""
    content = {
        "startUrl": START,
        "region": "eu-west-1",
        "accessToken": TOKEN,
        "expiresAt": iso(seconds),
        "fromTheFuture": {"a": [1, None]},
        "clientId": "cid",
        "clientSecret": "csec",
        "registrationExpiresAt": iso(86400),
        "refreshToken": REFRESH,
        **more,
    }
    content = {k: v for k, v in content.items() if v is not None}
    return broker.write(token_path(broker, key), json.dumps(content))


def run(broker, fake, *args, profile="prod", verb=IAM, env={}, **more):
    return broker.run(*verb, "--aws-profile", profile, *args, env={**endpoint(fake), **env}, secret_out=True, **more)


def refreshes(fake):
    return [s for s in fake.seen if s.path == "/token"]


LEGACY = {"clientId": None, "clientSecret": None, "registrationExpiresAt": None, "refreshToken": None}
SAME = {  # seconds left, other fields of the file, session, whether it is renewed
    "valid": (3600, {}, "corp", False),
    "the older format of a time": (3600, {"expiresAt": iso(3600).replace("Z", "UTC")}, "corp", False),
    "an offset": (3600, {"expiresAt": iso(3600).replace("Z", "+00:00")}, "corp", False),
    "legacy": (3600, LEGACY, None, False),
    "16 minutes left": (16 * 60, {}, "corp", False),
    "14 minutes left": (14 * 60, {}, "corp", True),
    "expired": (-7200, {}, "corp", True),
    "14 minutes left and no refresh token": (14 * 60, {"refreshToken": None}, "corp", False),
    "14 minutes left, registration expired": (14 * 60, {"registrationExpiresAt": iso(-1)}, "corp", False),
    "14 minutes left, legacy": (14 * 60, {}, None, False),
    "14 minutes left, refused": (14 * 60, {"refreshToken": "unknown"}, "corp", False),
}


@pytest.mark.parametrize("name", SAME)
def test_same_as_botocore(broker, oracle, fake, role, name):
    seconds, more, session, renewed = SAME[name]
    configure(broker, role, session)
    path = token_file(broker, seconds, session or START, **more)
    before = path.read_bytes()
    done = run(broker, fake)
    path.write_bytes(before)
    fake.state["sso"]["refresh"][REFRESH] = NEW_TOKEN
    theirs = oracle.chain({**broker.environment(endpoint(fake)), "OUR_NETWORK": "1", "OUR_PROFILE": "prod"})
    assert theirs.get("id") == "ASIAFAKESSOKEY", theirs
    assert_same_token(oracle, done, theirs)
    ours, botocores = [
        [s for s in fake.seen if s.path == "/token" and ("broker/" in s.headers["user-agent"]) == mine]
        for mine in (True, False)
    ]
    assert len(ours) == (1 if renewed else len(botocores)), (ours, botocores)
    wanted = ["refreshToken", "clientId", "clientSecret", "grantType"]
    assert all(set(json.loads(s.body)) == set(wanted) for s in ours)


def test_written_back_whole(broker, fake, role):
    configure(broker, role)
    path = token_file(broker, 60)
    before = json.loads(path.read_text())
    assert run(broker, fake).code == 0
    after = json.loads(path.read_text())
    end = after.pop("expiresAt")
    assert end > iso(28000) and before.pop("expiresAt")
    assert after == {**before, "accessToken": NEW_TOKEN, "refreshToken": ROTATED}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and os.listdir(path.parent) == [path.name]


LOGIN_NEEDED = {  # change of the file, message
    "no file": (None, "not logged in to SSO session 'corp'"),
    "a truncated file": (lambda text: text[:-20], "not logged in to SSO session 'corp'"),
    "not an object": (lambda text: "[1]", "not logged in to SSO session 'corp'"),
    "too large": (lambda text: text + " " * 300000, "not logged in to SSO session 'corp'"),
    "no token": (
        lambda text: text.replace("accessToken", "x").replace("refreshToken", "y"),
        "not logged in to SSO session 'corp'",
    ),
    "an invalid time": (
        lambda text: text.replace('expiresAt": "2', 'expiresAt": "x').replace("refreshToken", "y"),
        "not logged in to SSO session 'corp'",
    ),
    "expired": (lambda text: text.replace("refreshToken", "x"), "SSO session 'corp' expired 2h ago"),
    "refused": (lambda text: text.replace(REFRESH, "unknown"), "SSO session 'corp' expired 2h ago"),
}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("name", LOGIN_NEEDED)
def test_login_needed(broker, fake, role, name, named):
    configure(broker, role)
    broker.config(f"[profile prod]\nhost = {IAM[3]}\nuser = app\nauth = iam\naws_profile = prod\n")
    change, words = LOGIN_NEEDED[name]
    path = token_path(broker)
    if change:
        path = token_file(broker, -7230)
        path.write_text(change(path.read_text()))
    before = path.read_bytes() if change else None
    done = run(broker, fake, verb=["token", "prod"] if named else IAM)
    who, hint = ("prod", "broker login prod") if named else (IAM[3], "broker login, with the same options")
    assert (done.text, done.errors, done.code) == ("", f"broker: {who}: {words}\nhint: {hint}\n", 79)
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize(
    "verb,tty,args",
    [
        ("token", True, []),
        ("connect", False, []),
        ("exec", False, ["--", "true"]),
        ("login", False, []),
        ("connect", True, ["--no-input"]),
    ],
)
def test_login_is_not_started(broker, fake, role, verb, tty, args):
    configure(broker, role)
    broker.config(f"[profile prod]\nhost = {IAM[3]}\nuser = app\nauth = iam\naws_profile = prod\n")
    done = broker.run(verb, "prod", "--client", str(broker.stub().path), *args, env=endpoint(fake), tty=tty)
    hint = "run it on a terminal" if verb == "login" else "broker login prod"
    assert (done.errors, done.code) == (
        f"broker: prod: not logged in to SSO session 'corp'\nhint: {hint}\n",
        79,
    ) and not fake.seen


PORTAL = {
    "no such role": (
        {"creds": {}},
        77,
        [
            "SSO session 'corp' has no role 'ROLE' in account 123456789012",
            "  No access",
            "hint: check sso_account_id and sso_role_name of AWS profile 'prod'",
        ],
    ),
    "token revoked": (
        {"access_tokens": []},
        79,
        ["SSO session 'corp' was ended early", "hint: broker login, with the same options"],
    ),
    "too many": (
        {"fail": {"/federation/credentials": [429, 9]}},
        75,
        ["AWS SSO: HTTP 429", "hint: try again in a minute"],
    ),
    "down": (
        {"fail": {"/federation/credentials": [503, 9]}},
        75,
        ["AWS SSO: HTTP 503", "hint: try again in a minute"],
    ),
    "not found": (
        {"fail": {"/federation/credentials": [404, 9]}},
        77,
        [
            "SSO session 'corp' has no role 'ROLE' in account 123456789012",
            "hint: check sso_account_id and sso_role_name of AWS profile 'prod'",
        ],
    ),
}


@pytest.mark.parametrize("name", PORTAL)
def test_portal_refuses(broker, fake, role, name):
    state, code, (first, *rest) = PORTAL[name]
    configure(broker, role)
    token_file(broker, 3600, refreshToken=None)
    fake.state["sso"].update(state)
    done = run(broker, fake)
    assert (done.errors.splitlines(), done.code) == ([f"broker: {IAM[3]}: {first}".replace("ROLE", role), *rest], code)


def test_revoked_token_is_renewed_once(broker, fake, role):
    configure(broker, role)
    token_file(broker, 3600)
    fake.state["sso"]["access_tokens"] = [NEW_TOKEN]
    assert run(broker, fake).code == 0 and len(refreshes(fake)) == 1


def test_renewal_without_network(broker, fake, role):
    """The user is not told to log in, which would not help; a token that is still valid is used."""
    configure(broker, role)
    fake.state["sso"]["fail"] = {"/token": [503, 9]}
    token_file(broker, -1)
    done = run(broker, fake)
    assert (done.errors, done.code) == (f"broker: {IAM[3]}: AWS SSO: HTTP 503\nhint: try again in a minute\n", 75)
    token_file(broker, 600)
    assert run(broker, fake).code == 0


def test_one_refresh_for_two_profiles_at_once(broker, fake, role):
    configure(broker, role)
    token_file(broker, 60)
    fake.state["sso"]["delay"] = 0.2
    profiles = ["prod", "other", "prod", "other"]
    results = at_once(4, lambda: run(broker, fake, profile=profiles.pop()))
    assert [r.code for r in results] == [0] * 4 and len(refreshes(fake)) == 1


def test_killed_while_writing(broker, fake, role):
    """Killed at the rename: the old file is unchanged, and there is no other file that the CLI would read."""
    configure(broker, role)
    path = token_file(broker, 60)
    before = path.read_bytes()
    done = run(broker, fake, **at_rename("signal=KILL:error=EIO"))
    assert done.signal == signal.SIGKILL and path.read_bytes() == before
    for left in path.parent.iterdir():
        broker.allow(left)
    assert [p.name for p in path.parent.glob("*.json")] == [path.name]
    fake.state["sso"]["refresh"] = {REFRESH: NEW_TOKEN}
    assert run(broker, fake).code == 0 and json.loads(path.read_text())["accessToken"] == NEW_TOKEN


def test_cache_that_cannot_be_written(broker, fake, role):
    """The new token is used for this run, and a warning says that it could not be saved."""
    configure(broker, role)
    path = token_file(broker, 60)
    done = run(broker, fake, **at_rename("error=EROFS"))
    assert done.code == 0 and done.errors == (
        "broker: warning: cannot save the new SSO token: ~/.aws/sso/cache/" + path.name + ": Read-only file system\n"
        "hint: check the permissions of ~/.aws/sso/cache\n"
    )
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("session,left,used", [("corp", 3600, True), (None, 3600, True), ("corp", 600, False)])
def test_keys_in_cli_cache(broker, fake, role, session, left, used):
    """Keys in ~/.aws/cli/cache are found by the CLI's name for the file; then no request is sent to the portal."""
    configure(broker, role, session)
    token_file(broker, 3600, session or START)
    who = {"sessionName": session} if session else {"startUrl": START}
    key = json.dumps({"accountId": ACCOUNT, "roleName": role, **who}, sort_keys=True, separators=(",", ":"))
    content = {
        "ProviderType": "sso",
        "Credentials": {
            "AccessKeyId": "ASIAFAKEOFCLI",
            "SecretAccessKey": SECRETS["secretAccessKey"],
            "SessionToken": SECRETS["sessionToken"],
            "Expiration": iso(left),
        },
    }
    broker.write(f".aws/cli/cache/{hashlib.sha1(key.encode()).hexdigest()}.json", json.dumps(content), secret=True)
    done = run(broker, fake)
    assert done.code == 0 and ("ASIAFAKEOFCLI" in done.text) == used and bool(fake.seen) != used


def test_no_secret_in_processes(broker, fake, role):
    """Neither broker's secrets nor the service's, while broker waits for a slow service; and none in the output of
    -vv."""
    configure(broker, role)
    token_file(broker, 60)
    fake.state["sso"]["until"] = broker.home / "seen"
    with broker.watch() as seen:
        seen.tell(broker.home / "seen", b"broker-http")
        done = broker.run(
            "login",
            "--auth",
            "iam",
            "--host",
            IAM[3],
            "--user",
            "app",
            "--aws-profile",
            "prod",
            "-vv",
            env=endpoint(fake),
        )
    assert done.code == 0 and "SSO token refreshed" in done.errors and any(b"broker-http" in argv for argv in seen.argv)
    broker.assert_hidden(seen)
