# SPDX-License-Identifier: MIT
"""The names that the AWS CLI gives to its cache files: a file with such a name is found and used. The digests are from
botocore's own tests, or (marked as computed) from botocore 1.43.11."""

import hashlib
import json

import pytest

from lib.aws import IAM, SECRET, endpoint, files, pair, signed_with
from servers.aws_fake import iso

START = "https://d-92671207e4.awsapps.com/start"
TOKEN = "canary-cache-token-66e1b0"
ROLES = {  # computed; such files are used only for roles with a second factor
    "1485cf042839396a6b17dc87e06487e47409aded": {
        "role_arn": "myrole",
        "mfa_serial": "arn:aws:iam::123456789012:mfa/dev",
    },
    "c7acd44d1fd4eb159509352ef001ac49adb2a1b5": {
        "role_arn": "myrole",
        "role_session_name": "my_session_name",
        "mfa_serial": "GAHT12345678",
    },
    "81ac2f882ae018e8eb6e4f07f490c5adff672537": {
        "role_arn": "arn:aws:iam::123456789012:role/db",
        "external_id": "ex/1",
        "duration_seconds": 3600,
        "mfa_serial": "arn:aws:iam::123456789012:mfa/dev",
    },
}
SSO_ROLES = {
    "048db75bbe50955c16af7aba6ff9c41a3131bb7e": {
        "sso_start_url": START,
        "sso_role_name": "test-role",
        "sso_account_id": "1234567890",
    },
    "fcb5c94becb497a7178b661ca313bcb284b82607": {
        "sso_session": "corp",
        "sso_role_name": "DbReader",
        "sso_account_id": "123456789012",
    },  # computed
}
TOKENS = {
    "d033e22ae348aeb5660fc2140aec35850c4da997": {"sso_session": "admin"},
    "13f9d35043871d073ab260e020f0ffde092cb14b": {"sso_start_url": START},
}


def profile(rows):
    session = (
        f"[sso-session {rows['sso_session']}]\nsso_start_url = {START}\nsso_region = eu-west-1\n"
        if "sso_session" in rows
        else ""
    )
    region = "" if session else "sso_region = eu-west-1\n"
    return (
        "[profile p]\nregion = eu-west-1\n"
        + region
        + "".join(f"{k} = {v}\n" for k, v in rows.items())
        + session
        + f"[profile base]\n{pair()}"
    )


def run(broker, fake, keyring):
    return broker.run(*IAM, "--aws-profile", "p", env=endpoint(fake), secret_out=True, wrap=keyring.wrap)


@pytest.mark.parametrize("name", [*ROLES, *SSO_ROLES])
def test_role_keys(broker, aws_fake, keyring, name):
    fake = aws_fake()
    broker.secret(SECRET.encode())
    rows = {**ROLES[name], "source_profile": "base"} if name in ROLES else SSO_ROLES[name]
    files(broker, profile(rows))
    keys = {
        "AccessKeyId": "ASIAFAKECLICACHE",
        "SecretAccessKey": SECRET,
        "SessionToken": TOKEN,
        "Expiration": iso(3600),
    }
    if name in SSO_ROLES:  # these keys are used only if they are newer than the SSO token
        token = hashlib.sha1(rows.get("sso_session", START).encode()).hexdigest()
        broker.write(f".aws/sso/cache/{token}.json", json.dumps({"accessToken": TOKEN, "expiresAt": iso(3600)}), secret=True)
    broker.write(f".aws/cli/cache/{name}.json", json.dumps({"Credentials": keys}), secret=True)
    assert signed_with(run(broker, fake, keyring)) == {"id": "ASIAFAKECLICACHE", "token": TOKEN} and not fake.seen


@pytest.mark.parametrize("name", TOKENS)
def test_sso_token(broker, aws_fake, keyring, name):
    broker.secret(TOKEN.encode())
    fake = aws_fake({"sso": {"access_tokens": [TOKEN], "creds": {"123456789012/r": {}}}})
    files(broker, profile({**TOKENS[name], "sso_role_name": "r", "sso_account_id": "123456789012"}))
    broker.write(f".aws/sso/cache/{name}.json", json.dumps({"accessToken": TOKEN, "expiresAt": iso(3600)}), secret=True)
    assert signed_with(run(broker, fake, keyring))["id"] == "ASIAFAKESSO"
