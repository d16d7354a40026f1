# SPDX-License-Identifier: MIT
"""The harness itself: servers start, the three clients reach them as assumed, fakes record, canaries are found.

These tests use only the clients, not broker. broker's table of TLS levels is based on what they show about the
clients."""
import os
import signal
import socket
import subprocess
import time

import pytest

from lib import canary, clients, procs
from lib.broker import PROGRAM, SANITIZED
from servers.pki import RIGHT_NAME, WRONG_NAME

WHO = "select current_user()"
LOGINS = [("mariadb_server", "app_native"), ("mariadb_server", "app_ed"), ("mysql_server", "app_sha2")]
REFUSED = b"ERROR 20"  # 2026 of either family, 2059, 2061


def verify_name(client, ca):
    if client.family == "mysql":
        return ["--ssl-mode=VERIFY_IDENTITY", f"--ssl-ca={ca}"]
    return ["--ssl", "--ssl-verify-server-cert", f"--ssl-ca={ca}"]


def logged_in(done):
    return done.returncode == 0 and done.stdout.endswith(b"@%\n")


@pytest.mark.parametrize("fixture", ["mariadb_server", "mariadb_notls", "mysql_server", "mysql_notls"])
def test_server(request, fixture):
    server = request.getfixturevalue(fixture)
    assert server.admin("select count(*) from shop.item") == "3"
    assert server.socket.is_socket()
    with socket.create_connection((server.host, server.port), 5) as s:
        assert len(s.recv(64)) > 4


@pytest.mark.parametrize("fixture, user", LOGINS)
def test_login(request, client, fixture, user):
    server = request.getfixturevalue(fixture)
    done = client.raw(server, user, WHO, *client.options_for(server, user))
    if client.knows(server.plugins[user]):
        assert done.stdout == f"{user}@%\n".encode(), done.stderr
    else:
        assert b"ERROR 2059" in done.stderr


@pytest.mark.parametrize("fixture", ["mariadb_server", "mysql_server"])
def test_certificate_names(request, client, names, fixture):
    server = request.getfixturevalue(fixture)
    options = client.options_for(server, "app")

    def attempt(host, ca):
        return client.raw(server, "app", WHO, *options, *verify_name(client, ca), host=host)
    assert logged_in(attempt(RIGHT_NAME, server.ca))
    assert logged_in(attempt("localhost", server.ca))
    assert REFUSED in attempt(RIGHT_NAME, server.wrong_ca).stderr
    assert REFUSED in attempt(WRONG_NAME, server.ca).stderr
    # From 11.4 MariaDB's client checks no name for this address.
    assert logged_in(attempt("127.0.0.1", server.ca)) == (client.name == "mariadb118")


def test_start_server(start_server, pki, clients):
    server, client = start_server("mariadb", certificate=pki.issue("loopback", ["IP:127.0.0.1"])), clients["mariadb1011"]

    def attempt(host):
        return client.raw(server, "app", WHO, *verify_name(client, server.ca), host=host)
    assert logged_in(attempt("127.0.0.1")) and REFUSED in attempt("localhost").stderr
    server.restart()
    assert logged_in(attempt("127.0.0.1"))


@pytest.mark.parametrize("fixture", ["mariadb_notls", "mysql_notls"])
def test_no_tls(request, client, fixture):
    server = request.getfixturevalue(fixture)
    done = client.raw(server, "app", WHO, *client.options_for(server, "app"), *verify_name(client, server.ca), host="localhost")
    assert done.returncode and REFUSED in done.stderr


@pytest.mark.parametrize("fixture", ["mariadb_server", "mysql_server"])
def test_client_certificate(request, client, pki, fixture):
    server = request.getfixturevalue(fixture)
    options = client.options_for(server, "app_x509")
    assert b"ERROR 1045" in client.raw(server, "app_x509", WHO, *options).stderr
    shown = [f"--ssl-cert={pki.client_cert}", f"--ssl-key={pki.client_key}"]
    assert logged_in(client.raw(server, "app_x509", WHO, *options, *shown))


