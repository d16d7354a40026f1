# SPDX-License-Identifier: MIT
"""Nothing is left of a route, however its client ends, and whichever process is killed: no process (keeper, guard, the
tunnel's program, ssh), no listener, no socket file, no lock, no session at the sshd. The routes are a program with a
child of its own, which is the most likely to be left behind, and SSH by either engine. Errors on a route that is open
are tested in test_ssh_trouble.py and test_keeper_trouble.py."""
import fcntl
import os
import signal
import subprocess
import time
from dataclasses import dataclass

import pytest

from lib import procs
from lib.bastion import ENGINES, tunnel
from lib.bastion import write as write_ssh
from lib.forwards import alive, until
from lib.keeping import SHOW, Beside, gone, keeper, left, named, send, stopped
from lib.logins import profile
from lib.ways import SSM
from servers import load
from servers.pki import RIGHT_NAME

NATIVE = "app_native"
QUERY = ["--", "-NBe", "select current_user()"]
ROUTES = ["program", *ENGINES]


@dataclass
class Route:
    """The profile `p` by one route; write(KEYS) writes it again, with KEYS that override its own."""
    broker: object
    kind: str
    write: object
    far: object  # an SsmFake or an Sshd

    def parts(self):
        """The processes that the keeper has started."""
        return self.far.pids if self.kind == "program" else named("/usr/bin/ssh")

    def sessions(self):
        return [] if self.kind == "program" else self.far.sessions()

    def up(self):
        """Whether all of its processes and sessions are there."""
        if self.kind == "program":
            return len(self.far.pids) == 2 and all(map(alive, [*keeper(), *self.far.pids]))
        return bool(keeper()) and bool(self.sessions()) and bool(self.parts()) == (self.kind == "openssh")

    def ended(self):
        """Whether all that the keeper had started has ended, and its files are removed."""
        return not any(map(alive, self.parts())) and not left(self.broker) and not self.sessions()

    def gone(self, *ports):
        """Whether nothing is left of it; fails as keeping.gone() does."""
        return gone(self.broker, *ports) and until(self.ended)


def by_program(request):
    broker, server = request.getfixturevalue("broker"), request.getfixturevalue("mariadb_server")
    request.getfixturevalue("names")
    broker.env["TEST_SECRET"] = broker.secret(server.password("app")).decode()
    keys = {"host": RIGHT_NAME, "port": server.port, "user": "app", "auth": "env", "auth_env": "TEST_SECRET", "tls_ca": server.ca,
            "tls": "verify-identity", "via": "far"}
    return Route(broker, "program", lambda **more: broker.config(profile(**{**keys, **more}) + SSM), request.getfixturevalue("ssm"))


def by_ssh(request, engine):
    """With an sshd of its own, so that its sessions can be counted."""
    home, server = request.getfixturevalue("home"), request.getfixturevalue("mariadb_server")
    client, sshd = request.getfixturevalue("clients")["mariadb1011"], request.getfixturevalue("start_sshd")(host_keys=["ed25519"])
    sshd.authorize(request.getfixturevalue("user_key"))
    home.knows(sshd)
    return Route(home.broker, engine, lambda **more: write_ssh(home.broker, server, tunnel(sshd, engine), client=client.path, **more), sshd)


def make(request, kind):
    route = by_program(request) if kind == "program" else by_ssh(request, kind)
    route.write()
    return route


@pytest.fixture(params=ROUTES)
def route(request):
    return make(request, request.param)


@pytest.fixture(params=ENGINES)
def over_ssh(request):
    return make(request, request.param)


@pytest.fixture
def by_ssm(request):
    return make(request, "program")


@pytest.fixture
def beside(broker):
    """Starts a Beside that ends with the test."""
    started = []

    def start(route, **options):
        started.append(Beside(route.broker, **options))
        return started[-1]
    yield start
    for run in started:
        run.end(signal.SIGKILL)


# The client ends

ENDS = [*(("program", level, number) for level in ("verify-identity", "preferred")
          for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None)),
        *((engine, None, number) for engine in ENGINES for number in (signal.SIGKILL, signal.SIGTERM))]


@pytest.mark.parametrize("kind, level, number", ENDS)
def test_the_client_ends(request, beside, kind, level, number):
    route = make(request, kind)
    route.write(**({"tls": level} if level else {}))
    run = beside(route, script=SHOW if number else SHOW.replace("sleep 77", "true"))
    assert run.port and run.path if kind == "program" else route.up()
    assert run.end(number) == (-number if number else 0)
    assert route.gone(run.port) and (kind != "program" or len(route.far.pids) == 2)


def test_the_client_succeeds(over_ssh):
    done = over_ssh.broker.run("connect", "p", *QUERY)
    assert done.text == "app_native@%\n" and over_ssh.gone()


