# SPDX-License-Identifier: MIT
"""git's credential protocol, rule by rule, without git: what broker answers, stores and erases, with each store."""
import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import having
from lib.helpers import Asker, Store, fields_of, lines

SITE = {"protocol": "https", "host": "git.example.com"}
DEV = {"username": "dev", "password": "canary-git-8d01"}
FAR = "9999999999"


@pytest.fixture
def asker(broker, store):
    broker.secret(DEV["password"].encode())
    return Asker(broker, store)


def test_stored_read_erased(asker):
    asker.store_entry(**SITE, **DEV)
    assert asker.run("get", lines(**SITE)).out == b"username=dev\npassword=canary-git-8d01\n"
    asker.erase(**SITE, **DEV)
    assert asker.get(**SITE) == {}


def test_all_attributes_of_the_query_must_match(asker):
    asker.store_entry(**SITE, **DEV, path="team/app.git")
    for same in ({}, {"path": "team/app.git"}, {"username": "dev"}):
        assert asker.get(**SITE, **same) == DEV, same
    for other in ({"protocol": "http"}, {"host": "git.example.com:8443"}, {"host": "git.example.co"}, {"host": ""},
                  {"path": "team/app"}, {"path": ""}, {"username": "de"}, {"username": ""}):
        assert asker.get(**{**SITE, **other}) == {}, other
    assert asker.get(protocol="https") == DEV
    assert asker.get(host="git.example.com") == DEV


def test_entry_without_a_path_does_not_match_a_path(asker):
    asker.store_entry(**SITE, **DEV)
    assert asker.get(**SITE, path="x") == {}


def test_store_replaces_the_entries_that_match(asker):
    asker.store_entry(**SITE, **DEV, path="x")
    asker.store_entry(**SITE, **{**DEV, "password": "new"})
    assert asker.get(**SITE, path="x") == {}
    assert asker.get(**SITE)["password"] == "new"


def test_several_users(asker):
    for user in ("one", "two", "a b@c/d;e:f%", "ü"):
        asker.store_entry(**SITE, username=user, password=f"of {user}")
    for user in ("one", "two", "a b@c/d;e:f%", "ü"):
        assert asker.get(**SITE, username=user) == {"username": user, "password": f"of {user}"}
    asker.erase(**SITE, username="two")
    assert asker.get(**SITE, username="two") == {} and asker.get(**SITE, username="one") != {}
    asker.erase(**SITE)
    assert asker.get(**SITE) == {}


def test_empty_values_are_stored(asker):
    asker.store_entry(protocol="cert", host="", path="/home/me/key.pem", username="", password="")
    assert asker.get(protocol="cert", host="", path="/home/me/key.pem") == {"username": "", "password": ""}


def test_erase_compares_secrets(asker):
    asker.store_entry(**SITE, **DEV)
    asker.erase(**SITE, username="dev", password="another")
    assert asker.get(**SITE) == DEV
    asker.erase(**SITE, password=DEV["password"])
    assert asker.get(**SITE) == {}


def test_erase_without_attributes(asker):
    asker.store_entry(**SITE, **DEV)
    assert asker.ask("erase") == {}
    assert asker.get(**SITE) == DEV


def test_url_sets_the_other_attributes(asker):
    asker.store_entry(url="https://dev:canary-git-8d01@git.example.com/team/app%20x.git/")
    assert asker.get(**SITE, path="team/app x.git") == DEV
    assert asker.get(url="https://dev@git.example.com/team/app%20x.git") == DEV
    assert asker.get(url="https://other@git.example.com") == {}
    for bad in ("nonsense", "https://git%0ahost=x", "https://a%00b/"):
        assert asker.run("get", lines(url=bad)).code == 65, bad


def test_unknown_attributes_and_verbs_are_ignored(asker):
    asker.store_entry(**SITE, **DEV, strange="x", wwwauth_=["Basic", "host=victim"], capability_="unheard-of")
    found = asker.ask("get", **SITE, strange="y", profile_="x", capability_=["unheard-of"])
    assert found == DEV
    for verb in ("reset", "list", "get2", "GET"):
        done = asker.run(verb, lines(**SITE))
        assert (done.code, done.out, done.err) == (0, b"", b""), verb


def test_last_value_is_used(asker):
    asker.store_entry(**SITE, **DEV)
    done = asker.run("get", b"host=other\nprotocol=https\nhost=git.example.com\n\nhost=nothing\n")
    assert fields_of(done.out) == DEV


