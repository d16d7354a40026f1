# SPDX-License-Identifier: MIT
"""The harness for tunnels, without broker: sshd accepts only the right keys, asks the questions that it is given, and
ends its sessions when it ends; the relay records, strips TLS and fails on demand; the fake of `aws ssm start-session`
forwards; the small client logs in."""
import os
import socket
import subprocess

import pytest

from servers import load, process
from servers.aws_ssm_fake import READY
from servers.fake_mysql import SSL, greeting, packet
from servers.relay import without_tls

NATIVE = "app_native"
SECRET = b"fake-canary-0123"


def ssh(sshd, *options, env={}):
    """Runs `echo in` on the server by the system's ssh, without a terminal, so that ssh can only ask through
    SSH_ASKPASS."""
    argv = ["ssh", "-F", "none", "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-p", str(sshd.port), *options,
            f"{sshd.user}@{sshd.host}", "echo in"]
    return subprocess.run(argv, capture_output=True, text=True, env={**os.environ, **env}, stdin=subprocess.DEVNULL, timeout=20)


def askpass(bare_broker, *answers):
    """The environment in which SSH_ASKPASS gives these answers to one question after the other."""
    sh = bare_broker("/bin/sh")
    path = sh.script("ask", "n=$(cat $0.n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >$0.n; eval echo \"\\$answer$n\"")
    return {"SSH_ASKPASS": str(path), "SSH_ASKPASS_REQUIRE": "force", **{f"answer{i}": a for i, a in enumerate(answers, 1)}}


def test_sshd_keys(sshd, user_key, ssh_keys, start_sshd):
    assert ssh(sshd, "-i", user_key).stdout == "in\n"
    other = ssh_keys.make("ecdsa")
    assert "Permission denied (publickey)" in ssh(sshd, "-i", other).stderr
    own = start_sshd(host_keys=["rsa"])
    own.authorize(user_key)
    assert ssh(own, "-i", user_key).stdout == "in\n" and ssh(own, "-i", user_key, "-o", "HostKeyAlgorithms=ssh-ed25519").returncode
    own.restart()
    assert ssh(own, "-i", user_key).stdout == "in\n"


def test_sshd_asks(bare_broker, start_sshd):
    sshd = start_sshd(questions=[("Password: ", "fake-pass", "hide"), ("Code: ", "4711", "echo")])
    assert ssh(sshd, env=askpass(bare_broker, "fake-pass", "4711")).stdout == "in\n"
    assert ssh(sshd, "-o", "NumberOfPasswordPrompts=1", env=askpass(bare_broker, "fake-pass", "1")).returncode == 255
    sshd.ask([("Password: ", "fake-pass", "hide")])
    assert ssh(sshd, "-o", "PreferredAuthentications=password", env=askpass(bare_broker, "fake-pass")).stdout == "in\n"


def test_sshd_sessions_end_with_it(start_sshd, user_key):
    sshd = start_sshd()
    sshd.authorize(user_key)
    argv = ["ssh", "-F", "none", "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-p", str(sshd.port), "-i", user_key,
            f"{sshd.user}@{sshd.host}", "echo in; exec sleep 99"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as session:
        assert session.stdout.readline() == b"in\n" and sshd.sessions()
        sshd.restart()
        assert session.wait(10) == 255 and sshd.sessions() == []


def test_certificates_and_agent(ssh_keys, start_sshd, agent):
    ca, key, host = ssh_keys.make(), ssh_keys.make(), ssh_keys.make()
    sshd = start_sshd(lines=[f"TrustedUserCAKeys {ca}.pub"], host_keys=[host])
    assert ssh(sshd, "-i", key).returncode == 255
    ssh_keys.sign(ca, key, "-n", sshd.user)
    assert ssh(sshd, env=agent(key).env).stdout == "in\n"


def test_relay(relay, mariadb_server):
    r = relay((mariadb_server.host, mariadb_server.port))
    password = mariadb_server.password(NATIVE)
    assert load.once((r.host, r.port), NATIVE, password, "select 'x1x'") == [b"x1x"]
    assert b"select 'x1x'" in r.sent and b"x1x" in r.answered and r.connections == 1
    assert load.once(mariadb_server.socket, NATIVE, password, "select repeat('y', 1000)") == [b"y" * 1000]
    with pytest.raises(load.Refused, match="1045"):
        load.once((r.host, r.port), NATIVE, b"fake-wrong")
    waiting = load.Connection((r.host, r.port))
    waiting.login(NATIVE, password)
    r.cut()
    with pytest.raises((load.Refused, OSError)):
        waiting.query("select 1")


@pytest.mark.parametrize("then, error", [("reset", ConnectionResetError), ("close", None), ("silent", TimeoutError)])
@pytest.mark.parametrize("after", [0, 5])
def test_relay_fails(relay, mariadb_server, then, error, after):
    r = relay((mariadb_server.host, mariadb_server.port), after=after, then=then)
    with socket.create_connection((r.host, r.port), 5) as s:
        s.settimeout(0.3)
        got = b""
        try:
            while piece := s.recv(100):
                got += piece
            assert error is None
        except OSError as said:
            assert error and isinstance(said, error)
        assert len(got) == after or error is ConnectionResetError


def test_relay_strips_tls(relay, clients, mariadb_server, mysql_server):
    assert without_tls(packet(0, greeting(b"x", True))) == packet(0, greeting(b"x", False)) and SSL == 0x800
    for server, client, options in ((mariadb_server, "mariadb1011", ["--ssl"]), (mysql_server, "mysql9", ["--ssl-mode=PREFERRED"])):
        r = relay((server.host, server.port), strip_tls=True)
        done = clients[client].raw(server, "app", "show status like 'Ssl_cipher'", *options, port=r.port)
        assert b"app\0" in r.sent and b"TLS" not in done.stdout  # the user name in cleartext: nothing was encrypted


def test_ssm_fake(broker, ssm, mariadb_server):
    port = process.free_port()
    parameters = f'{{"host":["127.0.0.1"],"portNumber":["{mariadb_server.port}"],"localPortNumber":["{port}"]}}'
    argv = [broker.home / "bin/aws", "ssm", "start-session", "--target", "i", "--document-name", "d", "--parameters", parameters]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as aws:
        assert any(READY in line.decode() for line in aws.stdout)
        assert load.once(("127.0.0.1", port), NATIVE, mariadb_server.password(NATIVE)) == [b"1"]
        assert len(ssm.pids) == 2
        os.kill(ssm.pids[1], 9)
    ssm.tell(die="no such target")
    done = subprocess.run(argv, capture_output=True)
    assert (done.returncode, done.stderr) == (254, b"no such target\n")
