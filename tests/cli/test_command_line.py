# SPDX-License-Identifier: MIT
"""The command line: its grammar, which profile is used, URLs in place of a profile's name, and the order of precedence.

The tests use `profile show --json`, which prints the profile that every other verb would use."""
import json
import os

import pytest

SECRET = b"fake-canary-cmdline-0123456789"
CONTRADICTION = "hint: keep host for TCP, or socket for a server on this machine\n"


def show(broker, *args, **options):
    done = broker.run("profile", "show", "--json", "--all", *args, **options)
    assert done.code == 0, done.errors
    return json.loads(done.out)


def values(broker, *args, **options):
    """{key: value} of the keys that are set; keys of the tunnel are tunnel.KEY."""
    shown = show(broker, *args, **options)
    keys = {**shown["keys"], **{f"tunnel.{k}": v for k, v in shown["tunnel"].items()}}
    mine = ("flag", "url", "file", "env")
    return {name: key["value"] for name, key in keys.items() if key["origin"] in mine or key["value"] is None and key["from"]}


def refused(broker, *args, code=64, **options):
    done = broker.run(*args, **options)
    assert done.code == code and done.out == b"" and done.errors.startswith("broker: "), done
    return done.errors.removeprefix("broker: ")


# Grammar

@pytest.mark.parametrize("args, wanted", [
    (["-uapp"], {"user": "app"}), (["-u", "app"], {"user": "app"}), (["--user", "app"], {"user": "app"}),
    (["--user=app"], {"user": "app"}), (["-P3307"], {"port": 3307}), (["-vvuapp"], {"user": "app"}),
    (["-qD", "d"], {"database": "d"}),
    (["--user="], {}), (["--user", ""], {}), (["-u", "-x"], {"user": "-x"}), (["--user=a=b"], {"user": "a=b"}),
    (["--user", "--host"], {"user": "--host"}), (["-ua", "-ub", "--user", "c"], {"user": "c"}),
    (["-ua", "-o", "user=b"], {"user": "b"}), (["-o", "user=b", "-ua"], {"user": "a"}),
    (["-o", "connect_timeout=2s"], {"connect_timeout": 2}), (["-o", "connect-timeout=2s"], {"connect_timeout": 2}),
    (["-oconnect-timeout=1m"], {"connect_timeout": 60}), (["-o", "tls-ca=/a", "-o", "tls_ca=/b"], {"tls_ca": "/b"}),
    (["-o", "title=a=b c"], {"title": "a=b c"}), (["-o", "my-cnf=off"], {"my_cnf": False}),
    (["-o", "compress=TRUE"], {"compress": True}),
    (["--via", "ssh://b", "-o", "tunnel.keepalive=5s"],
     {"via": "ssh://b", "tunnel.type": "ssh", "tunnel.host": "b", "tunnel.keepalive": 5}),
    (["--via", "ssh://b", "-o", "tunnel.ssh-engine=openssh"],
     {"via": "ssh://b", "tunnel.type": "ssh", "tunnel.host": "b", "tunnel.ssh_engine": "openssh"}),
    (["--aws-profile", "p", "--region", "r", "--vault-path", "v"],
     {"aws_profile": "p", "region": "r", "vault_path": "v"}),
    (["-o", "tls_ca=~/ca.pem"], {"tls_ca": "{home}/ca.pem"})])
def test_options(broker, args, wanted):
    broker.config("[profile p]\nhost = h\n")
    wanted = {key: value.format(home=broker.home) if isinstance(value, str) else value for key, value in wanted.items()}
    for words in ([*args, "p"], ["p", *args]):
        shown = values(broker, *words)
        assert {k: v for k, v in shown.items() if v is not None} == {"host": "h", **wanted}


