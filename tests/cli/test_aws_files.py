# SPDX-License-Identifier: MIT
"""~/.aws/config and ~/.aws/credentials as users really have them: broker finds the same keys as botocore or reports
an error that names the line, but never finds other keys. An error in one section does not affect other sections. If
botocore refuses the whole file, broker is compared with what botocore finds after these lines have been repaired
(lib/aws_repair.py)."""
import json
import re
import shlex
import subprocess
from collections import Counter

import pytest

from lib import aws
from lib.aws_pairs import Pair
from lib.aws_repair import Repair, is_wrong
from lib.broker import BUILD
from servers import process

PAIRS = 3000
DRIVER = BUILD / "tests/drivers/aws_chain"


class Driver:
    """Runs broker's own chain many times in one process (tests/drivers/aws_chain.c)."""

    def __init__(self, home):
        self.child = subprocess.Popen([process.need(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                                      preexec_fn=process.die_with_parent)
        process.KNOWN.add(self.child.pid)

    def steps(self, config, credentials, profile):
        self.child.stdin.write(json.dumps({"config": config, "credentials": credentials, "profile": profile}) + "\n")
        self.child.stdin.flush()
        said = json.loads(self.child.stdout.readline())
        if said.get("steps", [{}])[-1].get("kind") == "instance metadata":
            return {"error": "no credentials", "what": ""}
        return said


@pytest.fixture
def driver(tmp_path):
    found = Driver(tmp_path)
    yield found
    process.stop(found.child)


def found(said):
    """What must be the same in both answers; None for an error."""
    if "error" in said:
        return None
    steps = [{key: value for key, value in step.items() if value is not None} for step in said["steps"]]
    return steps, said.get("region") or None


def names_line(said):
    return re.search(r":\d+$", said["what"]) is not None


# --- files of users: config, credentials, profile, and the expected result, "ID region" or the error

ROLE = "role_arn = arn:aws:iam::1:role/r\n"
SSO = "sso_account_id = 123456789012\nsso_role_name = R\n"
PLACE = "sso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n"


def keys(id="A", secret="s"):
    return f"aws_access_key_id = {id}\naws_secret_access_key = {secret}\n"


FILES = {
    "an indented comment": (None, "[default]\n" + keys("A\n  # the old one", "s\n\t; x"), None, "A"),
    "an indented comment with an equals sign": (None, "[default]\n" + keys("A\n  # old = B"), None, "A"),
    "a no-break space after a value": (None, "[default]\n" + keys("A\u00a0", "s\u3000"), None, "A"),
    "a no-break space before an equals sign": (None, "[default]\naws_access_key_id\u00a0=\u00a0A\naws_secret_access_key\u2009= s\n", None, "A"),
    "a form feed": (None, "\f[default]\naws_access_key_id = A\f\naws_secret_access_key\f= s\v\n", None, "A"),
    "a no-break space inside a value": (None, "[default]\n" + keys("A\u00a0B"), None, "aws_access_key_id contains a character that is not ASCII"),
    "a space inside a value": (None, "[default]\n" + keys("A", "s # mine"), None, "aws_secret_access_key contains a space"),
    "an indented key": (None, "[default]\naws_access_key_id = A\n aws_secret_access_key = s\n", None, "aws_access_key_id without aws_secret_access_key"),
    "a wrapped token": (None, "[default]\n" + keys() + "aws_session_token = t\n  u\n", None, "aws_session_token contains a control character"),
    "a comment after the region": ("[default]\nregion = eu-west-1 # Ireland\n" + keys(), None, None, "region contains a space"),
    "a space in an ARN": ("[profile r]\nrole_arn = arn:aws:iam::1:role/r ;x\nsource_profile = r\n" + keys(), None, "r", "role_arn contains a space"),
    "a space in a start URL": ("[default]\n" + SSO + "sso_start_url = https://d-1 .x\nsso_region = x\n", None, None, "sso_start_url contains a space"),
    "a control character in a session": ("[default]\n" + SSO + "sso_session = c\n[sso-session c]\nsso_start_url = https://d\x01\nsso_region = x\n",
                                         None, None, "sso_start_url contains a control character"),

    "a space in a session's name": ("[profile x]\n" + SSO + "sso_session = My Corp\n[sso-session 'My Corp']\n" + PLACE, None, "x", "SSO My Corp"),
    "a space in a profile's name": ("[profile 'My Dev']\nregion = eu-west-1\n", "[My Dev]\n" + keys(), "My Dev", "A eu-west-1"),
    "a name in double quotes": ('[profile "My Dev"]\n' + keys(), None, "My Dev", "A"),
    "a quoted name with an apostrophe": ("[profile 'it'\"'\"'s']\n" + keys(), None, "it's", "A"),
    "an unquoted name with an apostrophe": ("[profile it's]\n" + keys(), None, "it's", "no AWS profile 'it's'"),
    "an unquoted name of two words": ("[profile My Dev]\n" + keys(), None, "My Dev", "no AWS profile 'My Dev'"),
    "a name that is not ASCII": ("[profile B\u00fcro]\n" + keys(), None, "B\u00fcro", "A"),
    "brackets in a name": ("[profile a[b]]\n" + keys(), None, "a[b]", "A"),
    "spaces around a section's name": ("[ profile x ]\n" + keys(), None, "x", "no AWS profile 'x'"),
    "a longer word than 'profile'": ("[profile-old x]\n" + keys(), None, "x", "A"),

    "indented keys": ("[default]\n  aws_access_key_id = A\n  aws_secret_access_key = s\n  region = eu-west-1\n", None, None, "A eu-west-1"),
    "an indented file": ("    [default]\n    aws_access_key_id = A\n    aws_secret_access_key = s\n    [profile b]\n    region = x\n", None, None, "A"),
    "text after the bracket": ("[default] # mine\n" + keys(), "[other]x=y\n" + keys("B"), None, "A"),
    "colons": (None, "[default]\naws_access_key_id: A\naws_secret_access_key : s\n", None, "A"),
    "an invalid line in another section": (None, "[other]\nnonsense\n[default]\n" + keys(), None, "A"),
    "an invalid line": (None, "[default]\n" + keys() + "nonsense\n", None, "no '=' in a property"),
    "no closing bracket in another section": ("[default]\n" + keys() + "[profile b\n" + keys("B"), None, None, "A"),
    "no closing bracket": ("[profile b\n" + keys("B"), None, "b", "no ']' at the end of a section's name"),
    "an empty name": ("[]\n" + keys("B") + "[default]\n" + keys(), None, None, "A"),
    "invalid sub-properties in another section": ("[profile x]\ns3 =\n  nothing\n[default]\n" + keys(), None, None, "A"),
    "another section twice": ("[profile x]\n[profile x]\n[default]\n" + keys(), None, None, "A"),
    "a section twice": (None, "[default]\n" + keys() + "[default]\n" + keys("B"), None, "[default] again, after line 1"),
    "a key twice": (None, "[default]\n" + keys() + keys("B"), None, "aws_access_key_id again, after line 2"),
    "an invalid line in the source profile": ("[profile r]\n" + ROLE + "source_profile = b\n[profile b]\n" + keys() + "= x\n", None, "r",
                                           "no key before '=' in a property"),
    "an invalid line in the SSO session": ("[default]\n" + SSO + "sso_session = c\n[sso-session c]\nx\n" + PLACE, None, None, "no '=' in a property"),
    "a word before the first section": ("x\n[default]\n" + keys(), None, None, "a key before the first section"),
    "an empty aws_security_token": (None, "[default]\n" + keys() + "aws_security_token =\naws_session_token = t\n", None, "aws_security_token is empty"),
    "sub-properties of a process": ("[default]\ncredential_process =\n  x = y\n", None, None, "credential_process has sub-properties"),
    "keys in [DEFAULT]": (None, "[DEFAULT]\n" + keys() + "[default]\n", None, "A"),
    "[profile default] and [default]": ("[profile default]\n" + keys() + "[default]\n" + keys("B"), None, None, "B"),
}


@pytest.mark.parametrize("name", FILES)
def test_files(broker, oracle, driver, name):
    """If broker finds keys, then botocore finds the same keys, unless it refuses the file."""
    config, credentials, profile, expected = FILES[name]
    aws.files(broker, config, credentials)
    paths = [str(broker.home / ".aws" / file) for file in ("config", "credentials")]
    ours, theirs = driver.steps(*paths, profile), oracle.steps(*paths, profile)
    if "error" in ours:
        assert ours["error"] == expected and ours["hint"], ours
        assert names_line(ours) or expected.startswith("no AWS profile")
    else:
        step = ours["steps"][0]
        said = step.get("id") or f"SSO {step.get('sso_session')}"
        assert said + (f" {ours['region']}" if "region" in ours else "") == expected, ours
        assert theirs.get("error") == "ConfigParseError" or found(theirs) == found(ours), theirs


def test_an_error_names_the_line(broker):
    """The whole message of broker, once for each kind of error."""
    aws.files(broker, "[default]\nregion = eu-west-1\n", "[default]\n" + keys("A # x"))
    done = broker.run(*aws.IAM)
    assert (done.code, done.errors) == (78, "broker: ~/.aws/credentials:2: aws_access_key_id contains a space\n"
                                            "hint: a comment needs a line of its own\n")
    aws.files(broker, None, "[default]\n" + keys("A\n  x"))
    assert "hint: an indented line continues the value above it: delete its leading spaces\n" in broker.run(*aws.IAM).errors
    aws.files(broker, None, "[default]\n" + keys() + "[default]\n")
    done = broker.run(*aws.IAM)
    assert done.errors == ("broker: ~/.aws/credentials:4: [default] again, after line 1\n"
                           "hint: delete one: the AWS CLI refuses such a file\n")


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])
@pytest.mark.parametrize("text, what", [("a b", "a space"), ("ab\r", "a control character"), ("ab\u00a0", "a character that is not ASCII")])
def test_invalid_variables(broker, variable, text, what):
    done = broker.run(*aws.IAM, env={**aws.KEYS, variable: text})
    assert (done.code, done.errors) == (78, f"broker: {aws.HOST}: {variable} contains {what}\nhint: export it again\n")


