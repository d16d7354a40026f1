# SPDX-License-Identifier: MIT
"""Cached AWS sessions are used only for the identity that they were made for: who authenticates to what, with which
proof.

Each case runs the chain of one profile twice with one difference; the number of requests shows whether the second
run used the session of the first. The services are a fake (servers/aws_fake.py). Each test has its own role names,
because sessions stay in the machine's keyring until five minutes before they expire."""
import base64
import hashlib
import json
import os
import subprocess
import time

import pytest

from lib.aws import SECRET, files, pair, signed_with
from servers.aws_fake import iso, keys_of
from test_aws_roles import BASE, profile, run
from test_aws_sso import ACCOUNT, START

SERIAL = "arn:aws:iam::123456789012:mfa/dev"


@pytest.fixture
def aws(aws_fake, broker):
    """A fake of all the services, with a role that no other test has; aws.asked() is the number of requests for
    keys."""
    broker.secret(SECRET.encode())
    fake = aws_fake({"sts": {"minutes": 7}})
    fake.role = "role-" + os.urandom(6).hex()
    for name in ("", "-b"):
        broker.secret(keys_of(fake.role + name)["secret"].encode())
    end = int((time.time() + 420) * 1000)
    people = {"token-of-alice": "ASIAFAKEALICE", "token-of-bob": "ASIAFAKEBOB", "token-renewed": "ASIAFAKEALICE"}
    fake.people = people
    fake.state["sso"] = {"access_tokens": list(people), "refresh": {"refresh-of-alice": "token-renewed"},
                         "creds": {f"{ACCOUNT}/{fake.role}": {"expiration": end}}}
    fake.asked = lambda: len(fake.calls) + sum("/federation/" in seen.path for seen in fake.seen)
    return fake


# Functions that write the files of ~/.aws, one for each kind of proof

def static(broker, aws, id="AKIAONE", secret=SECRET, token=None, **more):
    files(broker, "[profile base]\n" + pair(id, secret, aws_session_token=token) + profile("p", aws.role, **more))


def jwt(broker, aws, issuer="https://one", subject="app", extra=None, raw=None):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    claims = {"iss": issuer, "sub": subject, "exp": int(time.time()) + 3600, "jti": os.urandom(4).hex(), **(extra or {})}
    text = raw if raw is not None else f"{part({'alg': 'RS256'})}.{part({k: v for k, v in claims.items() if v is not None})}.c2ln"
    path = broker.write("token", text)
    files(broker, profile("p", aws.role, None, web_identity_token_file=path))


def process(broker, aws, id="AKIAONE", name="get-keys", folder="bin"):
    answer = json.dumps({"Version": 1, "AccessKeyId": id, "SecretAccessKey": SECRET})
    broker.write(f"{folder}/get-keys", f"#!/bin/sh\necho '{answer}'\n", mode=0o700, secret=True)
    files(broker, f"[profile base]\ncredential_process = {name}\n" + profile("p", aws.role))


def token_path(broker):
    return broker.home / ".aws/sso/cache" / (hashlib.sha1(b"corp").hexdigest() + ".json")


def sso(broker, aws, token="token-of-alice", seconds=3600, **more):
    files(broker, f"[profile p]\nsso_session = corp\nsso_account_id = {ACCOUNT}\nsso_role_name = {aws.role}\nregion = eu-west-1\n"
          f"[sso-session corp]\nsso_start_url = {START}\nsso_region = eu-west-1\n")
    content = {"accessToken": token, "expiresAt": iso(seconds), "clientId": "cid", "clientSecret": "csec", "registrationExpiresAt": iso(86400),
               "refreshToken": "refresh-of-alice", **more}
    broker.write(token_path(broker), json.dumps(content), secret=True)


def login(broker, aws, key="key-of-alice", id="ASIAONE"):
    arn = "arn:aws:iam::123456789012:user/alice"
    keys = {"accessKeyId": id, "secretAccessKey": SECRET, "sessionToken": "t", "expiresAt": iso(3600), "accountId": ACCOUNT}
    content = {"accessToken": keys, "dpopKey": key, "clientId": "c", "refreshToken": "r"}
    broker.write(f".aws/login/cache/{hashlib.sha256(arn.encode()).hexdigest()}.json", json.dumps(content), secret=True)
    files(broker, f"[profile base]\nlogin_session = {arn}\n" + profile("p", aws.role))