@pytest.mark.parametrize("fixture, plugin, password", [
    ("mariadb_server", "mysql_native_password", bytes(range(1, 256))),
    ("mariadb_server", "mysql_native_password", b"n" * 6000),
    ("mariadb_server", "ed25519", bytes(range(1, 256))),
    ("mariadb_server", None, b""),
    ("mysql_server", None, bytes(range(1, 256))),
    ("mysql_server", None, b" '\"#\\\r\n\t "),
    ("mysql_server", None, b"m" * 256)])
def test_create_user(request, fixture, plugin, password):
    server, client = request.getfixturevalue(fixture), clients.find("mariadb1011")
    server.create_user("made", password, plugin)
    assert logged_in(client.raw(server, "made", WHO, password=password))
    assert b"ERROR 1045" in client.raw(server, "made", WHO, password=password + b"x").stderr


def test_tools_of_each_family(client):
    for program in (client.dump, client.admin, client.load):
        done = subprocess.run([program, "--version"], capture_output=True, check=True)
        assert (b"MariaDB" in done.stdout) == (client.family == "mariadb")


def test_fake_gets_password_only_from_mariadb_without_verification(client, fake_cleartext):
    client.raw(fake_cleartext, "app", WHO, *verify_name(client, "/etc/ssl/certs/ca-certificates.crt"), password=b"fake-canary")
    assert b"fake-canary" not in fake_cleartext.received
    client.raw(fake_cleartext, "app", WHO, password=b"fake-canary")
    assert b"app" in fake_cleartext.received
    assert (b"fake-canary" in fake_cleartext.received) == (client.family == "mariadb")


def test_fake_with_tls(clients, fake_server, pki):
    fake = fake_server("switch", certificate=pki.server)
    done = clients["mysql9"].raw(fake, "app", WHO, "--enable-cleartext-plugin", password=b"fake-canary")
    assert fake.tls_used and b"fake-canary\0" in fake.received and b"ERROR 1045" in done.stderr


def test_fake_silent_and_reset(fake_server):
    silent, reset = fake_server("silent"), fake_server("reset")
    with socket.create_connection((silent.host, silent.port), 5) as s:
        s.settimeout(0.1)
        with pytest.raises(TimeoutError):
            s.recv(1)
    with pytest.raises(ConnectionResetError), socket.create_connection((reset.host, reset.port), 5) as s:  # or while connecting
        s.recv(1)


def test_keychain(keychain):
    item = {"service": "broker-test", "account": "mysql://app@h:3306"}
    keychain.store("a label", b"fake\xff\x01 ", item)
    assert keychain.lookup(item) == b"fake\xff\x01 "
    keychain.lock()
    assert keychain.locked() and keychain.lookup(item) is None


def test_other_buses(locked_keychain, empty_bus, silent_bus):
    assert locked_keychain.locked()
    assert empty_bus.lookup({"a": "b"}) is None
    call = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames"]
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(call, env={**os.environ, **silent_bus.env}, timeout=0.3, capture_output=True)


def test_run_and_private_etc(bare_broker, names):
    sh = bare_broker("/bin/sh")
    sh.etc.write("/etc/broker/config", "system")
    done = sh.run("-c", "cat /etc/broker/config; cat; echo oops >&2; kill -TERM $$", input=b" input")
    assert (done.out, done.err, done.code, done.signal) == (b"system input", b"oops\n", 143, signal.SIGTERM)
    assert sh.run("-c", "exec 2>&-; : </dev/tty").code
    assert sh.run("-c", "echo asked >/dev/tty", tty=True).tty == b"asked\r\n"
    sh.etc.write("/etc/hosts", "127.0.0.3 other.test.internal\n")
    assert sh.run("-c", "getent hosts other.test.internal").code == 0
    sh.etc.undo()
    assert sh.run("-c", f"getent hosts {WRONG_NAME}").code == 0
    assert sh.run("-c", "test -e /etc/broker/config").code == 1


