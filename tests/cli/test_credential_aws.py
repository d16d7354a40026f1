# SPDX-License-Identifier: MIT
"""broker as a credential_process: what it prints, how long the keys are valid, and a chain that refers to itself.
The AWS CLI runs it as it would for a user."""
import json
import os
import time

import pytest

from lib.aws import HOST, ID, KEYS, SECRET, arn, endpoint, files, pair, token
from lib.helpers import NAMES
from servers.aws_fake import keys_of

CLI = "/usr/bin/aws"
PROFILE = f"[profile prod]\nhost = {HOST}\nuser = app\nauth = iam\n"


@pytest.fixture
def prod(broker):
    broker.secret(SECRET.encode())
    broker.config(PROFILE)
    return broker


def process(broker, *words, **more):
    return broker.run("credential", "aws", *words, secret_out=True, **more)


def test_static_keys(prod):
    files(prod, credentials="[default]\n" + pair())
    done = process(prod, "prod")
    assert done.out == json.dumps({"Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET}, separators=(",", ":")).encode() + b"\n"


def test_keys_of_the_environment(prod):
    done = process(prod, "prod", env={**KEYS, "AWS_SESSION_TOKEN": "fake-token"})
    assert json.loads(done.out)["SessionToken"] == "fake-token"


def test_called_by_its_own_name(prod, bare_broker):
    named = bare_broker(NAMES / "broker-credential-process")
    named.config(PROFILE)
    done = named.run("prod", env=KEYS, secret_out=True)
    assert json.loads(done.out)["AccessKeyId"] == ID


@pytest.fixture
def role(prod):
    name = "role-" + os.urandom(6).hex()
    prod.secret(keys_of(name)["secret"].encode())
    files(prod, f"[profile r]\nrole_arn = {arn(name)}\nsource_profile = base\n[profile base]\n" + pair())
    prod.config(PROFILE + "aws_profile = r\n")
    return name


def test_a_role(prod, role, aws_fake):
    sts = aws_fake({"sts": {"minutes": 60}})
    first = json.loads(process(prod, "prod", env=endpoint(sts)).out)
    assert (first["AccessKeyId"], first["SessionToken"]) == (keys_of(role)["id"], keys_of(role)["token"])
    assert [first["Expiration"]] == sts.ends and first["AccountId"] == "123456789012"
    assert json.loads(process(prod, "prod", env=endpoint(sts)).out) == first and len(sts.calls) == 1


def test_cached_keys_that_expire_soon_are_fetched_again(prod, role, aws_fake):
    """SDKs ask again from 15 minutes before the expiry: they would ask each time and get the same keys."""
    state = {"sts": {"minutes": 10}}
    sts = aws_fake(state)
    process(prod, "prod", env=endpoint(sts))
    assert prod.run("token", "prod", env=endpoint(sts), secret_out=True).code == 0 and len(sts.calls) == 1
    process(prod, "prod", env=endpoint(sts))
    assert len(sts.calls) == 2
    state["sts"] = {"minutes": 60}
    process(prod, "prod", env=endpoint(sts))
    process(prod, "prod", env=endpoint(sts))
    assert len(sts.calls) == 3


def test_cached_keys_that_expire_soon_are_used_if_sts_refuses(prod, role, aws_fake):
    """If new keys cannot be fetched, or only with the user's help, the cached ones are used."""
    state = {"sts": {"minutes": 10}}
    sts = aws_fake(state)
    kept = json.loads(process(prod, "prod", env=endpoint(sts)).out)
    state["sts"] = {"refuse": [(403, "AccessDenied", "no")] * 9}
    assert json.loads(process(prod, "prod", env=endpoint(sts)).out) == kept


def test_no_prompt_for_an_mfa_code(prod, role, aws_fake):
    sts = aws_fake({"sts": {"minutes": 60, "mfa": {"arn:aws:iam::123456789012:mfa/me": "123456"}}})
    files(prod, f"[profile r]\nrole_arn = {arn(role)}\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n[profile base]\n" + pair())
    done = process(prod, "prod", env=endpoint(sts), tty=True)
    assert (done.code, done.out, done.tty) == (79, b"", b""), done.errors


@pytest.mark.parametrize("config, words, code, message", [
    (PROFILE, [], 64, "which profile?"), (PROFILE, ["nobody"], 78, "nobody: no such profile"),
    ("[profile prod]\nhost = h\nuser = u\nauth = env\nauth_env = X\n", ["prod"], 78, "auth = env has no AWS keys"),
])
def test_errors(broker, config, words, code, message):
    broker.config(config)
    done = process(broker, *words)
    assert (done.code, done.out) == (code, b"") and message in done.errors


def test_chain_that_refers_to_itself(prod):
    """broker neither hangs nor starts more and more processes: the second one reports the error."""
    prod.config(PROFILE + "aws_profile = loop\n")
    files(prod, f"[profile loop]\ncredential_process = {prod.program} credential aws prod\n")
    for words in (["credential", "aws", "prod"], ["token", "prod"]):
        start = time.monotonic()
        done = prod.run(*words)
        assert done.code == 77 and "prod: its AWS credentials come from itself" in done.errors
        assert time.monotonic() - start < 30


def test_chain_through_another_profile_is_no_loop(prod):
    prod.config(PROFILE + "aws_profile = outer\n" + PROFILE.replace("prod]", "base]") + "aws_profile = inner\n")
    files(prod, f"[profile outer]\ncredential_process = {prod.program} credential aws base\n[profile inner]\n" + pair())
    assert json.loads(process(prod, "prod").out)["AccessKeyId"] == ID


def test_the_aws_cli_uses_it(prod, bare_broker, role, aws_fake):
    """The CLI signs with the role's keys that broker gave."""
    if not os.access(CLI, os.X_OK):
        pytest.skip("missing: awscli")
    sts = aws_fake({"sts": {"minutes": 60}})
    config = (prod.home / ".aws/config").read_text()
    files(prod, config + f"[profile via]\ncredential_process = {prod.program} credential aws prod\n")
    cli = bare_broker(CLI)
    env = {**prod.env, **endpoint(sts)}
    done = cli.run("rds", "generate-db-auth-token", "--profile", "via", "--region", "eu-west-1", "--hostname", HOST, "--port", "3306",
                   "--username", "app", env=env, secret_out=True, timeout=120)
    assert done.code == 0, done.errors
    query = token(done.text.strip())[1]
    assert query["X-Amz-Credential"].split("/")[0] == keys_of(role)["id"]
    assert query["X-Amz-Security-Token"] == keys_of(role)["token"]
