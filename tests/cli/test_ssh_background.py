# SPDX-License-Identifier: MIT
"""Programs that go into the background: ssh because of its configuration, a tunnel's command, and what these start. A
run succeeds or says why not, makes one attempt, and leaves no process, no session in the sshd and no socket."""
import os
import signal
import subprocess

import pytest

from lib.bastion import tunnel, write
from lib.forwards import alive, until
from lib.keeping import Beside, gone, keeper
from lib.logins import profile
from servers import load, process

QUERY = ["--", "-NBe", "select current_user()"]
RESULT = "app_native@%\n"
FORKED = "hint: the tunnel's command must stay in the foreground: ssh without -f\n"


@pytest.fixture
def home(home, start_sshd, user_key):
    """home.sshd serves only this test, so that logins and sessions can be counted."""
    home.sshd = start_sshd(host_keys=["ed25519"])
    home.sshd.authorize(user_key)
    home.knows(home.sshd)
    return home


def logins(home):
    return home.sshd.read().count("Accepted publickey")


def nothing_left(home):
    return gone(home.broker) and until(lambda: not home.sshd.sessions())


def over_ssh(home, engine):
    write(home.broker, home.server, tunnel(home.sshd, engine), client=home.client.path)


def by_command(home, command, *lines):
    server = home.server
    home.broker.env["TEST_SECRET"] = home.broker.secret(server.password("app_native")).decode()
    home.broker.config(profile(host="127.0.0.1", port=server.port, user="app_native", auth="env", auth_env="TEST_SECRET", via="far",
                               client=home.client.path)
                       + "\n".join(["[tunnel far]", "type = command", f"command = {command}", *lines, ""]))


@pytest.mark.parametrize("config_lines", ["ForkAfterAuthentication yes", "SessionType none", "SessionType none\nForkAfterAuthentication yes",
                                  "RequestTTY force\nStdinNull yes\nRemoteCommand sleep 1000", "ControlMaster auto\nControlPath ~/.ssh/c-%C\n"
                                  "ControlPersist 10m"])
def test_background_options_of_ssh_config_are_ignored(home, engine, config_lines):
    """Options for an ssh that the user starts do not affect a tunnel."""
    home.config(f"Host *\n{config_lines}\n")
    over_ssh(home, engine)
    done = home.broker.run("connect", "p", *QUERY)
    assert (done.code, done.text) == (0, RESULT), done.errors
    assert logins(home) == 1 and nothing_left(home) and not list(home.folder.glob("c-*"))


def test_jump_host_whose_ssh_forks(home, start_sshd, user_key):
    """The ssh that ProxyJump starts obeys the ForkAfterAuthentication of ssh_config."""
    inner = start_sshd(host_keys=["ed25519"])
    inner.authorize(user_key)
    home.knows(home.sshd, inner)
    home.config(f"Host first\n HostName {home.sshd.host}\n Port {home.sshd.port}\nHost second\n HostName {inner.host}\n Port {inner.port}\n"
                f" ProxyJump first\nHost *\n User {inner.user}\n ForkAfterAuthentication yes\n")
    write(home.broker, home.server, "[tunnel far]\ntype = ssh\nhost = second\n", client=home.client.path)
    done = home.broker.run("connect", "p", *QUERY)
    assert (done.code, done.text) == (0, RESULT), done.errors
    assert nothing_left(home) and until(lambda: not inner.sessions())


def ssh_command(home, options):
    return f"ssh {options} -N -p {home.sshd.port} -L {{local_port}}:{{host}}:{{port}} {home.sshd.user}@{home.sshd.host}"


def test_command_in_the_foreground(home):
    by_command(home, ssh_command(home, ""))
    done = home.broker.run("connect", "p", *QUERY)
    assert (done.code, done.text) == (0, RESULT), done.errors
    assert logins(home) == 1 and nothing_left(home)


def test_command_that_goes_into_the_background(home):
    """ssh -f listens on its port for a moment before it goes into the background, so the error is either broker's or
    the client's."""
    by_command(home, ssh_command(home, "-f"))
    done = home.broker.run("connect", "p", *QUERY)
    assert done.code in (1, 78) and not done.text and "ssh: it went into the background" in done.errors, done.errors
    assert done.code == 1 or done.errors == "broker: p: ssh: it went into the background\n" + FORKED
    assert logins(home) == 1 and nothing_left(home)


