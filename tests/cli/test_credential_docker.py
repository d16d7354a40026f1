# SPDX-License-Identifier: MIT
"""broker as docker's credential helper, compared byte for byte with the Secret Service helper of docker's own
project; it never gives passwords of databases."""
import json
import os
import shutil

import pytest

from conftest import having
from lib.helpers import NAMES, Store, lines

DOCKER = shutil.which("docker")
THEIRS = "/usr/bin/docker-credential-secretservice"
URL = "https://registry.example.com:5000/v1/"
ENTRY = {"ServerURL": URL, "Username": "dev", "Secret": "canary-docker-93aa"}
MISSING = b"credentials not found in native keychain\n"


@pytest.fixture
def ours(bare_broker, keychain):
    runner = bare_broker(NAMES / "docker-credential-broker")
    runner.env.update(keychain.env)
    runner.secret(ENTRY["Secret"].encode())
    return runner


@pytest.fixture
def theirs(bare_broker, keychain):
    if not os.access(THEIRS, os.X_OK):
        pytest.skip(f"missing: {THEIRS}")
    runner = bare_broker(THEIRS)
    runner.env.update(keychain.env)
    return runner


def ask(runner, *words, input=b""):
    done = runner.run(*words, input=input, secret_out=True)
    return done.code, done.out


def test_same_output_as_dockers_helper(ours, theirs):
    """Both get the same requests; status and stdout are the same each time."""
    odd = {"ServerURL": "registry.example.com", "Username": "<token>", "Secret": "a\"b\\c/d<e>&f\tgé☃"}
    turns = [
        ("get", URL.encode()), ("list", b""), ("store", json.dumps(ENTRY).encode()), ("get", URL.encode()),
        ("get", b"  " + URL.encode() + b"\r\n"), ("list", b"unused"), ("store", json.dumps(odd).encode()),
        ("get", b"registry.example.com\n"), ("store", json.dumps({**ENTRY, "Secret": "another"}).encode()), ("get", URL.encode()),
        ("get", b"https://registry.example.com:5000/v1"), ("get", b""), ("get", b" \n"), ("erase", b""),
        ("store", json.dumps({**ENTRY, "ServerURL": ""}).encode()), ("store", json.dumps({**ENTRY, "Username": ""}).encode()),
        ("erase", URL.encode() + b"\n"), ("get", URL.encode()), ("erase", b"registry.example.com"), ("list", b""),
    ]
    for verb, text in turns:
        assert ask(ours, verb, input=text) == ask(theirs, verb, input=text), (verb, text)


def test_one_user_for_each_server(ours, keychain):
    for user in ("one", "two", "one"):
        assert ask(ours, "store", input=json.dumps({**ENTRY, "Username": user}).encode()) == (0, b"")
        assert json.loads(ask(ours, "list")[1]) == {URL: user}
    assert json.loads(ask(ours, "get", input=URL.encode())[1])["Username"] == "one"


def test_errors_are_on_stdout_with_status_1(ours):
    for words, text, message in ((["get", "x"], b"", b"Usage: "), ([], b"", b"Usage: "), (["fetch"], b"", b"Unknown credential action `fetch`"),
                              (["store"], b"{", b"stdin"), (["store"], b"[]", b"stdin"), (["get"], b"a\0b", b"the server URL"),
                              (["store"], json.dumps({**ENTRY, "Secret": "a" * 70000}).encode(), b"the secret has over")):
        code, out = ask(ours, *words, input=text)
        assert code == 1 and out.startswith(message) and out.count(b"\n") == 1, words
    assert ask(ours, "get", input=b"x" * 11_000_000)[0] == 1


def test_version(ours):
    code, out = ask(ours, "version")
    assert code == 0 and out.startswith(b"docker-credential-broker (broker) 0.")


def test_no_keychain(bare_broker):
    lone = bare_broker(NAMES / "docker-credential-broker")
    assert ask(lone, "list") == (0, b"{}\n")
    assert ask(lone, "get", input=URL.encode()) == (1, MISSING)
    code, out = ask(lone, "store", input=json.dumps(ENTRY).encode())
    assert code == 1 and b"no keychain here" in out


@pytest.mark.parametrize("url", ["mysql://app@db.example.com:3306", "mysql://app@db.example.com", " MySQL://app@db.example.com\n",
                                 "jdbc:mysql://db.example.com", "mariadb://app@db.example.com", "mysql+ssh://b/db.example.com"])
def test_no_database(ours, broker, keychain, url):
    """A database's password is given neither for its URL nor for a profile, and it is not listed."""
    ours.config("[profile db]\nhost = db.example.com\nuser = app\n")
    keychain.store("app@db.example.com:3306", b"canary-docker-db", {"identity": "mysql://app@db.example.com:3306",
                                                                   "xdg:schema": "org.broker.Password"})
    ours.secret(b"canary-docker-db")
    assert ask(ours, "get", input=url.encode()) == (1, MISSING)
    assert ask(ours, "get", input=b"profile=db\n") == (1, MISSING)
    assert ask(ours, "store", input=json.dumps({**ENTRY, "ServerURL": url.strip()}).encode())[0] == 1
    assert ask(ours, "erase", input=url.encode())[0] == 0
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3306"}) == b"canary-docker-db"
    assert ask(ours, "list") == (0, b"{}\n")


def test_entries_of_git_and_docker_are_separate(ours, broker, keychain):
    git = lines(protocol="https", host="registry.example.com:5000", path="v1/", username="dev", password="of-git")
    assert broker.run("credential", "store", input=git, env=keychain.env).code == 0
    assert ask(ours, "list") == (0, b"{}\n")
    assert ask(ours, "store", input=json.dumps(ENTRY).encode()) == (0, b"")
    assert ask(ours, "erase", input=URL.encode()) == (0, b"")
    done = broker.run("credential", "get", input=lines(protocol="https", host="registry.example.com:5000"), env=keychain.env, secret_out=True)
    assert b"password=of-git" in done.out


def test_in_memory(bare_broker):
    """`store = keyring` is set in the config, because docker passes no options."""
    store = having(Store, "keyring")
    runner = bare_broker(NAMES / "docker-credential-broker")
    runner.config("[defaults]\nstore = keyring\n")
    assert runner.run("store", input=json.dumps(ENTRY).encode(), wrap=store.wrap).code == 0
    done = runner.run("get", input=URL.encode(), wrap=store.wrap, secret_out=True)
    assert json.loads(done.out) == ENTRY
    store.stop()


if DOCKER:  # tests/setup does not install it: it would bring a container engine
    def test_docker_logout(ours, keychain):
        """`docker login` needs a registry, but `docker logout` does not, and it also calls the helper."""
        assert ask(ours, "store", input=json.dumps(ENTRY).encode()) == (0, b"")
        ours.write(".docker/config.json", json.dumps({"credsStore": "broker", "auths": {URL: {}}}))
        ours.program = DOCKER
        done = ours.run("logout", URL, env={"PATH": f"{NAMES}:/usr/bin:/bin"})
        assert done.code == 0, done.errors
        ours.program = NAMES / "docker-credential-broker"
        assert ask(ours, "get", input=URL.encode()) == (1, MISSING)
