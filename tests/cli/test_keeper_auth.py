# SPDX-License-Identifier: MIT
"""The login through a listener for which the keeper handles TLS, with every authentication plug-in and client; what
comes after the login; and what is left of a password in the keeper's memory. The clients connect to a forward without
TLS, so all TLS is the keeper's."""
import hashlib
import os
import re
import socket
import ssl
import struct
import subprocess

import pytest

from lib.forwards import dial, until
from lib.keeping import keeper, memory_of
from lib.logins import profile
from servers import mysql9
from servers.pki import RIGHT_NAME

WHO = "select current_user(); show session status like 'Ssl_version'"
MIB = 1024 * 1024


@pytest.fixture
def end(broker, names, forwards):
    """end(server, tcp=False, ...) starts a forward that makes verified TLS to SERVER, and returns its address. It takes
    more keys of the profile."""
    def make(server, tcp=False, **keys):
        broker.config(profile(**{"host": RIGHT_NAME, "port": server.port, "user": "app", "auth": "none", "tls": "verify-identity",
                                 "tls_ca": server.ca, "log": None, **keys}))
        make.forward = forwards.start("p", *(["--terminate-tls"] if tcp else ["--listen", str(broker.runtime / "end")]))
        return make.forward.address
    return make


def run(program, client, server, user, address, *args, password=None, input=None):
    """Runs PROGRAM of CLIENT with that address, without TLS of its own."""
    password = server.password(user) if password is None else password
    if address.startswith("/"):
        place = [f"--socket={address}", "--protocol=socket"]
    else:
        place = ["--host=127.0.0.1", f"--port={address.rpartition(':')[2]}", "--protocol=tcp"]
    off = ["--ssl-mode=DISABLED"] if client.family == "mysql" else ["--skip-ssl"]
    plugins = client.options_for(server, user) if user in server.plugins else [f"--plugin-dir={mysql9.native_plugin_dir()}"] \
        if client.family == "mysql" else []
    return subprocess.run([str(a) for a in [program, "--no-defaults", f"--user={user}", *place, *off, *plugins, *args]], input=input,
                          capture_output=True, timeout=40, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent",
                                                               "MYSQL_PWD": os.fsdecode(password)})


def ask(client, server, user, address, *options, query=WHO, **more):
    return run(client.path, client, server, user, address, *options, "-NBe", query, **more)


def logged_in(done, user):
    assert done.stdout == f"{user}@%\nSsl_version\tTLSv1.3\n".encode(), (done.stdout, done.stderr)
    return True


# Authentication plug-ins

@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
@pytest.mark.parametrize("user", ["app_native", "app_ed"])
def test_mariadb_accounts(client, mariadb_server, end, user, tcp):
    done = ask(client, mariadb_server, user, end(mariadb_server, tcp))
    if client.knows(mariadb_server.plugins[user]):
        assert logged_in(done, user)
    else:
        assert b"ERROR 2059" in done.stderr


@pytest.mark.parametrize("key", [False, True], ids=["", "key"])
@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
def test_caching_sha2(client, mysql_server, end, tcp, key):
    """A server that does not have the password cached asks for the password itself. The client sends it as it is
    through a Unix socket, and encrypted with the keeper's own key through a port. mysql requests a key only if told to;
    MariaDB's clients always do."""
    address = end(mysql_server, tcp)
    told = ["--get-server-public-key"] if key and client.family == "mysql" else []
    mysql_server.admin("flush privileges")
    full = ask(client, mysql_server, "app_sha2", address, *told)
    if tcp and client.family == "mysql" and not key:
        assert b"ERROR 2061" in full.stderr
    else:
        assert logged_in(full, "app_sha2") and logged_in(ask(client, mysql_server, "app_sha2", address, *told), "app_sha2")
    mysql_server.admin("flush privileges")
    wrong = ask(client, mysql_server, "app_sha2", address, "--get-server-public-key" if client.family == "mysql" else "-s",
                password=b"fake-wrong")
    assert b"ERROR 1045" in wrong.stderr, wrong.stderr