DIFFER = {
    "another key": (static, {"id": "AKIATWO"}, {}),
    "another secret for the key": (static, {"secret": SECRET + "x"}, {}),
    "another session token for the key": (static, {"token": "other"}, {}),
    "another external id": (static, {"external_id": "x"}, {}),
    "another session name": (static, {"role_session_name": "x"}, {}),
    "another duration": (static, {"duration_seconds": "1800"}, {}),
    "another STS": (static, {}, {"AWS_ENDPOINT_URL_STS": "{url}/"}),
    "another STS in the profile": (static, {"endpoint_url": "{url}/", "ignore": ""}, {"AWS_ENDPOINT_URL": None}),
    "another subject": (jwt, {"subject": "other"}, {}),
    "another issuer": (jwt, {"issuer": "https://two"}, {}),
    "a program that prints another key id": (process, {"id": "AKIATWO"}, {}),
    "a program with another HOME": (process, {}, {"HOME": "{home}/other"}),
    "another program with the same name": (process, {"folder": "other"}, {"PATH": "{home}/other:/usr/bin:/bin"}),
    "another user's SSO token": (sso, {"token": "token-of-bob"}, {}),
    "another aws login": (login, {"key": "key-of-bob"}, {}),
}


def apply(broker, aws, make, change):
    make(broker, aws, **{key: value.format(url=aws.url, home=broker.home) for key, value in change.items()})


def ask(broker, aws, env={}):
    env = {key: value and value.format(url=aws.url, home=broker.home) for key, value in env.items()}
    return run(broker, aws, "p", env=env)


@pytest.mark.parametrize("name", DIFFER)
def test_cached_session_not_used(broker, aws, name):
    make, change, env = DIFFER[name]
    (broker.home / "other").mkdir()
    (broker.home / "other" / ".aws").symlink_to(broker.home / ".aws")
    apply(broker, aws, make, {})
    assert [ask(broker, aws).code for _ in range(2)] == [0, 0] and aws.asked() == 1, "the second run uses the cache"
    apply(broker, aws, make, change)
    if env.get("AWS_ENDPOINT_URL", "") is None:
        env = {**env, "AWS_ENDPOINT_URL_STS": None}
    done = ask(broker, aws, env)
    assert done.code == 0 and aws.asked() == 2, done.errors


EQUAL = {
    "a renewed web identity token": (jwt, {}, {}),
    "another region in the profile": (static, {"region": "eu-west-3"}, {}),
    "another AWS_REGION": (static, {}, {"AWS_REGION": "eu-west-3"}),
    "a program that is run again": (process, {}, {}),
    "renewed keys of aws login": (login, {"id": "ASIATWO"}, {}),
    "an expired SSO token": (sso, {"seconds": "-60", "refreshToken": ""}, {}),
    "fewer attempts": (static, {}, {"AWS_MAX_ATTEMPTS": "2"}),
}


@pytest.mark.parametrize("name", EQUAL)
def test_cached_session_used(broker, aws, name):
    make, change, env = EQUAL[name]
    apply(broker, aws, make, {})
    assert ask(broker, aws).code == 0
    if "seconds" in change:
        sso(broker, aws, seconds=-60, refreshToken=None)
    else:
        apply(broker, aws, make, change)
    assert ask(broker, aws, env).code == 0 and aws.asked() == 1


@pytest.mark.parametrize("fault", [{"subject": None}, {"issuer": None}, {"subject": ""}, {"extra": {"sub": 7}}, {"raw": "opaque"}, {"raw": "a.b.c"},
                                   {"raw": "a." + base64.b64encode(b"[]").decode() + ".c"}, {"raw": "a..c"}])
def test_web_identity_without_issuer_or_subject_is_not_cached(broker, aws, fault):
    jwt(broker, aws, **fault)
    assert [ask(broker, aws).code for _ in range(2)] == [0, 0] and aws.asked() == 2


def test_tokens_of_pods_at_the_same_path(broker, aws):
    """Fixed bug: every pod has its own token at the same path."""
    for subject in ("system:serviceaccount:shop:reader", "system:serviceaccount:shop:owner", "system:serviceaccount:shop:reader"):
        jwt(broker, aws, subject=subject)
        assert ask(broker, aws).code == 0
    tokens = [call["WebIdentityToken"] for call in aws.calls]
    assert len(set(tokens)) == 3


def test_bob_does_not_get_the_keys_of_alice(broker, aws, monkeypatch):
    """Fixed bug: the same SSO session, account and role, but another user's token in ~/.aws/sso/cache."""
    def portal(self_state, path, seen):
        token = seen.headers.get("x-amz-sso_bearer_token")
        if path == "/federation/credentials" and token in aws.people:
            aws.state["sso"]["creds"][f"{ACCOUNT}/{aws.role}"]["accessKeyId"] = aws.people[token]
        return type(aws).sso(aws, self_state, path, seen)
    monkeypatch.setattr(aws, "sso", portal)
    for token in ("token-of-alice", "token-of-bob", "token-of-bob", "token-of-alice"):
        sso(broker, aws, token=token)
        assert signed_with(ask(broker, aws))["id"] == aws.people[token]
    assert aws.asked() == 3


