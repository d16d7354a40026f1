# SPDX-License-Identifier: MIT
"""A password from the first prompt to the keychain, on a terminal, with a real server and a real keychain.

broker prompts for it once, and stores it if the user wants that and the server has accepted it. If the user cannot be
prompted, the error says what to do. test_keychain_store.py tests the store itself, test_passwords.py which bytes
`password set` accepts."""
import os
import re

import pytest

QUESTION = b"password for app@127.0.0.1:%d: "
STORE = b"store it in the keychain? [y/N] "
QUERY = ["--", "-NBe", "select current_user()"]
NO_KEYCHAIN_HINT = b"hint: start a Secret Service, or set auth = command, auth = file or auth = env\n"


@pytest.fixture
def shop(broker, mariadb_server, clients):
    """[profile shop] for a running server, with its `password`, its `identity` and the `question` for the password."""
    server = mariadb_server
    broker.password = broker.secret(server.password("app"))
    broker.identity = {"identity": f"mysql://app@127.0.0.1:{server.port}"}
    broker.question = QUESTION % server.port
    broker.server = server
    broker.config(f"[defaults]\nclient = {clients['mariadb1011'].path}\n[profile shop]\nhost = 127.0.0.1\n"
                  f"port = {server.port}\nuser = app\n")
    return broker


@pytest.fixture
def kept(shop, keychain):
    shop.env.update(keychain.env)
    return shop


def answer(terminal, question, data):
    shown = terminal.expect(question)
    assert shown.lstrip(b"\r\n") == question
    terminal.sendline(data)


def logins(server):
    return int(server.admin("show global status like 'Connections'").split()[-1])


@pytest.mark.parametrize("reply, stored",
                         [(b"y", True), (b"Y", True), (b"yes", True), (b"n", False), (b"", False), (b"no", False)])
def test_prompted_and_stored(kept, keychain, reply, stored):
    t = kept.pty("connect", "shop", *QUERY, stdout="pipe", stderr="pipe")
    t.expect(kept.question)
    assert not t.echo
    t.sendline(kept.password)
    t.expect(STORE)
    assert t.echo
    t.sendline(reply)
    assert t.wait() == 0
    assert (t.out, t.err) == (b"app@%\n", b"")
    assert t.shown.replace(b"\r", b"") == kept.question + b"\n" + STORE + reply + b"\n"
    assert keychain.lookup(kept.identity) == (kept.password if stored else None)
    if stored:
        done = kept.run("connect", "shop", *QUERY)
        assert (done.text, done.errors, done.code) == ("app@%\n", "", 0)


def test_server_must_accept_it_before_it_is_stored(kept, keychain):
    """After y, broker first logs in by itself, as `broker test` does; after n it does not."""
    for reply, extra in ((b"n", 1), (b"y", 2)):
        before = logins(kept.server)
        t = kept.pty("connect", "shop", *QUERY)
        answer(t, kept.question, kept.password)
        answer(t, STORE, reply)
        assert t.wait() == 0
        assert logins(kept.server) - before - 1 == extra


@pytest.mark.parametrize("verb", [["connect", "shop", *QUERY], ["exec", "shop", "--", "true"]])
def test_refused_by_the_server(kept, keychain, verb):
    t = kept.pty(*verb, stdout="pipe", stderr="pipe")
    answer(t, kept.question, b"fake-wrong")
    t.expect(STORE)
    t.sendline(b"y")
    assert t.wait() == 77 and t.out == b""
    assert re.fullmatch(rb"broker: shop: 1045 access denied for app@(localhost|127\.0\.0\.1)\n"
                        rb"hint: check user; a changed password: broker password set shop; REQUIRE SSL [^\n]*\n", t.err), t.err
    assert keychain.lookup(kept.identity) is None


def test_exec_offers_to_store_it(kept, keychain):
    t = kept.pty("exec", "shop", "--", "sh", "-c", "test -n \"$MYSQL_PWD\" && echo had it", stdout="pipe")
    answer(t, kept.question, kept.password)
    answer(t, STORE, b"y")
    assert t.wait() == 0 and t.out == b"had it\n"
    assert keychain.lookup(kept.identity) == kept.password


def test_test_offers_to_store_it_after_its_login(kept, keychain):
    t = kept.pty("test", "shop", stdout="pipe")
    answer(t, kept.question, kept.password)
    t.expect(STORE)
    before = logins(kept.server)
    t.sendline(b"y")
    assert t.wait() == 0 and [line.split()[1] for line in t.out.splitlines()] == [b"ok"] * 3
    assert keychain.lookup(kept.identity) == kept.password and logins(kept.server) == before + 1
    t = kept.pty("test", "shop", stdout="pipe")
    assert t.wait() == 0 and t.shown == b""


