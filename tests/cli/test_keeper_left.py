# SPDX-License-Identifier: MIT
"""Nothing is left of a keeper, however its client ends, and whoever is killed: no process, no listener, no socket file, no lock.
The way is a program with a child of its own, which would be the first to stay behind."""
import fcntl
import os
import signal
import subprocess
import time

import pytest

from lib import procs
from lib.forwards import alive, until
from lib.keeping import SHOW, Beside, gone, keeper, left, named, send, stopped
from lib.logins import profile
from lib.ways import SSM
from servers.pki import RIGHT_NAME


@pytest.fixture
def far(broker, names, ssm, mariadb_server):
    """[profile p] of a server behind the fake of SSM, with both local ends."""
    broker.env["TEST_SECRET"] = broker.secret(mariadb_server.password("app")).decode()
    broker.server = mariadb_server
    broker.keys = {"host": RIGHT_NAME, "port": mariadb_server.port, "user": "app", "auth": "env", "auth_env": "TEST_SECRET",
                   "tls_ca": mariadb_server.ca, "tls": "verify-identity", "via": "far"}
    broker.config(profile(**broker.keys) + SSM)
    return broker


def queries(far):
    """What the server is busy with."""
    return far.server.admin("select info from information_schema.processlist").encode()


@pytest.fixture
def beside():
    """Starts a Beside that ends with the test."""
    started = []

    def start(*args, **options):
        started.append(Beside(*args, **options))
        return started[-1]
    yield start
    for run in started:
        run.end(signal.SIGKILL)


@pytest.fixture(params=["verify-identity", "preferred"])
def level(request, far):
    far.config(profile(**{**far.keys, "tls": request.param}) + SSM)
    return request.param


# The client's end

@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None])
def test_the_client_ends(far, beside, level, ssm, number):
    run = beside(far, script=SHOW if number else SHOW.replace("sleep 77", "true"))
    assert run.port and run.path
    assert run.end(number) == (-number if number else 0)
    assert gone(far, run.port) and len(ssm.pids) == 2


def test_all_is_there_while_it_runs(far, beside, ssm):
    """What the other tests see the end of."""
    run = beside(far)
    guard, pid = keeper()
    assert all(map(alive, [guard, pid, *ssm.pids])) and left(far) and os.path.exists(run.path)
    assert os.getsid(pid) not in (os.getsid(0), os.getsid(run.proc.pid))
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in "2"} <= {"/dev/null"}
    run.end(signal.SIGKILL)
    assert gone(far, run.port)


def test_the_clients_children_do_not_count(far, beside, ssm):
    """It lives for the process that broker became, and not for what that has started."""
    run = beside(far, script='echo "$MYSQL_TCP_PORT|"; sleep 33.5 >/dev/null 2>&1 & exit 0')
    assert run.end() == 0
    assert until(lambda: not any(map(alive, ssm.pids)))
    assert until(lambda: named("sleep"))
    for pid in named("sleep"):
        os.kill(pid, signal.SIGKILL)
    assert gone(far, run.port)


def test_suspended_client(far, beside, ssm):
    """The way stays while it is stopped; killed then, nothing is left."""
    run = beside(far)
    os.kill(run.proc.pid, signal.SIGSTOP)
    guard, pid = keeper()
    time.sleep(0.3)
    assert all(map(alive, [guard, pid, *ssm.pids]))
    run.end(signal.SIGKILL)
    assert gone(far, run.port)


def test_the_terminal_closes(far, ssm):
    terminal = far.pty("exec", "p", "--", "sh", "-c", "echo up; exec sleep 78")
    terminal.expect(b"up")
    terminal.hang_up()
    assert terminal.wait() == -signal.SIGHUP and gone(far)


# Killed

def test_the_keeper_is_killed(far, beside, ssm):
    """Its guard ends what it had started while the client still runs, and takes the socket files away."""
    run = beside(far)
    guard, pid = keeper()
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not any(map(alive, [guard, *ssm.pids])) and not left(far))
    assert run.proc.poll() is None and run.end(signal.SIGTERM) == -signal.SIGTERM
    assert gone(far, run.port)