@pytest.mark.parametrize("left", ["nothing", "half a file", "no token"])
def test_cached_session_not_used_without_token_file(broker, aws, left):
    """`aws sso logout` removes the token file."""
    sso(broker, aws)
    assert ask(broker, aws).code == 0
    path = token_path(broker)
    path.unlink()
    if left != "nothing":
        path.write_text("{" if left == "half a file" else "{}")
    done = ask(broker, aws)
    assert (done.code, done.out, aws.asked()) == (79, b"", 1) and "not logged in to SSO session 'corp'" in done.errors


def test_renewed_sso_token(broker, aws):
    """The keys are requested with the renewed token and cached for it."""
    sso(broker, aws, seconds=60)
    for calls in (1, 1):
        assert ask(broker, aws).code == 0 and aws.asked() == calls
    assert json.loads(token_path(broker).read_text())["accessToken"] == "token-renewed"


def test_cached_sso_session_needs_no_helper(broker, aws):
    """broker-http computes the SHA-1 that names the token's file; the name is therefore cached with the session."""
    sso(broker, aws)
    assert ask(broker, aws).code == 0
    log = broker.tmp / "strace"
    done = run(broker, aws, "p", wrap=["strace", "-f", "-qq", "-e", "trace=process,network", "-o", log], env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert done.code == 0 and aws.asked() == 1
    assert not [line for line in log.read_text().splitlines() if "exit" not in line][1:]


def test_another_home_of_the_same_user(broker, aws):
    """The second home has the same files; its path alone makes a new session necessary."""
    sso(broker, aws)
    assert ask(broker, aws).code == 0
    other = broker.home / "other"
    (other / ".aws").mkdir(parents=True)
    for name in ("config", "sso"):
        subprocess.run(["cp", "-r", broker.home / ".aws" / name, other / ".aws" / name], check=True)
    for path in other.rglob("*"):
        broker.allow(path)
    assert run(broker, aws, "p", env={"HOME": str(other)}).code == 0 and aws.asked() == 2
    assert ask(broker, aws).code == 0 and aws.asked() == 2, "the session of the first home is still cached"


def test_another_config_file(broker, aws):
    static(broker, aws)
    other = broker.write("other/config", (broker.home / ".aws/config").read_text(), secret=True)
    for calls, path in ((1, None), (2, str(other)), (2, None), (2, str(other))):
        assert run(broker, aws, "p", env={"AWS_CONFIG_FILE": path}).code == 0 and aws.asked() == calls


def test_another_metadata_endpoint(broker, aws, aws_fake):
    files(broker, profile("p", aws.role, None, credential_source="Ec2InstanceMetadata"))
    other = aws_fake(aws.state)
    for calls, url in ((1, aws.url), (1, aws.url), (2, other.url)):
        env = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}
        assert run(broker, aws, "p", env=env).code == 0 and aws.asked() == calls


@pytest.mark.parametrize("how", ["written", "moved", "linked"])
def test_cli_sso_keys_older_than_token_are_not_used(broker, aws, how):
    """The CLI's file of keys names the SSO session, but not the user."""
    sso(broker, aws, token="token-of-bob")
    path, aside = token_path(broker), token_path(broker).with_name("of-bob")
    path.rename(aside)
    broker.allow(aside)
    sso(broker, aws)
    key = json.dumps({"accountId": ACCOUNT, "roleName": aws.role, "sessionName": "corp"}, sort_keys=True, separators=(",", ":"))
    keys = {"AccessKeyId": "ASIAFAKEOFCLI", "SecretAccessKey": SECRET, "SessionToken": "t", "Expiration": iso(3600)}
    broker.write(f".aws/cli/cache/{hashlib.sha1(key.encode()).hexdigest()}.json", json.dumps({"Credentials": keys}), secret=True)
    time.sleep(0.02)  # more than a tick of the file system's clock
    if how == "written":
        sso(broker, aws, token="token-of-bob")
    elif how == "moved":
        aside.rename(path)
    else:
        path.unlink()
        path.symlink_to(aside)
    assert signed_with(ask(broker, aws))["id"] == "ASIAFAKESSO" and aws.asked() == 1


def test_logout_without_token_file(broker, aws):
    sso(broker, aws)
    assert ask(broker, aws).code == 0
    token = token_path(broker).read_text()
    token_path(broker).unlink()
    broker.config(f"[profile db]\nhost = prod.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com\nuser = u\nauth = iam\naws_profile = p\n")
    env = {"AWS_ENDPOINT_URL": aws.url}
    assert broker.run("logout", "db", env=env).code == 0
    token_path(broker).write_text(token)
    assert ask(broker, aws).code == 0 and aws.asked() == 2
