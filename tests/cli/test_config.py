# SPDX-License-Identifier: MIT
"""The config file as the user sees it: which files are read, what is refused with which message, what a run checks.

Every error is one line with file and line number, and one hint; a run checks `[defaults]` and the sections that it
uses, `profile check` checks everything. The grammar itself is tested case by case in tests/unit."""
import os
import socket
import stat

import pytest

from lib import stranger
from lib.broker import BUILD
from lib.built import PROVIDERS

FILE = "~/.config/broker/config"


def refused(done, code=78):
    assert done.code == code and done.out == b"" and done.errors.startswith("broker: "), done
    lines = done.errors.splitlines()
    assert len(lines) == 2 and lines[1].startswith("hint: ") and len(lines[1]) > 6, lines
    return done.errors.removeprefix("broker: ")


# Errors in the file

@pytest.mark.parametrize("text, wanted", [
    ("[profile p]\nhost = h\ndatabse = x\n", ":3: unknown key 'databse'\nhint: did you mean 'database'?\n"),
    ("[profile p]\nhost = h\nHost = x\n", ":3: unknown key 'Host'\nhint: did you mean 'host'?\n"),
    ("[profile p]\nzzz = x\n", ":2: unknown key 'zzz'\nhint: broker help config\n"),
    ("[profile p]\nstore = keyring\n", ":2: unknown key 'store'\nhint: it belongs in [defaults]\n"),
    ("[profile p]\nidentity = x\n", ":2: unknown key 'identity'\nhint: it belongs in [tunnel NAME]\n"),
    ("[profile p]\nready = x\n", ":2: unknown key 'ready'\nhint: it belongs in [tunnel NAME]\n"),
    ("[defaults]\ninherits = p\n[profile p]\n", ":2: unknown key 'inherits'\nhint: it belongs in [profile NAME]\n"),
    ("[profile p]\n[profile q]\n[profile p]\n",
     ":3: [profile p] again, after line 1\nhint: merge the two sections\n"),
    ("[defaults]\n[defaults]\n[profile p]\n",
     ":2: [defaults] again, after line 1\nhint: merge the two sections\n"),
    ("[profile p]\nhost = a\nuser = u\nhost = b\n",
     ":4: 'host' again in the same section\nhint: delete one of the lines\n"),
    ("[profil p]\n", ":1: unknown section [profil p]\nhint: did you mean [profile p]?\n"),
    ("[p]\n", ":1: unknown section [p]\nhint: did you mean [profile p]?\n"),
    ("[profile a/b]\n", ":1: [profile a/b]: not a valid name\nhint: use up to 64 letters, digits and . _ @ + -, the first a letter or digit\n"),
    ("[profile p]\nhost = a # b\n", ":2: "), ("[profile p]\nhost = a ;b\n", ":2: "),
    ("[profile p]\nhost = a\n  more\n", ":3: "),
    ("[profile p]\nhost\n", ":2: "), ("host = h\n", ":1: "), ("[profile p\n", ":1: "),
    ("[profile p]\nhost = \"a\n", ":2: "),
    ("[profile p]\nhost = \"a\" b\n", ":2: "), ("[profile p]\nhost = \"\\x\"\n", ":2: "),
    ("[profile p]\n= x\n", ":2: "),
    ("[profile p]\nport = 0\n", ":2: port: '0' is not a number from 1 to 65535\nhint: for example: port = 3306\n"),
    ("[profile p]\ntls = verify-idenity\n",
     ":2: tls: unknown value 'verify-idenity'\nhint: did you mean 'verify-identity'?\n"),
    ("[profile p]\nhost = mysql://u:fake-pw@h/\n",
     ":2: host: a URL is not a host name\nhint: a URL goes in place of the profile's name: broker connect URL\n"),
    ("[profile p]\nauth_command = 'x\n", ":2: auth_command: open quote or backslash at the end of a command\nhint: "),
    ("[profile p]\nhost = h\nsocket = /s\n", ":3: host and socket contradict each other\nhint: "),
    ("[profile p]\npassword = x\n",
     ":2: no secrets in this file: 'password'\nhint: delete the line, then: broker password set p\n"),
    ("[profile p]\nMYSQL_PWD = x\n",
     ":2: no secrets in this file: 'MYSQL_PWD'\nhint: delete the line, then: broker password set p\n"),
    ("[defaults]\npassword = x\n[profile p]\n",
     ":2: no secrets in this file: 'password'\nhint: delete the line, then: broker password set NAME\n"),
    ("[profile p]\ninherits = p\n",
     ":2: inherits loop: p -> p\nhint: delete one of the inherits lines\n"),
    ("[profile p]\ninherits = q\n[profile q]\ninherits = r\n[profile r]\ninherits = q\n",
     ":6: inherits loop: "),
    ("[profile p]\ninherits = qq\n[profile qqq]\n", ":2: inherits = qq: no such profile\nhint: did you mean 'qqq'?\n"),
    ("[profile p]\nvia = bastoin\n[tunnel bastion]\ntype = ssh\nhost = b\n",
     ":2: no such tunnel 'bastoin'\nhint: did you mean 'bastion'?\n"),
    ("[defaults]\ninclude = nothing\n[profile p]\n",
     ":2: include: no such file: ~/.config/broker/nothing\nhint: create the file, or "
     "delete the line; a path is relative to the including file\n"),
    ("[defaults]\ninclude = config\n[profile p]\n",
     f":2: include loop: {FILE} -> {FILE}\nhint: delete one of the includes\n"),
    (b"[profile p]\nhost = a\0b\n", ":2: "), (b"[profile p]\nhost = h\n\0\n", ":3: "),
    (b"[profile p]\ntitle = \xff\xfe\n", ":2: "),
    (b"[profile p]\ntitle = a\x1b[31m\n", ":2: "), (b"[profile p]\ntitle = " + b"x" * 9000 + b"\n", ":2: ")])
