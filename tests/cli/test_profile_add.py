# SPDX-License-Identifier: MIT
"""profile add: from a URL, from flags, from questions. The rest of the file is kept, and no password gets into it."""
import os
import stat
from urllib.parse import quote

import pytest

from lib.built import PROVIDERS

PASSWORD = b"fake-canary-add-0123456789"
NOTE = "added [profile {0}] to ~/.config/broker/config\nnext: broker test {0}\n"
QUESTIONS = [b"host (empty: local socket): ", b"port [3306]: ", b"user (empty: the client's own): ", b"database (empty: none): ",
             f"auth ({PROVIDERS}) [keychain]: ".encode()]
VIA = b"via (ssh://USER@HOST or a tunnel, empty: direct): "


def outcome(done):
    return done.text, done.errors, done.code


def section(broker, name="shop"):
    """The lines of that section, without spaces around `=`."""
    text = broker.config_path.read_text()
    lines = text[text.index(f"[profile {name}]"):].splitlines()[1:]
    return [line.replace(" =", "=").replace("= ", "=") for line in lines if line]


@pytest.mark.parametrize("url, lines", [
    ("mysql://app_ro@stage.c9akciq32.eu-west-1.rds.amazonaws.com/shop?type=aws_iam&aws_profile=prod",
     ["host=stage.c9akciq32.eu-west-1.rds.amazonaws.com", "user=app_ro", "database=shop", "auth=iam",
      "aws_profile=prod"]),
    ("mysql://app@db.example.com:3307/", ["host=db.example.com", "port=3307", "user=app"]),
    ("mysql://app@/shop?type=socket&socket=/run/my%20sql.sock",
     ["socket=/run/my sql.sock", "user=app", "database=shop"]),
    ("mysql://root@?type=socket", ["socket=auto", "user=root"]),
    ("mysql://app@h/?tls=verify-ca&tls_ca=/dev/null&compress=yes",
     ["host=h", "user=app", "tls=verify-ca", "tls_ca=/dev/null", "compress=yes"]),
    ("mysql://acme@127.0.0.1/?type=ssh&ssh_host=acme.example&ssh_user=u&ssh_port=2222",
     ["host=127.0.0.1", "user=acme", "via=ssh://u@acme.example:2222"]),
    ("mysql://a%23b%20;%22c@h/d%23", ['host=h', 'user="a#b ;\\"c"', "database=d#"]),
    ("mysql://app@h?title=%23%20x", ['title="# x"', "host=h", "user=app"])])
def test_from_a_url(broker, url, lines):
    assert outcome(broker.run("profile", "add", "shop", url)) == ("", NOTE.format("shop"), 0)
    assert sorted(section(broker)) == sorted(lines)
    assert broker.run("profile", "check").code == 0
    assert stat.S_IMODE(broker.config_path.stat().st_mode) == 0o600
    assert os.listdir(broker.config_path.parent) == ["config"]


def test_quiet(broker):
    assert outcome(broker.run("profile", "add", "shop", "mysql://app@h/", "-q")) == ("", "", 0)


@pytest.mark.parametrize("url, text", [
    ("mysql://h/?colour=red", "unknown parameter 'colour'\nhint: broker help urls"),
    ("mysql://h/?password=x", "'password' is not a parameter: put the password before the host, USER:PASSWORD@HOST\n"
                              "hint: broker help urls"),
    ("mysql://h/?tls=on", "tls: unknown value 'on'\nhint: tls is one of: disabled preferred required verify-ca verify-identity"),
    ("mysql://h:0/", "the port is not a number from 1 to 65535\n"
                     "hint: percent-encode special characters of the password: %2F is /, %3A is :, %40 is @"),
    ("mysql://h/a%zz", "bad percent-encoding in the database\nhint: write a literal % as %25"),
    ("http://h/", "it does not start with mysql://\nhint: mysql://[USER@]HOST[:PORT]/[DATABASE]")])
