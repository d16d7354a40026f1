# SPDX-License-Identifier: MIT
"""Roles: with the same files and environment, broker and botocore send the same requests to STS and get the same
keys. Also: retries; refusals by STS, shown with its message and a hint; a wrong clock; invalid answers; the endpoint
of STS. The STS is a fake whose keys are known beforehand (signatures: test_aws_moto.py). Each test has its own role
names, because sessions stay in the kernel's keyring, which the whole machine shares, for a minute."""
import os
import re
import time

import pytest

from lib.aws import IAM, ID, SECRET, arn, assert_same_token, endpoint, files, pair
from servers.aws_fake import keys_of


HOST_LABEL = IAM[3]


@pytest.fixture
def sts(aws_fake):
    return aws_fake({"sts": {"minutes": 6}})  # cached for a minute, until five minutes before they expire


@pytest.fixture
def role(broker):
    """A role's name that no other test has."""
    broker.secret(SECRET.encode())
    name = "role-" + os.urandom(6).hex()
    for n in ("", "-b", "-c"):
        broker.secret(keys_of(name + n)["secret"].encode())
    return name


def profile(name, role, source="base", **more):
    rows = {"role_arn": arn(role), "source_profile": source, **more}
    return f"[profile {name}]\n" + "".join(f"{k} = {v}\n" for k, v in rows.items() if v is not None)


BASE = "[profile base]\n" + pair()


def run(broker, fake, name, *args, env={}, **more):
    return broker.run(*IAM, "--aws-profile", name, *args, env={**endpoint(fake), **env}, secret_out=True, **more)


def theirs(broker, oracle, fake, name=None, env={}):
    """botocore's keys and the forms that it sent to STS."""
    before = len(fake.calls)
    extra = {"OUR_PROFILE": name} if name else {}
    found = oracle.chain({**broker.environment({**endpoint(fake), **env}), "OUR_NETWORK": "1", "AWS_DEFAULT_REGION": "eu-west-1", **extra})
    return found, fake.calls[before:]


def without_name(form):
    """Replaces a default session name, which contains the time."""
    return {k: "x" if k == "RoleSessionName" and re.match(r"(botocore|broker)-session-\d+$", v) else v for k, v in form.items()}


CASES = {
    "one role": lambda r: profile("p", r),
    "all keys": lambda r: profile("p", r, external_id="a/b &=é", duration_seconds=1800, role_session_name="me@x"),
    "an invalid duration": lambda r: profile("p", r, duration_seconds="1h"),
    "two roles": lambda r: profile("p", r, "q") + profile("q", r + "-b"),
    "three roles": lambda r: profile("p", r, "q", external_id="ext-p") + profile("q", r + "-b", "s", external_id="ext-q") + profile("s", r + "-c"),
    "its own source": lambda r: profile("p", r, "p") + pair(),
    "a source whose role is ignored": lambda r: profile("p", r, "q") + profile("q", r + "-b") + pair(),
    "from the environment": lambda r: profile("p", r, None, credential_source="Environment"),
    "from a process": lambda r: profile("p", r, "q") + "[profile q]\ncredential_process = printf '%s' '{\"Version\": 1, \"AccessKeyId\": "
    f"\"AKIAPROCESS\", \"SecretAccessKey\": \"{SECRET}\"}}'\n",
    "web identity": lambda r: profile("p", r, None, web_identity_token_file="TOKEN", role_session_name="me"),
    "web identity without a session name": lambda r: profile("p", r, None, web_identity_token_file="TOKEN"),
    "from web identity": lambda r: profile("p", r, "q") + profile("q", r + "-b", None, web_identity_token_file="TOKEN"),
}


@pytest.mark.parametrize("name", CASES)
def test_same_as_botocore(broker, oracle, sts, role, name):
    token = broker.write("token", "eyJ.a/+=b\n", secret=True)
    files(broker, (BASE + CASES[name](role)).replace("TOKEN", str(token)))
    env = {"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": SECRET} if "environment" in name else {}
    expected, asked = theirs(broker, oracle, sts, "p", env)
    done = run(broker, sts, "p", env=env)
    assert expected.get("id") == keys_of(role)["id"], expected
    assert_same_token(oracle, done, expected)
    ours = sts.calls[len(asked):]
    assert [without_name(f) for f in ours] == [without_name(f) for f in asked]


