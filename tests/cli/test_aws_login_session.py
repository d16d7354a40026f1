# SPDX-License-Identifier: MIT
"""Sessions of `aws login`. The AWS CLI's file is used as it is until 5 minutes before it expires. Then one broker
renews the session for all, with a proof of possession that the fake verifies, and writes the whole file back. If the
service refuses, the error names the CLI's command. Logging in is left to the CLI. botocore renews against the same
fake and must get the same keys and write the same file."""

import hashlib
import json
import os
import signal
import stat

import pytest

from lib.aws import IAM, assert_same_token, at_rename, endpoint, files
from servers.aws_fake import iso
from servers.aws_signin import new_key
from test_aws_sessions import at_once

ARN = "arn:aws:sts::012345678910:assumed-role/Admin/admin"
FILE = "4b0ba8f99f075c0633e122fd73346ce203a3faf18ea0310eb2d29df1bab2e255.json"  # as botocore names it
OLD = {
    "accessKeyId": "ASIAFAKELOGINOLD",
    "secretAccessKey": "canary/login+old/6d2f19ab",
    "sessionToken": "canary/login+session/old77",
}
NEW = {
    "accessKeyId": "ASIAFAKELOGINNEW",
    "secretAccessKey": "canary/login+new/93aa0c1e",
    "sessionToken": "canary/login+session/new88",
}
REFRESH, ROTATED = "canary-login-refresh-51c7", "canary-login-rotated-e80d"
KEY = new_key()


@pytest.fixture
def fake(aws_fake, broker):
    for secret in (*list(OLD.values())[1:], *list(NEW.values())[1:], REFRESH, ROTATED, KEY[0].splitlines()[1]):
        broker.secret(secret.encode())
    return aws_fake({"signin": {"key": KEY, "refresh": {REFRESH: NEW}, "rotated": ROTATED}})


def configure(broker, arn=ARN):
    files(broker, f"[profile prod]\nlogin_session = {arn}\nregion = eu-west-1\n")


def session(broker, seconds, folder=".aws/login/cache", **more):
    content = {
        "accessToken": {**OLD, "accountId": "012345678910", "expiresAt": iso(seconds), "unknown": 1},
        "tokenType": "aws_sigv4",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "refreshToken": REFRESH,
        "idToken": "eyJ",
        "dpopKey": KEY[0],
        "fromTheFuture": [1, {"a": None}],
        **more,
    }
    content = {k: v for k, v in content.items() if v is not None}
    return broker.write(f"{folder}/{FILE}", json.dumps(content), secret=True)


def run(broker, fake, env={}, **more):
    return broker.run(*IAM, "--aws-profile", "prod", env={**endpoint(fake), **env}, secret_out=True, **more)


def as_keys(keys):
    return {"id": keys["accessKeyId"], "secret": keys["secretAccessKey"], "token": keys["sessionToken"]}


@pytest.mark.parametrize("seconds,renewed", [(3600, False), (310, False), (290, True), (-3600, True)])
def test_same_as_botocore(broker, oracle, fake, seconds, renewed):
    configure(broker)
    path = session(broker, seconds)
    before = path.read_bytes()
    assert_same_token(oracle, run(broker, fake), as_keys(NEW if renewed else OLD))
    ours, asked = json.loads(path.read_text()), [json.loads(s.body) for s in fake.seen]
    path.write_bytes(before)
    fake.state["signin"]["refresh"] = {REFRESH: NEW}
    theirs = oracle.chain({**broker.environment(endpoint(fake)), "OUR_NETWORK": "1", "OUR_PROFILE": "prod"})
    assert theirs == {"method": "login", **as_keys(NEW if renewed else OLD)}
    assert len(asked) == renewed and [json.loads(s.body) for s in fake.seen] == asked * 2
    file = json.loads(path.read_text())
    assert file["accessToken"].pop("expiresAt")[:15] == ours["accessToken"].pop("expiresAt")[:15]
    if renewed:
        assert ours["accessToken"].pop("unknown") == 1  # which broker keeps
    assert ours == file


@pytest.mark.parametrize(
    "arn,folder,env",
    [(f"  {ARN} ", ".aws/login/cache", {}), (ARN, "elsewhere", {"AWS_LOGIN_CACHE_DIRECTORY": "~/elsewhere"})],
)
def test_where_the_file_is(broker, oracle, fake, arn, folder, env):
    configure(broker, arn)
    session(broker, 3600, folder)
    assert_same_token(oracle, run(broker, fake, env), as_keys(OLD))


def test_written_back_whole(broker, fake):
    configure(broker)
    path = session(broker, 60)
    before = json.loads(path.read_text())
    assert run(broker, fake).code == 0
    after = json.loads(path.read_text())
    assert iso(880) <= after["accessToken"].pop("expiresAt") <= iso(900)
    del before["accessToken"]["expiresAt"]
    assert after == {**before, "accessToken": {**before["accessToken"], **NEW}, "refreshToken": ROTATED}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and os.listdir(path.parent) == [path.name]