@pytest.mark.parametrize("password", [b"x", b"p" * 213, bytes(range(1, 200)), b""], ids=["1", "213", "bytes", "none"])
def test_passwords_for_our_key(clients, mysql_server, end, password):
    """RSA takes 214 bytes at most, including the NUL; a longer password needs the Unix socket."""
    mysql_server.create_user("made", password)
    try:
        assert logged_in(ask(clients["mariadb1011"], mysql_server, "made", end(mysql_server, tcp=True), password=password), "made")
    finally:
        mysql_server.admin("drop user made@'%'")


@pytest.mark.parametrize("length", [5, 6000, 15956])
def test_password_in_cleartext(client, fake_server, pki, end, length):
    """An IAM token is such a password: the server wants it as it is, and it is sent only inside TLS."""
    fake = fake_server("switch", certificate=pki.server)
    fake.ca = pki.ca
    fake.plugins, fake.family = {}, "mysql"
    password = b"fake-" + b"t" * length
    address = end(fake)
    done = ask(client, fake, "app", address, *(["--enable-cleartext-plugin"] if client.family == "mysql" else []), password=password)
    assert fake.tls_used and password + b"\0" in fake.received and b"ERROR 1045" in done.stderr, done.stderr


# After the login

@pytest.mark.parametrize("fixture, user", [("mariadb_server", "app_native"), ("mysql_server", "app_sha2")])
def test_compression(request, client, end, fixture, user):
    server = request.getfixturevalue(fixture)
    on = ["--compression-algorithms=zlib"] if client.family == "mysql" else ["--compress"]
    query = "show session status like 'Compression'; select length(repeat('x', 100000))"
    done = ask(client, server, user, end(server), *on, query=query)
    assert done.stdout == b"Compression\tON\n100000\n", (done.stdout, done.stderr)


@pytest.mark.parametrize("fixture, user", [("mariadb_server", "app_native"), ("mysql_server", "app_sha2")])
def test_packets_of_over_16_mib(request, client, end, fixture, user):
    """In both directions: the query has 18 MB, and so has the row that comes back."""
    server = request.getfixturevalue(fixture)
    server.admin(f"set global max_allowed_packet = {64 * MIB}")
    text = "abcdefghi\n" * 1_800_000
    done = run(client.path, client, server, user, end(server), f"--max-allowed-packet={64 * MIB}", "-NBr",
               input=f"select sha2('{text}', 256), '{text}';".encode())
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert done.stdout == f"{digest}\t{text}\n".encode(), (len(done.stdout), done.stderr[:500])


@pytest.mark.parametrize("fixture, user", [("mariadb_server", "app_native"), ("mysql_server", "app_sha2")])
def test_load_data_local(request, broker, client, end, fixture, user):
    server = request.getfixturevalue(fixture)
    rows = broker.write("rows", "".join(f"{n}\tname {n}\n" for n in range(100, 60100)))
    server.admin("create table shop.loaded like shop.item")
    try:
        done = ask(client, server, user, end(server), "--local-infile=1",
                   query=f"load data local infile '{rows}' into table shop.loaded; select count(*), max(name) from shop.loaded")
        assert done.stdout == b"60000\tname 9999\n", (done.stdout, done.stderr)
    finally:
        server.admin("drop table shop.loaded")


def test_dump_and_restore(client, mariadb_server, end):
    address = end(mariadb_server)
    dumped = run(client.dump, client, mariadb_server, "app_native", address, "--skip-lock-tables", "--no-tablespaces",
                 *(["--skip-column-statistics", "--set-gtid-purged=OFF"] if client.family == "mysql" else []), "shop", "item")
    assert dumped.returncode == 0 and b"(3,'quince')" in dumped.stdout, dumped.stderr
    back = run(client.path, client, mariadb_server, "app_native", address, "shop", input=dumped.stdout)
    assert back.returncode == 0 and mariadb_server.admin("select count(*) from shop.item") == "3", back.stderr


