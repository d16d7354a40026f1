# SPDX-License-Identifier: MIT
"""The client as a process: its streams, how it ends, what it inherits and what it is given.

broker becomes the client (exec), so that pid, exit status and Ctrl-C in a query are the client's own, and the only
thing left of broker is a pipe that has been read to its end. What signals do before that is in test_signals.py."""
import hashlib
import os
import re
import resource
import signal
import subprocess
import time

import pytest

WHO = "select current_user()"
ENV = "PASSWORD_OF_SHOP"
PROMPT = b"password for app@h:3306: "
CONFIG = "[profile p]\nhost = h\nuser = app\ntls = preferred\nclient = mariadb\n"


@pytest.fixture
def server(request, client):
    """The server of the client's own family, so that the client supports its authentication plug-ins."""
    return request.getfixturevalue("mysql_server" if client.family == "mysql" else "mariadb_server")


def real(broker, server, client):
    """Writes the profile p for a real server, with the password in a variable; returns the user."""
    user = "app_sha2" if server.family == "mysql" else "app_ed"
    broker.env[ENV] = broker.secret(server.password(user)).decode()
    broker.config(f"[profile p]\nsocket = {server.socket}\nuser = {user}\ndatabase = shop\nauth = env\nauth_env = {ENV}\n"
                  f"client = {client.path}\n")
    return user


# Streams

@pytest.mark.parametrize("how", ["file", "pipe"])
def test_a_dump_on_stdin(broker, client, server, how):
    real(broker, server, client)
    table = f"dump_{client.name}_{how}"
    rows = ",\n".join(f"({i}, '{i:0100}')" for i in range(20000))
    dump = f"drop table if exists {table};\ncreate table {table} (id int primary key, t char(100));\ninsert into {table} values {rows};\n"
    if how == "file":
        with open(broker.write("dump.sql", dump), "rb") as f:
            done = broker.run("connect", "p", stdin=f)
    else:
        done = broker.run("connect", "p", input=dump.encode())
    assert (done.code, done.out) == (0, b""), done.errors
    assert server.admin(f"select count(*), sum(id), min(length(t)) from shop.{table}") == "20000\t199990000\t100"
    server.admin(f"drop table shop.{table}")


@pytest.mark.parametrize("auth", ["none", "prompt", "file", "command", "keychain", "url on stdin"])
def test_stdin_is_left_to_the_client(request, broker, auth):
    data = b"select 1;\n\0\xff" + os.urandom(300000)
    broker.script("mariadb", "exec sha256sum")
    broker.script("greedy", "cat >/dev/null; echo fake-canary")
    secret = broker.write("secret", "fake-canary", secret=True)
    profile, name = CONFIG + f"auth = {auth}\nauth_command = greedy\nauth_file = {secret}\n", "p"
    if auth == "url on stdin":
        name, profile, data = "-", "[defaults]\nclient = mariadb\n", b"mysql://u:fake-canary@h?tls=preferred\n" + data
    broker.config(profile)
    if auth == "keychain":
        broker.env.update(request.getfixturevalue("keychain").env)
        assert broker.run("password", "set", "p", input=b"fake-canary").code == 0
    if auth == "prompt":
        terminal = broker.pty("connect", name, stdin="pipe", stdout="pipe")
        terminal.expect(PROMPT)
        terminal.sendline(b"fake-canary")
        terminal.feed(data)
        assert terminal.wait() == 0
        out = terminal.out
    else:
        done = broker.run("connect", name, input=data)
        assert done.code == 0, done.errors
        out = done.out
    left = data.partition(b"\n")[2] if name == "-" else data
    assert out.split()[0].decode() == hashlib.sha256(left).hexdigest()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(broker, client, server, closed):
    real(broker, server, client)
    table = "closed_" + client.name
    done = broker.run("connect", "p", "--", "-NBe", f"create table {table} (i int); {WHO}", wrap=["sh", "-c", f'exec "$@" {closed}', "sh"])
    server.admin(f"drop table shop.{table}")  # the table exists: the query ran
    if ">&-" not in closed.replace("2>&-", ""):
        assert done.code == 0 and done.out.endswith(b"@%\n")
    assert done.err == b"" or "2>&-" not in closed


