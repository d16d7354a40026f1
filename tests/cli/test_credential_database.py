# SPDX-License-Identifier: MIT
"""Databases in git's credential protocol: which requests a profile's provider answers, and which it never answers."""
import os
import shutil
import subprocess

import pytest

from lib.broker import BUILD, REPO
from lib.helpers import NAMES, Asker, Store, fields_of, lines

CONFIG = """
[profile shop]
host = db.example.com
user = app
database = shop

[profile env]
host = env.example.com
port = 3307
user = app
auth = env
auth_env = DB_PASSWORD

[profile anybody]
host = made.example.com
auth = command
auth_command = {home}/bin/mint {{user}}

[profile own]
host = own.example.com
auth = client
"""
PASSWORD = "canary-database-40c2"
SHOP = {"protocol": "mysql", "host": "db.example.com", "username": "app"}
ENV = {"protocol": "mysql", "host": "env.example.com:3307", "username": "app"}


@pytest.fixture
def asker(broker, keychain):
    broker.config(CONFIG.format(home=broker.home))
    broker.secret(PASSWORD.encode())
    broker.env["DB_PASSWORD"] = PASSWORD
    broker.script("mint", f"""echo >>$HOME/minted
echo '{{"user": "made-1", "password": "'{PASSWORD}'", "expires_at": 9999999999}}'""", secret=True)
    return Asker(broker, Store("keychain", keychain))


def test_by_profile(asker):
    assert asker.get(profile="env") == {"username": "app", "password": PASSWORD}
    assert asker.get(profile="anybody") == {"username": "made-1", "password": PASSWORD, "password_expiry_utc": "9999999999"}


def test_by_server_and_user(asker):
    answer = {"username": "app", "password": PASSWORD}
    assert asker.get(**ENV) == answer
    assert asker.get(url="mysql://app@env.example.com:3307") == answer
    assert asker.get(url="mysql://app@ENV.example.com:3307") == answer
    for other in ({"username": "other"}, {"host": "env.example.com"}, {"host": "env.example.com:3308"}, {"path": "shop"},
                  {"host": "example.com:3307"}, {"host": ""}, {"host": "[::1"}):
        assert asker.get(**{**ENV, **other}) == {}, other


def test_profile_without_user_matches_by_host(asker):
    for user in ({}, {"username": "whoever"}):
        assert asker.get(protocol="mysql", host="made.example.com", **user)["username"] == "made-1"


def test_profile_with_the_requested_user_comes_first(broker):
    broker.config("[profile a]\nhost = h\nauth = command\nauth_command = echo any\n"
                  "[profile b]\nhost = h\nuser = app\nauth = command\nauth_command = echo apps\n")
    done = broker.run("credential", "get", input=lines(protocol="mysql", host="h", username="app"), secret_out=True)
    assert fields_of(done.out)["password"] == "apps"


def test_no_password(asker):
    assert asker.get(profile="own") == {}
    done = asker.run("get", lines(profile="nobody"))
    assert done.code == 78 and "nobody: no such profile" in done.errors
    done = asker.run("get", lines(profile="shop"))
    assert (done.code, done.out) == (79, b"") and "no stored password for app@db.example.com:3306" in done.errors


def test_no_prompt(asker):
    """Not even on a terminal, where git may be showing its own prompt."""
    done = asker.run("get", lines(profile="shop"), tty=True)
    assert done.code == 79 and done.tty == b""


def test_password_is_stored_and_erased(asker, keychain):
    asker.store_entry(**SHOP, password=PASSWORD)
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3306"}) == PASSWORD.encode()
    assert asker.get(**SHOP)["password"] == PASSWORD
    asker.erase(**SHOP, password="another")
    assert asker.get(**SHOP)["password"] == PASSWORD
    asker.erase(**SHOP, password=PASSWORD)
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3306"}) is None
    asker.erase(**SHOP)


def test_generated_password_is_not_stored_but_erased(asker, broker, keychain):
    made = {"protocol": "mysql", "host": "made.example.com"}
    minted = broker.home / "minted"
    before = asker.get(**made)
    asker.get(**made)
    assert len(minted.read_text().splitlines()) == 1
    asker.store_entry(**made, **before)
    assert asker.get(**made) == before
    asker.erase(**made, **before)
    asker.get(**made)
    assert len(minted.read_text().splitlines()) == 2
    asker.erase(**made)
    assert keychain.search({"xdg:schema": "org.broker.Password"}) == b""


