# SPDX-License-Identifier: MIT
"""A session as the user that Vault made: each client, directly, over SSH and through a port that is open already, on both
families of server; and that after `logout` the user is gone, whoever is connected."""
import json
import re

import pytest

from lib import bastion
from lib.logins import profile
from lib.vault import Desk, refused, shown

QUERY = "select current_user()"


@pytest.fixture(params=["mariadb_server", "mysql_server"])
def area(request, make_area):
    return make_area(request.getfixturevalue(request.param))


@pytest.fixture
def person(broker, keyring, area):
    """One who has a token that is his own."""
    desk = Desk(broker, keyring, area)
    secret = broker.secret(b"fake-userpass-canary-20c7")
    desk.login_keys = {"vault_auth": "userpass", "vault_user": "alice", "vault_mount": area.userpass(secret.decode())}
    desk.configure(**desk.login_keys)
    tty = desk.pty("login", "w")
    tty.expect(r"password[^\r\n]*: ")
    tty.sendline(secret)
    assert tty.wait() == 0, shown(tty)
    return desk


@pytest.mark.parametrize("way", ["direct", "ssh", "open port"])
def test_session(person, area, client, way, request, broker, names):
    """The same lease on each of them; `logout` ends it."""
    keys, sections = {}, ""
    if way == "ssh":
        sshd, home = request.getfixturevalue("sshd"), bastion.Home(broker, request.getfixturevalue("ssh_home"))
        home.knows(sshd)
        home.has_key(request.getfixturevalue("user_key"))
        keys, sections = {"via": "far"}, bastion.tunnel(sshd)
    elif way == "open port":
        keys = {"via": f"tcp://127.0.0.1:{area.database.port}", "host": "only.the.far.side", "port": 3306}
    if way != "direct":
        keys.update(tls="required")
    person.configure(sections, **person.login_keys, **keys)
    done = person.run("connect", "w", "--client", client.path, "--", *client.options_for(area.database, "app"), "-NBe", QUERY)
    assert done.code == 0 and not done.err, done.errors
    (user,) = area.users()
    assert done.text == f"{user}@%\n"
    assert person.run("connect", "w", "--client", client.path, "--", *client.options_for(area.database, "app"), "-NBe", QUERY).text == done.text and area.users() == [user]
    assert person.run("logout", "w").code == 0 and area.users_become(0)


def test_log_out_under_a_session(person, area, clients):
    """The user is dropped while it is connected; the next login is refused."""
    tty = person.pty("connect", "w", "--client", clients["mariadb1011"].path)
    tty.expect(r"> ")
    tty.sendline(b"select 'one';")
    tty.expect(r"\| one +\|")
    assert person.run("logout", "w").code == 0 and area.users_become(0)
    done = person.run("connect", "w", "--client", clients["mariadb1011"].path, "--", "-e", QUERY)
    assert done.code == 79
    tty.sendline(b"\\q")
    tty.wait()


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_forward_needs_no_lease(person, area, forwards):
    """It moves bytes: no user is made for it."""
    person.broker.config(profile("f", host=area.database.host, port=area.database.port, auth="vault", vault_addr=area.front.url, vault_path=area.path))
    running = forwards.start("f")
    assert running.address and not area.users()


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_rows_of_test(person, area):
    done = person.run("test", "w")
    (user,) = area.users()
    assert done.code == 0 and re.search(rf"^credential +ok +\S+ +vault {area.path}, valid for (1h|59m)$", done.text, re.M), done.text
    assert re.search(rf"^login +ok +\S+ +vault {re.escape(area.front.url)}", done.text, re.M), done.text
    assert re.search(rf"^server +ok .*{user}@", done.text, re.M), done.text


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_dry_run_asks_nobody(person, area):
    asked = len(area.front.seen)
    done = person.run("connect", "w", "--dry-run")
    assert done.code == 0 and re.search(rf"^login +vault {re.escape(area.front.url)}", done.text, re.M) and area.path in done.text, done.text
    assert len(area.front.seen) == asked and not area.users()


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_token_is_no_word_for_it(person):
    """A user belongs to it, which `token` cannot print."""
    refused(person.run("token", "w"), 64, "hint: broker params w --format json")


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_git_protocol(person, area):
    done = person.run("credential", "get", input=b"profile=w\n\n", secret_out=True)
    said = dict(line.split("=", 1) for line in done.text.splitlines())
    assert said["username"] == area.users()[0] and said["password"] and int(said["password_expiry_utc"])


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_nothing_shows(person, area, clients):
    """Neither in argv nor in an environment, nor with -vv; (files and outputs are searched after each test)."""
    with person.broker.watch() as watch:
        done = person.run("connect", "w", "-vv", "--client", clients["mariadb118"].path, "--", "-NBe", QUERY)
    assert done.code == 0, done.errors
    person.broker.assert_hidden(watch)
    assert len(person.broker.secrets) > 2


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_parameters_for_others(person, area):
    """User, password and end of the lease; without a login the way to one."""
    said = json.loads(person.run("params", "w", "--format", "json", secret_out=True).text)
    assert [said["user"]] == area.users() and said["password"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["expires_at"])
    assert person.run("logout", "w").code == 0
    refused(person.run("params", "w"), 79, f"not logged in to {area.front.url}")
