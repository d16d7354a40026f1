# SPDX-License-Identifier: MIT
"""Container and instance credentials from a strict fake of both services: the same keys as botocore finds; the rules
for the address and for the token; a service that does not exist, never answers, starts slowly or refuses; no proxy
is used. The real link-local addresses are tested in a network namespace in which the fake listens on them."""
import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from lib.aws import HOST, IAM, arn, assert_same_token, files, signed_with
from servers.aws_fake import iso, keys_of

ECS = {"id": "ASIAFAKEECS", "secret": "fake+secret/of+ecs", "token": "fake+token/of+ecs"}
IMDS = {"id": "ASIAFAKEIMDS", "secret": "fake+secret/of+imds", "token": "fake+token/of+imds"}
NO_KEYS = f"broker: {HOST}: no AWS credentials in the environment or in AWS profile 'default'\n"
NO_KEYS_HINT = "hint: aws_profile = NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or: aws configure\n"


@pytest.fixture
def shop(broker):
    broker.secret(ECS["secret"].encode())
    broker.secret(IMDS["secret"].encode())
    return broker


@pytest.fixture
def fake(aws_fake):
    return aws_fake({})


def container(fake, **more):
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/ecs/x", **more}


def instance(fake, **more):
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.url + "/", **more}


def run(broker, env, *args, **more):
    return broker.run(*IAM, *args, env=env, secret_out=True, **more)


def theirs(broker, oracle, env):
    return oracle.chain({**broker.environment(env), "OUR_NETWORK": "1", "AWS_EC2_METADATA_DISABLED": env.get("AWS_EC2_METADATA_DISABLED", "false")})


# Containers

@pytest.mark.parametrize("auth, more", [(None, {}), ("Bearer x/+=", {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer x/+="}),
                                        ("by file", {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "no"})])
def test_a_container(shop, oracle, fake, auth, more):
    fake.state["ecs"] = {"auth": auth}
    path = shop.write("token", "by file")
    env = container(fake, **{k: str(path) if v == "FILE" else v for k, v in more.items()})
    expected = theirs(shop, oracle, env)
    done = run(shop, env)
    assert {k: expected.get(k) for k in ECS} == ECS, expected
    assert_same_token(oracle, done, expected)
    assert fake.seen[-1].headers["accept"] == "application/json" and fake.seen[-1].path == "/ecs/x"


def test_token_file_is_read_each_time(shop, fake):
    for value in ("one", "two"):
        fake.state["ecs"] = {"auth": value}
        assert run(shop, container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(shop.write("token", value)))).code == 0


@pytest.mark.parametrize("value", ["x\r\nX-Other: y", "x\n", "\n"])
@pytest.mark.parametrize("by_file", [True, False])
def test_token_with_a_newline(shop, oracle, fake, value, by_file):
    name = "AWS_CONTAINER_AUTHORIZATION_TOKEN" + ("_FILE" if by_file else "")
    env = container(fake, **{name: str(shop.write("token", value)) if by_file else value})
    done = run(shop, env)
    if not by_file and not value.strip():
        assert done.code == 0 and "authorization" not in fake.seen[0].headers  # only white space counts as unset, as everywhere
        return
    assert (done.code, fake.seen) == (78, []) and f"{name} has no usable token" in done.errors and "\nhint: " in done.errors
    assert "error" in theirs(shop, oracle, env)


def test_missing_token_file(shop, fake):
    done = run(shop, container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="/nowhere"))
    assert done.code == 78 and done.errors.endswith("/nowhere does not exist\nhint: check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\n")


@pytest.mark.parametrize("uri, good", [
    ("http://localhost:{port}/ecs", True), ("http://127.0.0.1:{port}/ecs", True), ("https://example.test.invalid/ecs", True),
    ("http://example.test.invalid/ecs", False), ("http://127.0.0.1.example.test.invalid/", False), ("http://169.254.170.1/", False),
    ("http://localhost@example.test.invalid/", False), ("http://[::ffff:10.0.0.1]/", False), ("http://10.0.0.1/", False),
    ("ftp://localhost/", False), ("localhost/ecs", False), ("http:///ecs", False), ("http://localhost:99999/", False)])
def test_container_urls(shop, fake, uri, good):
    """Plain http is allowed only to this machine and to the fixed addresses of AWS."""
    done = run(shop, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri.format(port=fake.port)})
    assert (done.code != 78) == good and (good or "AWS_CONTAINER_CREDENTIALS_FULL_URI: " in done.errors), done
    assert (done.code == 0) == ("{port}" in uri and good)


def test_a_containers_certificate(shop, aws_fake, pki):
    server = aws_fake({}, certificate=pki.issue("ecs", ["IP:127.0.0.1"]))
    assert "its certificate is not trusted" in run(shop, container(server)).errors


@pytest.mark.parametrize("status, often, code, tries", [(503, 1, 0, 2), (500, 9, 77, 3), (404, 9, 77, 1)])
def test_a_containers_service_that_fails(shop, fake, status, often, code, tries):
    fake.state["ecs"] = {"fail": {"/ecs/x": [status, often]}}
    done = run(shop, container(fake))
    assert done.code == code and len(fake.seen) == tries