def test_refused(broker, text, wanted):
    broker.write(broker.config_path, text)
    for args in (["connect", "p"], ["token", "p"], ["profile", "check"], ["password", "set", "p"]):
        message = refused(broker.run(*args))
        assert message.startswith(FILE + wanted), args
        assert "fake-pw" not in message and "\x1b" not in message


def test_only_sections_in_use_are_checked(broker):
    broker.config("[profile good]\nhost = h\nauth = env\nauth_env = PW\n[profile bad]\nhots = h\n[tunnel t]\ntyp = x\n")
    assert broker.run("token", "good", env={"PW": "fake-pw"}, secret_out=True).text == "fake-pw\n"
    done = broker.run("profile", "check")
    assert done.code == 78 and done.errors == (
        f"broker: {FILE}:6: unknown key 'hots'\nhint: did you mean 'host'?\n"
        f"broker: {FILE}:8: unknown key 'typ'\nhint: did you mean 'type'?\n")


def test_check_reports_each_once(broker):
    broker.config("[profile a]\ninherits = b\n[profile b]\ninherits = a\n[profile c]\nsocket = /s\ntls = required\n[profile d]\nvia = x\n")
    done = broker.run("profile", "check")
    assert done.errors == f"""\
broker: {FILE}:4: inherits loop: a -> b -> a
hint: delete one of the inherits lines
broker: {FILE}:9: no such tunnel 'x'
hint: add [tunnel x], or via = ssh://[USER@]HOST
broker: c: tls = required over the server's own socket
hint: set tls = preferred (a local socket does not use the network), or set host for TCP
"""


def test_check_of_a_valid_file(broker):
    for text in ("", "# nothing\n", "[profile a]\r\nhost = h\r\n", "\ufeff[profile a]\nhost = h",
                 "[profile a]\nauth = vault\nvia = ssh://x\n"):
        broker.config(text)
        done = broker.run("profile", "check")
        assert (done.out, done.err, done.code) == (b"", b"", 0)


