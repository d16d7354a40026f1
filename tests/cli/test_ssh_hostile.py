# SPDX-License-Identifier: MIT
"""A hostile bastion at every stage of a libssh2 session: it may cost the keeper one second of processor time and 64 MB,
SIGTERM still ends the keeper, and whatever ends a session is reported. Data that the client reads does not count: for
it the keeper may use as much processor time as the bastion. Then what else can make a keeper wait: users, askpass
programs, agents."""
import os
import signal
import socket
import threading
import time

import pytest

from conftest import having
from lib.bastion import tunnel, write
from lib.broker import SANITIZED
from lib.forwards import alive, dial, until
from lib.keeping import gone, keeper, keepers
from servers.hostile_ssh import TRICKS, Hostile

QUERY = ["--", "-NBe", "select current_user()"]
CPU, MEMORY = 1.0, (64 << 10) * (8 if SANITIZED else 1)  # seconds, KiB
AT_ANY_STAGE = ["disconnect", "disconnect-empty", "disconnect-nothing", "disconnect-reason-only", "disconnect-malformed",
          "disconnect-empty-and-close", "close", "abort", "silence", "unknown-big", "unknown-tiny", "ignore-big", "ignore-tiny"]
AFTER_KEX = [*AT_ANY_STAGE, "global-requests", "kexinits"]
CHANNELS = ["channel-requests", "channel-opens", "data-beyond-window", "data-tiny", "data-nobody's", "data-malformed", "extended-data",
            "adjusts", "ends", "closes"]
CASES = {"kex": [*AT_ANY_STAGE, "kexinits"],
         "login": [*AFTER_KEX, "banners", "failures", "partial", "prompts-empty", "prompts-malformed", "channel-opens"],
         "rekey": [*AFTER_KEX, "data-beyond-window", "ends", "closes"],
         "data": [*AFTER_KEX, *CHANNELS]}
CONNECTION_STAYS = {"silence", "adjusts", "ends", "closes", "data-tiny", "data-nobody's", "data-malformed", "data-beyond-window", "extended-data"}
TRANSFERS = {"data-beyond-window", "data-tiny"}  # the client receives all of it


def test_every_trick_is_played():
    assert {name for names in CASES.values() for name in names} | {"questions"} == set(TRICKS)


