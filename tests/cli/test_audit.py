# SPDX-License-Identifier: MIT
"""The audit record: a line that says who was given which credential and until when, in a file, in syslog or in the
journal. The test itself binds the sockets of the two daemons."""
import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from conftest import BASE, having
from lib.helpers import NAMES, Store, lines
from lib.stranger import WRAP, settle
from lib.broker import BUILD

PASSWORD = "canary-audit-6b1f"
CONFIG = """
[profile shop]
host = db.example.com
user = app
auth = env
auth_env = DB_PASSWORD

[profile minted]
host = made.example.com
auth = command
auth_command = {home}/bin/mint
"""
LINE = re.compile(r"(\S+) broker\[(\d+)\]: credential uid=(\d+) pid=(\d+) program=(\S+) profile=(\S+) endpoint=(\S+) user=(\S+) "
                  r"provider=(\S+) expires=(\S+)")


@pytest.fixture
def audited(broker):
    broker.secret(PASSWORD.encode())
    broker.env["DB_PASSWORD"] = PASSWORD
    broker.script("mint", f"""printf '%s' '{{"user": "made 1\\n%x", "password": "{PASSWORD}", "expires_at": 4102444800}}'""", secret=True)

    def config(place, text=CONFIG):
        broker.config(f"[defaults]\naudit = {place}\n" + text.format(home=broker.home))
    broker.audit = config
    return broker


def entries(broker, name="audit.log"):
    """Each line's fields after the pid of broker: uid, pid, program, profile, endpoint, user, provider, expires."""
    found = [LINE.fullmatch(line) for line in (broker.home / name).read_text().splitlines()]
    assert all(found)
    return [match.groups()[2:] for match in found]


def test_one_line_per_credential(audited):
    audited.audit("~/audit.log")
    me, us = str(os.getuid()), str(os.getpid())
    program = os.readlink("/proc/self/exe")
    assert audited.run("token", "shop", secret_out=True).code == 0
    assert audited.run("token", "minted", secret_out=True).code == 0
    assert audited.run("credential", "get", input=b"profile=shop\n", secret_out=True).code == 0
    assert audited.run("exec", "shop", "--", "true").code == 0
    assert entries(audited) == [
        (me, us, program, "shop", "db.example.com:3306", "app", "env", "never"),
        (me, us, program, "minted", "made.example.com:3306", "made%201%0A%25x", "command", "2100-01-01T00:00:00Z"),
        (me, us, program, "shop", "db.example.com:3306", "app", "env", "never"),
        (me, us, program, "shop", "db.example.com:3306", "app", "env", "never")]
    assert (audited.home / "audit.log").stat().st_mode & 0o777 == 0o600


def test_the_password_store(audited):
    store = having(Store, "keyring")
    audited.audit("~/audit.log")
    site = {"protocol": "https", "host": "git.example.com"}
    text = lines(**site, username="dev", password=PASSWORD)
    run = {"wrap": store.wrap, "secret_out": True}
    assert audited.run("credential", "--store", "keyring", "store", input=text, **run).code == 0
    assert audited.run("credential", "--store", "keyring", "get", input=lines(**site), **run).code == 0
    assert audited.run("credential", "--store", "keyring", "get", input=lines(**site, username="nobody"), **run).code == 0
    [line] = entries(audited)
    store.stop()
    assert line[3:] == ("-", "git.example.com", "dev", "git:keyring", "never")


def test_docker_and_aws(audited, bare_broker, keychain):
    docker = bare_broker(NAMES / "docker-credential-broker")
    docker.config(f"[defaults]\naudit = {docker.home}/audit.log\n")
    docker.env.update(keychain.env)
    entry = json.dumps({"ServerURL": "https://r.example.com", "Username": "<token>", "Secret": PASSWORD}).encode()
    assert docker.run("store", input=entry).code == 0
    assert docker.run("get", input=b"https://r.example.com", secret_out=True).code == 0
    assert entries(docker)[0][3:] == ("-", "https://r.example.com", "%3Ctoken%3E", "docker:keychain", "never")
    audited.audit("~/audit.log", "[profile prod]\nhost = a.c9akciq32.eu-west-1.rds.amazonaws.com\nuser = app\nauth = iam\n")
    done = audited.run("credential", "aws", "prod", env={"AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": PASSWORD}, secret_out=True)
    assert done.code == 0 and entries(audited)[0][5:] == ("AKIAFAKE", "iam", "never")