class Bare:
    """A client that speaks the protocol itself, with mysql_native_password, for what stock clients have no command
    for."""

    def __init__(self, address):
        self.socket = dial(address)
        _, hello = self.read()
        version = hello.index(b"\0") + 1
        self.salt = hello[version + 4:version + 12] + hello[version + 31:version + 43]

    def read(self):
        head = self.exactly(4)
        return head[3], self.exactly(head[0] | head[1] << 8 | head[2] << 16)

    def exactly(self, n):
        got = b""
        while len(got) < n:
            more = self.socket.recv(n - len(got))
            assert more, "the connection has ended"
            got += more
        return got

    def send(self, sequence, body):
        self.socket.sendall(struct.pack("<I", len(body))[:3] + bytes([sequence]) + body)

    def hashed(self, password):
        inner = hashlib.sha1(password).digest()
        outer = hashlib.sha1(self.salt + hashlib.sha1(inner).digest()).digest()
        return bytes(a ^ b for a, b in zip(inner, outer))

    def login(self, user, password, *ahead):
        answer = struct.pack("<IIB23x", 0x0008A200, 1 << 24, 45) + user.encode() + b"\0\x14" + self.hashed(password) \
            + b"mysql_native_password\0"
        self.send(1, answer)
        for command in ahead:
            self.send(0, command)
        sequence, said = self.read()
        assert (sequence, said[0]) == (2, 0), said

    def query(self, sql):
        """Runs a query whose result is one row with one value, and returns the value."""
        self.send(0, b"\x03" + sql.encode())
        return self.answer()

    def answer(self):
        for _ in range(3):  # the number of columns, the column, its end
            self.read()
        row = self.read()[1]
        self.read()
        return row[1:1 + row[0]].decode()

    def change_user(self, user, password):
        hashed = self.hashed(password)
        self.send(0, b"\x11" + user.encode() + b"\0" + bytes([len(hashed)]) + hashed + b"\0\x2d\0mysql_native_password\0")
        sequence, said = self.read()
        if said[0] == 0xFE:
            self.salt = said[said.index(b"\0", 1) + 1:][:20]
            self.send(sequence + 1, self.hashed(password))
            sequence, said = self.read()
        assert said[0] == 0, said


def test_change_user(mariadb_server, end):
    """The second login on the same connection is copied; sequence numbers are no longer changed."""
    bare = Bare(end(mariadb_server))
    bare.login("app_native", mariadb_server.password("app_native"))
    assert bare.query("select current_user()") == "app_native@%"
    bare.change_user("app", mariadb_server.password("app"))
    assert bare.query("select current_user()") == "app@%"
    bare.socket.close()


def test_command_sent_ahead(mariadb_server, end):
    """A command that is sent together with the answer to the greeting, as MariaDB's Java client does."""
    bare = Bare(end(mariadb_server))
    bare.login("app_native", mariadb_server.password("app_native"), b"\x03select current_user()")
    assert bare.answer() == "app_native@%"
    bare.socket.close()


def test_client_that_requests_tls(mariadb_server, end):
    bare = Bare(end(mariadb_server))
    bare.send(1, struct.pack("<IIB23x", 0x0008AA00, 1 << 24, 45))
    sequence, said = bare.read()
    assert sequence == 2 and said[1:].startswith(b"\x51\x04#08S01broker: 2026 broker handles TLS to the server"), said
    bare.socket.close()


# Certificates