def test_capabilities(asker):
    done = asker.run("capability")
    assert done.out == b"version 0\ncapability authtype\ncapability state\n"


def test_authtype_needs_the_capability(asker):
    asker.store_entry(**SITE, capability_="authtype", authtype="Bearer", credential="canary-git-8d01")
    assert asker.get(**SITE) == {}
    done = asker.run("get", lines(**SITE, capability_=["state", "authtype"]))
    assert done.out == b"capability[]=authtype\nauthtype=Bearer\ncredential=canary-git-8d01\n"
    done = asker.run("get", b"capability[]=authtype\ncapability[]=\nprotocol=https\nhost=git.example.com\n")
    assert done.out == b""
    asker.erase(**SITE, capability_="authtype", credential="another")
    assert asker.get(**SITE, capability_="authtype") != {}
    asker.erase(**SITE, capability_="authtype", credential="canary-git-8d01")
    assert asker.get(**SITE, capability_="authtype") == {}


def test_authtype_with_a_name(asker):
    asker.store_entry(**SITE, username="dev", capability_="authtype", authtype="Bearer", credential="t")
    assert asker.get(**SITE, username="other", capability_="authtype") == {}
    assert asker.get(**SITE, username="dev", capability_="authtype")["credential"] == "t"


def test_ephemeral_is_not_stored(asker):
    asker.store_entry(**SITE, capability_="authtype", authtype="Bearer", credential="t", ephemeral="1")
    for value in ("true", "on", "2", "-1"):  # every number but 0 is true, as for git
        asker.store_entry(**SITE, **DEV, ephemeral=value)
    assert asker.get(**SITE, capability_="authtype") == {}
    asker.store_entry(**SITE, **DEV, ephemeral="0")
    assert asker.get(**SITE) == DEV


def test_incomplete_credential_is_not_stored(asker):
    for half in ({"username": "dev"}, {"password": "x"}, {"authtype": "Bearer"}, {"credential": "x"}):
        asker.store_entry(**SITE, **half)
    asker.store_entry(host="git.example.com", **DEV)
    asker.store_entry(protocol="https", **DEV)
    assert asker.get(**SITE, capability_="authtype") == {}


def test_state_of_other_helpers_is_ignored(asker, keychain):
    able = {"capability_": ["authtype", "state"]}
    asker.store_entry(**SITE, **DEV)
    found = asker.get(**SITE, **able, state_="other:1")
    assert found["state[]"] == ["broker:kept"] and found["capability[]"] == ["state"]
    assert "state[]" not in asker.get(**SITE)
    asker.store_entry(**SITE, **{**DEV, "password": "newer"}, **able, state_="other:kept")
    assert asker.get(**SITE)["password"] == "newer"


def test_password_from_the_keychain_is_not_written_again(broker, keychain):
    asker = Asker(broker, Store("keychain", keychain))
    asker.store_entry(**SITE, **DEV)
    found = asker.get(**SITE, capability_="state")
    keychain.lock()
    done = asker.run("store", lines(**SITE, **DEV, state_=found["state[]"]))
    assert (done.code, done.err) == (0, b"") and keychain.locked()


def test_expiry(asker):
    asker.store_entry(**SITE, **DEV, password_expiry_utc=FAR)
    assert asker.get(**SITE) == {**DEV, "password_expiry_utc": FAR}
    asker.store_entry(**SITE, **DEV, password_expiry_utc="0")
    assert asker.get(**SITE) == DEV
    asker.store_entry(**SITE, **DEV, password_expiry_utc="soon")
    assert asker.get(**SITE) == DEV
    asker.erase(**SITE)
    asker.store_entry(**SITE, **DEV, password_expiry_utc="1")
    assert asker.get(**SITE) == {}


def test_refresh_token_is_kept_longer_than_the_password(asker):
    """It must not be removed with the password, because the next password is made with it. An expired password is not
    returned."""
    asker.store_entry(**SITE, **DEV, oauth_refresh_token="canary-refresh-77", password_expiry_utc=FAR)
    assert asker.get(**SITE) == {**DEV, "oauth_refresh_token": "canary-refresh-77", "password_expiry_utc": FAR}
    end = int(time.time()) + 2
    asker.store_entry(**SITE, **DEV, oauth_refresh_token="canary-refresh-77", password_expiry_utc=str(end))
    while time.time() <= end:
        time.sleep(0.1)
    assert asker.get(**SITE) == {"username": "dev", "oauth_refresh_token": "canary-refresh-77"}


