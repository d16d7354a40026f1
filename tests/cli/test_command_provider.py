# SPDX-License-Identifier: MIT
"""auth = command: any program that prints the password, or JSON with a user and an expiry.

A result with an expiry is cached in the kernel's keyring, so the program runs once, even for two brokers at the same
time; without an expiry it runs each time. The whole machine shares that keyring, so each test logs in as another
user, and its entries expire after two minutes. A full quota would disturb other programs; instead, a seccomp filter
makes the keyring's system calls fail, to show that this is not an error."""
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from servers import process

PASSWORD = "fake-canary-command-0123456789"
COUNT = 'echo run >>"$HOME/runs"\n'


@pytest.fixture
def shop(broker):
    broker.secret(PASSWORD.encode())
    broker.unique = "app-" + os.urandom(6).hex()
    return broker


def profile(broker, text, command="~/bin/get", **keys):
    """Writes [profile p]; its command is a script of TEXT that counts its runs, its user is this test's own."""
    broker.script("get", COUNT + text, secret=True)
    lines = "".join(f"{key} = {value}\n" for key,
                    value in {"host": "db.example.com", "user": broker.unique, **keys}.items() if value is not None)
    broker.config(f"[profile p]\nauth = command\nauth_command = {command}\n{lines}")


def runs(broker):
    path = broker.home / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def token(broker, *args, **options):
    return broker.run("token", "p", *args, secret_out=True, **options)


def outcome(done):
    return done.text, done.errors, done.code


def printing(**fields):
    return f"cat <<'EOF'\n{json.dumps(fields)}\nEOF"


def wait_for(what):
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


# The command line

@pytest.mark.parametrize("words, seen", [
    ("a  b   c", ["a", "b", "c"]), ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
    ("'it''s' \"a\\\"b\" '\\'", ["its", 'a"b', "\\"]),
    ("'' \"\"", ["", ""]), ("$HOME `id` $(id) *; | > ~ &", ["$HOME", "`id`", "$(id)", "*;", "|", ">", "~", "&"]),
    ("{host}:{port} {user} {database}", ["db.example.com:3306", "{unique}", "shop d"]),
    ("'{host}' x{user}x", ["db.example.com", "x{unique}x"]),
    ("{password} {x} {} {host {", ["{password}", "{x}", "{}", "{host", "{"]), ("{{user}}", ["{{unique}}"])])
def test_command_is_split_into_words(shop, words, seen):
    """The command is split as sh does it, and nothing is expanded; placeholders are filled after that."""
    profile(shop, f'for a; do echo "<$a>"; done >"$HOME/args"; echo {PASSWORD}', f"~/bin/get {words}",
            database="shop d")
    assert token(shop).text == PASSWORD + "\n"
    assert (shop.home / "args").read_text().splitlines() == [f"<{word}>".replace("{unique}", shop.unique)
                                                             for word in seen]


def test_program_on_path_and_its_environment(shop):
    profile(shop, f'cat >"$HOME/stdin"; umask >"$HOME/umask"; test "$BROKER_X" = y && echo {PASSWORD}', "get")
    assert token(shop, input=b"not for it", env={"BROKER_X": "y"}).text == PASSWORD + "\n"
    assert (shop.home / "stdin").read_text() == "" and (shop.home / "umask").read_text() == "0022\n"


# What it prints

@pytest.mark.parametrize("script, password", [
    ("echo fake-pw", "fake-pw"), ("printf 'fake-pw\\r\\n'", "fake-pw"), ("printf fake-pw", "fake-pw"),
    ("printf 'fake-pw\\n\\n'", "fake-pw"), ("printf 'fake-pw\\r\\nurl: db\\n'", "fake-pw"),
    ("printf 'fake-pw\\rx\\nuser: app\\n\\nnotes'", "fake-pw\rx"), ("printf '{fake\\n}\\n'", "{fake"),
    ("echo ' fake pw '", " fake pw "), ("echo '\"fake-pw\"'", '"fake-pw"'), ("echo '{fake'", "{fake"),
    ("echo '[1]'", "[1]"),
    (printing(password="fake-pw"), "fake-pw"), (printing(password=" {\u00e9\"\n"), " {\u00e9\"\n"),
    (printing(password=""), ""),
    (printing(password="fake-pw", user=None, expires_at=None), "fake-pw"),
    (printing(password="fake-pw", more=[1]), "fake-pw")])
def test_output(shop, script, password):
    profile(shop, script)
    assert outcome(token(shop)) == (password + "\n", "", 0)


@pytest.mark.parametrize("names", [{"user": "app"}, {"username": "app"}, {"user": None, "username": "app"},
                                   {"user": "app", "username": "not this"}])
