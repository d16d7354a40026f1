# SPDX-License-Identifier: MIT
"""`auth = iam` with a real server that verifies each token with botocore: with the three clients, static keys and
session tokens of several sizes; everything that a database of RDS refuses, each with its own reason in the server's
log; a TLS level that cannot be lowered; the output of test, --dry-run and profile show."""
import json
import re
import subprocess

import pytest

from lib.logins import profile
from servers.mariadb_iam import HOST, KEYS, OTHER, REGION

STATIC, SESSION, LONG = KEYS


@pytest.fixture
def iam(broker, names, iam_server):
    """The server, whose names resolve for this test, with its CA as the user's own RDS bundle."""
    with open("/etc/hosts") as hosts:
        broker.etc.write("/etc/hosts", hosts.read() + f"127.0.0.1 {HOST} {OTHER}\n")
    broker.write(".local/share/broker/rds-ca.pem", iam_server.ca.read_bytes())
    iam_server.tell()
    return iam_server


def prepare(broker, server, id=STATIC, **keys):
    """Writes the profile `p` and the file with the keys; returns how many logins the server has seen so far."""
    key = KEYS[id]
    text = f"[work]\naws_access_key_id = {id}\naws_secret_access_key = {broker.secret(key['secret'].encode()).decode()}\n"
    if key["token"]:
        text += f"aws_session_token = {key['token']}\n"
    broker.write(".aws/credentials", text, secret=True)
    broker.config(profile(**{"host": HOST, "port": server.port, "user": "app", "auth": "iam", "aws_profile": "work", **keys}))
    return len(server.verdicts())


def query(broker, client, *args):
    return broker.run("connect", "p", "--client", client.path, *args, "--", "-NBe",
                      "select current_user(); show session status like 'Ssl_version'")


@pytest.mark.parametrize("login", ["client", "keeper"])
@pytest.mark.parametrize("id", KEYS)
def test_connects(broker, iam, client, id, login):
    seen = prepare(broker, iam, id, login=login)
    with broker.watch() as watch:
        done = query(broker, client)
    assert (done.code, done.errors) == (0, "")
    assert done.text.splitlines()[0] == "app@%" and "TLSv1" in done.text
    (verdict,) = iam.verdicts()[seen:]
    size = int(re.search(r"token_bytes=(\d+)", verdict)[1])
    assert verdict.endswith("-> + ok") and (size > 4000) == (id == LONG)
    broker.assert_hidden(watch)


@pytest.mark.parametrize("login", ["client", "keeper"])
def test_token_is_only_in_the_process_that_logs_in(broker, iam, client, login):
    """Neither the token nor the session token is in an argument or, while the option line is short enough, in an
    environment."""
    prepare(broker, iam, SESSION, login=login)
    stub = broker.stub("mariadb" if client.family == "mariadb" else "mysql", version=client_version(client))
    assert broker.run("connect", "p", "--client", stub.path).code == 0
    seen = stub.seen
    assert ("X-Amz-Signature" in seen["options"]) == (login == "client")
    assert "X-Amz" not in json.dumps([seen["argv"], seen["environ"], seen["parents"]])


def client_version(client):
    return subprocess.run([client.path, "--version"], capture_output=True, text=True).stdout.strip()


def test_dump_by_exec(broker, iam, client):
    prepare(broker, iam, SESSION)
    done = broker.run("exec", "p", "--client", client.path, "--", client.dump, "--defaults-file={defaults-file}",
                      "--skip-lock-tables", "--no-tablespaces", "shop")
    assert done.code == 0 and "quince" in done.text


NO_LOGIN = "hint: check IAM auth on the server, rds-db:connect for app, aws sts get-caller-identity --profile work\n"


