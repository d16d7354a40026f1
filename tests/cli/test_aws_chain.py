# SPDX-License-Identifier: MIT
"""Which AWS keys are found: the same that botocore's own chain finds with the same files and environment, as far as
no network is needed. Intended differences (docs/aws.md) are listed with both results. And credential_process."""
import datetime
import json
import re

import pytest

from lib import aws
from lib.aws import HOST, ID, SECRET, pair

IAM = ("token", "--iam", "--host", HOST, "--user", "app")
ENV = {"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "secret-of-the-environment"}
PRINT = """{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}"{more}}}"""


def ours(broker, env, profile=None):
    """{"id", "token"} of the keys that the token was signed with, or {"error"}."""
    args = ["--aws-profile", profile] if profile else []
    done = broker.run(*IAM, *args, env={"AWS_EC2_METADATA_DISABLED": "true", **env}, secret_out=True)
    if done.code:
        assert done.text == "" and re.search(r"^hint: .", done.errors, re.M) and done.code in (65, 69, 77, 78, 79), done
        return {"error": done.errors}
    query = aws.token(done.text.rstrip("\n"))[1]
    return {"id": query["X-Amz-Credential"].split("/")[0], "token": query.get("X-Amz-Security-Token"), "text": done.text}


def theirs(broker, oracle, env, profile=None):
    extra = {"OUR_PROFILE": profile} if profile else {}
    return oracle.chain({"HOME": str(broker.home), **broker.environment(env), **extra})


def process(**keys):
    return "credential_process = printf '%s' '" + PRINT.format(**{"id": "AKIAPROCESS", "secret": "s", "more": "", **keys}) + "'\n"


CASES = {
    "nothing": (None, None, {}, None),
    "environment": (None, "[default]\n" + pair(), ENV, None),
    "environment with a session": (None, None, {**ENV, "AWS_SESSION_TOKEN": "tok/en+="}, None),
    "the older token variable": (None, None, {**ENV, "AWS_SESSION_TOKEN": "new", "AWS_SECURITY_TOKEN": "old"}, None),
    "an empty session token": (None, None, {**ENV, "AWS_SESSION_TOKEN": ""}, None),
    "a key id without a secret in the environment": (None, "[default]\n" + pair(), {"AWS_ACCESS_KEY_ID": "x"}, None),
    "a secret without a key id in the environment": (None, "[default]\n" + pair(), {"AWS_SECRET_ACCESS_KEY": "x"}, None),
    "empty variables": (None, "[default]\n" + pair(), {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, None),
    "credentials file": (None, "[default]\n" + pair(aws_session_token="tok/en+="), {}, None),
    "config file": ("[default]\n" + pair(), None, {}, None),
    "both files": ("[default]\n" + pair("AKIACONFIG"), "[default]\n" + pair(), {}, None),
    "token in the other file": ("[default]\naws_session_token = x\n", "[default]\n" + pair(), {}, None),
    "both tokens": (None, "[default]\n" + pair(aws_session_token="new", aws_security_token="old"), {}, None),
    "a key id without a secret": (None, "[default]\naws_access_key_id = x\n", {}, None),
    "a key id and its secret in two files": ("[default]\naws_secret_access_key = x\n", "[default]\naws_access_key_id = x\n", {}, None),
    "a secret without a key id, keys in config": ("[default]\n" + pair(), "[default]\naws_secret_access_key = x\n", {}, None),
    "a profile": ("[profile work]\n" + pair(), "[default]\n" + pair("AKIADEFAULT"), {}, "work"),
    "a profile by AWS_PROFILE": ("[profile work]\n" + pair(), None, {"AWS_PROFILE": "work"}, None),
    "a profile and the environment": ("[profile work]\n" + pair(), None, ENV, "work"),
    "AWS_PROFILE and the environment": ("[profile work]\n" + pair(), None, {**ENV, "AWS_PROFILE": "work"}, None),
    "no such profile": ("[profile work]\n" + pair(), None, {}, "nowhere"),
    "no such AWS_PROFILE": ("[profile work]\n" + pair(), None, {**ENV, "AWS_PROFILE": "nowhere"}, None),
    "default twice": ("[profile default]\n" + pair("A") + "[default]\n" + pair("B"), None, {}, None),
    "a colon": (None, "[default]\naws_access_key_id: A\naws_secret_access_key: s\n", {}, None),
    "a section twice": (None, "[default]\n" + pair("A") + "[default]\nregion = x\n", {}, None),
    "a key twice": (None, "[default]\n" + pair("A") + "aws_access_key_id = B\n", {}, None),
    "a name in quotes": ("[profile 'My Dev']\n" + pair(), None, {}, "My Dev"),
    "a name that is not ASCII": ("[profile B\u00fcro]\n" + pair(), None, {}, "B\u00fcro"),
    "a section without 'profile' in config": ("[work]\n" + pair(), None, {}, "work"),
    "a section with 'profile' in credentials": (None, "[profile work]\n" + pair(), {}, "work"),
    "CRLF": (None, ("[default]\n" + pair()).replace("\n", "\r\n"), {}, None),
    "equals signs": (None, "[default]\naws_access_key_id=A=B\naws_secret_access_key=c==\n", {}, None),
    "other paths of the files": (None, None, {"AWS_CONFIG_FILE": "~/elsewhere", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}, None),
    "a process": ("[default]\n" + process(), None, {}, None),
    "a process with a session": ("[default]\n" + process(more=', "SessionToken": "t/+="'), None, {}, None),
    "a process and keys in credentials": ("[default]\n" + process(), "[default]\n" + pair(), {}, None),
    "a process and keys in config": ("[default]\n" + pair() + process(), None, {}, None),
    "a process of another version": ("[default]\ncredential_process = echo '{\"Version\": 2}'\n", None, {}, None),
    "a process that fails": ("[default]\ncredential_process = false\n", None, {}, None),
    "a process without a key": ("[default]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"x\"}'\n", None, {}, None),
    "a process with expired keys": ("[default]\n" + process(more=', "Expiration": "2015-01-01T00:00:00Z"'), None, {}, None),
    "a process with keys that expire": ("[default]\n" + process(more=', "Expiration": "2115-01-01T00:00:00+02:00"'), None, {}, None),
    "a source that is missing": ("[profile r]\nrole_arn = a\nsource_profile = b\n", None, {}, "r"),
    "a source without keys": ("[profile r]\nrole_arn = a\nsource_profile = b\n[profile b]\nregion = x\n", None, {}, "r"),
    "a loop of source profiles": ("[profile r]\nrole_arn = a\nsource_profile = b\n[profile b]\nrole_arn = c\nsource_profile = r\n", None, {}, "r"),
    "its own source without keys": ("[profile r]\nrole_arn = a\nsource_profile = r\n", None, {}, "r"),
    "source_profile and credential_source": ("[profile r]\nrole_arn = a\nsource_profile = r\ncredential_source = Environment\n" + pair(), None, {}, "r"),
    "no source": ("[profile r]\nrole_arn = a\n" + pair(), None, {}, "r"),
    "an unknown credential_source": ("[profile r]\nrole_arn = a\ncredential_source = Moon\n", None, {}, "r"),
    "credential_source = Environment without keys": ("[profile r]\nrole_arn = a\ncredential_source = Environment\n", None, {}, "r"),
    "a token file without a role": ("[default]\nweb_identity_token_file = /x\n", None, {}, None),
    "SSO without a region": ("[default]\nsso_account_id = 1\nsso_role_name = r\nsso_start_url = https://x\n", None, {}, None),
    "SSO without its session": ("[default]\nsso_account_id = 1\nsso_role_name = r\nsso_session = x\n", None, {}, None),
    "a key before the first section": ("region = x\n", "[default]\n" + pair(), {}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_same_as_botocore(broker, oracle, name):
    config, credentials, env, profile = CASES[name]
    aws.files(broker, config, credentials)
    broker.write("elsewhere", "[default]\n" + pair("AKIAELSEWHERE"), secret=True)
    expected, found = theirs(broker, oracle, env, profile), ours(broker, env, profile)
    if "error" in expected:
        assert "error" in found, (expected, found)
        return
    assert (found.get("id"), found.get("token")) == (expected["id"], expected["token"]), (expected, found)
    stamp = aws.token(found["text"].rstrip("\n"))[1]["X-Amz-Date"]
    assert found["text"].rstrip("\n") == oracle.token(host=HOST, port=3306, user="app", region="eu-west-1", id=expected["id"],
                                                      secret=expected["secret"], session=expected["token"], time=stamp)


ROLE = "[profile r]\nrole_arn = a\nsource_profile = b\n[profile b]\n" + pair()

# config, credentials, environment, broker's key id or a part of its error, botocore's key id or the name of its error
DIFFERENT = {
    "a comment after a value": (None, "[default]\naws_access_key_id = A #x\naws_secret_access_key = s\n", {},
                                 "aws_access_key_id contains a space", "A #x"),
    "a space in the environment": (None, None, {**ENV, "AWS_SESSION_TOKEN": "a b"}, "AWS_SESSION_TOKEN contains a space",
                                   "AKIAENVIRONMENT"),
    "an invalid line in another section": ("[profile x]\nnonsense\n", "[default]\n" + pair("A"), {}, "A", "ConfigParseError"),
    "a byte order mark": (None, "\ufeff[default]\n" + pair("A"), {}, "A", "ConfigParseError"),
    "bytes that are not UTF-8": (None, b"# \xff\n[default]\n" + pair("A").encode(), {}, "A", "ConfigParseError"),
    "no closing bracket": ("[profile x\n", "[default]\n" + pair("A"), {}, "A", "ConfigParseError"),
    "an invalid file that is not needed": ("nonsense\n", None, ENV, "AKIAENVIRONMENT", "ConfigParseError"),
    "an empty AWS_PROFILE": (None, "[default]\n" + pair("A"), {"AWS_PROFILE": ""}, "A", "ProfileNotFound"),
    "a key of spaces in the environment": (None, "[default]\n" + pair("A"), {"AWS_ACCESS_KEY_ID": " "}, "A", "PartialCredentialsError"),
    "an empty key": (None, "[default]\naws_access_key_id =\naws_secret_access_key = s\n", {}, "aws_access_key_id is empty", ""),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_on_purpose(broker, oracle, name):
    config, credentials, env, we, they = DIFFERENT[name]
    aws.files(broker, config, credentials)
    found, expected = ours(broker, env), theirs(broker, oracle, env)
    assert found.get("id") == we or we in found.get("error", ""), found
    assert expected.get("id", expected.get("error")) == they, expected


def run_process(broker, text, *args, env={}, **run):
    """Runs `broker token` with a credential_process that is a shell script with TEXT."""
    broker.script("process", text, secret=True)
    aws.files(broker, config="[default]\ncredential_process = process 'one word' $HOME;x \"a\\\"b\"\n")
    return broker.run(*IAM, *args, env=env, secret_out=True, **run)


def test_process_has_neither_a_shell_nor_brokers_stdin(broker):
    answer = PRINT.format(id="AKIAPROCESS", secret=broker.secret(b"fake-secret-of-the-process").decode(), more="")
    done = run_process(broker, f"printf '%s|' \"$@\" > ~/words; cat > ~/stdin; echo noise >&2; echo '{answer}'", input=b"for the client")
    assert (done.code, done.errors) == (0, "")
    assert (broker.home / "words").read_text() == 'one word|$HOME;x|a"b|'
    assert (broker.home / "stdin").read_bytes() == b""


ASKS = ("printf '\\033]0;x\\aToken code: ' >&2; read code || { echo no answer >&2; exit 1; }; "
        "[ \"$code\" = 4711 ] || exit 2; cat ~/answer")


def process_on_terminal(broker, *args):
    """Runs a process that asks on the terminal, while broker's stdin is the input for the client."""
    broker.script("process", ASKS)
    broker.write(broker.home / "answer", PRINT.format(id=ID, secret=SECRET, more=""))
    aws.files(broker, config="[default]\ncredential_process = process\n")
    with open(broker.write("query", "select 1\n")) as query:
        return broker.pty(*IAM, *args, stdin=query, stdout="pipe", secret_out=True)


def test_process_asks_on_the_terminal(broker):
    terminal = process_on_terminal(broker)
    terminal.expect(b"?]0;x?Token code: ")
    terminal.sendline(b"4711")
    assert terminal.wait() == 0 and b"Credential=" + ID.encode() + b"%2F" in terminal.out
    assert b"waiting for" not in terminal.shown.partition(b"Token code: ")[2]


def test_process_may_not_ask(broker):
    terminal = process_on_terminal(broker, "--no-input")
    assert terminal.wait() == 77 and b"no answer" in terminal.shown
    assert b"here it could not ask anything: --no-input forbids asking" in terminal.shown


def test_process_keys_expire_before_the_token(broker):
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=4, seconds=30)
    answer = PRINT.format(id=ID, secret=SECRET, more=f', "Expiration": "{soon:%Y-%m-%dT%H:%M:%SZ}", "AccountId": "1"')
    done = run_process(broker, f"echo '{answer}'", "-v")
    assert "login       aws profile default, credential_process\n" in done.errors
    assert done.errors.rstrip().endswith("iam token for app, password ********, valid for 4m")


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S+0000", "%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S UTC"])
def test_formats_of_expiry_times(broker, form):
    """From a process and from the environment."""
    text = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=9, seconds=59)).strftime(form)
    done = run_process(broker, f"echo '{PRINT.format(id=ID, secret=SECRET, more=f', {chr(34)}Expiration{chr(34)}: {chr(34)}{text}{chr(34)}')}'", "-v")
    assert re.search(r"valid for [89]m\S*$", done.errors.rstrip()), done
    done = broker.run(*IAM, "-v", env={**ENV, "AWS_CREDENTIAL_EXPIRATION": text}, secret_out=True)
    assert re.search(r"valid for [89]m\S*$", done.errors.rstrip()), done


WHERE = "broker: " + HOST + ": AWS profile 'default': credential_process {bin}/process"
BY_HAND = "hint: run it by hand: it must print {{\"Version\": 1, \"AccessKeyId\": ..., \"SecretAccessKey\": ...}}\n"
FAILS = "hint: run it by hand: it must print JSON and exit with status 0; here it could not ask anything: no terminal to ask on\n"
GET_ANEW = "hint: no server accepts a token signed with it: get new keys\n"


@pytest.mark.parametrize("script, code, err", [
    ("exit 3", 77, WHERE + ": exit status 3\n" + FAILS),
    ("echo 'token expired' >&2; printf '\\033[31mrun: sso login\\n' >&2; exit 1", 77,
     WHERE + ": exit status 1\n  token expired\n  ?[31mrun: sso login\n" + FAILS),
    ("kill -9 $$", 77, WHERE + ": killed by SIGKILL\n" + FAILS),
    ("true", 65, WHERE + ": printed nothing\n" + BY_HAND),
    ("echo garbage", 65, WHERE + ": did not print a JSON object\n" + BY_HAND),
    ("echo '[1]'", 65, WHERE + ": did not print a JSON object\n" + BY_HAND),
    ("echo '{\"Version\": \"1\"}'", 65, WHERE + ": did not print \"Version\": 1\n" + BY_HAND),
    ("echo '{\"Version\": 1}'", 65, WHERE + ": printed no \"AccessKeyId\"\n" + BY_HAND),
    ("echo '{\"Version\": 1, \"AccessKeyId\": 7}'", 65, WHERE + ": printed a \"AccessKeyId\" that is not a string\n" + BY_HAND),
    ("echo '{\"Version\": 1, \"AccessKeyId\": \"\"}'", 65, WHERE + ": printed an empty \"AccessKeyId\"\n" + BY_HAND),
    ("echo '{\"Version\": 1, \"AccessKeyId\": \"a\\u0000b\"}'", 65, WHERE + ": did not print a JSON object\n" + BY_HAND),
    ("echo '" + PRINT.format(id="a", secret="fake-s3cret-in-bad-json", more=', "Expiration": "soon"') + "'", 65,
     WHERE + ": printed an \"Expiration\" that is not a time\n" + BY_HAND),
    ("echo '" + PRINT.format(id="a b", secret="fake-s3cret-in-bad-json", more="") + "'", 65,
     "broker: " + HOST + ": AWS profile 'default': credential_process: the access key id contains a space\n" + GET_ANEW),
    ("echo '" + PRINT.format(id="a", secret="fake-s3cret-in-bad-json\\u000a", more="") + "'", 65,
     "broker: " + HOST + ": AWS profile 'default': credential_process: the secret access key contains a control character\n" + GET_ANEW),
    ("echo '" + PRINT.format(id="a", secret="fake-s3cret-in-bad-json", more=', "SessionToken": "t\\u00a0"') + "'", 65,
     "broker: " + HOST + ": AWS profile 'default': credential_process: the session token contains a character that is not ASCII\n" + GET_ANEW),
    ("head -c 1000000 /dev/zero", 65, "broker: " + HOST + ": AWS profile 'default': credential_process: {bin}/process printed over "
     "65536 bytes\nhint: credential_process = PROGRAM ARG..., without a shell\n"),
])
def test_process_fails(broker, script, code, err):
    broker.secret(b"fake-s3cret-in-bad-json")
    done = run_process(broker, script)
    assert (done.text, done.errors, done.code) == ("", err.format(bin=broker.home / "bin"), code)


def test_process_that_hangs(broker):
    done = run_process(broker, "exec sleep 600", "--timeout", "300ms")
    assert done.code == 69 and "process did not end in time\n" in done.errors and "\nhint: " in done.errors


def test_process_prints_unusual_json(broker):
    """Unknown fields, another order, spaces and newlines are accepted."""
    answer = {"Extra": [1, {"x": None}], "SecretAccessKey": "s", "SessionToken": None, "AccessKeyId": "A", "Version": 1}
    done = run_process(broker, f"cat <<'X'\n\n  {json.dumps(answer, indent=2)}\n\nX")
    assert done.code == 0 and "Credential=A%2F" in done.text and "Security-Token" not in done.text