def test_a_container_is_refused(shop, fake):
    fake.state["ecs"] = {"auth": "other"}
    done = run(shop, container(fake))
    assert (done.code, done.errors) == (77, f"broker: {HOST}: container credentials: AccessDenied: bad token\n"
                                        "hint: check AWS_CONTAINER_CREDENTIALS_* and AWS_CONTAINER_AUTHORIZATION_TOKEN*\n")


@pytest.mark.parametrize("body, words", [
    (b'{"Code": "Nope", "Message": "no role\\nhint: x"}', "Nope: no role?hint: x"), (b'{"Message": "no task"}', "no task"),
    (b'{"message": "no pod"}', "no pod"), (b"nothing", "HTTP 400")])
def test_a_containers_message(shop, web, body, words):
    done = run(shop, container(web({"/ecs/x": (400, {}, body)})))
    assert (done.code, done.errors.splitlines()[0]) == (77, f"broker: {HOST}: container credentials: {words}")


def test_no_container_service(shop):
    done = run(shop, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"}, "--timeout", "5s")
    assert done.code == 69 and "container credentials: 127.0.0.1:1: connection refused\nhint: is this a container" in done.errors


@pytest.mark.parametrize("creds, code", [
    ({"AccessKeyId": "A"}, 76), ({"AccessKeyId": "", "SecretAccessKey": "s"}, 76), ({"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": "soon"}, 76),
    ({"AccessKeyId": "A B", "SecretAccessKey": "s"}, 65), ({"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t\n"}, 65),
    ({"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": "21151121T070000+0000"}, 0),
    ({"AccessKeyId": "A", "SecretAccessKey": "s"}, 0), ([], 76), ({"AccessKeyId": "A", "SecretAccessKey": {"s": 1}}, 76)])
def test_a_containers_answer(shop, web, creds, code):
    assert run(shop, container(web({"/ecs/x": json.dumps(creds).encode()}))).code == code


# Instances

def test_an_instance(shop, oracle, fake):
    env = instance(fake)
    expected = theirs(shop, oracle, env)
    before = len(fake.seen)
    done = run(shop, env)
    assert {k: expected.get(k) for k in IMDS} == IMDS, expected
    assert_same_token(oracle, done, expected)
    assert [(s.method, s.path) for s in fake.seen[before:]] == [
        ("PUT", "/latest/api/token"), ("GET", "/latest/meta-data/iam/security-credentials/"),
        ("GET", "/latest/meta-data/iam/security-credentials/my-role")]
    assert fake.seen[before].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    assert "login       aws, instance metadata\n" in run(shop, env, "-v").errors


@pytest.mark.parametrize("where", ["ec2_metadata_service_endpoint = {url}", ""])
def test_a_role_of_an_instance(shop, fake, where):
    role = "role-" + os.urandom(6).hex()
    shop.secret(keys_of(role)["secret"].encode())
    fake.state["sts"] = {"minutes": 6}
    files(shop, f"[profile p]\nrole_arn = {arn(role)}\ncredential_source = Ec2InstanceMetadata\n{where.format(url=fake.url)}\n")
    env = {"AWS_ENDPOINT_URL": fake.url, **({} if where else instance(fake))}
    done = run(shop, env, "--aws-profile", "p")
    assert signed_with(done)["id"] == keys_of(role)["id"] and f"Credential={IMDS['id']}/" in fake.seen[-1].headers["authorization"]


@pytest.mark.parametrize("value", ["true", "TRUE", "True"])
def test_switched_off(shop, fake, value):
    done = run(shop, instance(fake, AWS_EC2_METADATA_DISABLED=value))
    assert (done.code, done.errors, fake.connections) == (78, NO_KEYS + NO_KEYS_HINT, 0)
    files(shop, "[profile p]\nrole_arn = a\ncredential_source = Ec2InstanceMetadata\n")
    done = run(shop, instance(fake, AWS_EC2_METADATA_DISABLED=value), "--aws-profile", "p")
    assert (done.code, fake.connections) == (78, 0) and "EC2 instance metadata: AWS_EC2_METADATA_DISABLED is true\nhint: " in done.errors


def test_instance_service_never_answers(shop, fake_server):
    """This must take no longer than one attempt of one second."""
    started = time.monotonic()
    server = fake_server("silent")
    done = run(shop, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{server.port}"})
    assert 0.9 < time.monotonic() - started < 8 and server.connections == 1
    assert (done.code, done.errors) == (78, f"{NO_KEYS}  EC2 instance metadata: 127.0.0.1:{server.port}: no answer in time\n{NO_KEYS_HINT}")


def test_more_attempts(shop, fake_server):
    server = fake_server("reset")
    done = run(shop, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{server.port}", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "4"})
    assert done.code == 78 and server.connections == 4


ROLES = "/latest/meta-data/iam/security-credentials/"


@pytest.mark.parametrize("path", ["/latest/api/token", ROLES, ROLES + "my-role"])
@pytest.mark.parametrize("status, tries, good", [(503, 3, True), (503, 2, False), (404, 3, True), (503, None, False)])
def test_invalid_answer_is_tried_again(shop, oracle, fake, path, status, tries, good):
    """As in botocore: the service may start slowly, or the role may not exist yet."""
    if status == 404 and path == "/latest/api/token":
        return  # this means that there is no version 2 of the service
    fake.state["imds"] = {"fail": {path: [status, 2]}}
    env = instance(fake, **({"AWS_METADATA_SERVICE_NUM_ATTEMPTS": str(tries)} if tries else {}))
    assert (run(shop, env).code == 0) == good
    fake.failed.clear()
    assert ("id" in theirs(shop, oracle, env)) == good


def test_empty_list_is_tried_again(shop, oracle, fake):
    fake.state["imds"] = {"fail": {ROLES: [200, 2, b""]}}
    env = instance(fake, AWS_METADATA_SERVICE_NUM_ATTEMPTS="3")
    assert signed_with(run(shop, env))["id"] == IMDS["id"]
    fake.failed.clear()
    assert theirs(shop, oracle, env)["id"] == IMDS["id"]
    fake.failed.clear()
    done = run(shop, instance(fake, AWS_METADATA_SERVICE_NUM_ATTEMPTS="2"))
    assert (done.code, done.errors) == (78, f"{NO_KEYS}  EC2 instance metadata: this machine has no role\n{NO_KEYS_HINT}")


@pytest.mark.parametrize("state, words", [
    ({"no_token_api": True}, "refused a token (HTTP 404)"), ({"no_token_api": True, "v1": True}, "refused a token (HTTP 404)"),
    ({"role": ""}, "this machine has no role"), ({"role": "../../x y"}, "the answer does not name a role"),
    ({"creds": {"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role my-role\x1b[31m"}},
     "AssumeRoleUnauthorizedAccess: EC2 cannot assume the role my-role?[31m"),
    ({"creds": {"Code": "Success"}}, "the answer has no keys"), ({"ttl": -1}, "HTTP 401"),
    ({"fail": {"/latest/meta-data/iam/security-credentials/my-role": [500, 9]}}, "role my-role: HTTP 500")])
def test_instance_service_refuses(shop, fake, state, words):
    """broker never uses version 1 of the service instead."""
    fake.state["imds"] = state
    done = run(shop, instance(fake))
    assert (done.code, done.errors) == (78, f"{NO_KEYS}  EC2 instance metadata: {words}\n{NO_KEYS_HINT}")
    assert all("x-aws-ec2-metadata-token" in s.headers for s in fake.seen if s.method == "GET")


def test_expired_instance_keys_are_used(shop, fake):
    """The service returns expired keys if it could not renew them; AWS says that they are then valid for longer."""
    fake.state["imds"] = {"creds": {"Code": "Success", "AccessKeyId": IMDS["id"], "SecretAccessKey": IMDS["secret"], "Token": IMDS["token"],
                                    "Expiration": iso(-600)}}
    done = run(shop, instance(fake), "-v")
    assert signed_with(done)["id"] == IMDS["id"] and "returned expired keys" in done.errors and "valid for 15m" in done.errors


@pytest.mark.parametrize("env, words", [
    ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5"}, "unknown ec2_metadata_service_endpoint_mode 'IPv5'\nhint: one of: IPv4 IPv6\n"),
    ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "127.0.0.1"}, "ec2_metadata_service_endpoint '127.0.0.1' is not an http or https URL\nhint: like ")])
def test_bad_settings(shop, env, words):
    done = run(shop, env)
    assert done.code == 78 and words in done.errors


@pytest.mark.parametrize("kind", [container, instance])
def test_no_proxy_is_used(shop, fake, web, kind):
    proxy = web({})
    env = {name: proxy.url for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")}
    assert run(shop, {**kind(fake), **env}).code == 0 and not proxy.connections


# The real addresses of AWS

INSIDE = """
import json, os, subprocess, sys
ip = lambda *words: subprocess.run(["ip", *words], check=True)
ip("link", "set", "lo", "up")
for address in ("169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128"):
    ip("addr", "add", address, "dev", "lo")
server = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, cwd=sys.argv[2])
server.stdout.readline()
done = subprocess.run(sys.argv[3:])
server.kill()
server.wait()
sys.exit(done.returncode)
"""
SERVE = """
import socket, time
from servers.aws_fake import AwsFake
from servers import web
class Both(web.Server):
    address_family = socket.AF_INET6
    def server_bind(self):
        self.server_address = ("::", 80)
        super().server_bind()
web.Server = Both
fake = AwsFake({"ecs": {}, "imds": {}})
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("env, keys", [
    ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/ecs/v2"}, ECS), ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/ecs/v1"}, ECS),
    ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/ecs", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"}, ECS), ({}, IMDS),
    ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6"}, IMDS), ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv4"}, IMDS)])
def test_link_local_addresses(shop, env, keys):
    if not shutil.which("ip") or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("missing: a network namespace, and ip of iproute2")
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = run(shop, env, wrap=["unshare", "-n", sys.executable, "-c", INSIDE, SERVE, tests])
    assert signed_with(done) == {"id": keys["id"], "token": keys["token"]}