def test_everything_exists_while_the_client_runs(by_ssm, beside):
    """The processes and files whose removal the other tests check."""
    run = beside(by_ssm)
    assert by_ssm.up() and left(by_ssm.broker) and os.path.exists(run.path)
    pid = keeper()[1]
    assert os.getsid(pid) not in (os.getsid(0), os.getsid(run.proc.pid))
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in "2"} <= {"/dev/null"}
    run.end(signal.SIGKILL)
    assert by_ssm.gone(run.port)


def test_the_keeper_does_not_wait_for_the_clients_children(by_ssm, beside):
    """The keeper ends with the process that broker has become, even if children of that process still run."""
    run = beside(by_ssm, script='echo "$MYSQL_TCP_PORT|"; sleep 33.5 >/dev/null 2>&1 & exit 0')
    assert run.end() == 0
    assert until(lambda: not any(map(alive, by_ssm.far.pids)))
    assert until(lambda: named("sleep"))
    for pid in named("sleep"):
        os.kill(pid, signal.SIGKILL)
    assert by_ssm.gone(run.port)


def test_suspended_client(route, beside):
    """The route stays open while the client is stopped; when the client is killed, nothing is left."""
    run = beside(route)
    os.kill(run.proc.pid, signal.SIGSTOP)
    time.sleep(0.3)
    assert route.up()
    run.end(signal.SIGKILL)
    assert route.gone(run.port)


def test_the_terminal_closes(route):
    terminal = route.broker.pty("exec", "p", "--", "sh", "-c", "echo up; exec sleep 78")
    terminal.expect(b"up")
    terminal.hang_up()
    assert terminal.wait() == -signal.SIGHUP and route.gone()


# A process is killed

def test_the_keeper_is_killed(route, beside):
    """While the client still runs, the guard ends what the keeper had started, and removes the socket files."""
    run = beside(route)
    guard, pid = keeper()
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not alive(guard) and route.ended())
    assert run.proc.poll() is None and run.end(signal.SIGTERM) == -signal.SIGTERM
    assert route.gone(run.port)


def test_the_guard_is_killed(route, beside):
    run = beside(route)
    os.kill(keeper()[0], signal.SIGKILL)
    run.end(signal.SIGTERM)
    assert route.gone(run.port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_keeper_gets_a_signal(by_ssm, beside, number):
    """For example from a user who ends leftover processes by hand: nothing is left, as if the keeper were killed."""
    run = beside(by_ssm)
    os.kill(keeper()[1], number)
    run.end(signal.SIGTERM)
    assert by_ssm.gone(run.port)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_broker_is_killed_before_ready(by_ssm, number):
    by_ssm.far.tell(listen=False)
    proc = by_ssm.broker.start("exec", "p", "--", "true", stderr=subprocess.DEVNULL)
    assert until(lambda: len(by_ssm.far.pids) == 2)
    proc.send_signal(number)
    assert proc.wait(20) == -number and by_ssm.gone()


@pytest.mark.parametrize("kind, number", [*(("program", number) for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)),
                                          *((engine, number) for engine in ENGINES for number in (signal.SIGKILL, signal.SIGINT))])
def test_broker_is_killed_before_exec(request, kind, number):
    """The route is open, and broker waits for the password."""
    route = make(request, kind)
    route.broker.script("give", "touch asked; exec sleep 34.5")
    route.write(auth="command", auth_command="give", auth_env=None)
    words = ["exec", "p", "--", "true"] if kind == "program" else ["connect", "p"]
    proc = route.broker.start(*words, stderr=subprocess.DEVNULL)
    assert until((route.broker.home / "asked").exists) and route.up()
    proc.send_signal(number)
    assert proc.wait(20) == -number and route.gone()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_broker_is_killed_at_a_prompt(over_ssh, home, number):
    """broker has asked about the host key, and waits for the user's answer."""
    home.known_hosts.unlink()
    terminal = over_ssh.broker.pty("connect", "p", *QUERY)
    terminal.expect(b"(yes/no/[fingerprint])? ")
    os.kill(terminal.pid, number)
    assert terminal.wait() == -number and over_ssh.gone() and not home.known_hosts.exists()


def test_client_guard_and_keeper_are_killed(by_ssm, beside):
    """No process of ours is left that could end the tunnel's program, so the kernel must do it (PR_SET_PDEATHSIG). A
    child of that program may be left."""
    run = beside(by_ssm)
    guard, pid = keeper()
    for one in (guard, pid, run.proc.pid):
        os.kill(one, signal.SIGKILL)
    run.end()
    assert until(lambda: not alive(by_ssm.far.pids[0]))
    send(signal.SIGKILL, by_ssm.far.pids[1:])


# Ctrl-C

def interrupted(terminal):
    with stopped(*keeper()):  # broker must not wait for them
        terminal.interrupt()
        assert terminal.wait() == -signal.SIGINT and (terminal.out, terminal.err) == (b"", b"")