DAEMON = """#!/usr/bin/python3 -IS
import os, socket, sys, time
with open(os.environ["HOME"] + "/started", "a") as f:
    f.write("once\\n")
listener = socket.create_server(("127.0.0.1", int(sys.argv[1]))) if sys.argv[2] == "listen" else None
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
with open(os.environ["HOME"] + "/pid", "w") as f:
    f.write(str(os.getpid()))
time.sleep(1000)
"""


@pytest.mark.parametrize("how", ["listen", "deaf"])
def test_command_that_becomes_a_daemon(home, how):
    """A classic daemon: it forks twice and makes its own session."""
    home.broker.script("daemon", DAEMON)
    by_command(home, f"daemon {{local_port}} {how}", "connect_timeout = 60s")
    done = home.broker.run("connect", "p", *QUERY)
    assert done.code in ((78,) if how == "deaf" else (1, 78)) and "it went into the background" in done.errors, done.errors
    assert (home.broker.home / "started").read_text() == "once\n" and gone(home.broker)


def test_forward_does_not_restart_a_daemon(home, forwards):
    """The command of a forward becomes a daemon: the connections that follow report it, and do not start another
    one."""
    home.broker.script("daemon", DAEMON)
    by_command(home, "daemon {local_port} listen")
    done = home.broker.run("forward", "p", "--detach")
    if done.code == 0:  # its port was found before it had gone into the background
        assert until(lambda: forwards.one("p")["state"] == "lost")
        host, _, place = done.text.strip().rpartition(":")
        for _ in range(3):
            again = home.broker.run("connect", "--host", host, "--port", place, "--user", "x", "--auth", "none", "--tls", "preferred",
                                    "--client", home.client.path, *QUERY)
            assert again.code == 1 and "it went into the background" in again.errors
        assert home.broker.run("stop", "p").code == 0
    else:
        assert done.code == 78 and "it went into the background" in done.errors
    assert (home.broker.home / "started").read_text() == "once\n" and gone(home.broker)


HELPERS = """#!/bin/sh
setsid sh -c 'echo $$ >>$HOME/pids; exec sleep 1000' &
setsid sh -c 'echo $$ >>$HOME/pids; trap "" TERM; sleep 1000; sleep 1000' &
(setsid sh -c 'echo $$ >>$HOME/pids; sleep 1001 & exec sleep 1000' &) &
while [ "$(wc -l <$HOME/pids)" -lt 3 ]; do sleep 0.01; done
exec "$@"
"""


@pytest.mark.parametrize("ends", ["client", "keeper", "guard"])
def test_programs_of_the_command_end_with_the_tunnel(home, ends):
    """The command's programs, in their own sessions and some ignoring TERM, live as long as the tunnel and no longer,
    whichever process is killed."""
    home.broker.script("with-helpers", HELPERS)
    by_command(home, "with-helpers " + ssh_command(home, ""))
    run = Beside(home.broker)
    pids = [int(pid) for pid in (home.broker.home / "pids").read_text().split()]
    guard, pid = keeper()
    try:
        assert len(pids) == 3 and all(alive(pid) for pid in pids)
        if ends == "keeper":
            os.kill(pid, signal.SIGKILL)
            assert until(lambda: not alive(guard))
        elif ends == "guard":
            os.kill(guard, signal.SIGKILL)
    finally:
        run.end(signal.SIGTERM)
    assert until(lambda: not any(alive(pid) for pid in pids)) and nothing_left(home)


@pytest.fixture
def own_master(home):
    """A running ControlMaster of the user's. After its login the sshd accepts no key any more."""
    control = home.folder / "mine"
    home.config(f"Host mine\n HostName {home.sshd.host}\n Port {home.sshd.port}\n User {home.sshd.user}\nHost *\n ControlPath {control}\n")
    ssh = ["ssh", "-F", home.folder / "config", "-o", f"UserKnownHostsFile={home.known_hosts}", "-i", home.folder / "id_ed25519"]
    master = process.start([*ssh, "-M", "-N", "mine"], home.broker.home / "master.log")
    assert until(control.exists) and master.poll() is None
    master.ask = lambda what: subprocess.run([*ssh, "-O", what, "mine"], check=True, capture_output=True)
    home.sshd.authorize()
    yield master
    process.stop(master)


def one_query(home, code=0):
    done = home.broker.run("connect", "p", "-v", *QUERY)
    assert done.code == code and (done.text == RESULT) == (code == 0), done.errors
    return done.errors