def test_test_does_not_offer_to_store_a_wrong_one(kept, keychain):
    t = kept.pty("test", "shop", stdout="pipe")
    answer(t, kept.question, b"fake-wrong")
    assert t.wait() == 77 and STORE not in t.shown


def test_token_prompts_and_does_not_offer_to_store_it(kept, keychain):
    t = kept.pty("token", "shop", stdout="pipe", secret_out=True)
    answer(t, kept.question, kept.password)
    assert t.wait() == 0 and t.out == kept.password + b"\n" and STORE not in t.shown


def test_without_a_keychain_it_prompts_and_does_not_offer_to_store_it(shop, empty_bus):
    shop.env.update(empty_bus.env)
    for options in ([], ["-v"]):
        t = shop.pty("connect", "shop", *options, *QUERY, stdout="pipe", stderr="pipe")
        answer(t, shop.question, shop.password)
        assert t.wait() == 0 and t.out == b"app@%\n" and STORE not in t.shown
        assert (b"  keychain  " in t.err) == bool(options)


def test_stdin_is_the_clients(kept, keychain):
    """The prompt reads from the terminal; only the client reads stdin."""
    with open(kept.write("dump.sql", "select 6*7;\n"), "rb") as stdin:
        t = kept.pty("connect", "shop", "--", "-N", stdin=stdin, stdout="pipe")
        answer(t, kept.question, kept.password)
        answer(t, STORE, b"n")
        assert t.wait() == 0 and t.out == b"42\n"


def test_interrupted_question(kept, keychain):
    t = kept.pty("connect", "shop", *QUERY)
    t.expect(kept.question)
    t.interrupt()
    assert t.wait() == -2 and t.echo
    t = kept.pty("connect", "shop", *QUERY, stderr="pipe")
    t.expect(kept.question)
    t.send(b"\x04")
    assert t.wait() == 79 and t.echo
    assert t.err == b"broker: shop: cancelled\nhint: Ctrl-D ends a question; an empty answer is Enter alone\n"


def test_empty_answer_is_an_empty_password(kept, keychain):
    t = kept.pty("token", "shop", stdout="pipe")
    answer(t, kept.question, b"")
    assert t.wait() == 0 and t.out == b"\n"


# The user cannot be prompted

@pytest.mark.parametrize("how", ["no terminal", "--no-input", "BROKER_NO_INPUT=1", "BROKER_NO_INPUT=yes"])
@pytest.mark.parametrize("verb", [["connect", "shop", *QUERY], ["token", "shop"], ["exec", "shop", "--", "true"]])
def test_no_stored_password_and_no_prompt(kept, keychain, how, verb):
    options = [how] if how.startswith("--") else []
    env = dict([how.split("=")]) if "=" in how else {}
    done = kept.run(*verb[:1], *options, *verb[1:],
                    env={**env, "BROKER_ASKPASS": "/bin/false"} if options or env else env,
                    tty=how != "no terminal")
    port = kept.server.port
    assert (done.text, done.errors, done.code, done.tty) == (
        "", f"broker: shop: no stored password for app@127.0.0.1:{port}\nhint: broker password set shop\n", 79, b"")


@pytest.mark.parametrize("how, why, hint", [
    ("no terminal", "no terminal to ask on", "run it on a terminal, or set BROKER_ASKPASS"),
    ("--no-input", "--no-input forbids asking", "leave out --no-input, and it asks"),
    ("BROKER_NO_INPUT=1", "BROKER_NO_INPUT forbids asking", "unset BROKER_NO_INPUT, and it asks")])
def test_why_the_user_is_not_prompted(kept, how, why, hint):
    options = [how] if how.startswith("--") else []
    done = kept.run("token", "shop", "-o", "auth=prompt", *options, env=dict([how.split("=")]) if "=" in how else {},
                    tty=how != "no terminal")
    assert (done.errors, done.code) == (f"broker: shop: {why}\nhint: {hint}\n", 79)


def test_no_input_0_allows_prompting(kept, keychain):
    t = kept.pty("token", "shop", env={"BROKER_NO_INPUT": "0"})
    t.expect(kept.question)


def test_no_prompt_for_the_password_of_a_url(kept, keychain):
    done = kept.run("token", f"mysql://app@127.0.0.1:{kept.server.port}/")
    assert done.errors.endswith("\nhint: broker profile add NAME, then: broker password set NAME\n") and done.code == 79