def test_bad_url(broker, url, text):
    done = broker.run("profile", "add", "x", url)
    warned = "broker: warning: password on the command line\nhint: broker profile add x -\n" if "password=" in url else ""
    assert outcome(done) == ("", f"{warned}broker: URL: {text}\n", 65)
    assert not broker.config_path.exists()


@pytest.mark.parametrize("args, code, text", [
    (["h.example.com"], 64, "broker: x: the argument after the name is not a URL\nhint: mysql://USER@HOST/DATABASE\n"),
    (["--host", "h", "--socket", "/s"], 64,
     "broker: --socket: host and socket contradict each other\n"
     "hint: keep host for TCP, or socket for a server on this machine\n"),
    (["--host", "h:1"], 64, "broker: --host: host: 'h:1' is not a host name\nhint: set the port with port = 1\n"),
    (["-o", "hots=h"], 64, "broker: -o hots: unknown key 'hots'\nhint: did you mean 'host'?\n"),
    (["-o", "password=h"], 64,
     "broker: -o password: no secrets on the command line: 'password'\nhint: broker password set NAME\n"),
    (["mysql://h/", "--tls", "verify-ca", "--socket", "/s"], 78,
     "broker: x: tls = verify-ca over the server's own socket\n"
     "hint: set tls = preferred (a local socket does not use the network), or set host for TCP\n")])
def test_bad_flags(broker, args, code, text):
    assert outcome(broker.run("profile", "add", "x", *args)) == ("", text, code)
    assert not broker.config_path.exists()


def test_from_flags(broker):
    done = broker.run("profile", "add", "shop", "--host", "db.example.com", "-P3307", "-uapp", "-o", "title=The shop")
    assert outcome(done) == ("", NOTE.format("shop"), 0)
    assert sorted(section(broker)) == ["host=db.example.com", "port=3307", "title=The shop", "user=app"]


def test_flags_win_over_the_url(broker):
    broker.run("profile", "add", "shop", "mysql://app@h/d", "--user", "other", "--database", "")
    assert sorted(section(broker)) == ["host=h", "user=other"]


def test_only_keys_that_were_given_are_written(broker):
    broker.config("[defaults]\ncompress = yes\n")
    broker.run("profile", "add", "shop", "mysql://app@h/", env={"BROKER_DATABASE": "from-env"})
    assert section(broker) == ["host=h", "user=app"]
    assert "from-env" not in broker.config_path.read_text()


@pytest.mark.parametrize("before, between", [
    ("# mine\n[profile a]\n; kept\nhost = h   \n", "\n"), ("[profile a]\nhost = h", "\n\n"),
    ("[profile a]\r\nhost = h\r\n", "\r\n"), ("[profile a]\r\nhost = h", "\r\n\r\n"),
    ("\ufeff[profile a]\nhost = h\n", "\n"), ("", "")])
def test_rest_of_the_file_is_kept(broker, before, between):
    broker.config(before)
    broker.config_path.chmod(0o640)
    assert broker.run("profile", "add", "b", "mysql://u@h2/").code == 0
    text = broker.config_path.read_bytes().decode()
    assert text == before + between + "[profile b]\nhost = h2\nuser = u\n".replace("\n", "\r\n" if "\r" in before else "\n")
    assert stat.S_IMODE(broker.config_path.stat().st_mode) == 0o640


def test_through_a_link(broker):
    real = broker.write("dotfiles/broker", "[profile a]\nhost = h\n")
    broker.config_path.parent.mkdir(parents=True)
    broker.config_path.symlink_to(real)
    assert broker.run("profile", "add", "b", "mysql://u@h/").code == 0
    assert broker.config_path.is_symlink() and "[profile b]" in real.read_text()
    assert os.listdir(real.parent) == ["broker"]