def test_one_renewal_for_all(broker, fake):
    """A refresh token can be used only once: a second renewal would end the session."""
    configure(broker)
    session(broker, 60)
    fake.state["signin"]["delay"] = 0.2
    assert [r.code for r in at_once(4, lambda: run(broker, fake))] == [0] * 4 and len(fake.seen) == 1


LOG_IN = "hint: aws login --profile prod"
REFUSALS = {
    "TOKEN_EXPIRED": (79, ["AWS profile 'prod': the aws login session has expired", LOG_IN]),
    "USER_CREDENTIALS_CHANGED": (
        79,
        ["AWS profile 'prod': the user's password or keys have changed since aws login", LOG_IN],
    ),
    "INSUFFICIENT_PERMISSIONS": (
        77,
        ["AWS sign-in: AccessDeniedException: no", "hint: ask your administrator to allow signin:CreateOAuth2Token"],
    ),
    "SOMETHING_NEW": (77, ["AWS profile 'prod': AWS sign-in: AccessDeniedException: no", "hint: --verbose says more"]),
}


@pytest.mark.parametrize("alive", [False, True])
@pytest.mark.parametrize("error", REFUSALS)
def test_refused(broker, oracle, fake, error, alive):
    """A refusal does not matter while the keys are valid."""
    configure(broker)
    before = session(broker, 200 if alive else -1).read_bytes()
    fake.state["signin"]["error"] = error
    done = run(broker, fake)
    if alive:
        assert_same_token(oracle, done, as_keys(OLD))
    else:
        code, (first, *rest) = REFUSALS[error]
        assert (done.errors.splitlines(), done.code) == ([f"broker: {IAM[3]}: {first}", *rest], code)
    assert (broker.home / ".aws/login/cache" / FILE).read_bytes() == before


NOT_THERE, OVER = "not logged in by aws login", "its aws login session has expired"
NO_KEYS = "the accessToken of its aws login session is incomplete"
BROKEN = {
    "no file": (None, NOT_THERE),
    "a truncated file": (lambda text: text[:-10], NOT_THERE),
    "no refresh token": (lambda text: text.replace("refreshToken", "x"), OVER),
    "no key": (lambda text: text.replace("dpopKey", "x"), OVER),
    "no client": (lambda text: text.replace("clientId", "x"), OVER),
    "no keys": (lambda text: text.replace("accessToken", "x"), NO_KEYS),
    "no secret key": (lambda text: text.replace("secretAccessKey", "x"), NO_KEYS),
    "no expiry time": (lambda text: text.replace("expiresAt", "x"), NO_KEYS),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file(broker, fake, name):
    configure(broker)
    change, words = BROKEN[name]
    if change:
        path = session(broker, -1)
        path.write_text(change(path.read_text()))
    done = run(broker, fake)
    assert (done.errors, done.code) == (
        f"broker: {IAM[3]}: AWS profile 'prod': {words}\n{LOG_IN}\n",
        79,
    ) and not fake.seen


@pytest.mark.parametrize(
    "key",
    [
        "",
        "no PEM",
        new_key()[0].replace("EC", "RSA"),
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
    ],
    ids=["empty", "text", "RSA", "cut"],
)
def test_invalid_key(broker, fake, key):
    configure(broker)
    session(broker, -1, dpopKey=key)
    done = run(broker, fake)
    assert (
        done.code in (65, 79)
        and f"AWS profile 'prod': {'the key of aws login' if key else OVER}" in done.errors
        and not fake.seen
    )


def test_key_of_another_session(broker, fake):
    """This shows that the fake verifies the proof."""
    configure(broker)
    session(broker, -1, dpopKey=new_key()[0])
    done = run(broker, fake)
    assert done.code == 77 and "DPoP: another key" in done.errors


ANSWERS = {
    "no keys": {"refresh": {REFRESH: {"accessKeyId": "A"}}},
    "a lifetime of zero": {"seconds": 0},
    "an invalid lifetime": {"seconds": "soon"},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_invalid_answer(broker, fake, name):
    configure(broker)
    before = session(broker, -1).read_bytes()
    fake.state["signin"].update(ANSWERS[name])
    done = run(broker, fake)
    assert done.code == 76 and "AWS sign-in: the answer has no keys" in done.errors
    assert (broker.home / ".aws/login/cache" / FILE).read_bytes() == before


def test_killed_while_writing(broker, fake):
    configure(broker)
    path = session(broker, -1)
    before = path.read_bytes()
    done = run(broker, fake, **at_rename("signal=KILL:error=EIO"))
    assert done.signal == signal.SIGKILL and path.read_bytes() == before
    for left in path.parent.iterdir():
        broker.allow(left)
    assert [p.name for p in path.parent.glob("*.json")] == [path.name]


def test_name_of_the_file():
    assert hashlib.sha256(ARN.encode()).hexdigest() + ".json" == FILE