def test_the_guard_is_killed(far, beside, ssm):
    run = beside(far)
    guard, pid = keeper()
    os.kill(guard, signal.SIGKILL)
    run.end(signal.SIGTERM)
    assert gone(far, run.port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_keeper_is_told_to_end(far, beside, ssm, number):
    """By somebody who thinks he tidies up: then it is over as if it were killed."""
    run = beside(far)
    os.kill(keeper()[1], number)
    run.end(signal.SIGTERM)
    assert gone(far, run.port)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_broker_is_killed_before_ready(far, ssm, number):
    ssm.tell(listen=False)
    proc = far.start("exec", "p", "--", "true", stderr=subprocess.DEVNULL)
    assert until(lambda: len(ssm.pids) == 2)
    proc.send_signal(number)
    assert proc.wait(20) == -number and gone(far)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_broker_is_killed_before_exec(far, ssm, number):
    """The way is there, and the password is waited for."""
    far.script("give", "touch asked; exec sleep 34.5")
    far.config(profile(**{**far.keys, "auth": "command", "auth_command": "give", "auth_env": None}) + SSM)
    proc = far.start("exec", "p", "--", "true", stderr=subprocess.DEVNULL)
    assert until((far.home / "asked").exists)
    assert len(ssm.pids) == 2 and keeper()
    proc.send_signal(number)
    assert proc.wait(20) == -number and gone(far)


def test_everybody_is_killed(far, beside, ssm):
    """Client, guard and keeper at once: then a tunnel's program may stay, so the kernel must have been told."""
    run = beside(far)
    guard, pid = keeper()
    for one in (guard, pid, run.proc.pid):
        os.kill(one, signal.SIGKILL)
    run.end()
    assert until(lambda: not alive(ssm.pids[0]))
    send(signal.SIGKILL, ssm.pids[1:])


# Ctrl-C

def test_ctrl_c_before_ready(far, ssm):
    ssm.tell(listen=False)
    terminal = far.pty("exec", "p", "--", "echo", "ran", stdout="pipe", stderr="pipe")
    assert until(lambda: len(ssm.pids) == 2)
    with stopped(*keeper()):  # it waits for nobody
        terminal.interrupt()
        assert terminal.wait() == -signal.SIGINT and (terminal.out, terminal.err) == (b"", b"")
    assert gone(far)


def test_ctrl_c_cancels_the_query_and_not_the_way(far, client, ssm):
    terminal = far.pty("connect", "p", "--client", client.path, "--", *client.options_for(far.server, "app"), "-A")
    terminal.expect(b"Welcome")
    terminal.sendline(b"select sleep(44), 'a' + 'b';")
    assert until(lambda: b"sleep(44)" in queries(far))
    terminal.interrupt()
    terminal.sendline(b"select concat('st', 'ill');")
    terminal.expect(b"still")
    assert b"sleep(44)" not in queries(far)
    terminal.sendline(b"quit")
    assert terminal.wait() == 0 and gone(far) and len(ssm.pids) == 2


# What the program that is run sees

def test_no_stray_child(far):
    waits = "import os\ntry:\n print(os.waitpid(-1, os.WNOHANG))\nexcept ChildProcessError:\n print('none')"
    done = far.run("exec", "p", "--", "/usr/bin/python3", "-c", waits)
    assert (done.text, done.code) == ("none\n", 0), done.errors


def test_only_its_own_descriptors(far):
    """stdin, stdout, stderr, and ls's own."""
    done = far.run("exec", "p", "--", "ls", "/proc/self/fd")
    assert done.code == 0 and set(done.text.split()) <= set("0123"), done.text


@pytest.mark.parametrize("how", ["exec", "detached"])
def test_an_inherited_lock_is_given_up(far, how, ssm):
    """The keeper holds no descriptor of the caller: the lock is free once the program has ended, or broker where it detaches."""
    lock = far.write("lock", "")
    words = ["exec", "p", "--", "true"] if how == "exec" else ["forward", "p", "--detach"]
    done = far.run(*words, wrap=["flock", lock])
    assert done.code == 0, done.errors
    with open(lock) as f:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if how == "detached":
        assert keeper()
        assert far.run("stop", "p").code == 0
    assert gone(far)


def test_command_substitution_returns(far, ssm):
    """$(broker forward p --detach): nobody holds its pipe."""
    script = 'A=$("$0" forward p --detach 2>err); echo "got $A"; B=$("$0" forward p --detach); [ "$A" = "$B" ]'
    done = far.run(wrap=["sh", "-c", script], timeout=10)
    assert done.code == 0 and done.text.startswith("got 127.0.0.1:") and keeper()
    assert far.run("stop", "p").code == 0 and gone(far, done.text.rpartition(":")[2].strip())


@pytest.mark.parametrize("verb", [["test", "p"], ["connect", "p", "--", "-e", "select 1"]])
def test_verbs_that_end_by_themselves(far, clients, verb, ssm):
    at = verb.index("p") + 1
    done = far.run(*verb[:at], "--client", clients["mariadb1011"].path, *verb[at:])
    assert done.code == 0 and gone(far) and len(ssm.pids) == 2


def test_nothing_is_read_by_the_keeper(far, clients):
    """stdin is the client's alone."""
    done = far.run("connect", "p", "--client", clients["mariadb1011"].path, "--", "-N", input=b"select 1+1;\nselect 2+2;\n")
    assert (done.text, done.code) == ("2\n4\n", 0), done.errors


def test_no_test_process_is_taken_for_ours():
    assert named("broker-keeper") == [] and procs.strays() == []
