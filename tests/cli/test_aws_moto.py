# SPDX-License-Identifier: MIT
"""Roles with an independent STS that verifies each signature (moto), and through an HTTPS proxy that answers for
AWS's own host names (moto_proxy): default endpoints, AWS_CA_BUNDLE, HTTPS_PROXY with a password. Each test has its
own session names, so that it finds no cached session in the kernel's keyring."""
import os
import re

import pytest

from lib.aws import IAM, files, pair, signed_with
from servers.moto import ACCOUNT


def config(server, *roles, id=None, secret=None, partition="aws", **more):
    """[profile p] has the last of the roles; each role is assumed with the keys of the one before."""
    text = "[profile base]\n" + pair(id or server.id, secret or server.secret)
    unique, before = os.urandom(6).hex(), "base"
    for i, role in enumerate(roles):
        name = "p" if i == len(roles) - 1 else f"p{i}"
        rows = {"role_arn": f"arn:{partition}:iam::{ACCOUNT}:role/{role}", "source_profile": before, "role_session_name": unique,
                "duration_seconds": 900, **more}
        text += f"[profile {name}]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items())
        before = name
    return text


def run(broker, *args, **env):
    return broker.run(*IAM, "--aws-profile", "p", *args, env={"AWS_MAX_ATTEMPTS": "1", **env}, secret_out=True)


@pytest.fixture
def shop(broker, request):
    for name in ("moto", "moto_proxy"):
        if name in request.fixturenames:
            broker.secret(request.getfixturevalue(name).secret.encode())
    return broker


@pytest.mark.parametrize("roles", [["reader"], ["reader", "writer"], ["reader", "writer", "admin", "reader"]])
def test_signatures_are_right(shop, moto, roles):
    files(shop, config(moto, *roles))
    done = run(shop, AWS_ENDPOINT_URL_STS=moto.url)
    assert signed_with(done)["id"].startswith("ASIA") and signed_with(done)["token"]


@pytest.mark.parametrize("more", [{"external_id": "a/+=,.@:-_"}, {"external_id": "x" * 1224}, {"region": "ap-southeast-2"}])
def test_signatures_of_odd_requests(shop, moto, more):
    files(shop, config(moto, "reader", **more))
    assert run(shop, AWS_ENDPOINT_URL=moto.url + "/").code == 0


@pytest.mark.parametrize("wrong, code, hint", [
    ({"secret": "fake+wrong/secret"}, "SignatureDoesNotMatch", "check aws_secret_access_key of the keys that assume the role"),
    ({"id": "AKIAFAKENOBODY"}, "InvalidClientTokenId", "the access key that assumes the role is not active: aws sts get-caller-identity")])
def test_wrong_keys(shop, moto, wrong, code, hint):
    files(shop, config(moto, "reader", **wrong))
    done = run(shop, AWS_ENDPOINT_URL=moto.url)
    assert (done.code, done.text) == (77, "")
    assert re.fullmatch(rf"broker: \S+: AWS profile 'p': role reader: AWS STS: {code}: [^\n]+\nhint: {hint}\n", done.errors), done.errors


def by_proxy(proxy, **more):
    return {"HTTPS_PROXY": proxy.url, "AWS_CA_BUNDLE": str(proxy.ca), **more}


@pytest.mark.parametrize("more, args, env, host", [
    ({}, [], {}, "sts.eu-west-1.amazonaws.com"), ({"region": "ap-southeast-2"}, [], {}, "sts.ap-southeast-2.amazonaws.com"),
    ({"region": "eu-central-1"}, [], {"AWS_REGION": "us-west-2"}, "sts.us-west-2.amazonaws.com"),
    ({"region": "us-east-1", "use_fips_endpoint": "true"}, [], {}, "sts-fips.us-east-1.amazonaws.com"),
    ({"partition": "aws-us-gov"}, ["--region", "us-gov-west-1"], {"AWS_REGION": "eu-west-1"}, "sts.us-gov-west-1.amazonaws.com"),
    ({"partition": "aws-cn", "region": "cn-north-1"}, ["--region", "cn-north-1"], {}, "sts.cn-north-1.amazonaws.com.cn")])
def test_default_hosts_through_a_proxy(shop, moto_proxy, more, args, env, host):
    files(shop, config(moto_proxy, "reader", **more))
    done = run(shop, *args, **by_proxy(moto_proxy), **env)
    assert "fips" in host or signed_with(done)["id"].startswith("ASIA")  # moto does not know the FIPS host
    assert moto_proxy.log.read_text().strip().splitlines()[-1].endswith(f" https://{host}/")


def test_same_as_botocore_through_a_proxy(shop, oracle, moto_proxy):
    files(shop, config(moto_proxy, "reader", "writer", region="eu-west-1"))
    env = {**shop.environment(by_proxy(moto_proxy)), "AWS_DEFAULT_REGION": "eu-west-1", "OUR_NETWORK": "1", "OUR_PROFILE": "p"}
    before = len(moto_proxy.log.read_text().splitlines())
    expected = oracle.chain(env)
    asked = moto_proxy.log.read_text().splitlines()[before:]
    done = run(shop, **by_proxy(moto_proxy))
    ours = moto_proxy.log.read_text().splitlines()[before + len(asked):]
    assert expected["method"] == "assume-role" and signed_with(done)["id"][:4] == expected["id"][:4] == "ASIA"
    assert [line.split()[-1] for line in ours] == [line.split()[-1] for line in asked] == ["https://sts.eu-west-1.amazonaws.com/"] * 2


def test_proxy_password_is_hidden(shop, moto_proxy):
    """The password is used, but it is in no process's arguments and in no output."""
    password = shop.secret(b"canary-proxy-7d1e").decode()
    files(shop, config(moto_proxy, "reader"))
    with shop.watch() as watch:
        done = run(shop, "-v", "-v", **by_proxy(moto_proxy, HTTPS_PROXY=f"http://dev:{password}@127.0.0.1:{moto_proxy.port}"))
    assert done.code == 0
    assert not [argv for argv in watch.argv if password.encode() in argv]
    for url in ("http://dev:{}@127.0.0.1:1", "http://dev:{}@nowhere.test.invalid:1", "nonsense://dev:{}@127.0.0.1"):
        files(shop, config(moto_proxy, "reader"))
        done = run(shop, "-v", "-v", **by_proxy(moto_proxy, HTTPS_PROXY=url.format(password)))
        assert done.code == 69 and "hint: check the network, and HTTPS_PROXY" in done.errors


def test_untrusted_ca_of_a_proxy(shop, moto_proxy):
    files(shop, config(moto_proxy, "reader"))
    done = run(shop, **by_proxy(moto_proxy, AWS_CA_BUNDLE=None))
    assert done.code == 69 and "sts.eu-west-1.amazonaws.com: its certificate is not trusted: " in done.errors
    assert done.errors.endswith("hint: set AWS_CA_BUNDLE to a PEM file with the CA certificate of your proxy\n")


@pytest.mark.parametrize("bundle", ["/nowhere.pem", "~/empty"])
def test_invalid_ca_bundle(shop, moto_proxy, bundle):
    shop.write("empty", "")
    files(shop, config(moto_proxy, "reader"))
    done = run(shop, **by_proxy(moto_proxy, AWS_CA_BUNDLE=bundle))
    assert done.code == 69 and "the file of CA certificates cannot be read\nhint: " in done.errors