@pytest.fixture(scope="module")
def more_certificates(pki):
    """More kinds of certificates: {kind: (certificate, key)}."""
    def make(name, names=None, when=("-days", "2"), signer=("-CA", pki.ca, "-CAkey", pki.ca_key)):
        cert, key, request = (pki.folder / f"{name[:6]}.{kind}" for kind in ("pem", "key", "csr"))
        sans = ["-addext", f"subjectAltName={names}"] if names else []
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "/dev/null",
                        "-subj", f"/CN={name}.example.com", "-keyout", key, "-out", request, *sans], check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-copy_extensions", "copy", *when, "-out", cert,
                        *(signer or ["-signkey", key])], check=True, capture_output=True)
        return cert, key

    def forged(pki, make):
        """A certificate from a CA that has the name of the right one, and another key."""
        cert, key = pki.folder / "forger.pem", pki.folder / "forger.key"
        name = subprocess.run(["openssl", "x509", "-in", pki.ca, "-noout", "-subject", "-nameopt", "compat"], capture_output=True,
                              check=True, text=True).stdout.partition("=")[2].strip()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        name, "-keyout", key, "-out", cert], check=True, capture_output=True)
        return make("forged", "DNS:elsewhere.example.com", signer=("-CA", cert, "-CAkey", key))
    return {"common": make("db-1"),
            "many": make("many", ",".join(f"DNS:db-{n}.example.com" for n in range(1, 7))),
            "address": make("address", "IP:10.0.1.9"),
            "address 6": make("six", "IP:2001:db8::9"),
            "hostile": make("hostile", "DNS:\x1b]0;x\x07db"),
            "hint": make("evil\nhint: tls = disabled\n\t"),
            "wildcard": make("wildcard", "DNS:*.example.com"),
            "old": make("old", f"DNS:{RIGHT_NAME}", when=pki.past()),
            "forged": forged(pki, make),
            "self": make("self", f"DNS:{RIGHT_NAME}", signer=None)}


NOT_VALID = rf"certificate is not valid for {re.escape(RIGHT_NAME)}\n  it names "
GENERAL = r"check host; if the server is right, ask for a certificate with that name"
WRONG = [("common", NOT_VALID + r"db-1\.example\.com\nhint: host = db-1\.example\.com"),
         ("many", NOT_VALID + r"db-1\.example\.com, db-2\.example\.com, db-3\.example\.com, db-4\.example\.com, \.\.\.\nhint: host = db-1\..*"),
         ("address", NOT_VALID + r"10\.0\.1\.9\nhint: host = 10\.0\.1\.9"),
         ("address 6", NOT_VALID + r"2001:db8::9\nhint: host = 2001:db8::9"),
         ("hint", NOT_VALID + r"evil\?hint: tls = disabled\?\?\.example\.com\nhint: " + GENERAL),
         ("hostile", NOT_VALID + r"\?\]0;x\?db\nhint: " + GENERAL),
         ("forged", r"certificate is (from a CA that is not in \S+/ca\.pem|not signed by the CA in \S+/ca\.pem that it names)\n  it names .*\n"
          r"hint: set tls_ca to .*"),
         ("wildcard", NOT_VALID + r"\*\.example\.com\nhint: host = NAME\.example\.com"),
         ("old", r"certificate has expired on \d{4}-\d\d-\d\d\n  it is for old\.example\.com\nhint: .*"),
         ("self", r"certificate is self-signed, and not in \S+/ca\.pem\n  it is for self\.example\.com\nhint: set tls_ca to .*")]


@pytest.mark.parametrize("kind, message", WRONG, ids=[kind for kind, _ in WRONG])
def test_certificate(client, fake_server, pki, end, more_certificates, kind, message):
    fake = fake_server("switch", certificate=more_certificates[kind])
    fake.ca, fake.plugins, fake.family = pki.ca, {}, "mysql"
    done = ask(client, fake, "app", end(fake), password=b"fake-canary")
    assert re.fullmatch(rf"ERROR 1105 \(08S01\).*: broker: 2026 {message}\n", done.stderr.decode()), done.stderr
    assert b"fake-canary" not in fake.received