@pytest.mark.parametrize("keys, server_state, reason", [
    ({"region": "us-east-1"}, {}, "signed for region us-east-1"),
    ({"host": OTHER}, {}, f"signed for {OTHER}:"),
    ({"sign_port": "3306"}, {}, f"signed for {HOST}:3306"),
    ({"sign_host": OTHER, "tls": "verify-ca"}, {}, f"signed for {OTHER}:"),
    ({}, {"grants": {STATIC: ["app_ro"]}}, "not granted rds-db:connect"),
    ({}, {"keys": {STATIC: {"secret": "another", "token": None}}}, "signature does not match"),
    ({}, {"keys": {STATIC: {"secret": KEYS[STATIC]["secret"], "token": "x"}}}, "wrong session token"),
    ({}, {"keys": {}}, f"unknown access key {STATIC}"),
    ({}, {"now": "20991231T235959Z"}, "expired"),
    ({}, {"now": "20150830T123600Z"}, "from the future"),
])
def test_refused(broker, iam, clients, keys, server_state, reason):
    seen = prepare(broker, iam, **keys)
    iam.tell(**server_state)
    done = broker.run("test", "p", "--client", clients["mysql9"].path)
    verdicts = iam.verdicts()[seen:]
    assert len(verdicts) in (1, 2)  # the keeper tries once more with a new token
    assert all(reason in verdict and "-> -" in verdict for verdict in verdicts)
    assert done.code == 77 and done.errors == "broker: p: 1045 access denied for app@127.0.0.1\n" + NO_LOGIN
    hops = [line.split()[:2] for line in done.text.splitlines()]
    assert hops == [["login", "ok"], ["route", "ok"], ["credential", "ok"], ["server", "failed"]]


def test_wrong_user_by_url(broker, iam, clients):
    """An account that IAM does not know, and a hint that names no AWS profile."""
    prepare(broker, iam)
    url = f"mysql://nobody@{HOST}:{iam.port}/?type=aws_iam"
    key = KEYS[STATIC]
    done = broker.run("test", url, "--client", clients["mariadb1011"].path,
                      env={"AWS_ACCESS_KEY_ID": STATIC, "AWS_SECRET_ACCESS_KEY": key["secret"]})
    assert done.code == 77 and "aws sts get-caller-identity\n" in done.errors and "rds-db:connect for nobody" in done.errors


# TLS

def test_shipped_ca_bundle_does_not_verify_the_test_server(broker, iam, client):
    """The installed bundle is used, and the token is not sent to a server that it does not verify."""
    seen = prepare(broker, iam)
    (broker.home / ".local/share/broker/rds-ca.pem").unlink()
    done = query(broker, client)
    assert done.code == 1 and "2026" in done.errors and iam.verdicts()[seen:] == []
    assert re.search("from a CA that is not in .*/share/broker/rds-ca.pem", done.errors), done.errors
    done = query(broker, client, "-o", "login=client")
    assert done.code == 1 and iam.verdicts()[seen:] == []
    assert re.search("verify failed|local issuer|self.signed", done.errors), done.errors


def test_no_tls_no_token(broker, names, mariadb_notls, client):
    """A server with the right name but without TLS gets nothing."""
    with open("/etc/hosts") as hosts:
        broker.etc.write("/etc/hosts", hosts.read() + f"127.0.0.1 {HOST}\n")
    prepare_for = profile(host=HOST, port=mariadb_notls.port, user="app", auth="iam")
    broker.config(prepare_for)
    broker.write(".aws/credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = b\n", secret=True)
    done = query(broker, client)
    assert done.code == 1 and "2026" in done.errors


@pytest.mark.parametrize("keys, args, hint", [
    ({}, ["--tls", "disabled"], "set tls = verify-identity"),
    ({}, ["-o", "tls=preferred"], "set tls = verify-identity"),
    ({}, ["--tls", "required"], "set tls = verify-identity, or write tls = required in the profile itself"),
    ({"tls": "preferred"}, [], "set tls = verify-identity"),
    ({"cleartext": "no", "tls": "disabled"}, [], "set tls = verify-identity"),
])
def test_tls_is_not_lowered(broker, iam, clients, keys, args, hint):
    seen = prepare(broker, iam, **keys)
    level = keys.get("tls") or re.split("[ =]", " ".join(args))[-1]
    done = query(broker, clients["mysql9"], *args)
    assert (done.errors, done.code) == (f"broker: p: tls = {level} with a password sent in cleartext\nhint: {hint}\n", 78)
    assert iam.verdicts()[seen:] == []


def test_required_in_the_profile(broker, iam, client):
    """Oracle's client enforces it; MariaDB's clients have no such option, so the keeper enforces it for them."""
    prepare(broker, iam, tls="required")
    done = query(broker, client)
    assert done.code == 0 and "app@%" in done.text


def test_sign_host(broker, iam, client):
    """broker only connects to `host`: the token is for `sign_host`, and so is the certificate, which the keeper
    verifies."""
    prepare(broker, iam, host="127.0.0.1", sign_host=HOST)
    shown = broker.run("connect", "p", "--client", client.path, "--dry-run").text
    assert "\ntls         verify-identity, by the keeper, " in shown and "\naddress     unix socket\n" in shown
    assert query(broker, client).text.startswith("app@%")
    prepare(broker, iam, host="127.0.0.1", sign_host=HOST, tls="verify-ca")
    assert query(broker, client).text.startswith("app@%")


