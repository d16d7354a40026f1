# SPDX-License-Identifier: MIT
"""The keeper's log (`--log` of connect and exec) warns five minutes before the credential that clients log in with expires."""
import json
import re
import time

import pytest

WAIT = 'for i in $(seq 1200); do grep -q expires "$1" && exit 0; sleep 0.05; done; exit 1'


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


def test_connect_with_log(broker, keyring, mariadb_server, clients):
    """A file that cannot be written is an error before anything is dialled."""
    configure(broker, mariadb_server, 60)
    done = broker.run("connect", "p", "--log", "/nowhere/log", "--client", clients["mariadb1011"].path)
    assert done.code == 74 and done.errors.startswith("broker: --log /nowhere/log: ")
    log = broker.home / "log"
    done = broker.run("connect", "p", "--log", "~/log", "--client", clients["mariadb1011"].path, "--", "-NBe", "select sleep(1)")
    assert done.code == 0 and "the credential expires in " in log.read_text()
