# SPDX-License-Identifier: MIT
"""The keeper's log (`--log` of connect and exec) warns five minutes before the credential that clients log in with expires."""
import json
import re
import subprocess
import time

import pytest

from conftest import lasting
from lib.clock import Clock
from lib.forwards import until

WAIT = 'for i in $(seq 1200); do grep -q expires "$1" && exit 0; sleep 0.05; done; exit 1'


@pytest.fixture
def clock(broker):
    yield from lasting(Clock, broker)


def configure(broker, server, life):
    answer = {"user": "app", "password": server.password("app").decode(), "expires_at": int(time.time()) + life}
    path = broker.home / "credential.json"
    path.write_text(json.dumps(answer))
    broker.config(f"[profile p]\nhost = db.internal\nuser = app\nauth = command\nauth_command = cat {path}\n"
                  f"via = tcp://127.0.0.1:{server.port}\ntls = preferred\nlogin = client\n")


@pytest.mark.parametrize("life, shown", [(60, r"(5\ds|1m)"), (303, "(5m|4m|29.s)")])
def test_warns(broker, keyring, mariadb_server, life, shown):
    """At once, if less than five minutes are left."""
    configure(broker, mariadb_server, life)
    log = broker.home / "log"
    assert broker.run("exec", "p", "--log", log, "--", "sh", "-c", WAIT, "sh", log, timeout=90).code == 0
    lines = log.read_text().splitlines()
    assert len(lines) == 1 and re.fullmatch(rf"\S+Z p: the credential expires in {shown}, hint: connect again to get a new one", lines[0]), lines
    assert log.stat().st_mode & 0o777 == 0o600


def test_warns_after_a_suspend(broker, keyring, mariadb_server, clock):
    """The timers stand still while the machine is suspended, but the credential does not."""
    configure(broker, mariadb_server, 7200)
    log, up = broker.home / "log", broker.home / "up"
    proc = broker.start("exec", "p", "--log", log, "--", "sh", "-c", f"touch {up}; {WAIT}", "sh", log, stderr=subprocess.PIPE)
    assert until(up.exists)
    clock.move(7200 - 250)
    assert (proc.wait(90), proc.stderr.read()) == (0, b"")
    assert re.search(r"the credential expires in [34]m", log.read_text()), log.read_text()


def test_connect_with_log(broker, keyring, mariadb_server, clients):
    """A file that cannot be written is an error before anything is dialled."""
    configure(broker, mariadb_server, 60)
    done = broker.run("connect", "p", "--log", "/nowhere/log", "--client", clients["mariadb1011"].path)
    assert done.code == 74 and done.errors.startswith("broker: --log /nowhere/log: ")
    log = broker.home / "log"
    done = broker.run("connect", "p", "--log", "~/log", "--client", clients["mariadb1011"].path, "--", "-NBe", "select sleep(1)")
    assert done.code == 0 and "the credential expires in " in log.read_text()