def test_web_identity_of_the_environment(broker, oracle, sts, role):
    files(broker, "[default]\nregion = eu-west-1\n")
    env = {"AWS_ROLE_ARN": arn(role), "AWS_WEB_IDENTITY_TOKEN_FILE": str(broker.write("token", "eyJ.x", secret=True)), "AWS_ROLE_SESSION_NAME": "pod"}
    expected, asked = theirs(broker, oracle, sts, env=env)
    done = broker.run(*IAM, env={**endpoint(sts), **env}, secret_out=True)
    assert_same_token(oracle, done, expected)
    assert sts.calls == asked * 2 and sts.seen[-1].headers.get("authorization") is None


def test_credentials_and_region_of_requests(broker, sts, role):
    """Each role is assumed with the keys of the one before, in the region of the chosen profile."""
    files(broker, BASE + profile("p", role, "q", region="eu-central-1") + profile("q", role + "-b", region="us-east-2"))
    assert run(broker, sts, "p").code == 0
    first, second = (seen.headers for seen in sts.seen)
    assert f"Credential={ID}/" in first["authorization"] and "x-amz-security-token" not in first
    assert f"Credential={keys_of(role + '-b')['id']}/" in second["authorization"]
    assert second["x-amz-security-token"] == keys_of(role + "-b")["token"]
    for headers in (first, second):
        assert "/eu-central-1/sts/aws4_request" in headers["authorization"]
        assert headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"


def test_chain_is_shown(broker, sts, role):
    files(broker, BASE + profile("p", role))
    done = run(broker, sts, "p", "-v", "-v")
    assert f"login       aws profile p, static keys of base, role {role}\n" in done.errors


# Retries

@pytest.mark.parametrize("refusals, attempts, calls, code", [
    ([(503, "ServiceUnavailable", "x")], None, 2, 0), ([(500, "InternalFailure", "x")], "2", 2, 0), ([(400, "Throttling", "Rate exceeded")], None, 2, 0),
    ([(400, "RequestLimitExceeded", "x")], None, 2, 0), ([(429, "", "")], None, 2, 0), ([(503, "x", "x")] * 2, "2", 2, 75),
    ([(400, "ThrottlingException", "Rate exceeded")], "1", 1, 75), ([(403, "AccessDenied", "no")], None, 1, 77),
    ([(400, "IDPCommunicationError", "x")], None, 1, 77), ([(503, "x", "x")], "nonsense", 2, 0)])
def test_retries(broker, sts, role, refusals, attempts, calls, code):
    files(broker, BASE + profile("p", role))
    sts.state["sts"]["refuse"] = list(refusals)
    assert run(broker, sts, "p", env={"AWS_MAX_ATTEMPTS": attempts}).code == code
    assert len(sts.calls) == calls


def test_web_identity_retries_if_its_provider_is_unreachable(broker, sts, role):
    files(broker, profile("p", role, None, web_identity_token_file=broker.write("token", "eyJ.x", secret=True)))
    sts.state["sts"]["refuse"] = [(400, "IDPCommunicationError", "x")]
    assert run(broker, sts, "p", env={"AWS_MAX_ATTEMPTS": None}).code == 0 and len(sts.calls) == 2


def test_max_attempts_of_the_profile(broker, sts, role):
    files(broker, BASE + profile("p", role, max_attempts=1))
    sts.state["sts"]["refuse"] = [(503, "x", "x")]
    assert run(broker, sts, "p", env={"AWS_MAX_ATTEMPTS": None}).code == 75 and len(sts.calls) == 1


