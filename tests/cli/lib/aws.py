# SPDX-License-Identifier: MIT
"""Helpers for the tests of AWS credentials: files in the test's home, obviously fake keys, and a parser of tokens."""
import os
from urllib.parse import parse_qsl

from .clock import need_movable

HOST = "prod.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com"
ID, SECRET = "AKIAFAKEFAKEFAKE0001", "fake/secret+of=a0key1that2nobody3has4000"
KEYS = {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}


def pair(id=ID, secret=SECRET, **more):
    """The lines of an access key in an AWS file; a value of None is left out."""
    rows = {"aws_access_key_id": id, "aws_secret_access_key": secret, **more}
    return "".join(f"{key} = {value}\n" for key, value in rows.items() if value is not None)


def files(broker, config=None, credentials=None):
    """Writes ~/.aws/config and ~/.aws/credentials (text or bytes); None leaves a file out."""
    for name, data in (("config", config), ("credentials", credentials)):
        if data is not None:
            broker.write(f".aws/{name}", data, secret=True)


def token(text):
    """(HOST:PORT, {parameter: value}) of a token."""
    place, _, query = text.partition("/?")
    return place, dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))


def alias_warning(host):
    """The warning for a token that is signed for a host outside RDS."""
    return (f"broker: warning: {host}: not a name of RDS, which accepts tokens for its own names only\n"
            "hint: set sign_host to the server's name in RDS\n")


def fixed_clock(broker, stamp):
    """wrap and env for broker.run(), so that the program sees the UTC time STAMP, such as "2015-08-30 12:36:00"."""
    need_movable()
    options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return {"wrap": ["/usr/bin/faketime", "-f", stamp], "env": {"TZ": "UTC", "ASAN_OPTIONS": options}}


def at_rename(what):
    """wrap and env for broker.run(), so that strace injects WHAT (in its own syntax) into rename()."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"  # not possible under strace
    return {"wrap": ["/usr/bin/strace", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e", f"inject=rename:{what}"],
            "env": {"ASAN_OPTIONS": options}}


# Against servers/aws_fake.py

IAM = ("token", "--iam", "--host", HOST, "--user", "app")


def arn(role):
    return f"arn:aws:iam::123456789012:role/{role}"


def endpoint(fake, **more):
    """The environment in which FAKE serves every AWS service, and no request is retried."""
    return {"AWS_ENDPOINT_URL": fake.url, "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true", **more}


def signed_with(done):
    """{"id", "token"} of the access key that the printed token was signed with."""
    assert done.code == 0, done.errors
    query = token(done.text.rstrip("\n"))[1]
    return {"id": query["X-Amz-Credential"].split("/")[0], "token": query.get("X-Amz-Security-Token")}


def assert_same_token(oracle, done, keys):
    """The printed token is the one that botocore signs with these keys ("id", "secret", "token") at the same time."""
    stamp = token(done.text.rstrip("\n"))[1]["X-Amz-Date"]
    assert done.text.rstrip("\n") == oracle.token(host=HOST, port=3306, user="app", region="eu-west-1", id=keys["id"],
                                                  secret=keys["secret"], session=keys["token"], time=stamp)