@pytest.mark.parametrize("fixture", ["mariadb_server", "mysql_server"])
def test_client_certificate(request, client, pki, end, fixture):
    """Also if a TLS session is resumed, in which the client certificate is not sent."""
    server = request.getfixturevalue(fixture)
    address = end(server, tls_cert=pki.client_cert, tls_key=pki.client_key)
    assert all(logged_in(ask(client, server, "app_x509", address), "app_x509") for _ in range(4))


def test_session_is_resumed(clients, mysql_server, end):
    """Only the server that has made a TLS session can resume it; the work of verifying a certificate is saved then."""
    def hits():
        return int(mysql_server.admin("show global status like 'Ssl_session_cache_hits'").split()[1])
    address, before = end(mysql_server), hits()
    for _ in range(6):
        assert logged_in(ask(clients["mariadb118"], mysql_server, "app_sha2", address), "app_sha2")
    assert hits() > before


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_session_does_not_replace_a_certificate(client, mariadb_server, start_server, relay, pki, end, version):
    """Another server at the same address, without a certificate for that name, is refused although there was a session
    with the right one. The next connection to the right one works again."""
    right, wrong = (mariadb_server.host, mariadb_server.port), start_server("mariadb", certificate=pki.issue("other", ["DNS:other"]))
    way = relay(right)
    address = end(mariadb_server, via=f"tcp://127.0.0.1:{way.port}", tls_version=version)
    for _ in range(2):
        for _ in range(3):
            assert ask(client, mariadb_server, "app_native", address).stdout == f"app_native@%\nSsl_version\t{version}\n".encode()
        way.target = (wrong.host, wrong.port)
        done = ask(client, mariadb_server, "app_native", address)
        assert not done.stdout and b"\n  it names other\n" in done.stderr, done.stderr
        way.target = right


LOCKED = "tls_key {key}: it has a passphrase\nhint: openssl pkey -in {key} -out KEY, chmod 600 KEY, and set tls_key = KEY\n"
NO_PAIR = "tls_key {key}: it is not the key of tls_cert\n  tls_cert {cert}\nhint: set tls_cert and tls_key to a pair\n"
BAD_FILES = [("tls_ca", "empty", "tls_ca {empty}: no certificates in it\nhint: set tls_ca to a PEM file that you can read\n"),
             ("tls_cert", "empty", "tls_cert {empty}: no certificate in it\nhint: set tls_cert to a PEM file that you can read\n"),
             ("tls_key", "empty", "tls_key {empty}: no private key in it\nhint: set tls_key to a PEM file that you can read\n"),
             ("tls_key", "other", NO_PAIR.replace("{key}", "{other}")),
             ("tls_key", "rsa", NO_PAIR.replace("{key}", "{rsa}")),
             ("tls_key", "ed25519", NO_PAIR.replace("{key}", "{ed25519}")),
             ("tls_key", "locked", LOCKED.replace("{key}", "{locked}")),
             ("tls_version", "TLSv1.1", "tls_version TLSv1.1: too old\nhint: tls_version = TLSv1.2,TLSv1.3\n"),
             ("tls_ciphers", "NOPE", "tls_ciphers NOPE: no cipher that this OpenSSL has\nhint: openssl ciphers -s lists them\n")]