@pytest.mark.parametrize("chain, code", [(8, 0), (9, 78)])
def test_include_depth(broker, chain, code):
    for i in range(chain):
        broker.write(f".config/broker/{i}", f"[defaults]\ninclude = {i + 1}\n")
    broker.write(f".config/broker/{chain}", "[profile p]\nhost = h\n")
    broker.config_path.symlink_to("0")
    done = broker.run("profile", "show", "p")
    assert done.code == code
    if code:
        assert refused(done) == "~/.config/broker/8:2: include is more than 8 deep\nhint: use fewer levels of files\n"


def test_include_is_weaker_and_relative(broker):
    broker.write(".config/broker/team/config",
                 "[defaults]\nuser = team\ninclude = more\n[profile p]\nhost = team\nport = 1\n[profile q]\n")
    broker.write(".config/broker/team/more", "[profile r]\n")
    broker.config("[defaults]\ninclude = team/config\n[profile p]\nhost = mine\n")
    shown = broker.run("profile", "show", "p").text
    assert "host  mine" in shown and "team/config:5" not in shown and "~/.config/broker/team/config:6" in shown
    assert [line.split()[0] for line in broker.run("profile", "list").text.splitlines()[1:]] == ["p", "q", "r"]


# A file that cannot be used

def test_ten_megabytes(broker):
    broker.write(broker.config_path, b"[profile p]\nhost = h\n" + b"# 89 more\n" * (1 << 20))
    assert refused(broker.run("connect", "p")).startswith(f"{FILE}: over 1048576 bytes\nhint: ")


@pytest.mark.parametrize("mode, wanted", [
    (0o660, "writable by group\nhint: chmod go-w "), (0o620, "writable by group\nhint: chmod go-w "),
    (0o602, "writable by others\nhint: chmod go-w ")])
def test_writable_by_others(broker, mode, wanted):
    for path in (broker.config("[defaults]\ninclude = more\n"), broker.write(".config/broker/more", "[profile p]\n")):
        path.chmod(mode)
        name = str(path).replace(str(broker.home), "~")
        assert refused(broker.run("connect", "p")) == f"{name}: {wanted}{name}\n"
        path.chmod(0o644)
    assert broker.run("profile", "show", "p").code == 0


@pytest.mark.parametrize("make, wanted", [
    (os.mkdir, "is a folder"), (os.mkfifo, "not a regular file"),
    (lambda p: os.mknod(p, stat.S_IFCHR | 0o600, os.makedev(1, 5)),
                                                                  "not a regular file")])
def test_not_a_regular_file(broker, make, wanted):
    broker.config_path.parent.mkdir(parents=True)
    make(broker.config_path)
    for args in (["connect", "p"], ["profile", "list"], ["profile", "add", "p", "mysql://h/"]):
        assert refused(broker.run(*args), 74).startswith(f"{FILE}: {wanted}\nhint: ")


def test_socket_in_its_place(broker):
    broker.config_path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(broker.config_path))
        assert refused(broker.run("connect", "p"), 74).startswith(f"{FILE}: ")


def test_endless_link(broker):
    broker.config_path.parent.mkdir(parents=True)
    broker.config_path.symlink_to("config")
    assert refused(broker.run("connect", "p"), 74).startswith(f"{FILE}: ")


@pytest.mark.parametrize("value, code, wanted", [
    ("/dev/null", 64, "connect: which profile?\nhint: broker profile add NAME\n"),
    ("nowhere", 78, "~/nowhere: no such file\nhint: BROKER_CONFIG names it: unset that, or broker profile add NAME\n"),
    ("~/elsewhere", 0, ""), ("elsewhere", 0, "")])
def test_broker_config(broker, value, code, wanted):
    broker.config("[profile default]\nhost = wrong\n")
    broker.write("elsewhere", "[profile default]\nhost = right\n")
    if code:
        assert refused(broker.run("connect", env={"BROKER_CONFIG": value}), code) == wanted
    else:
        assert "host  right" in broker.run("profile", "show", env={"BROKER_CONFIG": value}).text


# Where the file is searched for

@pytest.mark.parametrize("env, found", [
    ({}, True), ({"XDG_CONFIG_HOME": None}, True), ({"XDG_CONFIG_HOME": ""}, True),
    ({"XDG_CONFIG_HOME": "other"}, True),
    ({"XDG_CONFIG_HOME": "./.config"}, True), ({"XDG_CONFIG_HOME": "/nowhere"}, False), ({"BROKER_CONFIG": ""}, True)])