def test_no_prompt_and_no_keychain(shop, empty_bus):
    shop.env.update(empty_bus.env)
    for options, tty in (([], False), (["--no-input"], True)):
        done = shop.run("connect", "shop", *options, *QUERY, tty=tty)
        assert done.code == 78 and done.err.startswith(b"broker: shop: no keychain here") and done.err.endswith(
            NO_KEYCHAIN_HINT)
        assert len(done.errors.splitlines()) == 2 and done.tty == b""


@pytest.mark.parametrize("env",
                         [{"BROKER_ASKPASS": "{}"}, {"SSH_ASKPASS": "{}", "DISPLAY": ":9"},
                          {"SSH_ASKPASS": "{}", "WAYLAND_DISPLAY": "w"},
                                 {"BROKER_ASKPASS": "{}", "SSH_ASKPASS": "/bin/false", "DISPLAY": ":9"},
                                 {"BROKER_ASKPASS": "ask"}])
def test_askpass(kept, keychain, env):
    program = kept.script("ask", f'printf "%s" "$1" > "$HOME/asked"; printf "%s\\n" \'{kept.password.decode()}\'',
                          secret=True)
    env = {name: value.format(program) for name, value in env.items()}
    done = kept.run("connect", "shop", *QUERY, env=env)
    assert (done.text, done.errors, done.code) == ("app@%\n", "", 0)
    assert (kept.home / "asked").read_bytes() == kept.question
    assert keychain.lookup(kept.identity) is None


@pytest.mark.parametrize("env, code, wanted", [
    ({"SSH_ASKPASS": "{}"}, 79, b"no stored password for "),
    ({"SSH_ASKPASS": "{}", "DISPLAY": "", "WAYLAND_DISPLAY": ""}, 79, b"no stored password for "),
    ({"BROKER_ASKPASS": "/bin/false"}, 79, b"/bin/false did not answer\n"),
    ({"BROKER_ASKPASS": "/nowhere"}, 79, b"/nowhere: no such askpass program\n"),
    ({"BROKER_ASKPASS": ""}, 79, b"no stored password for ")])
def test_askpass_that_fails(kept, keychain, env, code, wanted):
    program = kept.script("ask", "echo fake")
    done = kept.run("connect", "shop", *QUERY, env={name: value.format(program) for name, value in env.items()})
    assert done.code == code and done.err.startswith(b"broker: shop: " + wanted) and b"\nhint: " in done.err


def test_the_terminal_comes_before_askpass(kept, keychain):
    t = kept.pty("token", "shop", env={"BROKER_ASKPASS": "/bin/false"}, stdout="pipe", secret_out=True)
    answer(t, kept.question, kept.password)
    assert t.wait() == 0


# password set and delete

def test_set_on_a_terminal(kept, keychain):
    t = kept.pty("password", "set", "shop", stderr="pipe")
    t.expect(kept.question)
    assert not t.echo
    t.sendline(kept.password)
    assert t.wait() == 0 and t.echo
    label = kept.question.decode().removeprefix("password for ").removesuffix(": ")
    assert t.err.decode() == f"stored the password of {label}\n" and t.shown.replace(b"\r",
        b"") == kept.question + b"\n"
    assert keychain.lookup(kept.identity) == kept.password
    done = kept.run("connect", "shop", *QUERY)
    assert (done.text, done.code) == ("app@%\n", 0)


def test_set_without_a_keychain_prompts_for_nothing(shop, empty_bus):
    shop.env.update(empty_bus.env)
    t = shop.pty("password", "set", "shop", stderr="pipe")
    assert t.wait() == 78 and t.shown == b"" and t.err.startswith(b"broker: shop: no keychain here")


@pytest.mark.parametrize("args, note", [
    (["set", "shop"], "stored the password of {}\n"), (["set", "shop", "-q"], ""),
    (["delete", "shop"], "no stored password for {}\n"),
    (["set", "shop", "--auth", "none"], "broker: warning: stored, but this profile has auth = none\n"
     "hint: set auth = keychain, or leave it out\nstored the password of {}\n")])
def test_notes(kept, keychain, args, note):
    done = kept.run("password", *args, input=kept.password)
    assert (done.text, done.errors, done.code) == ("", note.format(f"app@127.0.0.1:{kept.server.port}"), 0)


def test_delete(kept, keychain):
    kept.run("password", "set", "shop", input=kept.password)
    done = kept.run("password", "delete", "shop")
    assert (done.errors, done.code) == (f"deleted the password of app@127.0.0.1:{kept.server.port}\n", 0)
    assert keychain.lookup(kept.identity) is None


def test_changed_password(kept, keychain):
    """If the server refuses the stored password, the hint of `broker test` says how to change it."""
    kept.run("password", "set", "shop", input=b"fake-old")
    done = kept.run("test", "shop")
    assert done.code == 77 and done.errors.splitlines()[1].startswith("hint: check user; a changed password: broker password set shop; ")
    kept.run("password", "set", "shop", input=kept.password)
    assert kept.run("test", "shop").code == 0


