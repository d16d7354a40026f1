# SPDX-License-Identifier: MIT
"""Programs that prompt on the terminal before READY: a tunnel's command, a ProxyCommand, ssh inside a command. They get
a pseudo-terminal of their own, whose output is shown on the user's terminal until READY. The user's terminal is left in
its original state in each case."""
import re
import sys
import time

import pytest

from lib.bastion import Home, tunnel, write
from lib.keeping import gone, keeper
from lib.passing import listen, stdio

QUERY = ["--", "-NBe", "select 1"]
ASK = """\
import os, sys, termios, time
tty = os.open("/dev/tty", os.O_RDWR)
def line(prompt, echo):
    mode = termios.tcgetattr(tty)
    mode[3] = mode[3] | termios.ECHO if echo else mode[3] & ~termios.ECHO
    termios.tcsetattr(tty, termios.TCSAFLUSH, mode)
    os.write(tty, prompt.encode())
    return os.read(tty, 1000).decode().rstrip("\\n")
"""
LOGIN = ASK + """\
user, code = line("User: ", True), line("Code\\x1b[2J\\u202e: ", False)
os.write(tty, b"\\n")
open({said!r}, "w").write(f"{{user}} {{code}} {{os.get_terminal_size(tty).columns}}")
"""


@pytest.fixture
def command(broker, mysql_server, clients):
    """command(text, later): a tunnel whose program first runs TEXT, and runs LATER when a client sends data, which is
    after READY."""
    def make(text, later="pass", **keys):
        program = broker.folder / "tunnel.py"
        program.write_text(text + listen(mysql_server, later))
        write(broker, mysql_server, f"[tunnel far]\ntype = command\ncommand = {sys.executable} {program} {{local_port}}\n",
              **{"user": "app", "client": clients["mysql9"].path, "connect_timeout": "2s", **keys})
    return make


def test_command_prompts_with_and_without_echo(broker, command):
    """It may take longer than connect_timeout. What it writes is sanitised, and its source is shown in front."""
    command(LOGIN.format(said=str(broker.folder / "said")))
    t = broker.pty("connect", "p", *QUERY, stdout="pipe", size=(24, 133))
    t.expect(r"\([^)]*\) User: ")
    time.sleep(3)  # longer than connect_timeout
    t.send(b"anx\x7fna\n")
    t.expect(r"anx\x08 \x08na\r\n\([^)]*\) Code\?\[2J\?: ")
    t.send(b"s3cret\n")
    assert t.wait() == 0 and t.out == b"1\n", t.shown
    assert b"s3cret" not in t.shown and t.echo
    assert (broker.folder / "said").read_text() == "anna s3cret 133"
    assert gone(broker)


def test_proxy_command_prompts(broker, ssh_home, start_sshd, user_key, mysql_server, clients):
    home, sshd = Home(broker, ssh_home), start_sshd()
    sshd.authorize(user_key)
    home.knows(sshd)
    relay = broker.folder / "relay.py"
    relay.write_text(LOGIN.format(said=str(broker.folder / "said")) + stdio(sshd))
    home.config(f"Host 127.0.0.1\nProxyCommand {sys.executable} {relay}\n")
    write(broker, mysql_server, tunnel(sshd, None, identity=user_key), user="app", client=clients["mysql9"].path, connect_timeout="3s")
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    t.expect(b"User: ")
    t.send(b"ann\n")
    t.expect(b"Code")
    t.send(b"s3cret\n")
    assert t.wait() == 0 and t.out == b"1\n", t.shown
    assert b"s3cret" not in t.shown and (broker.folder / "said").read_text().startswith("ann s3cret ")
    assert gone(broker)


def test_ctrl_c_at_the_prompt(broker, command):
    command(LOGIN.format(said=str(broker.folder / "said")))
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    t.expect(b"User: ")
    t.send(b"ann\n")
    t.expect(b"Code")
    began = time.monotonic()
    t.interrupt()
    assert t.wait() == -2 and t.echo, t.shown
    assert time.monotonic() - began < 10
    assert gone(broker)


def test_output_after_ready_is_dropped(broker, command):
    """What the command writes after READY is dropped, even if it is more than a terminal buffers; only the client uses
    the user's terminal."""
    command(ASK + "line('Ready? ', True)\n", later="os.write(tty, b'LATE ' * 4000)")
    t = broker.pty("connect", "p", *QUERY, stdout="pipe")
    t.expect(b"Ready? ")
    t.send(b"\n")
    assert t.wait() == 0 and t.out == b"1\n" and b"LATE" not in t.shown, t.shown
    assert gone(broker)


@pytest.mark.parametrize("words", [["--no-input"], []])
def test_program_has_no_terminal_if_prompts_are_impossible(broker, command, words):
    """With --no-input, or without a terminal, the program has no /dev/tty."""
    command(ASK)
    if words:
        t = broker.pty("connect", "p", *words, *QUERY, stdout="pipe", stderr="pipe")
        assert t.wait() == 69 and b"No such device or address: '/dev/tty'" in t.err, t.err
    else:
        done = broker.run("connect", "p", *QUERY)
        assert done.code == 69 and "No such device or address: '/dev/tty'" in done.errors, done.errors
    assert gone(broker)


def test_input_typed_ahead_reaches_the_client(broker, command):
    """Input that the user types ahead is for the client."""
    command("")
    t = broker.pty("connect", "p", "--", "-NB")
    t.send(b"select 6*7;\n")
    t.expect(re.escape("42"))
    t.send(b"\x04")
    assert t.wait() == 0, t.shown
    assert gone(broker)