@pytest.mark.parametrize("user", ["other", None])
def test_output_with_a_user(shop, clients, mariadb_server, names, user):
    """`username` is the name in AWS's Secrets Manager."""
    server = mariadb_server
    shop.secret(server.password("app"))
    profile(shop, printing(**names, password=server.password("app").decode()), host="127.0.0.1", port=server.port, user=user,
            client=clients["mariadb1011"].path)
    assert outcome(shop.run("connect", "p", "--", "-NBe", "select current_user()")) == ("app@%\n", "", 0)
    assert shop.run("exec", "p", "--", "sh", "-c", "echo $MYSQL_USER").text == "app\n"


@pytest.mark.parametrize("args", [["connect", "p"], ["exec", "p", "--", "env"], ["test", "p"]])
def test_no_user(shop, clients, mariadb_server, args):
    """The client would log in with the local user's name. `token` needs no user."""
    profile(shop, f"echo {PASSWORD}", user=None, host="127.0.0.1", port=mariadb_server.port, client=clients["mariadb1011"].path)
    done = shop.run(*args)
    assert (done.code, done.errors) == (78, "broker: p: auth = command gave no user, and the profile has none\n"
                                            "hint: set user in [profile p]\n")
    assert PASSWORD not in done.text and runs(shop) == 1
    assert outcome(token(shop)) == (PASSWORD + "\n", "", 0)


@pytest.mark.parametrize("auth", ["env", "file", "prompt", "keychain"])
def test_no_user_with_other_providers(shop, clients, auth):
    shop.config(f"[profile p]\nhost = db.example.com\nauth = {auth}\nauth_env = X\nauth_file = /nonexistent\nclient = {clients['mariadb1011']}\n")
    done = shop.run("connect", "p")
    assert outcome(done) == ("", f"broker: p: auth = {auth} needs a user\nhint: set user in [profile p]\n", 78)
    done = shop.run("connect", "-", input=f"mysql://:{PASSWORD}@db.example.com/".encode())
    assert outcome(done) == ("", "broker: db.example.com: the URL's password needs a user\nhint: give --user\n", 78)


@pytest.fixture
def password_store(shop):
    """A store of `pass`, with a key of its own that has no passphrase."""
    process.need("/usr/bin/pass")
    env = {**os.environ, "HOME": str(shop.home), "GNUPGHOME": str(shop.home / "gpg")}
    (shop.home / "gpg").mkdir(mode=0o700)

    def run(*words, **options):
        return subprocess.run(words, env=env, check=True, capture_output=True, text=True, timeout=60, **options)
    run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "shop@example.com", "default", "default")
    run("pass", "init", "shop@example.com")
    shop.env["GNUPGHOME"] = env["GNUPGHOME"]
    yield lambda name, text: run("pass", "insert", "--multiline", name, input=text)
    run("gpgconf", "--kill", "all")


@pytest.mark.parametrize("notes", ["", "\nuser: app\nurl: https://db.example.com/\n\nAsk Ann.\n"])
def test_pass(shop, clients, mariadb_server, password_store, notes):
    """The command in the README, with an entry as users have it."""
    shop.secret(mariadb_server.password("app"))
    password_store("db/stage", mariadb_server.password("app").decode() + notes)
    shop.config(f"[profile p]\nhost = 127.0.0.1\nport = {mariadb_server.port}\nuser = app\nauth = command\n"
                f"auth_command = pass show db/stage\nclient = {clients['mariadb1011'].path}\n")
    assert outcome(shop.run("connect", "p", "--", "-NBe", "select current_user()")) == ("app@%\n", "", 0)


@pytest.mark.parametrize("script, code, why", [
    ("exit 3", 77, "exit status 3"), (f"echo {PASSWORD}; exit 1", 77, "exit status 1"),
    ("kill -TERM $$", 77, "killed by SIGTERM"),
    (":", 65, "printed nothing"), ("echo", 65, "printed nothing"), ("printf '\\r\\n'", 65, "printed nothing"),
    ("head -c 40000 /dev/zero | tr '\\0' x", 65, "{path} printed over 32768 bytes"),
    ("yes", 65, "{path} printed over 32768 bytes"),
    ("printf '\\nfake-pw\\n'", 65, "auth_command printed an empty first line"),
    ("printf '{\\n  \"password\": \"fake-pw\",\\n}\\n'", 65, "auth_command printed malformed JSON"),
    (printing(user="u"), 65, 'auth_command printed JSON without a "password"'),
    (printing(password=1), 65, 'auth_command printed JSON without a "password"'),
    (printing(password="x", user=1), 65, 'auth_command printed JSON with an invalid "user"'),
    (printing(password="x", username=1), 65, 'auth_command printed JSON with an invalid "user"'),
    (printing(password="x", expires_at="soon"), 65, 'auth_command printed JSON with an invalid "expires_at"'),
    (printing(password="x", expires_at=True), 65, 'auth_command printed JSON with an invalid "expires_at"'),
    (printing(password="x", expires_at=-1), 65, 'auth_command printed JSON with an invalid "expires_at"'),
    (printing(password="x", expires_at=1.5), 65, 'auth_command printed JSON with an invalid "expires_at"'),
    (printing(password="x", expires_at="2026-13-01T00:00:00Z"), 65,
     'auth_command printed JSON with an invalid "expires_at"'),
    (printing(password="x", expires_at=1), 65, "auth_command printed an expired credential"),
    (printing(password="x", expires_at="2020-01-01T00:00:00Z"), 65,
     "auth_command printed an expired credential")])