def test_terminal(bare_broker):
    sh = bare_broker("/bin/sh")
    t = sh.pty("-c", "stty -echo; printf 'word: ' >/dev/tty; read x; stty echo; echo e >&2; echo got $x; exec sleep 9", stderr="pipe")
    t.expect(b"word: ")
    assert not t.echo
    t.sendline(b"secret")
    t.expect(b"got secret")
    assert t.echo
    t.interrupt()
    assert t.wait() == -signal.SIGINT and t.err == b"e\n"


def test_stub(bare_broker):
    sh = bare_broker("/bin/sh")
    stub = sh.stub("mysql", version="mariadb118", exit=7)
    done = sh.run("-c", f"{stub.path} --version; printf opt | X=1 {stub.path} --defaults-file=/dev/stdin a")
    assert b"11.8" in done.out and done.code == 7
    assert stub.seen["argv"][0] == "--defaults-file=/dev/stdin" and stub.environ["X"] == "1"
    assert stub.seen["options"] == "opt" and any("/bin/sh" in p for p in stub.seen["parents"])
    real = sh.stub("mysql", become="/bin/echo")
    assert sh.run("-c", f"exec {real.path} hello").out == b"hello\n"


def test_canary_is_found(bare_broker):
    secret = b"fake-canary-\"\\-0123456789"
    for script in ("cat", "cat >&2", "cat >$HOME/left", "cat >$XDG_RUNTIME_DIR/left", "base64 -w0", "od -An -v -tx1 | tr -d ' \n'"):
        sh = bare_broker("/bin/sh")
        sh.secret(secret)
        sh.run("-c", script, input=secret)
        assert sh.finish()
        sh.said.clear()
        sh.secrets.clear()
    sh = bare_broker("/bin/sh")
    sh.secret(secret)
    sh.run("-c", "cat", input=secret, secret_out=True)
    sh.write("given", secret, secret=True)
    assert not sh.finish()
    long = os.urandom(200)
    assert canary.found([long], b"..." + long[50:90]) and not canary.found([long], os.urandom(9000))


def test_watch_sees_argv_and_environment(bare_broker):
    sh = bare_broker("/bin/sh")
    sh.script("nested", "export X=$(cat); exec waits nested")
    sh.script("waits", "until test -e ~/$1; do sleep 0.01; done")
    with sh.watch() as watch:
        watch.tell(sh.home / "nested", b"waits\0nested\0")
        watch.tell(sh.home / "0.0123123123", b"waits\x000.0123123123\0")
        sh.run("-c", "nested; exec waits $(echo 0.012312-3123 | tr -d -)", input=b"fake-canary-env")
    (sh.home / "0.0123123123").unlink()
    sh.secrets = [b"fake-canary-env"]
    with pytest.raises(AssertionError, match="environ"):
        sh.assert_hidden(watch)
    sh.secrets = [b"0.0123123123"]
    with pytest.raises(AssertionError, match="argv"):
        sh.assert_hidden(watch)
    sh.secrets = []


def test_strays_are_found(bare_broker):
    bare_broker("/bin/sh").run("-c", "setsid sleep 77 >/dev/null 2>&1 </dev/null & exit 0")
    started = time.monotonic()
    left = procs.strays(grace=0.2)
    assert len(left) == 1 and "sleep 77" in left[0] and time.monotonic() - started < 5
    assert procs.strays(grace=0.2) == []


def test_sanitizer_report_is_found(bare_broker):
    """Also the report of a program whose stderr is discarded."""
    sh = bare_broker("/bin/sh")
    assert not sh.finish()
    report = sh.reports / "report.1"
    report.write_text("ERROR: AddressSanitizer: ...")
    assert any("AddressSanitizer" in fault for fault in sh.finish())
    report.unlink()
    if SANITIZED:
        keeper = PROGRAM.parent.parent / "libexec" / "broker" / "broker-keeper"
        sh.run("-c", f"mkfifo f; sleep 1 >f & {keeper} <f 2>/dev/null & sleep 0.5; kill -SEGV $!; wait")
        assert any("SEGV" in fault for fault in sh.finish())
        for path in sh.reports.iterdir():
            path.unlink()