def test_into_broker_config(broker):
    done = broker.run("profile", "add", "b", "mysql://u@h/", env={"BROKER_CONFIG": str(broker.home / "new" / "file")})
    assert outcome(done) == ("", "added [profile b] to ~/new/file\nnext: broker test b\n", 0)
    assert (broker.home / "new" / "file").read_text() == "[profile b]\nhost = h\nuser = u\n"


def test_name_that_the_system_file_has(broker, names):
    broker.etc.write("/etc/broker/config", "[profile a]\nhost = h\n")
    done = broker.run("profile", "add", "a", "mysql://h/")
    assert outcome(done) == ("", "broker: a: exists at /etc/broker/config:1\nhint: edit it there, or choose another name\n",
                          78)
    assert not broker.config_path.exists()


# A URL's password

def test_password_without_a_terminal(broker):
    broker.secret(PASSWORD)
    done = broker.run("profile", "add", "shop", b"mysql://app:" + PASSWORD + b"@db.example.com/shop")
    assert outcome(done) == ("", """\
broker: warning: password on the command line
hint: broker profile add shop -
broker: warning: the URL's password was dropped: no terminal to ask on
hint: broker password set shop
""" + NOTE.format("shop"), 0)
    assert sorted(section(broker)) == ["database=shop", "host=db.example.com", "user=app"]


@pytest.mark.parametrize("answer, stored", [(b"y", True), (b"", False), (b"n", False)])
def test_password_on_a_terminal(broker, keychain, answer, stored):
    broker.secret(PASSWORD)
    broker.env.update(keychain.env)
    t = broker.pty("profile", "add", "shop", b"mysql://app:" + PASSWORD + b"@db.example.com/shop", stderr="pipe")
    shown = t.expect(b"[y/N] ")
    assert shown == b"store the password of app@db.example.com:3306 in the keychain? [y/N] "
    with open(f"/proc/{t.pid}/cmdline", "rb") as f:
        assert PASSWORD not in f.read()
    t.sendline(answer)
    assert t.wait() == 0
    assert t.err.decode() == "broker: warning: password on the command line\nhint: broker profile add shop -\n" + NOTE.format("shop")
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3306"}) == (PASSWORD if stored else None)
    assert sorted(section(broker)) == ["database=shop", "host=db.example.com", "user=app"]


def test_url_from_stdin(broker, keychain):
    broker.secret(PASSWORD)
    broker.env.update(keychain.env)
    with open(broker.write("url", b"mysql://app:" + PASSWORD + b"@h/\nthe rest", secret=True), "rb") as stdin:
        t = broker.pty("profile", "add", "shop", "-", stdin=stdin, stderr="pipe")
        t.expect(b"[y/N] ")
        t.sendline(b"y")
        assert t.wait() == 0 and t.err.decode() == NOTE.format("shop")
        assert os.read(stdin.fileno(), 99) == b"the rest"
    assert keychain.lookup({"identity": "mysql://app@h:3306"}) == PASSWORD


def test_url_typed_without_echo(broker, keychain):
    broker.secret(PASSWORD)
    broker.env.update(keychain.env)
    t = broker.pty("profile", "add", "shop", "-", stderr="pipe")
    t.expect(b"URL: ")
    assert not t.echo
    t.sendline(b"mysql://app:" + PASSWORD + b"@h/")
    t.expect(b"[y/N] ")
    assert t.echo
    t.sendline(b"n")
    assert t.wait() == 0 and t.err.decode() == NOTE.format("shop")


def test_password_without_a_keychain(broker, empty_bus):
    broker.secret(PASSWORD)
    broker.env.update(empty_bus.env)
    t = broker.pty("profile", "add", "shop", b"mysql://app:" + PASSWORD + b"@h/", stderr="pipe")
    assert t.wait() == 0 and b"[y/N]" not in t.shown
    warning = "broker: warning: the URL's password was dropped: no keychain here: "
    assert warning in t.err.decode() and t.err.decode().endswith(
        "hint: start a Secret Service, or set auth = command, auth = file or auth = env\n" + NOTE.format("shop"))