def test_own_master_is_used(home, own_master):
    """There is no second login. The master keeps running, and none of broker's connections remains in it."""
    write(home.broker, home.server, "[tunnel far]\ntype = ssh\nhost = mine\n", client=home.client.path)
    for _ in range(2):
        assert "openssh: your ControlMaster" in one_query(home)
        assert gone(home.broker) and own_master.poll() is None
    own_master.ask("check")
    assert logins(home) == 1 and until(lambda: not open_at(home.server.port))


def test_own_master_that_does_not_reach_the_server(home, own_master):
    write(home.broker, home.server, "[tunnel far]\ntype = ssh\nhost = mine\n", client=home.client.path)
    home.broker.config(home.broker.config_path.read_text().replace(f"port = {home.server.port}", "port = 1", 1))
    assert "broker: p: 2003 127.0.0.1:1: 127.0.0.1 cannot reach it\n" in one_query(home, 69)
    assert logins(home) == 1 and gone(home.broker) and own_master.poll() is None


def open_at(port):
    """The established connections to a port of this machine."""
    with open("/proc/net/tcp") as table:
        return [line for line in table if f":{port:04X} 01 " in line]


@pytest.mark.parametrize("key, value", [("ssh_engine", "openssh"), ("ssh_engine", "libssh2"), ("identity", "id_ed25519")])
def test_own_master_is_not_used(home, own_master, user_key, key, value):
    """If the tunnel sets the engine or the identity."""
    value = home.folder / value if key == "identity" else value
    write(home.broker, home.server, f"[tunnel far]\ntype = ssh\nhost = mine\n{key} = {value}\n", client=home.client.path)
    assert "Permission denied" in one_query(home, 77)
    home.sshd.authorize(user_key)
    assert "your ControlMaster" not in one_query(home)
    assert logins(home) == 2 and gone(home.broker) and own_master.poll() is None


@pytest.mark.parametrize("how", ["exit", "stop", "kill"])
def test_own_master_that_ends(home, own_master, user_key, forwards, how):
    """The next connection makes its own login. A master told to `stop` accepts no more connections, and exits when
    those that it has are closed."""
    write(home.broker, home.server, "[tunnel far]\ntype = ssh\nhost = mine\n", client=home.client.path)
    place = ("127.0.0.1", int(forwards.detach("p").rpartition(":")[2]))
    assert load.once(place, "app_native", home.server.password("app_native")) == [b"1"] and logins(home) == 1
    home.sshd.authorize(user_key)
    own_master.kill() if how == "kill" else own_master.ask(how)
    assert how == "stop" or own_master.wait(20) is not None  # the keeper still holds a connection to a stopped one
    assert load.once(place, "app_native", home.server.password("app_native")) == [b"1"] and logins(home) == 2
    assert home.broker.run("stop", "p").code == 0 and gone(home.broker)


def test_own_master_that_does_not_answer(home, own_master, user_key):
    """It is ignored, and broker makes its own login."""
    own_master.send_signal(signal.SIGSTOP)
    home.sshd.authorize(user_key)
    write(home.broker, home.server, "[tunnel far]\ntype = ssh\nhost = mine\n", client=home.client.path)
    one_query(home)
    assert logins(home) == 2 and gone(home.broker) and own_master.poll() is None


def test_master_kept_by_control_persist_remains(home, start_sshd, user_key):
    """ProxyJump with ControlPersist: the master belongs to the user, whose other sessions may use it; it remains, as
    after ssh."""
    inner = start_sshd(host_keys=["ed25519"])
    inner.authorize(user_key)
    home.knows(home.sshd, inner)
    home.config(f"Host first\n HostName {home.sshd.host}\n Port {home.sshd.port}\n ControlMaster auto\n ControlPath {home.folder}/c\n"
                f" ControlPersist 10m\nHost second\n HostName {inner.host}\n Port {inner.port}\n ProxyJump first\nHost *\n User {inner.user}\n")
    write(home.broker, home.server, "[tunnel far]\ntype = ssh\nhost = second\n", client=home.client.path)
    for _ in range(2):
        done = home.broker.run("connect", "p", *QUERY)
        assert (done.code, done.text) == (0, RESULT), done.errors
    assert logins(home) == 1 and (home.folder / "c").exists()
    subprocess.run(["ssh", "-F", home.folder / "config", "-S", home.folder / "c", "-O", "exit", "first"], check=True, capture_output=True)
    assert nothing_left(home)