# How it ends

@pytest.mark.parametrize("status", [0, 1, 2, 7, 64, 143, 255])
def test_exit_status(broker, status):
    stub = broker.stub("mysql", exit=status, stdout="out", stderr="err")
    broker.config(CONFIG + "auth = none\n")
    done = broker.run("connect", "p", "--client", stub.path)
    assert (done.code, done.signal, done.out, done.err) == (status, 0, b"out", b"err")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGINT])
def test_death_by_signal(broker, number):
    stub = broker.stub("mysql", signal=number)
    broker.config(CONFIG + "auth = none\n")
    assert broker.run("connect", "p", "--client", stub.path).signal == number


@pytest.mark.parametrize("args, status", [(["-e", "select 1"], 0), (["-e", "select no_such_column"], 1), (["--no-such-option"], 2),
                                          (["--no-such-variable=1"], 7)])
def test_exit_status_of_real_clients(broker, client, server, args, status):
    real(broker, server, client)
    assert broker.run("connect", "p", "--", *args).code == status


def running(server, query):
    """Waits until the server runs a query with that text."""
    for _ in range(2000):
        if query in server.admin("show full processlist"):
            return
        time.sleep(0.01)
    raise AssertionError(f"{query} does not run")


def test_term_of_a_real_client(broker, client, server):
    real(broker, server, client)
    with broker.start("connect", "p", "--", "-e", "select sleep(31.5)") as proc:
        running(server, "sleep(31.5)")
        proc.terminate()
        assert proc.wait(10) == -signal.SIGTERM


def test_ctrl_c_in_a_query(broker, client, server):
    user = real(broker, server, client)
    terminal = broker.pty("connect", "p")
    terminal.expect(b"> ")
    terminal.sendline(b"select sleep(32.5);")
    running(server, "sleep(32.5)")
    terminal.interrupt()
    terminal.expect(b"> ", 5)
    terminal.sendline(b"select current_user();")
    terminal.expect(f"{user}@%".encode())
    terminal.sendline(b"exit")
    assert terminal.wait() == 0


# What the client inherits

HELD = """#!/usr/bin/perl
sub lines { open(my $f, "<", $_[0]); return <$f> }
print grep(/^(Umask|Sig(Blk|Ign|Cgt)|NoNewPrivs|Seccomp|Cap.*):/, lines("/proc/self/status")), lines("/proc/self/limits");
my @stat = split(/ /, (lines("/proc/self/stat"))[0]);
print "nice $stat[18]\\n", "cwd ", readlink("/proc/self/cwd"), "\\n";
print "fd $_ ", readlink("/proc/self/fd/$_"), "\\n" for grep(!/^\\./ && readlink("/proc/self/fd/$_"), map(s|.*/||r, glob("/proc/self/fd/*")));
"""
STATES = {
    "plain": lambda: None,
    "umask": lambda: os.umask(0o027),
    "core": lambda: resource.setrlimit(resource.RLIMIT_CORE, (4096, resource.getrlimit(resource.RLIMIT_CORE)[1])),
    "no core": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    "ignored": lambda: [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)],
    "blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGWINCH, signal.SIGCHLD]),
    "files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
}


@pytest.mark.parametrize("state, auth", [*((state, auth) for state in STATES for auth in ("none", "command")),
                                         ("plain", "keychain"), ("ignored", "keychain"), ("blocked", "keychain")])
