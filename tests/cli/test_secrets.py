# SPDX-License-Identifier: MIT
"""The secret is a canary: with each provider and each verb it is found only where the user asked for it.

The tests search argv and environment of every process of the tree, stdout and stderr at the highest verbosity, every
file below the private home, memory as another process of the same user can read it, and a core dump. The fixture
`broker` searches output and files after each test (lib/canary.py); a test says where it may be when it registers the
secret."""
import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from lib import procs
from lib.broker import result
from lib.http_records import request as request_of
from lib.keeping import keeper, stopped

CANARY = b"fake-canary-\"\\'#-0815-canary"
ENV = "PASSWORD_OF_SHOP"
PLACE = f"localhost:{20000 + time.time_ns() // 1000 % 40000}"  # a new identity: results are cached
CONFIG = f"[profile p]\nhost = localhost\nport = {PLACE.partition(':')[2]}\nuser = app\ntls = preferred\n"
QUESTION = f"password for app@{PLACE}: ".encode()
URL_ON_STDIN = f"mysql://app:fake-canary-%22%5C%27%23-0815-canary@{PLACE}/?tls=preferred\n".encode()
IN_OPTION_FILE = 'password="fake-canary-\\"\\\\\'#-0815-canary"\n'
PROVIDERS = ("keychain", "prompt", "command", "command with an expiry", "file", "env", "url")
# Root without capabilities has no more rights than another user.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []


def prepare(request, broker, provider):
    """Writes the profile p, whose secret is CANARY, and with which the client logs in; returns the argument that
    selects it."""
    broker.secret(CANARY)
    kind, text = provider.split()[0], CANARY
    if provider == "command with an expiry":
        text = json.dumps({"password": CANARY.decode(), "expires_at": int(time.time()) + 100})
    secret = broker.write("secret", text, secret=True)
    broker.script("give", f"cat {secret}; exec sleep 0.03")
    auth = "none" if kind == "url" else kind
    broker.config(CONFIG + f"auth = {auth}\nauth_command = give\nauth_file = {secret}\nauth_env = {ENV}\nlogin = client\n")
    if kind == "env":
        broker.env[ENV] = CANARY.decode()
    if kind == "keychain":
        broker.env.update(request.getfixturevalue("keychain").env)
        with broker.watch() as watch:
            assert broker.run("password", "set", "p", "-v", "-v", input=CANARY).code == 0
        broker.assert_hidden(watch)
    return "-" if kind == "url" else "p"


def run(broker, provider, *args, secret_out):
    """Runs broker; types CANARY if the provider is `prompt`, and sends the URL on stdin if it is `url`."""
    if provider != "prompt":
        return broker.run(*args, input=URL_ON_STDIN if provider == "url" else b"", secret_out=secret_out)
    terminal = broker.pty(*args, stdin="pipe", stdout="pipe", stderr="pipe", secret_out=secret_out)
    terminal.expect(QUESTION)
    terminal.sendline(CANARY)
    status = terminal.wait()
    assert terminal.shown == QUESTION + b"\r\n"
    return result(status, terminal.out, terminal.err)