def test_certificate_must_be_for_sign_host(broker, iam, client):
    prepare(broker, iam, host=HOST, sign_host="other" + HOST)
    seen = len(iam.verdicts())
    done = query(broker, client)
    assert done.code == 1 and done.errors.startswith(f"ERROR 1105 (08S01): broker: 2026 certificate is not valid for ")
    assert "\nhint: check host; if the server is right, ask for a certificate with that name" in done.errors  # any customer of RDS has a certificate of its CA
    assert iam.verdicts()[seen:] == []


# What is shown

def test_test(broker, iam, clients):
    prepare(broker, iam)
    done = broker.run("test", "p", "--client", clients["mysql9"].path)
    rows = [re.sub(r"\d+ms", "0ms", re.sub(r" +", " ", line)) for line in done.text.splitlines()]
    assert (done.code, done.errors) == (0, "")
    assert rows[:3] == ["login ok 0ms aws profile work, static keys", f"route ok 0ms direct to {HOST}:{iam.port}",
                        "credential ok 0ms iam token for app, valid for 15m"]
    assert re.fullmatch(r"server ok 0ms \d+\.\d+\.\d+-MariaDB.*, app@127\.0\.0\.1, TLS_\w+", rows[3])


def test_test_json(broker, iam, clients):
    prepare(broker, iam)
    answer = json.loads(broker.run("test", "p", "--json", "--client", clients["mysql9"].path).text)
    assert [hop["hop"] for hop in answer["hops"]] == ["login", "route", "credential", "server"]
    assert answer["hops"][0]["detail"] == "aws profile work, static keys" and answer["ok"] is True


def test_login_fails_first(broker, iam, clients):
    seen = prepare(broker, iam, aws_profile="nowhere")
    done = broker.run("test", "p", "--client", clients["mysql9"].path)
    assert re.fullmatch(r"login       failed   +\d+ms  no AWS profile 'nowhere'\n", done.text)
    assert done.code == 78 and iam.verdicts()[seen:] == []


def test_dry_run(broker, iam, clients):
    """Nothing is fetched, and the file with the keys is not read."""
    prepare(broker, iam)
    (broker.home / ".aws/credentials").unlink()
    done = broker.run("connect", "p", "--dry-run", "--client", clients["mysql9"].path)
    place = f"{HOST}:{iam.port}"
    assert (done.code, done.errors) == (0, "")
    assert done.text == (
        f"endpoint    {place}\nlogin       aws profile work\nroute       direct\n"
        f"tls         verify-identity, by the keeper, {broker.home}/.local/share/broker/rds-ca.pem\n"
        f"credential  iam token for app, region {REGION}\nkeeper      logs in for each connection\naddress     unix socket\n"
        f"client      {clients['mysql9'].path} --defaults-file=/dev/fd/N\n")


@pytest.mark.parametrize("host, keys, shown", [
    ("a.abc.eu-west-1.rds.amazonaws.com", {"auth": "iam"}, True),
    ("a.cluster-abc.rds.cn-north-1.amazonaws.com.cn", {"auth": "prompt", "tls": "verify-ca"}, True),
    ("a.proxy-abc.eu-west-1.rds.amazonaws.com", {"auth": "iam"}, False),
    ("a.abc.eu-west-1.rds.amazonaws.com", {"auth": "prompt"}, False),
    ("a.abc.eu-west-1.rds.amazonaws.com", {"auth": "iam", "tls_ca": "/own.pem"}, False),
    ("a.abc.eu-west-1.rds.amazonaws.com", {"auth": "iam", "tls_ca": ""}, False),
    ("db.example.com", {"auth": "iam", "sign_host": "a.abc.eu-west-1.rds.amazonaws.com"}, True),
    ("db.example.com", {"auth": "iam"}, False),
])
def test_which_ca_bundle(broker, host, keys, shown):
    broker.write(".local/share/broker/rds-ca.pem", "x")
    broker.config(profile(host=host, user="app", **keys))
    lines = broker.run("profile", "show", "p").text.splitlines()
    found = [line.split()[1:] for line in lines if line.startswith("tls_ca ") and "derived" not in line]
    by = "sign_host" if "sign_host" in keys else "host"
    if shown:
        assert found == [["~/.local/share/broker/rds-ca.pem", "from", by]]
    else:
        assert all(row[1] != "from" for row in found)