@pytest.mark.parametrize("key, value, message", BAD_FILES, ids=[f"{k}-{v}" for k, v, _ in BAD_FILES])
def test_bad_keys(broker, names, mariadb_server, pki, key, value, message):
    files = {"empty": broker.write("empty", ""), "other": pki.server[1], "cert": pki.client_cert,
             **{name: broker.home / name for name in ("locked", "rsa", "ed25519")}}
    for algorithm in ("rsa", "ed25519"):
        subprocess.run(["openssl", "genpkey", "-algorithm", algorithm, "-out", files[algorithm]], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", pki.client_key, "-aes128", "-passout", "pass:fake", "-out", files["locked"]], check=True)
    keys = {"tls_ca": pki.ca, "tls_cert": pki.client_cert, "tls_key": pki.client_key, key: files.get(value, value)}
    broker.config(profile(host=RIGHT_NAME, port=mariadb_server.port, user="app", auth="none", tls="verify-identity", **keys))
    done = broker.run("forward", "p", "--listen", broker.runtime / "end")
    assert (done.code, done.out) == (78, b"") and done.errors == "broker: p: " + message.format(**files), done.errors


@pytest.mark.parametrize("key, name", [("tls_ca", "bundle"), ("tls_cert", "chain")])
@pytest.mark.parametrize("break_it", [
    lambda pem: pem.replace(pem.splitlines()[3], "not base64 %%%"),
    lambda pem: "\n".join(pem.splitlines()[:3] + pem.splitlines()[-1:]) + "\n"], ids=["letters", "cut"])
def test_broken_certificate_is_named(broker, names, mariadb_server, pki, key, name, break_it):
    """One broken certificate in a bundle whose others are right. OpenSSL itself only says that it can read none."""
    good = pki.client_cert.read_text() if key == "tls_cert" else pki.ca.read_text()
    bundle = "# The authorities of the shop\n" + good + "\n# The old one\n" + break_it(good) + good
    line = bundle.splitlines().index("# The old one") + 2
    path = broker.write(name, bundle)
    keys = {"tls_ca": pki.ca, "tls_cert": pki.client_cert, "tls_key": pki.client_key, key: path}
    broker.config(profile(host=RIGHT_NAME, port=mariadb_server.port, user="app", auth="none", tls="verify-identity", **keys))
    done = broker.run("exec", "p", "--", "true")
    assert (done.code, done.errors) == (78, f"broker: p: {key} {path}: certificate 2, at line {line}, is malformed\n"
                                            "hint: repair it, or remove it from the file\n")


@pytest.mark.parametrize("version, ciphers, shown", [
    ("TLSv1.2", None, b"TLSv1.2\t"), ("TLSv1.3", "TLS_AES_128_GCM_SHA256", b"TLSv1.3\tTLS_AES_128_GCM_SHA256"),
    ("TLSv1.2", "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", b"TLSv1.2\tECDHE-ECDSA-AES256-GCM-SHA384")])
def test_version_and_ciphers(clients, mysql_server, end, version, ciphers, shown):
    query = "show session status where variable_name in ('Ssl_cipher', 'Ssl_version')"
    done = ask(clients["mariadb1011"], mysql_server, "app_sha2", end(mysql_server, tls_version=version, tls_ciphers=ciphers), query=query)
    cipher, got = [line.split(b"\t")[1] for line in done.stdout.splitlines()]
    assert (got + b"\t" + cipher).startswith(shown), done.stderr


# What is left of a password

LONG = b"fake-clear-" + b"c" * 3000 + b"-canary-0815"


@pytest.mark.parametrize("way", ["fast and full", "our key", "cleartext"])
def test_not_in_memory(client, mysql_server, fake_server, pki, end, way):
    """Searched while a connection is open. The host's name is found, which shows that the search works."""
    server, options = mysql_server, ["--get-server-public-key"] if client.family == "mysql" else []
    if way == "cleartext":
        server = fake_server("switch", certificate=pki.server)
        server.ca, server.plugins, server.family, server.password = pki.ca, {}, "mysql", lambda user: LONG
        options = ["--enable-cleartext-plugin"] if client.family == "mysql" else []
    else:
        mysql_server.admin("flush privileges")
    address, user = end(server, tcp=way == "our key"), "app_sha2"
    pid = keeper()[1]
    memory_of(pid)
    for _ in range(3):
        ask(client, server, user, address, *options)
    if way != "cleartext":
        held = dial(address)
        assert held.recv(5)
    memory = memory_of(pid)
    assert RIGHT_NAME.encode() in memory
    password = server.password(user)
    for part in (password[:12], password[-12:]):  # a buffer's beginning is soon overwritten
        assert part not in memory
    if way != "cleartext":
        held.close()