def test_expired_entry_hides_no_other(asker):
    end = int(time.time()) + 2
    asker.store_entry(**SITE, username="old", password="x", password_expiry_utc=str(end))
    asker.store_entry(**SITE, **DEV)
    while time.time() <= end:
        time.sleep(0.1)
    assert asker.get(**SITE) == DEV


# The store in memory


@pytest.fixture
def memory(broker):
    kept = having(Store, "keyring")
    yield Asker(broker, kept)
    kept.stop()


def test_exit_erases_the_store_in_memory(memory):
    memory.store_entry(**SITE, **DEV)
    assert memory.ask("exit") == {}
    assert memory.get(**SITE) == {}


def test_exit_leaves_the_keychain_alone(broker, keychain):
    asker = Asker(broker, Store("keychain", keychain))
    asker.store_entry(**SITE, **DEV)
    assert asker.ask("exit") == {}
    assert asker.get(**SITE) == DEV


def test_entry_is_listed_and_logged_out(memory):
    memory.store_entry("--timeout", "1h", **SITE, **DEV)
    done = memory.broker.run("status", "--json", wrap=memory.store.wrap)
    [session] = json.loads(done.out)["sessions"]
    assert (session["kind"], session["name"]) == ("git", "dev@git.example.com")
    assert memory.broker.run("logout", "--all", wrap=memory.store.wrap).code == 0
    assert memory.get(**SITE) == {}


@pytest.mark.parametrize("options, seconds", [((), 900), (("--timeout", "50"), 50)])
def test_lifetime(memory, options, seconds):
    before = int(time.time())
    memory.store_entry(*options, **SITE, **DEV)
    after = int(time.time())
    text = memory.broker.run("status", "--json", wrap=memory.store.wrap).out
    end = json.loads(text)["sessions"][0]["expires_at"]
    end = int(subprocess.run(["date", "-d", end, "+%s"], capture_output=True, text=True, check=True).stdout)
    assert before + seconds <= end <= after + seconds


def test_invalid_lifetime(memory):
    assert memory.run("store", lines(**SITE, **DEV), "--timeout=1d2").code == 64
    assert memory.get(**SITE) == {}


def test_store_is_set_in_the_config(memory):
    memory.broker.config("[defaults]\nstore = keyring\n")
    memory.store_entry(**SITE, **DEV)
    done = memory.broker.run("credential", "get", input=lines(**SITE), wrap=memory.store.wrap, secret_out=True)
    assert fields_of(done.out) == DEV


@pytest.mark.parametrize("text, env, wanted", [
    ("[defaults]\naudti = /log\n", {}, "~/.config/broker/config:2: unknown key 'audti'\nhint: did you mean 'audit'?\n"),
    ("[defaults]\nport = x\n", {}, "~/.config/broker/config:2: port: not a number "),
    ("[defaults]\naudit = /log\n", {"BROKER_CONFIG": "/nowhere"}, "/nowhere: no such file\n")])
def test_mistake_in_the_config(broker, text, env, wanted):
    """A misspelt `audit` or `store` is an error here too, as in a run that uses a profile."""
    broker.config(text)
    for verb in ("get", "store", "erase"):
        done = broker.run("credential", verb, input=lines(**SITE, **DEV), env=env)
        assert done.code == 78 and done.out == b"" and done.errors.startswith(f"broker: {wanted}"), (verb, done)


# A keychain that is missing or locked


def test_no_keychain(broker):
    """Without a store there is no entry, so `get` and `erase` give no error; only `store` does."""
    for verb in ("get", "erase"):
        done = broker.run("credential", verb, input=lines(**SITE))
        assert (done.code, done.out, done.err) == (0, b"", b"")
    done = broker.run("credential", "store", input=lines(**SITE, **DEV))
    assert done.code == 78 and "no keychain here" in done.errors and "--store keyring" in done.errors


def test_locked_keychain_does_not_prompt(broker, locked_keychain):
    """A program that calls a helper has no place for the keychain's prompt."""
    asker = Asker(broker, Store("keychain", locked_keychain))
    for verb in ("get", "store", "erase"):
        done = asker.run(verb, lines(**SITE, **DEV), env={"DISPLAY": ":99"})
        assert done.out == b"" and locked_keychain.locked(), verb
        assert "locked" in done.errors or verb != "store"


