# SPDX-License-Identifier: MIT
"""A process of broker's is killed by a signal while broker waits for it: the error names the program and, if known, the
signal, and asks to report it. The tests use SIGABRT, because no sanitizer handles that."""
import os
import signal
import socket
import subprocess

import pytest

from lib.aws import IAM
from lib.forwards import until
from lib.keeping import gone, keepers, named
from lib.logins import SECRET_ENV, profile

REPORT = "hint: please report this, with the output of broker bugreport\n"


def killed(broker, find, *args):
    """broker's exit status and stderr if the process that FIND returns is killed while broker waits for it."""
    proc = broker.start(*args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert until(find), proc.communicate(timeout=60)
    os.kill(find()[0], signal.SIGABRT)
    err = proc.communicate(timeout=60)[1]
    return proc.returncode, err.decode()


@pytest.fixture
def listener():
    """A port that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]


def test_keychain(broker, keychain):
    broker.config("[profile p]\nhost = h\nuser = u\n")
    broker.env.update(keychain.env)
    os.kill(keychain.keyring.pid, signal.SIGSTOP)
    try:
        error = killed(broker, lambda: named("broker-keychain"), "password", "delete", "p")
    finally:
        os.kill(keychain.keyring.pid, signal.SIGCONT)
    assert error == (76, f"broker: p: broker-keychain ended: killed by SIGABRT\n{REPORT}")


def test_http(broker, listener):
    broker.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://127.0.0.1:{listener}/x"
    code, error = killed(broker, lambda: named("broker-http"), *IAM)
    assert code == 76 and error.endswith(f"broker-http ended: killed by SIGABRT\n{REPORT}"), (code, error)


def test_keeper_before_ready(broker, listener, clients):
    """The keeper is a child of its guard, and not of broker, so broker does not know the signal."""
    broker.env[SECRET_ENV] = "fake"
    broker.config(profile(host="h", user="u", auth="env", auth_env=SECRET_ENV, via=f"tcp://127.0.0.1:{listener}", connect_timeout="50s",
                          client=clients["mariadb1011"].path))
    error = killed(broker, lambda: [pid for _, pid in keepers()], "test", "p")
    assert error[0] == 76 and error[1] == f"broker: p: broker-keeper: exited without an answer\n{REPORT}"
    assert gone(broker)


@pytest.mark.parametrize("number, name", [(signal.SIGKILL, "SIGKILL"), (signal.SIGABRT, "SIGABRT")])
def test_client(broker, listener, number, name):
    """The error blames neither an option file nor the server."""
    path = broker.script("mysql", f"[ \"$1\" = --version ] && echo 'mysql  Ver 9.0.0 for Linux on x86_64' && exit; kill -{number:d} $$")
    broker.env[SECRET_ENV] = "fake"
    broker.config(profile(host="127.0.0.1", port=listener, user="u", auth="env", auth_env=SECRET_ENV))
    done = broker.run("test", "p", "--client", path)
    assert done.code == 78 and done.errors == f"broker: p: the client was killed by {name}\nhint: run it again, or set client to another one\n"
    assert [line.split()[:2] for line in done.text.splitlines()] == [["credential", "ok"], ["server", "failed"]]