@pytest.mark.parametrize("request_", [
    {"profile": "env"}, ENV, {**ENV, "protocol": "MySQL"}, {"url": "mysql://app@env.example.com:3307"},
    {"url": "MYSQL://app@env.example.com:3307/"}, {"url": "mysql://env.example.com:3307", "profile": "env"},
    {"url": "jdbc:mysql://env.example.com:3307"}, {"url": "mariadb://app@env.example.com:3307"},
    {"protocol": "https", "host": "env.example.com:3307", "profile": "env"}, {**ENV, "broker.auth": "env"},
])
def test_forwarded_helper_gives_no_database_password(asker, broker, bare_broker, keychain, request_):
    """Editors, containers and CI forward git's requests to the host: code inside them must not get database
    passwords."""
    guest = bare_broker(NAMES / "git-credential-broker")
    guest.config(CONFIG.format(home=broker.home))
    env = {**keychain.env, "DB_PASSWORD": PASSWORD}
    for words in (["get"], ["store"], ["erase"]):
        done = guest.run(*words, input=lines(**request_, password="planted"), env=env)
        assert (done.code, done.out, done.err) == (0, b"", b""), words
    assert b"planted" not in keychain.search({"xdg:schema": "org.broker.Password", "identity": "mysql://app@env.example.com:3307"})


def test_program_name_decides_in_any_folder(broker, keychain, tmp_path):
    link = tmp_path / "git-credential-broker"
    os.symlink(broker.program, link)
    broker.config("[profile p]\nhost = h\nuser = u\nauth = command\nauth_command = echo x\n")
    broker.program = link
    done = broker.run("get", input=lines(profile="p"))
    assert (done.code, done.out) == (0, b"")


def test_effective_keys_only_from_a_keeper(asker):
    """Input from any other program cannot choose another provider."""
    asker.broker.script("evil", "touch $HOME/ran; echo x")
    done = asker.run("get", lines(profile="env", **{"broker.auth": "command", "broker.auth_command": "evil"}))
    assert fields_of(done.out) == {"username": "app", "password": PASSWORD}
    assert not (asker.broker.home / "ran").exists()


# What only a keeper may send


@pytest.fixture
def installed(broker, tmp_path):
    """A copy of the installation in which a fake keeper, tests/drivers/keeper_asks.c, replaces broker-keeper."""
    driver = BUILD / "tests" / "drivers" / "keeper_asks"
    if not driver.exists():
        pytest.skip(f"missing: {driver} (make unit)")
    for part in ("bin", "libexec"):
        shutil.copytree(BUILD / part, tmp_path / part, symlinks=True)
    keeper = tmp_path / "libexec" / "broker" / "broker-keeper"
    keeper.unlink()
    shutil.copy(driver, keeper)
    broker.secret(PASSWORD.encode())
    broker.env["DB_PASSWORD"] = PASSWORD
    broker.asked = tmp_path / "bin" / "broker"
    return broker, keeper, driver


def keeper_asks(broker, program, **fields):
    broker.program = program
    done = broker.run(broker.asked, lines(**fields), secret_out=True)
    return done.code, fields_of(done.out), done.errors


def test_keeper_sends_the_keys_of_its_run(installed):
    """The config may have changed since the run began, and a run that has only flags has no profile."""
    broker, keeper, _ = installed
    broker.config("[profile p]\nhost = other.example.com\nuser = other\nauth = prompt\n")
    run = {"broker.host": "db.example.com", "broker.user": "app", "broker.auth": "env", "broker.auth_env": "DB_PASSWORD"}
    wanted = (0, {"username": "app", "password": PASSWORD}, "")
    assert keeper_asks(broker, keeper, **run) == wanted
    assert keeper_asks(broker, keeper, profile="p", **run) == wanted
    code, found, message = keeper_asks(broker, keeper, profile="p", **{"broker.nonsense": "x"})
    assert code == 64 and found == {} and "nonsense" in message


def test_program_in_another_folder_is_not_trusted(installed):
    """The same program in another folder does not count as a keeper."""
    broker, _, driver = installed
    broker.config("[profile p]\nhost = db.example.com\nuser = app\nauth = env\nauth_env = DB_PASSWORD\n")
    broker.script("evil", "touch $HOME/ran; echo x")
    evil = {"broker.auth": "command", "broker.auth_command": "evil"}
    assert keeper_asks(broker, driver, profile="p", **evil) == (0, {"username": "app", "password": PASSWORD}, "")
    assert keeper_asks(broker, driver, **evil) == (0, {}, "")
    assert not (broker.home / "ran").exists()


def test_installed_under_all_its_names(tmp_path):
    """The names are links in the program's folder, because git and docker search PATH for them."""
    san = ["SAN=1"] if BUILD.name == "build-san" else []
    subprocess.run(["make", "-s", "-C", REPO, "install", f"DESTDIR={tmp_path}", "PREFIX=/usr", *san], check=True, capture_output=True)
    for name in ("git-credential-broker", "docker-credential-broker", "broker-credential-process"):
        assert os.readlink(tmp_path / "usr" / "bin" / name) == "broker"