def test_relative_paths(broker):
    """They are made absolute, because other programs get them; but `auto` is a word, and the server's socket behind a
    tunnel is not on this machine."""
    broker.config("[profile p]\nuser = u\ntls_ca = ca.pem\n")
    args = ["p", "-S", "run/s", "-o", "tls_cert=./c.pem", "-o", "auth_file=~/pw"]
    home = broker.home
    assert values(broker, *args, cwd=home)["socket"] == f"{home}/run/s"
    assert {k: v for k, v in values(broker, *args, "--via", "ssh://b", "-o", "tunnel.identity=id", cwd=home).items() if v} == {
        "user": "u", "tls_ca": f"{home}/ca.pem", "tls_cert": f"{home}/./c.pem", "auth_file": f"{home}/pw", "socket": "run/s",
        "via": "ssh://b", "tunnel.type": "ssh", "tunnel.host": "b", "tunnel.identity": f"{home}/id"}
    assert values(broker, "p", "-S", "auto", cwd=home)["socket"] == "auto"


@pytest.mark.parametrize("args, wanted", [
    (["--hos", "x"], "test: unknown option '--hos'\nhint: did you mean '--host'?\n"),
    (["--HOST", "x"], "test: unknown option '--HOST'\n"),
    (["-vx"], "test: unknown option '-x'\nhint: broker help test\n"),
    (["--user"], "test: --user needs a value\nhint: --user NAME\n"),
    (["-u"], "test: -u needs a value\nhint: -u NAME\n"),
    (["-vu"], "test: -u needs a value\nhint: -u NAME\n"), (["-o"], "test: -o needs a value\nhint: -o KEY=VALUE\n"),
    (["--json=yes"], "test: --json takes no value\nhint: broker help test\n"),
    (["--dry-run=1"], "test: --dry-run takes no value\nhint: broker help test\n"),
    (["-o", "user"], "test: -o needs KEY=VALUE\nhint: broker help config\n"),
    (["-o", "=x"], "test: -o needs KEY=VALUE\nhint: broker help config\n"),
    (["-o", "usr=x"], "-o usr: unknown key 'usr'\nhint: did you mean 'user'?\n"),
    (["-o", "keepalive=5s"], "-o keepalive: unknown key 'keepalive'\nhint: did you mean 'tunnel.keepalive'?\n"),
    (["-o", "tunnel.hots=x"], "-o tunnel.hots: unknown key 'tunnel.hots'\nhint: did you mean 'tunnel.host'?\n"),
    (["-o", "tunnel.host=x"], "-o tunnel.host: there is no tunnel to set this for\nhint: --via TUNNEL, or via in the profile\n"),
    (["-o", "include=x"], "-o include: unknown key 'include'\nhint: it belongs in [defaults] of the config file\n"),
    (["-o", "password=x"], "-o password: no secrets on the command line: 'password'\nhint: broker password set NAME\n"),
    (["--password=x"], "test: unknown option '--password'\nhint: no password on the command line: broker password set NAME\n"),
    (["--password", "x"], "test: unknown option '--password'\nhint: no password on the command line: broker password set NAME\n"),
    (["-P", "x"], "-P: port: not a number from 1 to 65535\nhint: for example: port = 3306\n"),
    (["--port=0"], "--port: port: '0' is not a number from 1 to 65535\nhint: for example: port = 3306\n"),
    (["--port", "65536"], "--port: port: '65536' is not a number from 1 to 65535\nhint: for example: port = 3306\n"),
    (["--tls", "requird"], "--tls: tls: unknown value 'requird'\nhint: did you mean 'required'?\n"),
    (["--auth", "keychian"], "--auth: auth: unknown value 'keychian'\nhint: did you mean 'keychain'?\n"),
    (["-o", "compress=maybe"], "-o compress: compress: 'maybe' is not yes or no\nhint: compress = yes, or compress = no\n"),
    (["-o", "connect-timeout=soon"],
     "-o connect-timeout: connect_timeout: 'soon' is not a duration\nhint: for example: connect_timeout = 500ms, 10s, 5m or 1h\n"),
    (["--timeout", "soon"], "test: --timeout: 'soon' is not a duration\nhint: for example 10s, 5m or 1h\n"),
    (["--timeout=0"], "test: --timeout: '0' is not a duration\nhint: for example 10s, 5m or 1h\n"),
    (["--host", "-x"], "--host: host: '-x' is not a host name\nhint: a name such as db.example.com, or an IP address\n"),
    (["--via", "bastoin"], "--via: no such tunnel 'bastoin'\nhint: did you mean 'bastion'?\n"),
    (["--socket", "/s", "--host", "h"], "--socket: host and socket contradict each other\n" + CONTRADICTION),
    (["--user", "a\nb"], "--user: user: contains a control character\nhint: a value is one line of UTF-8, at most 8000 bytes\n"),
    (["--user", "a" * 8001], "--user: user: too long\nhint: a value is one line of UTF-8, at most 8000 bytes\n"),
    (["--user", b"a\xff"], "--user: user: not UTF-8\nhint: a value is one line of UTF-8, at most 8000 bytes\n")])