# Bad input


@pytest.mark.parametrize("text, code", [
    (b"protocol=https\r\nhost=git.example.com\r\n\r\n", 0), (b"protocol=https\nhost=git.example.com", 0), (b"", 0), (b"\n", 0),
    (b"protocol=https\nhost=git.example.com\n\nno such line\n", 0),
    (b"protocol=https\nhost=git.exam\0ple.com\n\n", 65), (b"protocol\n", 65), (b"=x\n", 65), (b"a" * 70000, 65),
    (b"x=" + b"a" * 65532 + b"\nprotocol=https\nhost=git.example.com\n", 0), (b"x=" + b"a" * 65533 + b"\n", 65),
    (b"wwwauth[]=" + b"a" * 60000 + b"\n", 0), ((b"wwwauth[]=" + b"a" * 60000 + b"\n") * 170, 65), (b"x" * 65 + b"=1\n", 0),
    (b"\xff\xfe=\xff\n", 0),
], ids=range(15))
def test_input(memory, text, code):
    memory.store_entry(**SITE, **DEV)
    done = memory.run("get", text)
    assert done.code == code, done.errors
    if code:
        assert done.out == b"" and len(done.err) < 500 and done.errors.startswith("broker: ")
        assert text not in (b"protocol\n", b"=x\n") or done.errors.startswith("broker: stdin: line 1: not KEY=VALUE\n")
    elif b"host=git" in text:
        assert fields_of(done.out) == DEV


def test_long_secrets(asker):
    """The longest line that git accepts, or the most that the store can hold."""
    longest = {"keychain": 65535, "keyring": 30000}[asker.store.kind] - len("password=\n")
    asker.store_entry(**SITE, username="dev", password="a" * longest)
    assert asker.get(**SITE)["password"] == "a" * longest


def test_every_byte(asker):
    for byte in [*range(1, 10), *range(11, 256)]:
        password = b"a" + bytes([byte]) + b"b"
        done = asker.run("store", b"protocol=https\nhost=git.example.com\nusername=dev\npassword=" + password + b"\n\n")
        assert (done.code, done.err) == (0, b"")
        if byte % 16 == 0 or byte < 16 or byte == 255:
            assert asker.run("get", lines(**SITE)).out == b"username=dev\npassword=" + password + b"\n"


@pytest.mark.parametrize("stream, text", [("stdout", "stdout: No space left on device")])
def test_a_full_disk(memory, stream, text):
    memory.store_entry(**SITE, **DEV)
    with open("/dev/full", "wb") as full:
        done = memory.run("get", lines(**SITE), stdout=full)
    assert done.code == 74 and text in done.errors


def test_a_closed_pipe(memory):
    memory.store_entry(**SITE, **DEV)
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as out:
        done = memory.run("get", lines(**SITE), stdout=out)
    assert done.code in (74, 128 + signal.SIGPIPE)


def test_without_a_verb(broker):
    done = broker.run("credential")
    assert done.code == 64 and done.errors.startswith("broker: credential: ")


# Concurrent runs


def test_concurrent_changes_of_many_entries(asker):
    """No stored entry is lost, and no erased entry comes back."""
    store, broker = asker.store, asker.broker
    count = 200 if store.kind == "keyring" else 40

    def each(n):
        who = {"username": f"user{n}", "password": f"pass{n}"}
        done = asker.run("store", lines(**SITE, **who))
        erased = asker.run("erase", lines(**SITE, **who)) if n % 2 else done
        return done.code, erased.code
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(each, range(count))) == {(0, 0)}
    for n in range(0, count, 1 if store.kind == "keyring" else 7):
        found = asker.get(**SITE, username=f"user{n}")
        assert found == ({} if n % 2 else {"username": f"user{n}", "password": f"pass{n}"}), n
    assert broker.run("version").code == 0


def test_concurrent_changes_of_one_entry(memory):
    """Two hundred tasks store the entry, erase another password and read: the entry is always there and complete."""
    def each(n):
        done = memory.run("store", lines(**SITE, username="dev", password=f"pass{n}"))
        erased = memory.run("erase", lines(**SITE, username="dev", password="never-stored"))
        got = fields_of(memory.run("get", lines(**SITE)).out)
        return done.code, erased.code, got.get("username"), got.get("password", "")[:4]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(each, range(200))) == {(0, 0, "dev", "pass")}