def test_bad_output(shop, script, code, why):
    profile(shop, script)
    done = token(shop)
    assert (done.out, done.code) == (b"", code)
    lines = done.errors.splitlines()
    assert len(lines) == 2 and lines[0].startswith("broker: p: auth_command") and lines[1].startswith("hint: "), lines
    assert why.format(path=f"{shop.home}/bin/get") in lines[0]
    assert "{path}" in why or "run it by hand: it must print the password, or" in lines[1]
    assert runs(shop) == 1


def test_stderr_is_shown(shop):
    profile(shop, "printf 'Enter \\033[31mPIN\\a\\nno \\342\\200\\256card\\n\\n' >&2; exit 2")
    assert outcome(token(shop)) == ("", f"""\
broker: p: auth_command: {shop.home}/bin/get: exit status 2
  Enter ?[31mPIN?
  no ?card
hint: run it by hand: it must print the password, or JSON, and exit with status 0; here it could not ask anything: no terminal to ask on
""", 77)


def test_stderr_is_truncated(shop):
    profile(shop, "head -c 1000000 /dev/zero | tr '\\0' '\\n' >&2; seq 100000 >&2; echo the end >&2; exit 2")
    done = token(shop)
    assert "\n  the end\nhint: " in done.errors and len(done.errors) < 10000


def test_stderr_is_not_shown_on_success(shop):
    profile(shop, f"echo warning >&2; echo {PASSWORD}")
    assert outcome(token(shop)) == (PASSWORD + "\n", "", 0)


@pytest.mark.parametrize("script",
                         ["exec sleep 77", "trap '' TERM; sleep 0.01; exec sleep 77", f"echo {PASSWORD}; exec sleep 77",
                                    "exec >&- 2>&-; exec sleep 77"])
def test_program_that_hangs(shop, script):
    profile(shop, script, login_timeout="200ms")
    started = time.monotonic()
    done = token(shop)
    assert done.code == 69 and "did not end in time\nhint: " in done.errors and time.monotonic() - started < 15


def test_timeout_of_the_run(shop):
    profile(shop, "exec sleep 77")
    started = time.monotonic()
    assert token(shop, "--timeout", "200ms").code == 69 and time.monotonic() - started < 15


@pytest.mark.parametrize("command, code, wanted", [
    ("nowhere x", 78, "broker: p: auth_command: nowhere: no such program\nhint: install it, or write its full path in auth_command\n"),
    ("/bin/get\\", 78, "broker: ~/.config/broker/config:3: auth_command: open quote or backslash at the end of a command\nhint: "),
    ("", 78, "broker: p: auth = command needs auth_command\nhint: auth_command = PROGRAM ARG...\n")])
def test_bad_command(shop, command, code, wanted):
    profile(shop, "", command)
    done = token(shop)
    assert done.code == code and done.errors.startswith(wanted) and runs(shop) == 0


# How often it runs

@pytest.mark.parametrize("expires, wanted", [
    (None, 3), ("soon", 1), ("rfc", 1), ("offset", 1), ("integer", 1), ("margin", 3)])
def test_how_often(shop, expires, wanted):
    """The result is cached until shortly before it expires; without an expiry it is not cached."""
    value = {"soon": at(60), "rfc": at(120), "offset": at(120 + 7200).replace("Z", "+02:00"),
             "integer": int(time.time()) + 120,
             "margin": at(20)}.get(expires)
    profile(shop, printing(password=PASSWORD, expires_at=value))
    for _ in range(3):
        assert outcome(token(shop)) == (PASSWORD + "\n", "", 0)
    assert runs(shop) == wanted


def test_run_again_before_expiry(shop):
    """A cached result is not used in its last 30 seconds: this one is used for a second."""
    profile(shop, printing(password=PASSWORD, expires_at=at(32)))
    assert token(shop).code == 0 and runs(shop) == 1
    wait_for(lambda: token(shop).code == 0 and runs(shop) == 2)