# The password of a tunnel

@pytest.mark.parametrize("name, label", [
    ("bastion", "ec2-user@bastion.example.com"), ("bare", "b"), ("ssh://me@b.example:2222", "me@b.example:2222")])
def test_password_of_a_tunnel(broker, keychain, name, label):
    """The entry is for the bastion's user and host as they are written, not for the profile or the name of the
    tunnel."""
    broker.env.update(keychain.env)
    broker.config("[tunnel bastion]\ntype = ssh\nhost = bastion.example.com\nuser = ec2-user\n[tunnel bare]\ntype = ssh\nhost = b\n")
    word = broker.secret(b"fake-ssh-word")
    done = broker.run("password", "set", "--tunnel", name, input=word)
    assert (done.text, done.errors, done.code) == ("", f"stored the password of {label}\n", 0)
    assert keychain.lookup({"identity": f"ssh://{label}"}) == word
    done = broker.run("password", "delete", "--tunnel", name)
    assert (done.errors, done.code) == (f"deleted the password of {label}\n", 0)
    assert keychain.lookup({"identity": f"ssh://{label}"}) is None


@pytest.mark.parametrize("args, code, text", [
    ([], 64, "broker: password: which tunnel?\nhint: broker password set --tunnel NAME\n"),
    (["bastoin"], 64, "broker: --tunnel: no such tunnel 'bastoin'\nhint: did you mean 'bastion'?\n"),
    (["t"], 64, "broker: t: not a tunnel of type ssh, so it has no password\nhint: broker password set PROFILE, for the database's\n")])
def test_tunnels_without_a_password(broker, args, code, text):
    broker.config("[tunnel bastion]\ntype = ssh\nhost = b\n[tunnel t]\ntype = tcp\naddress = 1\n")
    done = broker.run("password", "set", "--tunnel", *args, input=b"fake-word")
    assert (done.text, done.errors, done.code) == ("", text, code)


# Identities

PROFILES = """
[profile a]
user = u
host = db.example.com
[profile b]
inherits = a
database = other
title = same login
port = 3306
[profile c]
inherits = a
port = 3307
[profile d]
user = u
socket = /run/my.sock
[profile e]
user = u
[profile f]
inherits = a
user = u@x
[profile g]
inherits = a
host = ::1
"""
IDENTITIES = {"a": "mysql://u@db.example.com:3306", "b": "mysql://u@db.example.com:3306",
              "c": "mysql://u@db.example.com:3307",
              "d": "mysql://u@localhost/run/my.sock", "e": "mysql://u@localhost/auto",
              "f": "mysql://u%40x@db.example.com:3306",
              "g": "mysql://u@[::1]:3306"}


def test_identities(broker, keychain):
    """An identity consists of the user and the server, not of the profile's name: two profiles for one login share an
    entry."""
    broker.env.update(keychain.env)
    broker.config(PROFILES)
    for name in IDENTITIES:
        assert broker.run("password", "set", name, input=f"fake-{name}".encode()).code == 0
    for name, identity in IDENTITIES.items():
        shared = "fake-b" if identity == IDENTITIES["a"] else f"fake-{name}"
        assert keychain.lookup({"identity": identity}) == shared.encode()
        assert broker.run("token", name, secret_out=True).text == shared + "\n"
    assert broker.run("token", "mysql://u@db.example.com:3307/any", secret_out=True).text == "fake-c\n"
    assert keychain.search({"xdg:schema": "org.broker.Password"}).count(b"identity = ") == len(set(IDENTITIES.values()))
    assert os.listdir(broker.home / ".config" / "broker") == ["config"]


def test_identity_of_a_relative_path(broker, keychain):
    """`run/my.sock` is another server than `/run/my.sock`, and another one in each folder."""
    broker.env.update(keychain.env)
    for where, path in (("/", "/run/my.sock"), (broker.home, "run/my.sock")):
        assert broker.run("password", "set", "-S", path, "-u", "u", cwd=where, input=f"fake-{where}".encode()).code == 0
    for where, path in (("/", "run/my.sock"), (broker.home, "run/my.sock"), (broker.tmp, f"{broker.home}/run/my.sock")):
        secret = "fake-/\n" if where == "/" else f"fake-{broker.home}\n"
        assert broker.run("token", f"mysql://u@/?socket={path}", cwd=where, secret_out=True).text == secret
    done = broker.run("token", "mysql://u@/?socket=run/my.sock", cwd=broker.tmp)
    assert done.code == 79 and f"for u@{broker.tmp}/run/my.sock\n" in done.errors