def test_bad_options(broker, args, wanted):
    broker.config("[profile p]\nhost = h\n[tunnel bastion]\ntype = ssh\nhost = b\n")
    assert refused(broker, "test", "p", *args).startswith(wanted)


@pytest.mark.parametrize("verb, option", [
    ("connect", "--json"), ("connect", "--all"), ("connect", "--env"), ("token", "--dry-run"), ("completion", "--host"),
    ("version", "--json"), ("help", "-u"), ("profile", "--timeout")])
def test_options_of_other_verbs(broker, verb, option):
    assert refused(broker, verb, option).startswith(f"{verb} has no {option}\nhint: ")


def test_double_dash_ends_options(broker, clients):
    broker.config(f"[profile p]\nhost = h\nclient = {clients['mysql9'].path}\n")
    done = broker.run("connect", "p", "--dry-run", "--", "-u", "x", "--", "--host=y")
    assert done.text.endswith("--defaults-file=/dev/fd/N -u x -- --host=y\n")


# Which profile

@pytest.fixture
def two(broker):
    broker.config("[profile default]\nhost = d\n[profile p]\nhost = p\n")
    return broker


@pytest.mark.parametrize("args, env, host", [
    ([], {}, "d"), ([], {"BROKER_PROFILE": "p"}, "p"), (["p"], {"BROKER_PROFILE": "default"}, "p"),
    ([], {"BROKER_PROFILE": ""}, "d"),
    (["-uapp"], {}, "d"), (["--host", "x"], {}, "x"), (["--host", "x"], {"BROKER_PROFILE": "nobody"}, "x"),
    (["-o", "host=x"], {"BROKER_PROFILE": "nobody"}, "x"), (["--socket", "/s"], {"BROKER_PROFILE": "nobody"}, None),
    (["-S", "auto"], {}, None), (["p", "--host", "x"], {}, "x"), ([], {"BROKER_PROFILE": "mysql://u/"}, "u")])
def test_which_profile(two, args, env, host):
    shown = show(two, *args, env=env)
    assert shown["keys"]["host"]["value"] == host
    assert (shown["name"] is None) == bool({"--host", "-o", "--socket", "-S"} & set(args) and "p" not in args
                                           or "://" in str(env))


def test_broker_profile_that_is_missing(two):
    assert refused(two, "connect", env={"BROKER_PROFILE": "q"}, code=78).startswith("q: no such profile\nhint: ")


# The order of precedence