def test_one_run_for_concurrent_brokers(shop):
    """The others wait for the first and read what it has cached."""
    profile(shop, "sleep 0.3\n" + printing(password=PASSWORD, expires_at=at(120)))
    results = []
    threads = [threading.Thread(target=lambda: results.append(outcome(token(shop)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(PASSWORD + "\n", "", 0)] * 4 and runs(shop) == 1


def test_concurrent_brokers_without_an_expiry(shop):
    profile(shop, f"echo {PASSWORD}")
    threads = [threading.Thread(target=token, args=[shop]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(shop) == 3


def test_waiting_broker_has_a_deadline(shop):
    profile(shop, "touch started; exec sleep 77", login_timeout="10s")
    first = shop.start("token", "p", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for((shop.home / "started").exists)
    done = token(shop, "--timeout", "200ms")
    first.terminate()
    first.wait()
    assert done.code == 75 and "another broker process holds" in done.errors and len(done.errors.splitlines()) == 2


def test_failure_is_not_cached(shop):
    profile(shop, f"test -e ok || exit 1\n{printing(password=PASSWORD, expires_at=at(120))}")
    assert token(shop).code == 77
    shop.write("ok", "")
    assert token(shop).code == 0 and token(shop).code == 0 and runs(shop) == 2


@pytest.mark.parametrize("change",
                         [["--user", "{}-x"], ["--host", "other"], ["--port", "3307"],
                          ["-o", "auth_command=~/bin/get other"]])
def test_cached_for_the_same_command_and_login_only(shop, change):
    profile(shop, printing(password=PASSWORD, expires_at=at(120)))
    change = [word.format(shop.unique) for word in change]
    for args, wanted in (([], 1), (change, 2), ([], 2), (change, 2), (["-o", "connect_timeout=3s", "-o", "title=x"], 2)):
        assert token(shop, *args).code == 0 and runs(shop) == wanted


def test_user_is_cached_with_the_password(shop, clients, mariadb_server):
    server = mariadb_server
    shop.secret(server.password("app"))
    profile(shop, printing(user="app", password=server.password("app").decode(), expires_at=at(120)), host="127.0.0.1",
            port=server.port,
            client=clients["mariadb1011"].path)
    for _ in range(2):
        assert outcome(shop.run("connect", "p", "--", "-NBe", "select current_user()")) == ("app@%\n", "", 0)
    assert runs(shop) == 1


def test_expiry_is_shown(shop, clients, mariadb_server):
    server = mariadb_server
    shop.secret(server.password("app"))
    profile(shop, printing(password=server.password("app").decode(), expires_at=at(125)),
            command=f"~/bin/get {shop.unique}", user="app", host="127.0.0.1", port=server.port,
            client=clients["mariadb1011"].path)
    line = shop.run("test", "p").text.splitlines()[1]
    assert line.startswith("credential  ok ") and line.endswith("what ~/bin/get prints, valid for 2m")


# A keyring or a runtime folder that cannot be used

NO_KEYRING = f"""
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
# seccomp: add_key (248), request_key (249) and keyctl (250) fail with ENOSYS
rules = [(0x20, 0, 0, 0), (0x35, 0, 2, 248), (0x25, 1, 0, 250), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7fff0000)]
code = b"".join(struct.pack("HBBI", *r) for r in rules)
buffer = ctypes.create_string_buffer(code)
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, ctypes.byref(Program(len(rules), ctypes.addressof(buffer))), 0, 0):
    sys.exit("no seccomp")
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_without_a_keyring(shop):
    profile(shop, printing(password=PASSWORD, expires_at=at(120)))
    wrap = [sys.executable, "-c", NO_KEYRING]
    for _ in range(2):
        assert outcome(token(shop, wrap=wrap)) == (PASSWORD + "\n", "", 0)
    assert runs(shop) == 2
    done = token(shop, "-v", wrap=wrap)
    assert [line.split(None, 2)[1:] for line in done.errors.splitlines() if "keyring" in line][0] == \
        ["keyring", "not used: search: Function not implemented"]


def test_without_a_runtime_folder(shop):
    profile(shop, printing(password=PASSWORD, expires_at=at(120)))
    for _ in range(2):
        assert outcome(token(shop, env={"XDG_RUNTIME_DIR": "/nowhere"})) == (PASSWORD + "\n", "", 0)
    assert runs(shop) == 1


def test_cached_password_is_not_on_disk(shop):
    """The harness looks for the canary in every file; this test checks that there is no file."""
    profile(shop, printing(password=PASSWORD, expires_at=at(120)))
    token(shop)
    assert list((shop.runtime / "broker").iterdir()) == []