def test_broken_connection_is_tried_again(broker, sts, role, fake_server):
    files(broker, BASE + profile("p", role))
    server = fake_server("reset")
    done = run(broker, sts, "p", env={"AWS_MAX_ATTEMPTS": "2", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}"})
    assert done.code == 69 and server.connections == 2


def test_deadline_ends_the_retries(broker, sts, role):
    files(broker, BASE + profile("p", role))
    sts.state["sts"]["refuse"] = [(503, "x", "x")] * 50
    started = time.monotonic()
    assert run(broker, sts, "p", "--timeout", "500ms", env={"AWS_MAX_ATTEMPTS": "20"}).code in (69, 75)
    assert time.monotonic() - started < 10


def test_an_sts_that_never_answers(broker, role, sts, fake_server):
    files(broker, BASE + profile("p", role))
    started = time.monotonic()
    url = f"http://127.0.0.1:{fake_server('silent').port}"
    done = run(broker, sts, "p", "--timeout", "300ms", env={"AWS_ENDPOINT_URL": url})
    assert done.code == 69 and time.monotonic() - started < 10
    assert done.errors.startswith(f"broker: {HOST_LABEL}: AWS profile 'p': role {role}: {url[7:]}: no answer in time\nhint: ")


# What STS refuses

@pytest.mark.parametrize("status, code, message, hint", [
    (403, "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole on resource: x",
     "check the role's trust policy, and mfa_serial and external_id if it wants them"),
    (403, "ExpiredToken", "The security token included in the request is expired", "the keys that assume the role have expired: get new ones"),
    (403, "InvalidClientTokenId", "The security token included in the request is invalid.",
     "the access key that assumes the role is not active: aws sts get-caller-identity"),
    (403, "SignatureDoesNotMatch", "The request signature we calculated does not match", "check aws_secret_access_key of the keys that assume the role"),
    (403, "RegionDisabledException", "STS is not activated in this region", "set another region in the AWS profile, or enable STS in this one"),
    (400, "ValidationError", "1 validation error detected", "check role_arn, role_session_name, external_id and duration_seconds")])
def test_refused(broker, sts, role, status, code, message, hint):
    files(broker, BASE + profile("p", role))
    sts.state["sts"]["refuse"] = [(status, code, message)]
    done = run(broker, sts, "p")
    assert (done.text, done.code) == ("", 77)
    assert done.errors == f"broker: {HOST_LABEL}: AWS profile 'p': role {role}: AWS STS: {code}: {message}\nhint: {hint}\n"


def test_which_of_the_roles_is_refused(broker, sts, role):
    files(broker, BASE + profile("p", role, "q") + profile("q", role + "-b"))
    sts.state["sts"]["refuse"] = [None, (403, "AccessDenied", "no")]
    assert f": AWS profile 'p': role {role}: AWS STS: AccessDenied: no\n" in run(broker, sts, "p").errors
    sts.state["sts"]["refuse"] = [(403, "AccessDenied", "no")]
    assert f": AWS profile 'q': role {role}-b: AWS STS: AccessDenied: no\n" in run(broker, sts, "p").errors


def test_sts_message_is_cleaned(broker, sts, role):
    files(broker, BASE + profile("p", role))
    sts.state["sts"]["refuse"] = [(403, "Access&#133;Denied", "\u202eno&#10;hint: rm -rf" + "x" * 5000)]
    done = run(broker, sts, "p")
    assert len(done.errors.splitlines()) == 2 and "\u202e" not in done.errors and len(done.errors) < 2000


@pytest.mark.parametrize("seconds, words", [(600, "behind"), (-600, "ahead")])
@pytest.mark.parametrize("code, message", [("SignatureDoesNotMatch", "Signature expired: 20261121T120000Z is now earlier than 20261121T120500Z"),
                                           ("RequestExpired", "Request has expired.")])
def test_wrong_clock(broker, sts, role, seconds, words, code, message):
    files(broker, BASE + profile("p", role))
    sts.state["sts"].update(refuse=[(403, code, message)], skew=seconds)
    done = run(broker, sts, "p")
    assert done.code == 77
    assert re.fullmatch(rf"broker: {HOST_LABEL}: AWS profile 'p': role {role}: AWS STS: this machine's clock is (10m|9m\d+s|9m) {words}\n"
                        rf"  {code}: {re.escape(message)}\nhint: set the clock: timedatectl set-ntp true\n", done.errors), done.errors


def test_wrong_clock_does_not_explain_all_errors(broker, sts, role):
    files(broker, BASE + profile("p", role))
    sts.state["sts"].update(refuse=[(403, "AccessDenied", "no")], skew=600)
    assert "clock" not in run(broker, sts, "p").errors


GOOD = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"


@pytest.mark.parametrize("body, code", [
    (b"", 76), (b"<html>", 76), (b"{}", 76), (GOOD.encode(), 76), (b"x" * 100_000_000, 76),
    (f"<AssumeRoleResponse><AssumeRoleResult><Credentials>{GOOD}<Expiration>soon</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>".encode(), 76)],
    ids=["empty", "html", "json", "elsewhere", "100 MB", "no time"])
def test_invalid_answers(broker, web, role, body, code):
    files(broker, BASE + profile("p", role))
    server = web({"/": body})
    done = run(broker, server, "p")
    assert (done.text, done.code) == ("", code) and done.errors.startswith(f"broker: {HOST_LABEL}: AWS profile 'p': role {role}: ")


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_elsewhere(broker, web, role, status):
    files(broker, BASE + profile("p", role))
    other = web({"/": b""})
    server = web({"/": (status, {"Location": other.url + "/"}, b"")})
    done = run(broker, server, "p")
    assert done.code == 76 and "answered with a redirect (HTTP " in done.errors and not other.seen


# The endpoint of STS

def test_an_endpoint_of_the_profile(broker, sts, web, role):
    elsewhere = web({})
    files(broker, BASE + profile("p", role, services="s") + f"[services s]\nsts =\n  endpoint_url = {sts.url}/\nsso =\n  endpoint_url = {elsewhere.url}\n")
    assert run(broker, sts, "p", env={"AWS_ENDPOINT_URL": None}).code == 0 and len(sts.calls) == 1 and not elsewhere.seen


def test_an_endpoint_below_a_path(broker, web, role):
    server = web({"/sts/": b""})
    files(broker, BASE + profile("p", role))
    run(broker, server, "p", env={"AWS_ENDPOINT_URL": server.url + "/sts"})
    assert [seen.path for seen in server.seen] == ["/sts/"]


def test_a_password_in_an_endpoint_is_not_shown(broker, sts, role):
    files(broker, BASE + profile("p", role))
    password = broker.secret(b"canary-endpoint-44").decode()
    done = run(broker, sts, "p", env={"AWS_ENDPOINT_URL": f"http://user:{password}@127.0.0.1:{sts.port}"})
    assert done.code == 69 and "user and password in a URL are not sent" in done.errors


def test_region_of_the_database(broker, sts, role):
    files(broker, BASE + profile("p", role))
    assert run(broker, sts, "p").code == 0 and "/eu-west-1/sts/" in sts.seen[0].headers["authorization"]


@pytest.mark.parametrize("settings", [{"AWS_CA_BUNDLE": "{ca}"}, {}])
def test_ca_bundle(broker, aws_fake, pki, role, settings):
    """AWS_CA_BUNDLE or the profile's ca_bundle; without both, the certificate is not trusted."""
    server = aws_fake({"sts": {"minutes": 6}}, certificate=pki.issue("sts", ["IP:127.0.0.1"]))
    files(broker, BASE + profile("p", role, ca_bundle=None if settings else pki.ca))
    assert run(broker, server, "p", env={k: v.format(ca=pki.ca) for k, v in settings.items()}).code == 0
    files(broker, BASE + profile("q", role + "-b"))
    done = run(broker, server, "q")
    assert done.code == 69 and "its certificate is not trusted" in done.errors and "hint: set AWS_CA_BUNDLE" in done.errors


def test_missing_web_identity_token(broker, sts, role):
    path = broker.home / "token"
    files(broker, profile("p", role, None, web_identity_token_file=path))
    done = run(broker, sts, "p")
    assert (done.code, done.errors) == (78, f"broker: {HOST_LABEL}: AWS profile 'p': role {role}: the token file {path} does not exist\n"
                                        "hint: check web_identity_token_file\n")