def test_url_cannot_disable_audit(audited):
    audited.audit("~/audit.log")
    done = audited.run("token", "mysql://app:pw@db.example.com/?audit=none")
    assert done.code == 65
    assert audited.run("token", "-o", "audit=none", "shop").code == 64
    assert audited.run("token", "shop", env={"BROKER_AUDIT": "none"}, secret_out=True).code == 0
    assert len(entries(audited)) == 1


def test_audit_in_system_config(audited, names):
    audited.etc.write("/etc/broker/config", f"[defaults]\naudit = {audited.home}/audit.log\n")
    audited.config(CONFIG.format(home=audited.home))
    assert audited.run("token", "shop", secret_out=True).code == 0
    assert len(entries(audited)) == 1


@pytest.mark.parametrize("place, code, message", [
    ("nonsense", 78, "'nonsense' is not none, syslog, journal or a file's full path"), ("relative/file", 78, "is not none"),
    ("/nowhere/at/all", 74, "/nowhere/at/all: No such file"), ("/dev/full", 74, "/dev/full: No space left"),
    ("~/link", 74, "a symbolic link"),
])
def test_no_credential_without_audit_line(audited, place, code, message):
    """Otherwise a user who fills the disk could get credentials that are not recorded."""
    (audited.home / "link").symlink_to(audited.home / "elsewhere")
    audited.audit(place)
    for words, text in ((["token", "shop"], b""), (["credential", "get"], b"profile=shop\n"), (["exec", "shop", "--", "echo", "ran"], b"")):
        done = audited.run(*words, input=text)
        assert (done.code, done.out) == (code, b"") and "audit: " in done.errors and message in done.errors, done.errors


def test_another_users_file(audited):
    """In a folder such as /tmp, another user may have created the file, to read or to remove the lines."""
    settle(audited, BUILD)
    log = audited.home / "audit.log"
    audited.audit(log)
    log.write_text("")
    log.chmod(0o666)
    os.chown(audited.config_path, 54321, 54321)
    os.chown(audited.config_path.parent, 54321, 54321)
    os.chown(log, 54322, 54322)
    done = audited.run("token", "shop", wrap=WRAP)
    assert done.code == 74 and "owned by another user" in done.errors and log.read_text() == ""


def test_concurrent_writes(audited):
    audited.audit("~/audit.log")
    started = [audited.start("token", "shop", stdout=subprocess.DEVNULL) for _ in range(30)]
    assert {proc.wait(60) for proc in started} == {0}
    assert len(entries(audited)) == 30


@pytest.fixture
def listener():
    """Binds a Unix datagram socket to a path."""
    made = []

    def listen(path):
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        made.append((socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), path))
        made[-1][0].bind(str(path))
        made[-1][0].settimeout(30)
        return made[-1][0]
    yield listen
    for sock, path in made:
        sock.close()
        path.unlink(missing_ok=True)


def test_journal(audited, names, listener):
    audited.audit("journal")
    done = audited.run("token", "shop")
    assert done.code == 74 and "/run/systemd/journal/socket" in done.errors
    heard = listener(Path("/run/systemd/journal/socket"))
    assert audited.run("token", "shop", secret_out=True).code == 0
    fields = dict(line.split("=", 1) for line in heard.recv(65536).decode().splitlines())
    assert fields["SYSLOG_IDENTIFIER"] == "broker" and fields["PRIORITY"] == "6"
    assert fields["MESSAGE"].startswith("credential uid=") and " profile=shop " in fields["MESSAGE"]


IN_DEV = """set -e
mkdir "$0/dev"; mount --rbind /dev "$0/dev"; mount -t tmpfs none /dev
for n in null zero full urandom random tty; do touch /dev/$n; mount --bind "$0/dev/$n" /dev/$n; done
ln -s "$0/log" /dev/log
exec "$@" """


def test_syslog(audited, listener):
    """broker runs in a mount namespace in which /dev/log is the test's socket."""
    folder = audited.folder
    heard = listener(BASE / f"log-{os.getpid()}")
    os.link(BASE / f"log-{os.getpid()}", folder / "log")
    audited.audit("syslog")
    wrap = ["unshare", "--mount", "sh", "-c", IN_DEV, str(folder)]
    done = audited.run("token", "shop", wrap=wrap, secret_out=True)
    assert done.code == 0, done.errors
    text = heard.recv(65536).decode()
    assert re.match(r"<86>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d broker\[\d+\]: credential uid=0 ", text), text
    (folder / "log").unlink()