@pytest.mark.parametrize("verb", ["connect", "exec", "test", "token"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_and_verb(request, broker, provider, verb):
    name = prepare(request, broker, provider)
    stub = broker.stub("mariadb", stdout="9.7.4\tapp@h\n", read_stdin=False)
    rest = {"connect": ["--client", stub.path], "test": ["-o", f"client={stub.path}"], "token": [],
            "exec": ["--", stub.path, "--defaults-file={defaults-file}"]}[verb]
    with broker.watch() as watch:
        done = run(broker, provider, verb, name, "-v", "-v", *rest, secret_out=verb == "token")
    assert done.code == 0, done.errors
    if verb == "token":
        assert done.out == CANARY + b"\n"
    else:
        assert IN_OPTION_FILE in stub.seen["options"]
        assert (CANARY.decode() in stub.seen["environ"]) == (verb == "exec")
    if verb == "exec" or provider == "env":
        watch.environ.clear()  # it may be there: exec passes it to the program, and the user has exported it
    broker.assert_hidden(watch)


def test_the_canary_would_be_found(broker):
    """assert_hidden() finds a secret in argv."""
    broker.secret(CANARY)
    broker.config(CONFIG + "auth = none\n")
    with broker.watch() as watch:
        broker.run("exec", "p", "--", "sh", "-c", "sleep 0.05 # " + CANARY.decode())
    with pytest.raises(AssertionError, match="canary in argv"):
        broker.assert_hidden(watch)


def test_verbose_masks(broker):
    broker.script("mariadb", "")
    secret = broker.write("secret", CANARY, secret=True)
    broker.config(CONFIG + f"auth = file\nauth_file = {secret}\nclient = mariadb\n")
    broker.secret(CANARY)
    lines = [line.split(None, 1)[1] for line in broker.run("connect", "p", "-v").errors.splitlines()]
    assert lines[:3] == ["config      ~/.config/broker/config:1", f"route       direct, {PLACE}",
                         "credential  first line of ~/secret, password ********"]
    assert lines[3].startswith(f"client      {broker.home}/bin/mariadb --defaults-file=/dev/fd/") and len(lines) == 4


# A secret in a place where it does not belong

SECRET = "fake-canary-0815"
URL = f"mysql://app:{SECRET}@localhost/shop"
MASKED = f"mysql://app:{'*' * len(SECRET)}@localhost/shop"
WARNING = "broker: warning: password on the command line\nhint: broker "


@pytest.mark.parametrize("words", [["connect"], ["exec"], ["test"], ["token"], ["password", "set"]])
def test_a_url_on_the_command_line(broker, words):
    """The password is overwritten there at once, and a hint says how to avoid that."""
    broker.secret(SECRET.encode())
    broker.script("give", "touch started; until [ -e go ]; do sleep 0.01; done; exit 1")
    command = ["-o", "auth=command", "-o", "auth_command=give", *(["--", "true"] if words[0] == "exec" else [])]
    with broker.start(*words, URL, *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as proc:
        if words[0] == "password":  # reads stdin until its end
            until(lambda: MASKED.encode() in procs.cmdline(proc.pid))
        else:
            until((broker.home / "started").exists)
        shown = procs.cmdline(proc.pid).split(b"\0")
        broker.write("go", "")
        out, err = proc.communicate(timeout=10)
    assert shown[1:2 + len(words)] == [*(word.encode() for word in words), MASKED.encode()]
    assert err.decode().startswith(f"{WARNING}{' '.join(words)} -\n") and SECRET.encode() not in out + err


MISTAKES = {
    "an unknown parameter": ["connect", URL + "?colour=red"],
    "a bad escape": ["connect", f"mysql://app:{SECRET}%zz@{PLACE}/"],
    "a bad port": ["connect", f"mysql://app:{SECRET}@localhost:99999/"],
    "an @ in the password": ["connect", f"mysql://app:{SECRET}/x@y@{PLACE}/"],
    "an SSH password": ["connect", f"mysql://app@{PLACE}/?ssh_host=b&ssh_password={SECRET}"],
    "no verb": [URL],
    "another case": ["connect", URL.replace("mysql", "MySQL") + "?x"],
    "a second word": ["connect", "p", URL],
    "a profile to show": ["profile", "show", URL],
    "a profile to add": ["profile", "add", URL],
    "mysql's -p": ["connect", "p", "-p" + SECRET],
    "mysql's --password": ["connect", "p", "--password=" + SECRET],
    "an option of two words": ["connect", "p", "--password", SECRET],
    "-o password": ["connect", "p", "-o", "password=" + SECRET],
    "a tunnel": ["connect", "p", "--via", f"ssh://app:{SECRET}@{PLACE}"],
    "a host": ["connect", "p", "--host", URL],
    "no scheme": ["connect", f"app:{SECRET}@{PLACE}/shop"],
    "no scheme, to show": ["profile", "show", f"app:{SECRET}@{PLACE}"],
    "no scheme, no verb": [f"app:{SECRET}@{PLACE}"],
    "no scheme, too many": ["connect", "p", f"app:{SECRET}@{PLACE}"],
    "an incomplete scheme": ["connect", f"mysql:/app:{SECRET}@{PLACE}/shop"],
    "a topic": ["help", URL],
    "a shell": ["completion", URL],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_do_not_show_it(broker, mistake):
    broker.secret(SECRET.encode())
    broker.config(CONFIG + "auth = none\nclient = mariadb\n")
    broker.script("mariadb", "echo the client ran")
    done = broker.run(*MISTAKES[mistake], "-v", "-v")
    assert b"the client ran" not in done.out and (done.code or mistake == "a profile to show")
    assert SECRET.encode() not in done.out + done.err


@pytest.mark.parametrize("line", ["password = " + SECRET, "passwd = " + SECRET, f"host = {URL}", f"via = ssh://app:{SECRET}@h"])
@pytest.mark.parametrize("words", [["connect", "p"], ["profile", "check"], ["profile", "show", "p"]])
def test_a_secret_in_the_config_is_not_shown(broker, line, words):
    broker.secret(SECRET.encode())
    broker.allow(broker.config("[profile p]\nuser = app\n" + line + "\n"))
    done = broker.run(*words, "-v", "-v")
    assert done.code == 78 and SECRET.encode() not in done.out + done.err


def test_a_profile_in_the_environment(broker):
    broker.secret(SECRET.encode())
    broker.script("mariadb", "echo the client ran")
    broker.config("[defaults]\nclient = mariadb\n")
    done = broker.run("connect", "-v", "-v", env={"BROKER_PROFILE": URL + "?tls=preferred"})
    assert done.out == b"the client ran\n" and done.code == 0


# The process

def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


INSPECT = """
import ctypes, os, sys
pid, libc = int(sys.argv[1]), ctypes.CDLL(None, use_errno=True)
def can(what):
    try:
        what()
        return True
    except OSError:
        return False
def attach():
    if libc.ptrace(16, pid, None, None):
        raise OSError(ctypes.get_errno(), "")
    os.waitpid(pid, 0x40000000)
    libc.ptrace(17, pid, None, None)
print(can(lambda: open(f"/proc/{pid}/environ", "rb").read()), can(lambda: open(f"/proc/{pid}/mem", "rb").close()),
      can(lambda: os.readlink(f"/proc/{pid}/fd/0")), can(attach))
"""


def inspect(pid):
    """Whether another process of the same user can read environment, memory and descriptors of PID, and attach a
    debugger."""
    done = subprocess.run([*UNPRIVILEGED, sys.executable, "-c", INSPECT, str(pid)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def asking(broker, program=(), **kwargs):
    broker.config(CONFIG + "auth = prompt\nclient = mariadb\n")
    broker.script("mariadb", "exec sleep 37.5")
    terminal = broker.pty("connect", "p", wrap=[*program, *UNPRIVILEGED], **kwargs)
    terminal.expect(QUESTION)
    return terminal


def test_same_user_cannot_inspect_broker(broker):
    """While the process is broker. The client that it becomes can be inspected as usual, which shows that inspect()
    works."""
    terminal = asking(broker)
    assert inspect(terminal.pid) == ["False"] * 4
    terminal.sendline(broker.secret(CANARY))
    until(lambda: procs.cmdline(terminal.pid).startswith(b"sleep"))
    assert inspect(terminal.pid)[0] == "True"
    terminal.close()


def test_same_user_cannot_inspect_the_keychain_helper(broker, keychain):
    """While it waits for a service that does not answer."""
    broker.env.update(keychain.env)
    broker.config(CONFIG)
    with stopped(keychain.keyring.pid):
        terminal = broker.pty("token", "p", wrap=UNPRIVILEGED)
        terminal.expect(b"waiting for the keychain")
        (helper,) = procs.tree(terminal.pid)
        assert b"broker-keychain" in procs.cmdline(helper) and inspect(helper) == ["False"] * 4
        assert procs.cmdline(helper)
        terminal.interrupt()
        assert terminal.wait() == -signal.SIGINT


def core_limit(pid):
    with open(f"/proc/{pid}/limits") as limits:
        return next(line for line in limits if line.startswith("Max core file size")).split()[4]


def test_same_user_cannot_inspect_the_keeper(broker, forwards, mariadb_server):
    """Neither the keeper nor its guard."""
    broker.config(f"[profile p]\nhost = 127.0.0.1\nport = {mariadb_server.port}\nuser = app\nauth = none\ntls = required\n")
    forwards.detach("p", "--terminate-tls", wrap=UNPRIVILEGED)
    for pid in keeper():
        assert inspect(pid) == ["False"] * 4 and core_limit(pid) == "0", procs.cmdline(pid)


def test_same_user_cannot_inspect_the_http_helper(http):
    run = http.runner.start(wrap=UNPRIVILEGED, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        run.stdin.write(request_of("http://127.0.0.1:1/"))
        run.stdin.flush()
        assert run.stdout.read(4)  # it has started
        assert inspect(run.pid) == ["False"] * 4 and core_limit(run.pid) == "0"
    finally:
        run.kill()
        run.communicate()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT])
def test_no_core_dump(broker, number):
    """With limits that would allow a core dump of another program."""
    folder = broker.write("cores/here", "").parent
    allowed = resource.getrlimit(resource.RLIMIT_CORE)[1]
    core = ["prlimit", f"--core={allowed if allowed >= 0 else 'unlimited'}"]
    broker.env["ASAN_OPTIONS"] = broker.env.get("ASAN_OPTIONS", "") + ":disable_coredump=0:handle_segv=0:handle_abort=0"
    terminal = asking(broker, program=core, cwd=folder)
    soft = core_limit(terminal.pid)
    terminal.send(broker.secret(CANARY))
    os.kill(terminal.pid, number)
    _, status = os.waitpid(terminal.pid, 0)
    assert (soft, os.WTERMSIG(status), os.WCOREDUMP(status)) == ("0", number, False)
    assert [path.name for path in folder.iterdir()] == ["here"]