def test_ctrl_c_before_ready(by_ssm):
    by_ssm.far.tell(listen=False)
    terminal = by_ssm.broker.pty("exec", "p", "--", "echo", "ran", stdout="pipe", stderr="pipe")
    assert until(lambda: len(by_ssm.far.pids) == 2)
    interrupted(terminal)
    assert by_ssm.gone()


def test_ctrl_c_while_the_bastion_is_silent(home, mariadb_server, clients, fake_server, engine):
    silent = fake_server("silent")
    silent.user, silent.known = "nobody", lambda: ""
    home.knows(silent)
    write_ssh(home.broker, mariadb_server, tunnel(silent, engine), client=clients["mariadb1011"].path)
    terminal = home.broker.pty("connect", "p", stdout="pipe", stderr="pipe")
    assert until(lambda: silent.connections == 1)
    interrupted(terminal)
    assert gone(home.broker)


def test_ctrl_c_cancels_the_query_and_not_the_route(by_ssm, client, mariadb_server):
    def queries():
        return mariadb_server.admin("select info from information_schema.processlist").encode()
    terminal = by_ssm.broker.pty("connect", "p", "--client", client.path, "--", *client.options_for(mariadb_server, "app"), "-A")
    terminal.expect(b"Welcome")
    terminal.sendline(b"select sleep(44), 'a' + 'b';")
    assert until(lambda: b"sleep(44)" in queries())
    terminal.interrupt()
    terminal.sendline(b"select concat('st', 'ill');")
    terminal.expect(b"still")
    assert b"sleep(44)" not in queries()
    terminal.sendline(b"quit")
    assert terminal.wait() == 0 and by_ssm.gone() and len(by_ssm.far.pids) == 2


# What the program of exec sees

def test_no_stray_child(route):
    waits = "import os\ntry:\n print(os.waitpid(-1, os.WNOHANG))\nexcept ChildProcessError:\n print('none')"
    done = route.broker.run("exec", "p", "--", "/usr/bin/python3", "-c", waits)
    assert (done.text, done.code) == ("none\n", 0), done.errors


def test_only_its_own_descriptors(route):
    """stdin, stdout, stderr, and the one that ls has opened."""
    done = route.broker.run("exec", "p", "--", "ls", "/proc/self/fd")
    assert done.code == 0 and set(done.text.split()) <= set("0123") and route.gone(), done.text


@pytest.mark.parametrize("how", ["exec", "detached"])
def test_an_inherited_lock_is_released(by_ssm, how):
    """The keeper holds no descriptor of the caller: the lock is free once the program has ended, or with --detach once
    broker has ended."""
    lock = by_ssm.broker.write("lock", "")
    words = ["exec", "p", "--", "true"] if how == "exec" else ["forward", "p", "--detach"]
    done = by_ssm.broker.run(*words, wrap=["flock", lock])
    assert done.code == 0, done.errors
    with open(lock) as f:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if how == "detached":
        assert keeper()
        assert by_ssm.broker.run("stop", "p").code == 0
    assert by_ssm.gone()


def test_command_substitution_returns(route):
    """$(broker forward p --detach) returns, as no process holds its pipe open. A second `forward` finds the first one,
    and `stop` ends everything."""
    script = 'A=$("$0" forward p --detach 2>err); echo "got $A"; B=$("$0" forward p --detach); [ "$A" = "$B" ]'
    done = route.broker.run(wrap=["sh", "-c", script], timeout=25)
    assert done.code == 0 and done.text.startswith("got 127.0.0.1:") and keeper(), done.errors
    port = done.text.rpartition(":")[2].strip()
    if route.kind != "program":
        assert load.once(("127.0.0.1", int(port)), NATIVE, route.broker.env["TEST_SECRET"].encode()) == [b"1"]
    assert route.broker.run("stop", "p").code == 0 and route.gone(port)


@pytest.mark.parametrize("verb", [["test", "p"], ["connect", "p", "--", "-e", "select 1"]])
def test_verbs_that_end_by_themselves(by_ssm, clients, verb):
    at = verb.index("p") + 1
    done = by_ssm.broker.run(*verb[:at], "--client", clients["mariadb1011"].path, *verb[at:])
    assert done.code == 0 and by_ssm.gone() and len(by_ssm.far.pids) == 2


def test_the_keeper_does_not_read_stdin(by_ssm, clients):
    done = by_ssm.broker.run("connect", "p", "--client", clients["mariadb1011"].path, "--", "-N", input=b"select 1+1;\nselect 2+2;\n")
    assert (done.text, done.code) == ("2\n4\n", 0), done.errors


def test_no_test_process_is_taken_for_ours():
    assert named("broker-keeper") == [] and procs.strays() == []
