# SPDX-License-Identifier: MIT
"""`broker token --iam`: the token equals that of botocore and of the AWS CLI for the same keys and time; where the
region comes from, which keys are used, and every bad input that needs no network."""
import datetime
import os
import random
import string
import subprocess

import pytest

from lib import aws
from lib.aws import HOST, ID, KEYS, SECRET
from servers import process
from servers.botocore_oracle import FORMAT

TOKENS = 500
UNICODE = "abcXYZ019-_.~ +&=%/?#@!$'()*,;:[]{}|\\^`\"<>éßж漢😀"
KEY_BYTES = string.ascii_letters + string.digits + "/+="
IAM = ("token", "--iam", "--host", HOST, "--user", "app")


def random_inputs(source):
    """Host, port, user, region (which may be None if the host contains it), keys."""
    r = source
    region = r.choice(["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "ap-southeast-3", "eu-isoe-west-1", "mx-central-1"])
    suffix = {"cn": "amazonaws.com.cn", "eu-iso": "cloud.adc-e.uk"}
    end = next((s for start, s in suffix.items() if region.startswith(start)), "amazonaws.com")
    word = "".join(r.choices(string.ascii_letters + string.digits + "-", k=r.randint(0, 20)))
    name = r.choice([f"a{word}.c9akciq32.{region}.rds.{end}", f"a{word}.cluster-abc1.rds.{region}.{end}", f"Db{word}.Example.COM"])
    named = "amazonaws" in name or "adc-e" in name
    host = r.choice([name, name.upper(), name.swapcase(), name + "."])
    return {"host": host, "port": r.choice([3306, 443, 80, 1, 65535, r.randint(1, 65535)]),
            "user": "".join(r.choices(UNICODE, k=r.randint(1, 40))).strip() or "u",
            "region": r.choice([None, "eu-central-1"]) if named else region, "host_region": region,
            "id": "".join(r.choices(string.ascii_uppercase + string.digits, k=20)),
            "secret": "".join(r.choices(KEY_BYTES, k=r.choice([1, 40, 40, 64, 200]))),
            "session": r.choice([None, "".join(r.choices(KEY_BYTES, k=r.choice([1, 400, 2500])))])}


def test_equals_botocore(broker, oracle):
    source = random.Random(20261121)
    for number in range(TOKENS):
        given = random_inputs(source)
        session = given["session"]
        if number % 2:
            keys = {"AWS_ACCESS_KEY_ID": given["id"], "AWS_SECRET_ACCESS_KEY": given["secret"], "AWS_SESSION_TOKEN": session or ""}
        else:
            keys = {}
            aws.files(broker, credentials="[default]\n" + aws.pair(given["id"], given["secret"], aws_session_token=session))
        region = ["--region", given["region"]] if given["region"] else []
        done = broker.run("token", "--iam", "--host", given["host"], "-P", str(given["port"]), "-u", given["user"], *region, env=keys,
                          secret_out=True)
        named = ".rds." in given["host"].lower()
        assert (done.code, done.errors) == (0, "" if named else aws.alias_warning(given["host"])), given
        stamp = aws.token(done.text.rstrip("\n"))[1]["X-Amz-Date"]
        made = datetime.datetime.strptime(stamp, FORMAT).replace(tzinfo=datetime.timezone.utc)
        assert abs((datetime.datetime.now(datetime.timezone.utc) - made).total_seconds()) < 20
        given["region"] = given["region"] or given["host_region"]
        del given["host_region"]
        assert done.text == oracle.token(time=stamp, **given) + "\n", given
        assert given["secret"] not in done.text or len(given["secret"]) < 6


@pytest.mark.parametrize("stamp, arguments, env, config", [
    ("2015-08-30 12:36:00", {"port": 3306, "user": "app", "region": "eu-west-1"}, KEYS, None),
    ("2016-02-29 23:59:59", {"port": 443, "user": "a b+c@d", "region": "us-gov-west-1"}, {**KEYS, "AWS_SESSION_TOKEN": "a/+=b" * 500}, None),
    ("2038-01-19 03:14:08", {"port": 1, "user": "été", "region": None}, {"AWS_PROFILE": "p"},
     "[profile p]\nregion = cn-north-1\n" + aws.pair()),
])
def test_equals_the_aws_cli(broker, stamp, arguments, env, config):
    try:
        process.need("/usr/bin/faketime")
        cli = process.need("/usr/bin/aws")
    except process.Missing as missing:
        pytest.skip(f"missing: {missing}")
    host = "Db.Example.com"
    aws.files(broker, config=config)
    region = ["--region", arguments["region"]] if arguments["region"] else []
    clock = aws.fixed_clock(broker, stamp)
    clock["env"] = {**clock["env"], **env}
    ours = broker.run("token", "--iam", "--host", host, "-P", str(arguments["port"]), "-u", arguments["user"], *region, **clock,
                      secret_out=True)
    process_env = broker.environment({**env, "TZ": "UTC", "AWS_EC2_METADATA_DISABLED": "true"})
    theirs = subprocess.run(["/usr/bin/faketime", "-f", stamp, cli, "rds", "generate-db-auth-token", "--hostname", host, "--port",
                             str(arguments["port"]), "--username", arguments["user"], *region], env=process_env,
                            capture_output=True, text=True, timeout=60)
    assert theirs.returncode == 0, theirs.stderr

    def parts(text):
        place, _, query = text.rstrip("\n").partition("/?")
        return place, sorted(query.split("&"))
    assert ours.errors == aws.alias_warning(host)
    assert parts(ours.text) == parts(theirs.stdout)
    assert stamp.replace("-", "").replace(":", "").replace(" ", "T") + "Z" in ours.text


def scope(done, alias=None):
    """The (key id, region) that the token was signed with. For the host ALIAS a warning is expected."""
    assert (done.code, done.errors) == (0, aws.alias_warning(alias) if alias else ""), done
    place, query = aws.token(done.text.rstrip("\n"))
    id, _, region, service, end = query["X-Amz-Credential"].split("/")
    assert (service, end, query["X-Amz-Expires"], query["Action"]) == ("rds-db", "aws4_request", "900", "connect")
    return id, region


CONFIG = "[default]\nregion = sa-east-1\n[profile p]\nregion = ap-south-1\n" + aws.pair("AKIAOFPROFILEP")


@pytest.mark.parametrize("args, env, id, region", [
    ((), {}, ID, "eu-west-1"),
    (("--region", "us-west-2"), {"AWS_REGION": "us-east-2"}, ID, "us-west-2"),
    ((), {"AWS_REGION": "us-east-2", "BROKER_REGION": "us-west-1"}, ID, "us-west-1"),
    (("--host", "db.example.com"), {"AWS_REGION": "us-east-2", "AWS_DEFAULT_REGION": "us-west-1"}, ID, "us-east-2"),
    (("--host", "db.example.com"), {"AWS_DEFAULT_REGION": "us-west-1"}, ID, "us-west-1"),
    (("--host", "db.example.com"), {}, ID, "sa-east-1"),
    (("--host", "db.example.com", "--aws-profile", "p"), {}, "AKIAOFPROFILEP", "ap-south-1"),
    (("--host", "db.example.com"), {"AWS_PROFILE": "p"}, ID, "ap-south-1"),
    (("--host", "127.0.0.1", "-o", f"sign_host={HOST}", "-o", "sign_port=3307"), {}, ID, "eu-west-1"),
    (("--via", "ssh://bastion"), {}, ID, "eu-west-1"),
    (("--aws-profile", "p"), {}, "AKIAOFPROFILEP", "eu-west-1"),
    (("-o", "auth=iam"), {}, ID, "eu-west-1"),
])
def test_keys_and_region(broker, args, env, id, region):
    aws.files(broker, config=CONFIG)
    done = broker.run(*IAM, *args, env={**KEYS, **env}, secret_out=True)
    assert scope(done, "db.example.com" if "db.example.com" in args else None) == (id, region)
    if "sign_port=3307" in args:
        assert done.text.startswith(HOST + ":3307/?")


def test_warning_about_an_alias(broker):
    """No warning if sign_host is the server's own name, whatever is dialled, nor for any kind of RDS name."""
    for host in ("db.example.com", "localhost.example", "rds.amazonaws.com.example"):
        assert broker.run(*IAM, "--host", host, "--region", "eu-west-1", env=KEYS, secret_out=True).errors == aws.alias_warning(host)
        done = broker.run(*IAM, "--host", host, "-o", f"sign_host={HOST}", env=KEYS, secret_out=True)
        assert (done.code, done.errors) == (0, "")
    for host in ("x.proxy-abc.eu-west-1.rds.amazonaws.com", "x.global-abc.global.rds.amazonaws.com", "X.abc.rds.cn-north-1.amazonaws.com.cn."):
        assert broker.run(*IAM, "--host", host, "--region", "eu-west-1", env=KEYS, secret_out=True).errors == ""
    # no warning: the user has asked for a token for another name
    assert broker.run(*IAM, "-o", "sign_host=db.example.com", "--region", "eu-west-1", env=KEYS, secret_out=True).errors == ""


def test_profile_and_url(broker):
    """The same with a profile, and with a URL in Sequel Ace's form."""
    aws.files(broker, credentials="[work]\n" + aws.pair())
    broker.config(f"[profile prod]\nhost = {HOST}\nuser = app\nauth = iam\naws_profile = work\nvia = bastion\n"
                  "[tunnel bastion]\ntype = ssh\nhost = b\n")
    assert scope(broker.run("token", "prod", secret_out=True)) == (ID, "eu-west-1")
    url = f"mysql://app@{HOST}/shop?type=aws_iam&aws_profile=work&aws_region=us-east-1"
    assert scope(broker.run("token", url, secret_out=True)) == (ID, "us-east-1")


def test_verbose(broker):
    done = broker.run(*IAM, "-v", env=KEYS, secret_out=True)
    steps = [line.split(None, 1)[1] for line in done.errors.splitlines()]
    assert steps == [f"route       direct, {HOST}:3306", "login       aws environment, static keys",
                     "credential  iam token for app, password ********, valid for 15m"]


def test_no_process_no_network_no_libcrypto(broker):
    """With keys from the environment broker starts no process, opens no socket and no file of ~/.aws, and loads neither
    libcrypto nor libcurl."""
    trace = broker.home / "trace"
    try:
        process.need("/usr/bin/strace")
    except process.Missing as missing:
        pytest.skip(f"missing: {missing}")
    done = broker.run(*IAM, env={**KEYS, "ASAN_OPTIONS": "detect_leaks=0"}, secret_out=True,
                      wrap=["strace", "-f", "-e", "trace=openat,socket,connect,clone,fork,vfork,execve", "-o", trace])
    text = trace.read_text()
    assert done.code == 0 and "AMZ" in done.text.upper()
    assert text.count("execve(") == 1
    for word in ("socket(", "clone(", "fork(", "libcrypto", "libcurl", ".aws/"):
        assert word not in text, word


BIG = b"[default]\n" + b"# filler\n" * (20 << 20 >> 3)


@pytest.mark.parametrize("files, env, args, code, err", [
    # the host and the region
    ({}, KEYS, ["--host", "db.example.com"], 78, "broker: db.example.com: no region: not an RDS name\n"
     "hint: --region, AWS_REGION, AWS_DEFAULT_REGION, or region in the AWS profile\n"),
    ({}, KEYS, ["--host", "name.global-abc.global.rds.amazonaws.com"], 78,
     "broker: name.global-abc.global.rds.amazonaws.com: no region: the name of a global database has no region\n"
     "hint: --region, AWS_REGION, AWS_DEFAULT_REGION, or region in the AWS profile\n"),
    ({}, KEYS, ["--host", "127.0.0.1", "-P", "13306"], 78,
     "broker: 127.0.0.1: not the server's name, so no token for it is valid\n"
     "hint: set host to the RDS name and via = tcp://127.0.0.1:13306\n"),
    ({}, KEYS, ["--host", "10.1.2.3"], 78, "broker: 10.1.2.3: not the server's name, so no token for it is valid\n"
     "hint: set host to the RDS name and via = tcp://127.0.0.1:3306\n"),
    ({}, KEYS, ["--region", "eu west"], 78, f"broker: {HOST}: region = eu west: not an AWS region\n"
     "hint: for example: region = eu-west-1\n"),
    # keys
    ({}, {"AWS_EC2_METADATA_DISABLED": "true"}, [], 78,
     f"broker: {HOST}: no AWS credentials in the environment or in AWS profile 'default'\n"
     "hint: aws_profile = NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or: aws configure\n"),
    ({}, {"AWS_ACCESS_KEY_ID": ID}, [], 78,
     f"broker: {HOST}: AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not\nhint: export both, or neither\n"),
    ({}, {**KEYS, "AWS_CREDENTIAL_EXPIRATION": "soon"}, [], 78,
     f"broker: {HOST}: AWS_CREDENTIAL_EXPIRATION is not a time: 'soon'\nhint: use the form 2026-11-21T07:00:00Z, or unset it\n"),
    ({"credentials": "[default]\naws_access_key_id = x\n"}, {}, [], 78,
     "broker: ~/.aws/credentials:2: aws_access_key_id without aws_secret_access_key\n"
     "hint: write both keys into the same section of the same file\n"),
    ({"credentials": "[work]\n" + aws.pair()}, {}, ["--aws-profile", "wrok"], 78,
     f"broker: {HOST}: no AWS profile 'wrok'\n  ~/.aws/config  no such file, or empty\n  ~/.aws/credentials  not in it\n"
     "hint: did you mean 'work'?\n"),
    # files
    ({"credentials": BIG}, {}, [], 78,
     "broker: ~/.aws/credentials: over 4194304 bytes\nhint: AWS_SHARED_CREDENTIALS_FILE sets another file\n"),
    ({"config": "[default]\nregion\n"}, {}, [], 78,
     "broker: ~/.aws/config:2: no '=' in a property\nhint: a line is KEY = VALUE, [SECTION] or # COMMENT\n"),
    ({"config": b"[default]\nregion = \0\n"}, {}, [], 78,
     "broker: ~/.aws/config:2: NUL byte\nhint: save the file as plain text\n"),
    ({"config": "region = x\n"}, {}, [], 78, "broker: ~/.aws/config:1: a key before the first section\n"
     "hint: begin with [default] or [profile NAME]\n"),
    # roles
    ({"config": "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = s\nsource_profile = a\n"}, {},
     ["--aws-profile", "a"], 78, "broker: ~/.aws/config:6: source_profile = a is a loop\n"
     "hint: the last profile of the chain needs credentials of its own\n"),
    ({"config": "[profile a]\nrole_arn = r\nsource_profile = b\n"}, {}, ["--aws-profile", "a"], 78,
     "broker: ~/.aws/config:3: no AWS profile 'b' for source_profile\nhint: set it to a profile that exists\n"),
    # credential_process
    ({"config": "[default]\ncredential_process = 'open\n"}, {}, [], 78,
     f"broker: {HOST}: AWS profile 'default': credential_process: open quote or backslash at the end of a command\n"
     "hint: credential_process = PROGRAM ARG..., without a shell\n"),
    ({"config": "[default]\ncredential_process = /nowhere/x --y\n"}, {}, [], 78,
     f"broker: {HOST}: AWS profile 'default': credential_process: /nowhere/x: no such program\n"
     "hint: credential_process = PROGRAM ARG..., without a shell\n"),
])
def test_bad_input(broker, files, env, args, code, err):
    aws.files(broker, **files)
    done = broker.run(*IAM, *args, env=env)
    assert (done.text, done.errors, done.code) == ("", err, code)


def test_expired_keys_of_the_environment(broker):
    ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2, seconds=30)
    done = broker.run(*IAM, env={**KEYS, "AWS_CREDENTIAL_EXPIRATION": ago.strftime("%Y-%m-%dT%H:%M:%SZ")})
    assert (done.text, done.errors, done.code) == (
        "", f"broker: {HOST}: the AWS keys in the environment expired 2h ago\n"
        "hint: export new ones, or unset AWS_ACCESS_KEY_ID and set aws_profile\n", 79)


def test_unreadable_file(broker):
    """Keys in the environment still work then. Root can read every file, so for root it is a loop of symbolic links."""
    aws.files(broker, credentials="[default]\n" + aws.pair())
    file = broker.home / ".aws/credentials"
    if os.getuid():
        file.chmod(0)
    else:
        file.unlink()
        file.symlink_to("credentials")
    done = broker.run(*IAM)
    why = "Permission denied" if os.getuid() else "Too many levels of symbolic links"
    assert (done.text, done.errors, done.code) == (
        "", f"broker: ~/.aws/credentials: {why}\nhint: AWS_SHARED_CREDENTIALS_FILE sets another file\n", 74)
    assert broker.run(*IAM, env=KEYS, secret_out=True).code == 0
