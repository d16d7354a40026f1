# SPDX-License-Identifier: MIT
"""`auth = iam` with the keys of an assumed role, and a server that verifies each token with botocore: with the three
clients, for connect, exec and test; the second connection uses the cached session; the server refuses keys that it
does not know."""
import os

import pytest

from lib.aws import arn, endpoint, pair
from servers.aws_fake import keys_of
from servers.mariadb_iam import KEYS
from test_connect_iam import iam, prepare, query  # noqa: F401 (a fixture)


@pytest.fixture
def role(broker, iam, aws_fake):  # noqa: F811
    """A role whose keys the server knows; `broker.env` says where STS is."""
    fake, name = aws_fake({"sts": {"minutes": 6}}), "role-" + os.urandom(6).hex()
    keys = keys_of(name)
    broker.secret(keys["secret"].encode())
    iam.tell(keys={**KEYS, keys["id"]: {"secret": keys["secret"], "token": keys["token"]}})
    broker.env.update(endpoint(fake))
    fake.role = name
    return fake


def with_role(broker, server, fake):
    seen = prepare(broker, server, aws_profile="p")
    broker.write(".aws/config", f"[profile base]\n{pair()}[profile p]\nrole_arn = {arn(fake.role)}\nsource_profile = base\n", secret=True)
    return seen


def test_connects(broker, iam, role, client):  # noqa: F811
    seen = with_role(broker, iam, role)
    with broker.watch() as watch:
        for _ in range(2):
            done = query(broker, client)
            assert (done.code, done.errors) == (0, "") and done.text.splitlines()[0] == "app@%"
    assert [verdict.endswith("-> + ok") for verdict in iam.verdicts()[seen:]] == [True, True] and len(role.calls) == 1
    broker.assert_hidden(watch)


def test_the_other_verbs(broker, iam, role, client):  # noqa: F811
    with_role(broker, iam, role)
    done = broker.run("test", "p", "--client", client.path)
    assert done.code == 0 and f"aws profile p, static keys of base, role {role.role}\n" in done.text.splitlines(True)[0]
    done = broker.run("exec", "p", "--client", client.path, "--", client.dump, "--defaults-file={defaults-file}", "--skip-lock-tables",
                      "--no-tablespaces", "shop")
    assert done.code == 0 and "quince" in done.text and len(role.calls) == 1


def test_a_session_that_the_server_does_not_know(broker, iam, role, client):  # noqa: F811
    with_role(broker, iam, role)
    iam.tell()
    done = query(broker, client)
    assert done.code != 0 and "key" in iam.verdicts()[-1] and "-> -" in iam.verdicts()[-1]