def test_xdg_config_home(broker, env, found):
    """By its specification a relative XDG value is invalid, so it counts as unset."""
    broker.config("[profile default]\nhost = h\n")
    broker.write("other/broker/config", "[profile default]\nhost = wrong\n")
    done = broker.run("profile", "show", env=env)
    assert done.code == (0 if found else 64) and "wrong" not in done.text


def test_system_file_is_weaker(broker, names):
    broker.etc.write("/etc/broker/config", "[profile p]\nhost = system\nuser = system\n[profile q]\nhots = x\n")
    broker.config("[profile p]\nhost = mine\n")
    text = broker.run("profile", "show", "p").text
    assert "host  mine" in text and "/etc/broker/config:3" in text
    assert refused(broker.run("profile",
                              "check")) == "/etc/broker/config:5: unknown key 'hots'\nhint: did you mean 'host'?\n"
    assert "system" not in broker.run("profile", "show", "p", env={"BROKER_CONFIG": str(broker.config_path)}).text


# Files that keys name

FILES = [("tls_ca", "a PEM file"), ("tls_cert", "a PEM file"), ("tls_key", "a PEM file"), ("identity", "a private key file")]


@pytest.mark.parametrize("kind, reason", [("none", "No such file or directory"), ("folder", "Is a directory"), ("locked", "Permission denied"),
                                          ("in a locked folder", "Permission denied"), ("dangling", "No such file or directory")])
@pytest.mark.parametrize("key, what", FILES)
@pytest.mark.skipif(os.getuid() != 0, reason="missing: root, for another user")
def test_a_file_that_cannot_be_read(broker, key, what, kind, reason):
    """`profile check` reports it, and so does a run before it connects: no server listens at that address."""
    path = broker.home / "files" / "f"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind != "none":
        path.write_text("x")
    section = "" if key == "identity" else f"{key} = ~/files/f\n"
    broker.config("[profile p]\nhost = 127.0.0.1\nport = 1\nuser = u\nauth = none\nvia = t\ntls = required\n" + section +
                  "[tunnel t]\ntype = ssh\nhost = 127.0.0.1\nport = 1\n" + ("" if section else f"{key} = ~/files/f\n"))
    stranger.settle(broker, BUILD)
    if "locked" in kind:
        locked = path if kind == "locked" else path.parent
        os.chown(locked, 0, 0)
        locked.chmod(0o700)
    line = broker.config_path.read_text().splitlines().index(f"{key} = ~/files/f") + 1
    wanted = f"broker: ~/.config/broker/config:{line}: {key} ~/files/f: {reason}\nhint: set {key} to {what} that you can read\n"
    for args in (["profile", "check"], ["connect", "p"], ["exec", "p", "--", "true"], ["test", "p"], ["connect", "p", "--dry-run"]):
        done = broker.run(*args, wrap=stranger.WRAP)
        assert (done.code, done.text, done.errors) == (78, "", wanted), args
    if section:  # without TLS it is not read
        assert broker.run("connect", "p", "--tls", "disabled", "--dry-run", wrap=stranger.WRAP).code == 0


def test_all_files_are_checked(broker):
    """Each line is reported once, however many profiles use it; a tunnel that no profile uses is checked too."""
    broker.config("[defaults]\ntls_ca = /nonexistent/ca\n[profile p]\nhost = h\nuser = u\ntls_cert = /nonexistent/cert\n"
                  "[profile q]\nhost = h\nuser = u\n[tunnel t]\ntype = ssh\nhost = b\nidentity = /nonexistent/key\n")
    done = broker.run("profile", "check")
    assert done.code == 78 and [line for line in done.errors.splitlines() if line.startswith("broker: ")] == [
        f"broker: ~/.config/broker/config:{line}: {key} /nonexistent/{name}: No such file or directory"
        for line, key, name in ((2, "tls_ca", "ca"), (6, "tls_cert", "cert"), (13, "identity", "key"))]