def test_order_of_precedence(broker, names):
    """Flag, profile, BROKER_KEY, [defaults], built in; each key is set by some of these layers."""
    broker.etc.write("/etc/broker/config",
                     "[defaults]\nclient = system\ntitle = system\n[profile p]\nport = 1\ndatabase = system\n")
    path = broker.config("[defaults]\ntitle = defaults\nuser = defaults\nhost = defaults\nport = 2\ntime_zone = UTC\nclient = mine\n"
                         "[profile p]\nhost = profile\nuser = profile\nport = 3\ninherits = parent\n"
                         "[profile parent]\nhost = parent\ncompress = yes\n")
    env = {"BROKER_TITLE": "env", "BROKER_USER": "env", "BROKER_HOST": "env", "BROKER_DATABASE": "env",
           "BROKER_COMPRESS": "no",
           "BROKER_CONNECT_TIMEOUT": "3s"}
    keys = show(broker, "p", "--host", "flag", env=env)["keys"]
    mine, system = str(path), "/etc/broker/config"

    def seen(key):
        return keys[key]["value"], keys[key]["origin"], keys[key]["from"], keys[key]["line"]
    assert seen("host") == ("flag", "flag", "--host", None)
    assert seen("user") == ("profile", "file", mine, 10)
    assert seen("port") == (3, "file", mine, 11)
    assert seen("database") == ("system", "file", system, 6)
    assert seen("compress") == (True, "file", mine, 15)
    assert seen("title") == ("env", "env", "BROKER_TITLE", None)
    assert seen("connect_timeout") == (3, "env", "BROKER_CONNECT_TIMEOUT", None)
    assert seen("time_zone") == ("UTC", "file", mine, 6)
    assert seen("client") == ("mine", "file", mine, 7)
    assert seen("my_cnf") == (True, "built_in", None, None)
    assert seen("tls") == ("required", "derived", "host", None)
    text = broker.run("profile", "show", "p", "--host", "flag", env=env).text
    assert [" ".join(line.split()) for line in text.splitlines()
            if line.split()[0] in ("host", "title", "database", "client")] == [
        "title env BROKER_TITLE", "host flag --host", f"database system {system}:6",
        "client mine ~/.config/broker/config:7"]


@pytest.mark.parametrize("args, env, host, socket", [
    (["p"], {}, "h", None), (["p", "--socket", "/s"], {}, None, "/s"), (["p"], {"BROKER_SOCKET": "/s"}, "h", None),
    (["s"], {"BROKER_HOST": "e"}, None, "/t"), (["s", "--host", "f"], {}, "f", None),
    (["empty"], {"BROKER_HOST": "e"}, "e", None),
    (["empty"], {}, None, "auto"), (["p", "--host", ""], {}, None, "auto")])
def test_host_and_socket_are_one_choice(broker, args, env, host, socket):
    broker.config("[profile p]\nhost = h\n[profile s]\nsocket = /t\n[profile empty]\n")
    keys = show(broker, *args, env=env)["keys"]
    assert (keys["host"]["value"], keys["socket"]["value"]) == (host, socket)


def test_empty_value_unsets(broker):
    broker.config("[defaults]\ndatabase = d\nuser = u\n[profile p]\nhost = h\ndatabase =\n")
    assert values(broker, "p") == {"host": "h", "user": "u", "database": None, "socket": None}
    assert values(broker, "p", "--user", "") == {"host": "h", "user": None, "database": None, "socket": None}


@pytest.mark.parametrize("env, wanted", [
    ({"BROKER_PORT": "x"}, "BROKER_PORT: port: not a number from 1 to 65535\nhint: "),
    ({"BROKER_TLS": "on"}, "BROKER_TLS: tls: unknown value 'on'\nhint: "),
    ({"BROKER_USER": "a\x1b[31m"}, "BROKER_USER: user: contains a control character\nhint: ")])
def test_bad_environment(broker, env, wanted):
    broker.config("[profile p]\nhost = h\n")
    assert refused(broker, "connect", "p", env=env, code=78).startswith(wanted)


# URLs