class Cost:
    """What process PID uses from now on: seconds of processor time, and its peak memory in KiB. CPU seconds are
    allowed, and in addition as many as BASTION, whose data it reads, uses meanwhile."""

    def __init__(self, pid, bastion=None):
        self.pid, self.bastion, self.memory = pid, bastion, 0
        self.cpu_before, self.memory_before = self.look() or (0, 0)
        self.cpu, self.memory = 0, self.memory_before
        self.free = CPU - self.bastions()

    @staticmethod
    def seconds(pid):
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def bastions(self):
        return self.seconds(self.bastion.proc.pid) if self.bastion else 0

    def look(self):
        """(seconds, KiB) so far, or None if the process has ended."""
        try:
            cpu = self.seconds(self.pid)
            with open(f"/proc/{self.pid}/status") as f:
                return cpu, int(f.read().partition("VmHWM:")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError, IndexError):  # a zombie has no VmHWM
            return None

    def sample(self):
        """Updates the figures. Returns whether the process still runs."""
        now = self.look()
        if not now:
            return False
        cpu, memory = now
        self.cpu, self.memory = cpu - self.cpu_before, max(self.memory, memory)
        return alive(self.pid)

    def watch(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.sample():
            assert self.cpu < self.free + self.bastions() and self.memory - self.memory_before < MEMORY, (self.cpu, self.memory - self.memory_before)
            time.sleep(0.02)


@pytest.fixture
def hostile(ssh_keys, broker):
    """hostile(stage, trick): starts a bastion that plays that trick at that stage."""
    started = []

    def start(stage, trick):
        started.append(having(Hostile, broker.folder, ssh_keys.make(), stage, trick))
        return started[-1]
    yield start
    for one in started:
        one.stop()


def prepare(home, bastion, engine="libssh2", known=True, **keys):
    if known:
        home.knows(bastion)
    write(home.broker, home.server, tunnel(bastion, engine, **keys), client=home.client.path)


@pytest.mark.parametrize("stage, trick", [(stage, trick) for stage in ("kex", "login") for trick in CASES[stage]])
def test_before_the_login_is_complete(home, hostile, stage, trick):
    prepare(home, hostile(stage, trick), connect_timeout="30s")
    proc = home.broker.start("connect", "p", *QUERY, stderr=-1, text=True)
    there = []
    assert until(lambda: there.extend(keepers()) or there or proc.poll() is not None)
    if there:
        pid = there[0][1]
        cost = Cost(pid)
        cost.watch(2 if trick == "silence" else 25)
        if trick == "silence":
            os.kill(pid, signal.SIGTERM)
        assert until(lambda: not alive(pid), 5)
    said = proc.communicate(timeout=30)[1]
    assert proc.returncode in (69, 76, 77, 78, 79) and said.startswith("broker: p: "), (proc.returncode, said)
    assert gone(home.broker)


@pytest.mark.parametrize("stage, trick", [(stage, trick) for stage in ("rekey", "data") for trick in CASES[stage]])
def test_during_a_connection(home, hostile, forwards, stage, trick):
    bastion = hostile(stage, trick)
    prepare(home, bastion)
    address = forwards.detach("p")
    pid = keeper()[1]
    cost = Cost(pid, bastion if trick in TRANSFERS else None)
    held = dial(address)
    assert held.recv(5) == b"hello"
    held.sendall(b"x")
    reader = threading.Thread(target=read_all, args=(held,), daemon=True)
    reader.start()
    cost.watch(3)
    assert alive(pid)  # the next session might succeed
    if trick not in CONNECTION_STAYS:
        assert until(lambda: not reader.is_alive()), "the connection is still open"
    os.kill(pid, signal.SIGTERM)
    assert until(lambda: not alive(pid), 5)
    held.close()
    assert gone(home.broker)


def read_all(s):
    try:
        while s.recv(65536):
            pass
    except OSError:
        pass


# What the keeper may wait for

def keeper_at(terminal, question):
    """The pid of the keeper, once QUESTION is on the terminal."""
    terminal.expect(question)
    return keeper()[1]


def test_sigterm_while_a_question_is_open(home, sshd, engine):
    """The keeper ends at once, and so does the question: broker does not wait for an answer that is no longer
    needed."""
    prepare(home, sshd, engine, known=False)
    terminal = home.broker.pty("connect", "p", *QUERY, stderr="pipe")
    pid = keeper_at(terminal, b"(yes/no/[fingerprint])? ")
    os.kill(pid, signal.SIGTERM)
    assert until(lambda: not alive(pid), 5)
    assert terminal.wait() == 76 and terminal.err.startswith(b"broker: p: broker-keeper: exited without an answer\n") and terminal.echo, terminal.err
    assert gone(home.broker) and not home.known_hosts.exists()


def test_sigterm_while_askpass_runs(home, sshd, engine):
    """The program that answers in place of the user is ended too."""
    home.broker.script("answer", "echo $$ >asked.new; mv asked.new asked; exec sleep 300")
    home.broker.env["BROKER_ASKPASS"] = "answer"
    prepare(home, sshd, engine, known=False)
    proc = home.broker.start("connect", "p", *QUERY, stderr=-1, text=True)
    asked = home.broker.home / "asked"
    assert until(asked.exists)
    pid = keeper()[1]
    os.kill(pid, signal.SIGTERM)
    assert until(lambda: not alive(pid), 5)
    said = proc.communicate(timeout=30)[1]
    assert proc.returncode == 76 and said.startswith("broker: p: broker-keeper: exited without an answer\n"), said
    assert until(lambda: not alive(int(asked.read_text()))) and gone(home.broker) and not home.known_hosts.exists()


def test_unanswered_question_times_out(home, sshd, engine):
    """login_timeout limits how long the user may take, and no question follows it."""
    prepare(home, sshd, engine, known=False)
    done = home.broker.pty("connect", "p", "-o", "login_timeout=2s", *QUERY, stderr="pipe")
    done.expect(b"(yes/no/[fingerprint])? ")
    assert done.wait() == 79 and b"broker: p: no answer " in done.err, done.err
    assert gone(home.broker)


def test_wrong_answers_are_limited(home, sshd, engine):
    """By a program that always gives the same answer."""
    home.broker.script("answer", "echo >>asked; echo perhaps")
    home.broker.env["BROKER_ASKPASS"] = "answer"
    prepare(home, sshd, engine, known=False)
    done = home.broker.run("connect", "p", *QUERY)
    assert done.code in (77, 79) and done.errors.startswith("broker: p: "), done.errors
    assert len((home.broker.home / "asked").read_text()) <= 64 and gone(home.broker)


def test_endless_questions_are_limited(home, hostile, engine):
    home.broker.script("answer", "echo >>asked; echo 123456")
    home.broker.env["BROKER_ASKPASS"] = "answer"
    prepare(home, hostile("login", "questions"), engine)
    done = home.broker.run("connect", "p", *QUERY)
    assert done.code in (77, 79) and "\nbroker: p: " in f"\n{done.errors}", done.errors
    assert len((home.broker.home / "asked").read_text()) <= 64 and gone(home.broker)


def test_text_of_the_bastion_is_marked(home, hostile, engine):
    """Each line of the bastion's name and instruction fields starts with its source, or is a detail of an error."""
    home.broker.script("answer", "echo 123456")
    home.broker.env["BROKER_ASKPASS"] = "answer"
    prepare(home, hostile("login", "questions"), engine)
    done = home.broker.run("connect", "p", *QUERY)
    theirs = [line for line in done.errors.splitlines() if "curl" in line]
    assert (theirs or engine == "openssh") and all(line.startswith(("(tunnel@", "  ")) for line in theirs), done.errors
    assert "\x1b" not in done.errors and done.errors.count("\nbroker: p: ") + done.errors.startswith("broker: p: ") == 1, done.errors


class LazyAgent:
    """An agent that lists a key, and never answers a request to sign with it."""

    def __init__(self, path, key):
        blob = bytes_of(key)
        self.answer = b"\x0c" + (1).to_bytes(4, "big") + len(blob).to_bytes(4, "big") + blob + bytes(4)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.asked, self.held = 0, []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s = self.listener.accept()[0]
            except OSError:
                return
            self.held.append(s)
            threading.Thread(target=self._talk, args=(s,), daemon=True).start()

    def _talk(self, s):
        while data := s.recv(65536):
            self.asked += data[4] == 13
            if data[4] == 11:
                s.sendall(len(self.answer).to_bytes(4, "big") + self.answer)

    def stop(self):
        for s in (self.listener, *self.held):
            s.close()


def bytes_of(key):
    import base64
    from pathlib import Path
    return base64.b64decode(Path(f"{key}.pub").read_text().split()[1])


def test_agent_that_never_signs(home, start_sshd, ssh_keys, broker):
    """The bastion closes the connection meanwhile: that ends the login, without a busy loop until the deadline."""
    sshd, key = start_sshd(lines=["LoginGraceTime 2"]), ssh_keys.make()
    sshd.authorize(key)
    agent = LazyAgent(broker.folder / "agent", key)
    prepare(home, sshd, connect_timeout="60s")
    proc = broker.start("connect", "p", *QUERY, stderr=-1, text=True, env={"SSH_AUTH_SOCK": str(broker.folder / "agent")})
    assert until(lambda: agent.asked)
    cost = Cost(keeper()[1])
    cost.watch(20)
    said = proc.communicate(timeout=30)[1]
    agent.stop()
    assert proc.returncode == 69 and said.startswith(f"broker: p: {sshd.user}@{sshd.host}: connection lost during the login"), said
    assert gone(broker)