def test_question_comes_before_anything_is_written(broker, keychain):
    """After Ctrl-C at the question, nothing is in the file or in the keychain."""
    broker.secret(PASSWORD)
    broker.env.update(keychain.env)
    t = broker.pty("profile", "add", "shop", b"mysql://app:" + PASSWORD + b"@h/", stderr="pipe")
    t.expect(b"[y/N] ")
    assert not broker.config_path.exists()
    t.interrupt()
    assert t.wait() == -2 and not broker.config_path.exists()
    assert keychain.lookup({"identity": "mysql://app@h:3306"}) is None


# Questions

def ask(broker, *answers, questions=(*QUESTIONS, VIA)):
    t = broker.pty("profile", "add", "shop", stderr="pipe")
    for question, answer in zip(questions, answers, strict=True):
        assert t.expect(question).endswith(question)
        t.sendline(answer)
    assert t.wait() == 0, (t.shown, t.err)
    return t


def test_questions(broker):
    t = ask(broker, b"db.example.com", b"", b"app", b"shop", b"", b"")
    assert t.err.decode() == NOTE.format("shop") and t.out == b""
    assert section(broker) == ["host=db.example.com", "user=app", "database=shop"]


def test_questions_for_a_local_socket(broker):
    ask(broker, b"", b"", b"", b"",
        questions=[QUESTIONS[0], *QUESTIONS[2:4], QUESTIONS[4].replace(b"[keychain]", b"[client]")])
    assert section(broker) == []
    assert broker.run("profile", "check").code == 0


@pytest.mark.parametrize("auth, question, answer", [
    (b"command", b"auth_command: ", b"pass show 'db x'"), (b"file", b"auth_file: ", b"~/pw"),
    (b"env", b"auth_env: ", b"PW")])
def test_question_for_the_key_that_auth_needs(broker, auth, question, answer):
    ask(broker, b"h", b"3307", b"app", b"", auth, answer, b"", questions=[*QUESTIONS, question, VIA])
    assert section(broker) == ["host=h", "port=3307", "user=app", f"auth={auth.decode()}",
                               f"auth_{auth.decode()}={answer.decode()}"]


def test_question_is_repeated_after_a_bad_answer(broker):
    broker.config("[tunnel bastion]\ntype = ssh\nhost = b\n")
    t = ask(broker, b"a b", b"  h  ", b"0", b"3306", b"u", b"", b"keychian", b"", b"bastoin", b"bastion",
            questions=[QUESTIONS[0], QUESTIONS[0], QUESTIONS[1], QUESTIONS[1], *QUESTIONS[2:], QUESTIONS[4], VIA, VIA])
    assert t.err.decode() == """\
broker: host: 'a b' is not a host name
hint: a name such as db.example.com, or an IP address
broker: port: '0' is not a number from 1 to 65535
hint: for example: port = 3306
broker: auth: unknown value 'keychian'
hint: did you mean 'keychain'?
broker: via: no such tunnel 'bastoin'
hint: did you mean 'bastion'?
""" + NOTE.format("shop")
    assert section(broker) == ["host=h", "port=3306", "user=u", "via=bastion"]


@pytest.mark.parametrize("answer", [b"ssh://dev@bastion.example.com", b"tcp://127.0.0.1:13306"])
def test_question_for_via(broker, answer):
    ask(broker, b"h", b"", b"u", b"", b"", answer)
    assert section(broker) == ["host=h", "user=u", f"via={answer.decode()}"]


def test_answers_that_contradict_each_other_are_not_written(broker):
    config = "[defaults]\nsocket = /s\ntls = verify-ca\n"
    broker.config(config)
    t = broker.pty("profile", "add", "shop", stderr="pipe")
    for question, answer in zip((QUESTIONS[0], *QUESTIONS[2:]), (b"", b"u", b"", b"")):
        t.expect(question)
        t.sendline(answer)
    assert t.wait() == 78 and t.err.startswith(b"broker: shop: tls = verify-ca over the server's own socket\n")
    assert broker.config_path.read_text() == config