# --- random pairs

# Errors of broker in a section that it uses and that botocore accepts; docs/aws-files.md lists them.
STRICTER = ["contains a space", "contains a control character", "contains a character that is not ASCII", "is not an AWS region",
            "no ']' at the end of a section's name", "no '=' in a sub-property", " is empty", "aws_access_key_id without", "SSO without", "not UTF-8"]


def name_of(header, prefix):
    """The section's name as botocore reads it."""
    if prefix == "profile" and header == "default":
        return header
    try:
        words = shlex.split(header) if header.startswith(prefix) else []
    except ValueError:
        words = []
    return words[1] if len(words) == 2 else None


def repair_files(paths, profile):
    """Repairs copies of both files. Returns their paths, whether the profile had an error, and whether the profile
    or a section that it may refer to had one."""
    repaired, files = [], []
    for path in paths:
        repair = Repair(open(path, "rb").read().decode(errors="surrogateescape"))
        repaired.append(path + "-repaired")
        open(repaired[-1], "w", newline="").write(repair.text)
        files.append(repair.sections)
    config, credentials = files
    wrong, names, seen = {}, [profile or "default"], set()
    while names:
        name = names.pop()
        seen.add(name)
        sections = [s for h, s in config.items() if name_of(h, "profile") == name] + [s for h, s in credentials.items() if h == name]
        wrong[name] = any(map(is_wrong, sections))
        for section in sections:
            wrong["session"] = wrong.get("session") or any(
                is_wrong(s) for h, s in config.items() if name_of(h, "sso-session") == section.get("sso_session"))
            names += {section.get("source_profile", name)} - seen
    return repaired, wrong[profile or "default"], any(wrong.values())


@pytest.mark.timeout(300)
def test_random_pairs(oracle, driver, tmp_path):
    seen = Counter()
    for seed in range(PAIRS):
        pair = Pair(seed)
        paths = pair.write(tmp_path)
        ours, theirs, wrong, beyond = driver.steps(*paths, pair.profile), oracle.steps(*paths, pair.profile), False, False
        if theirs.get("error") == "ConfigParseError":
            repaired, wrong, beyond = repair_files(paths, pair.profile)
            theirs = oracle.steps(*repaired, pair.profile)
        details = (seed, pair.profile, ours, theirs)
        if found(ours) is not None:
            assert found(ours) == found(theirs) and not wrong, details
            seen["same"] += 1
        elif found(theirs) is None:
            seen["neither"] += 1
        else:
            assert names_line(ours) and (beyond or any(why in ours["error"] for why in STRICTER)), details
            seen["wrong" if beyond else "stricter"] += 1
    # each outcome really occurs
    assert seen["same"] > PAIRS / 3 and seen["neither"] > PAIRS / 10 and seen["wrong"] > PAIRS / 20, seen
    assert PAIRS / 100 < seen["stricter"] < PAIRS / 10, seen