def test_client_inherits_the_users_process_state(request, broker, state, auth):
    """The client has the same state as without broker, except for the descriptor of the option file."""
    broker.env["ASAN_OPTIONS"] = broker.env.get("ASAN_OPTIONS", "") + ":disable_coredump=0"  # otherwise the sanitizer sets the limit
    script = broker.script("mariadb", HELD)
    broker.script("give", "echo fake-canary")
    broker.config(CONFIG + f"auth = {auth}\nauth_command = give\n")
    if auth == "keychain":
        broker.env.update(request.getfixturevalue("keychain").env)
        assert broker.run("password", "set", "p", input=b"fake-canary").code == 0

    def report(*command):
        with open(broker.write("own", "mine"), "rb") as own:
            done = subprocess.run(command, env=broker.env, cwd=broker.home, stdin=own, capture_output=True, preexec_fn=STATES[state],
                                  pass_fds=[own.fileno()])
        assert done.returncode == 0, done.stderr
        return re.sub(r"pipe:\[\d+\]", "pipe", done.stdout.decode()).splitlines()
    alone, ours = report(script), report(broker.program, "connect", "p")
    added = [line for line in ours if line not in alone]
    assert [line for line in alone if line not in ours] == []
    assert len(added) == 1 and re.fullmatch(r"fd \d+ pipe", added[0])


def test_client_is_the_same_process(broker):
    stub = broker.stub("mysql")
    broker.config(CONFIG + "auth = none\n")
    with broker.start("connect", "p", "--client", stub.path, stdin=subprocess.DEVNULL) as proc:
        assert proc.wait(10) == 0 and stub.seen["pid"] == proc.pid and stub.seen["parents"] == []


def option_file_of(pid):
    """The number in --defaults-file=/dev/fd/N."""
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return int(re.search(rb"--defaults-file=/dev/fd/(\d+)", f.read())[1])


def test_option_file_has_been_read(broker, client, server):
    real(broker, server, client)
    terminal = broker.pty("connect", "p")
    terminal.expect(b"> ")
    path = f"/proc/{terminal.pid}/fd/{option_file_of(terminal.pid)}"
    assert os.readlink(path).startswith("pipe:")
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert os.read(fd, 1) == b""
    os.close(fd)
    terminal.sendline(b"exit")
    assert terminal.wait() == 0


@pytest.fixture
def few_pipe_pages():
    """Holds so many pipes that the kernel gives an unprivileged process of this user only small ones."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/proc/sys/fs/pipe-user-pages-soft") as f:
        pipes = int(f.read()) // 16 + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], 2 * pipes + 200), max(limit[1], 2 * pipes + 200)))
    held = [fd for _ in range(pipes) for fd in os.pipe()]
    yield
    for fd in held:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []


@pytest.mark.alone
@pytest.mark.parametrize("length, kind", [(100, "pipe"), (9000, "/memfd:")])
def test_option_file_if_pipes_are_small(broker, few_pipe_pages, length, kind):
    stub = broker.stub("mysql")
    broker.config(CONFIG + f"auth = env\nauth_env = {ENV}\n")
    broker.env[ENV] = "x" * length
    assert broker.run("connect", "p", "--client", stub.path, wrap=UNPRIVILEGED).code == 0
    number = stub.seen["argv"][0].rpartition("/")[2]
    assert stub.seen["fds"][number].startswith(kind) and f'password="{"x" * length}"\n' in stub.seen["options"]


@pytest.mark.alone
def test_login_if_pipes_are_small(broker, clients, mariadb_server, few_pipe_pages):
    client, password = clients["mysql9"], "".join(f"{i:05}" for i in range(2000))
    mariadb_server.create_user("small_pipe", password.encode())
    broker.env[ENV] = broker.secret(password.encode()).decode()
    broker.config(f"[profile p]\nsocket = {mariadb_server.socket}\nuser = small_pipe\nauth = env\nauth_env = {ENV}\n")
    done = broker.run("connect", "p", "--client", client.path, "--", *client.options_for(mariadb_server, None), "-NBe", WHO,
                      wrap=UNPRIVILEGED)
    assert done.out == b"small_pipe@%\n", done.errors