@pytest.mark.parametrize("url, wanted", [
    ("mysql://app@db.example.com:3307/shop",
     {"user": "app", "host": "db.example.com", "port": 3307, "database": "shop"}),
    ("MySQL://db/", {"host": "db"}), ("mysql:///shop", {"host": "127.0.0.1", "database": "shop"}),
    ("mysql://u%40x@[::1]:1/a%2Fb", {"user": "u@x", "host": "::1", "port": 1, "database": "a/b"}),
    ("mysql://u@/?socket=/s", {"user": "u", "socket": "/s"}),
    ("mysql://h/?compress=yes&time-zone=UTC", {"host": "h", "compress": True, "time_zone": "UTC"}),
    ("mysql://h/?autoConnect=1", {"host": "h"})])
def test_url(broker, url, wanted):
    assert {k: v for k, v in values(broker, url).items() if v is not None} == wanted


def test_url_in_place_of_a_name(broker, clients):
    broker.config(f"[defaults]\nclient = {clients['mysql9'].path}\n")
    for verb in (["connect", "--dry-run"], ["test", "--dry-run"], ["profile", "show"]):
        assert "db.example.com" in broker.run(*verb, "mysql://app@db.example.com/").text
    assert "db.example.com" in broker.run("exec", "--dry-run", "mysql://app@db.example.com/", "--", "true").text
    assert broker.run("token", "mysql://app@h/", "--auth", "env", "-o", "auth_env=PW", env={"PW": "fake-pw"},
                      secret_out=True).text == "fake-pw\n"


def test_flags_and_defaults_around_a_url(broker):
    broker.config("[defaults]\nuser = d\ncompress = yes\n[profile default]\ntitle = not me\n")
    assert {k: v for k, v in values(broker, "mysql://h/db", "-D", "x").items() if v is not None} == {
        "host": "h", "user": "d", "compress": True, "database": "x"}


def test_password_of_a_url(broker, silent_bus):
    """It is used for this run only and at once overwritten in argv; the keychain is not used."""
    broker.secret(SECRET)
    broker.env.update(silent_bus.env)
    done = broker.run("token", b"mysql://app:" + SECRET + b"@h/", secret_out=True)
    assert (done.out, done.errors, done.code) == (
        SECRET + b"\n", "broker: warning: password on the command line\nhint: broker token -\n", 0)
    assert silent_bus.open == []


@pytest.mark.parametrize("args", [
    ["{}"], ["connect", "a", "{}"], ["profile", "{}"], ["profile", "add", "{}"], ["profile", "list", "{}"],
    ["help", "{}"],
    ["completion", "{}"], ["password", "{}"], ["password", "frob", "{}"], ["connect", "--host", "{}"],
    ["connect", "-o", "host={}"],
    ["connect", "-o", "{}=x"], ["version", "{}"], ["connect", "-p{}"], ["connect", "--password={}"],
    ["connect", "{}?x=1"],
    ["connect", "{}", "--port", "x"], ["connect", "{}", "-e", "x"], ["connect", "--client", "/nowhere", "{}"]])
def test_no_message_shows_the_password(broker, args):
    broker.secret(SECRET)
    assert broker.run(*(arg.format(f"mysql://app:{SECRET.decode()}@h/") for arg in args)).code in (64, 65, 78, 127)


def test_url_from_stdin_leaves_the_rest_to_the_client(broker, clients, mariadb_server):
    server, client = mariadb_server, clients["mariadb1011"]
    broker.secret(server.password("app"))
    url = f"mysql://app:{server.password('app').decode()}@127.0.0.1:{server.port}/\n".encode()
    done = broker.run("connect", "-", "--client", client.path, "--", "-N", input=url + b"select 6*7;\n")
    assert (done.text, done.errors, done.code) == ("42\n", "", 0)