def test_interrupted(broker):
    t = broker.pty("profile", "add", "shop")
    t.expect(QUESTIONS[0])
    t.interrupt()
    assert t.wait() == -2 and not broker.config_path.exists()


@pytest.mark.parametrize("options, why", [([], "no terminal to ask on"), (["--no-input"], "--no-input forbids asking")])
def test_questions_are_not_possible(broker, options, why):
    done = broker.run("profile", "add", "shop", *options, tty=bool(options))
    assert outcome(done) == ("", f"broker: shop: {why}\nhint: broker profile add shop mysql://USER@HOST/DATABASE\n", 79)


def test_ctrl_d_cancels(broker):
    t = broker.pty("profile", "add", "shop", stderr="pipe")
    t.expect(QUESTIONS[0])
    t.send(b"\x04")
    assert t.wait() == 79 and not broker.config_path.exists()
    assert t.err.decode() == "broker: shop: cancelled\nhint: Ctrl-D ends a question; an empty answer is Enter alone\n"


# --test: tried before it is saved

@pytest.fixture
def server_url(mariadb_server, clients):
    """(url, flags): url(PASSWORD) is a URL of the server, by default with the right password; flags: the client."""
    def url(password=None):
        password = mariadb_server.password("app_native") if password is None else password
        return f"mysql://app_native:{quote(os.fsdecode(password), safe='')}@127.0.0.1:{mariadb_server.port}/"
    return url, ["--client", str(clients["mariadb1011"].path)]


def test_saved_if_it_works(broker, server_url):
    url, flags = server_url
    done = broker.run("profile", "add", "--test", "shop", url(), *flags, "-q")
    assert done.code == 0 and [line.split()[:2] for line in done.text.splitlines()] == [
        ["route", "ok"], ["credential", "ok"], ["server", "ok"]], done
    assert "user=app_native" in section(broker)


def test_not_saved_if_it_fails(broker, server_url):
    url, flags = server_url
    broker.config("[profile a]\nhost = h\n")
    done = broker.run("profile", "add", "--test", "shop", url("wrong"), *flags)
    assert done.code == 77 and "1045" in done.errors and "added" not in done.errors
    assert broker.config_path.read_text() == "[profile a]\nhost = h\n"


def test_flags_and_the_local_socket_are_tested_too(broker, server_url, mariadb_server):
    _, flags = server_url
    done = broker.run("profile", "add", "--test", "near", "--user", "x", "--auth", "none", *flags,
                      env={"BROKER_PROFILE": "other"})
    assert done.code == 69 and "no server answers on a local socket" in done.errors and not broker.config_path.exists()
    done = broker.run("profile", "add", "--test", "far", "--host", "127.0.0.1", "-P", str(mariadb_server.port), "-uapp_native",
                      "-oauth=env", "-oauth_env=PW", *flags, env={"PW": os.fsdecode(mariadb_server.password("app_native"))})
    assert done.code == 0 and "auth=env" in section(broker, "far"), done


def test_test_option_is_only_for_add(broker):
    broker.config("[profile a]\nhost = h\n")
    assert outcome(broker.run("profile", "set", "a", "user=u", "--test")) == (
        "", "broker: profile: --test is for add\nhint: broker help profile\n", 64)
    assert broker.run("profile", "list", "--dry-run").code == 64


def test_key_of_the_bastion_is_written(broker):
    done = broker.run("profile", "add", "shop", "mysql://u@h/?ssh_host=b&ssh_user=me&ssh_port=2222&ssh_keyLocation=~/.ssh/id&ssh_keyLocationEnabled=1")
    assert done.code == 0
    assert section(broker)[:3] == ["host=h", "user=u", "via=shop"]
    assert section(broker)[3:] == ["[tunnel shop]", "type=ssh", "host=b", "port=2222", "user=me",
                                   f"identity={broker.home}/.ssh/id"]
