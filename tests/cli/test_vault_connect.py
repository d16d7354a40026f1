# SPDX-License-Identifier: MIT
"""A session as the database user that Vault created: each client, directly, over SSH and through a port that is already
open, with both families of server; and that `logout` removes the user, even while it is connected."""
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
def signed_in(broker, keyring, area):
    """The session of a user who has logged in to Vault."""
    desk = Desk(broker, keyring, area)
    secret = broker.secret(b"fake-userpass-canary-20c7")
    desk.login_keys = {"vault_auth": "userpass", "vault_user": "alice", "vault_mount": area.userpass(secret.decode())}
    desk.configure(**desk.login_keys)
    tty = desk.pty("login", "w")
    tty.expect(r"password[^\r\n]*: ")
    tty.sendline(secret)
    assert tty.wait() == 0, shown(tty)
    return desk


@pytest.mark.parametrize("route", ["direct", "ssh", "open port"])
def test_session(signed_in, area, client, route, request, broker, names):
    """Both runs use the same lease; `logout` ends it."""
    keys, sections = {}, ""
    if route == "ssh":
        sshd, home = request.getfixturevalue("sshd"), bastion.Home(broker, request.getfixturevalue("ssh_home"))
        home.knows(sshd)
        home.has_key(request.getfixturevalue("user_key"))
        keys, sections = {"via": "far"}, bastion.tunnel(sshd)
    elif route == "open port":
        keys = {"via": f"tcp://127.0.0.1:{area.database.port}", "host": "only.the.far.side", "port": 3306}
    if route != "direct":
        keys.update(tls="required")
    signed_in.configure(sections, **signed_in.login_keys, **keys)
    done = signed_in.run("connect", "w", "--client", client.path, "--", *client.options_for(area.database, "app"), "-NBe", QUERY)
    assert done.code == 0 and not done.err, done.errors
    (user,) = area.users()
    assert done.text == f"{user}@%\n"
    assert signed_in.run("connect", "w", "--client", client.path, "--", *client.options_for(area.database, "app"), "-NBe", QUERY).text == done.text and area.users() == [user]
    assert signed_in.run("logout", "w").code == 0 and area.users_become(0)


def test_logout_during_a_session(signed_in, area, clients):
    """The database user is dropped while it is connected; the next run needs a new login to Vault."""
    tty = signed_in.pty("connect", "w", "--client", clients["mariadb1011"].path)
    tty.expect(r"> ")
    tty.sendline(b"select 'one';")
    tty.expect(r"\| one +\|")
    assert signed_in.run("logout", "w").code == 0 and area.users_become(0)
    done = signed_in.run("connect", "w", "--client", clients["mariadb1011"].path, "--", "-e", QUERY)
    assert done.code == 79
    tty.sendline(b"\\q")
    tty.wait()


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_forward_needs_no_lease(signed_in, area, forwards):
    """It passes bytes: no user is created for it."""
    signed_in.broker.config(profile("f", host=area.database.host, port=area.database.port, auth="vault", vault_addr=area.front.url, vault_path=area.path))
    running = forwards.start("f")
    assert running.address and not area.users()


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_rows_of_test(signed_in, area):
    done = signed_in.run("test", "w")
    (user,) = area.users()
    assert done.code == 0 and re.search(rf"^credential +ok +\S+ +vault {area.path}, valid for (1h|59m)$", done.text, re.M), done.text
    assert re.search(rf"^login +ok +\S+ +vault {re.escape(area.front.url)}", done.text, re.M), done.text
    assert re.search(rf"^server +ok .*{user}@", done.text, re.M), done.text


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_dry_run_sends_no_request(signed_in, area):
    asked = len(area.front.seen)
    done = signed_in.run("connect", "w", "--dry-run")
    assert done.code == 0 and re.search(rf"^login +vault {re.escape(area.front.url)}", done.text, re.M) and area.path in done.text, done.text
    assert len(area.front.seen) == asked and not area.users()


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_token_cannot_print_it(signed_in):
    """The credential includes a user, which `token` cannot print."""
    refused(signed_in.run("token", "w"), 64, "hint: broker params w --format json")


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_git_protocol(signed_in, area):
    done = signed_in.run("credential", "get", input=b"profile=w\n\n", secret_out=True)
    said = dict(line.split("=", 1) for line in done.text.splitlines())
    assert said["username"] == area.users()[0] and said["password"] and int(said["password_expiry_utc"])


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_no_secret_is_shown(signed_in, area, clients):
    """Neither in argv nor in an environment, nor with -vv. (Files and output are searched after each test.)"""
    with signed_in.broker.watch() as watch:
        done = signed_in.run("connect", "w", "-vv", "--client", clients["mariadb118"].path, "--", "-NBe", QUERY)
    assert done.code == 0, done.errors
    signed_in.broker.assert_hidden(watch)
    assert len(signed_in.broker.secrets) > 2


@pytest.mark.parametrize("area", ["mariadb_server"], indirect=True)
def test_params(signed_in, area):
    """User, password and end of the lease; without a login the error says so."""
    said = json.loads(signed_in.run("params", "w", "--format", "json", secret_out=True).text)
    assert [said["user"]] == area.users() and said["password"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["expires_at"])
    assert signed_in.run("logout", "w").code == 0
    refused(signed_in.run("params", "w"), 79, f"not logged in to {area.front.url}")