@pytest.mark.parametrize("line, code, wanted", [
    (b"", 65, "stdin: not a URL\nhint: mysql://USER:PASSWORD@HOST/DATABASE\n"),
    (b"\nmysql://h/\n", 65, "stdin: not a URL\n"),
    (b"prod\n", 65, "stdin: not a URL\n"),
    (b"mysql://h/?x=1\r\n", 65, "URL: unknown parameter 'x'\nhint: broker help urls\n"),
    (b"mysql://" + b"a" * 20000, 65, "stdin: over 16384 bytes\nhint: "),
    (b"mysql://h\0/\n", 65, "stdin: contains a NUL byte\nhint: ")])
def test_bad_line_on_stdin(broker, line, code, wanted):
    assert refused(broker, "token", "-", input=line, code=code).startswith(wanted)


def test_url_is_read_byte_by_byte(broker):
    r, w = os.pipe()
    os.write(w, b"mysql://h/\nrest")
    with open(r, "rb", buffering=0) as stdin:
        assert broker.run("profile", "show", "-", stdin=stdin).code == 0
        assert os.read(r, 99) == b"rest"
    os.close(w)


@pytest.mark.parametrize("options, env", [(["--no-input"], {}), ([], {"BROKER_NO_INPUT": "1"})])
def test_no_prompt_for_a_url_with_no_input(broker, options, env):
    t = broker.pty("token", "-", *options, env=env, stderr="pipe")
    assert t.wait() == 79 and b"URL" not in t.shown
    by = next(iter(options + list(env)))
    assert t.err.startswith(f"broker: stdin: {by} forbids asking\nhint: ".encode())


# Colours

RED, YELLOW, GREEN, CYAN = (f"\033[{code}m" for code in ("1;31", "1;33", "32", "36"))
PLAIN = "\033[m"


def test_colours_on_a_terminal(broker):
    """The first words of errors, warnings and hints are coloured, and the results of `test` on stdout."""
    broker.config("[profile p]\nhost = 127.0.0.1\nport = 1\nuser = app\nauth = none\n")
    t = broker.pty("test", "p", "--client", broker.stub(version="mysql9", stderr="ERROR 1049 (42000): x\n", exit=1).path,
                   env={"NO_COLOR": None})
    assert t.wait() == 77
    shown = t.shown.decode().replace("\r\n", "\n")
    assert f"\ncredential  {GREEN}ok{PLAIN}      " in shown and f"\nserver      {RED}failed{PLAIN}  " in shown
    assert f"\n{RED}broker:{PLAIN} p: 1049 no database \n{CYAN}hint:{PLAIN} set database to one that exists\n" in shown
    t = broker.pty("profile", "add", "x", "mysql://app:fake@h/", "--no-input", env={"NO_COLOR": None})
    assert t.wait() == 0 and t.shown.decode().startswith(
        f"{YELLOW}broker: warning:{PLAIN} password on the command line\r\n{CYAN}hint:{PLAIN} broker profile add x -\r\n")


@pytest.mark.parametrize("env, config, stderr", [
    ({}, "", "tty"), ({"NO_COLOR": "1"}, "", "tty"), ({"NO_COLOR": ""}, "color = never\n", "tty"), ({"NO_COLOR": None, "TERM": "dumb"}, "", "tty"),
    ({"NO_COLOR": None}, "", "pipe")])
def test_no_colours(broker, env, config, stderr):
    broker.config("[defaults]\n" + config + "[profile p]\nhost = h\n")
    t = broker.pty("connect", "q", env=env, stderr=stderr)
    assert t.wait() == 78
    assert (t.err or t.shown).replace(b"\r", b"").startswith(b"broker: q: no such profile\nhint: ")


def test_empty_no_color_is_ignored(broker):
    """As no-color.org defines it; `color = auto` is the default."""
    broker.config("[defaults]\ncolor = auto\n[profile p]\nhost = h\n")
    t = broker.pty("connect", "q", env={"NO_COLOR": ""})
    assert t.wait() == 78 and t.shown.startswith(f"{RED}broker:{PLAIN} q: ".encode())
