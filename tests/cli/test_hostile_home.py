# SPDX-License-Identifier: MIT
"""A home folder and an environment that try to divert the login: as another user, to another server, without TLS.

What the profile says must win over ~/.my.cnf, /etc/my.cnf, /etc/mysql/my.cnf, $MYSQL_HOME/my.cnf, ~/.mylogin.cnf and every
variable that a stock client reads, for all three clients, over TCP and a socket. The user's preferences (prompt, pager,
safe-updates) stay as they are. `auth = client` is the exception by design, and shows that the traps below work."""
import struct
import subprocess

import pytest

from servers.pki import RIGHT_NAME

QUERY = "select current_user(), substring_index(user(), '@', -1), database(), @@port; show session status like 'Ssl_cipher'"
WHO = "select current_user()"
SECRET_ENV = "SHOP_SECRET"
MARIADB_GROUPS = ("mariadb-client", "client-mariadb", "client-server")
# Variables that a stock client of either family reads, with values that would divert the login or break it.
VARIABLES = {
    "MYSQL_PWD": "evil", "MYSQL_HOST": "127.0.0.9", "MYSQL_TCP_PORT": "1", "MYSQL_UNIX_PORT": "/nowhere", "MYSQL_GROUP_SUFFIX": "_suffix",
    "LIBMYSQL_PLUGINS": "nowhere", "LIBMYSQL_PLUGIN_DIR": "/nowhere", "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN": "1",
    "MARIADB_TLS_DISABLE_PEER_VERIFICATION": "1", "MARIADB_PLUGIN_DIR": "/nowhere", "MARIADB_HOST": "127.0.0.9",
    "MARIADB_UNIX_PORT": "/nowhere", "MARIADB_GROUP_SUFFIX": "_suffix", "MARIADB_HOME": "/nowhere"}


@pytest.fixture
def server(request, client):
    """The server of the client's own family, so that the client supports its authentication plug-ins."""
    return request.getfixturevalue("mysql_server" if client.family == "mysql" else "mariadb_server")


def own_user(server):
    return "app_sha2" if server.family == "mysql" else "app_ed"


def profile(broker, server, client, **keys):
    """Writes [profile p]; a key whose value is None is left out."""
    keys = {"user": own_user(server), "database": "shop", "client": client.path, **keys}
    if "socket" not in keys:
        keys = {"host": RIGHT_NAME, "port": server.port, "tls": "verify-identity", "tls_ca": server.ca, **keys}
    broker.config("[profile p]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None))


def by_env(broker, server):
    broker.env[SECRET_ENV] = broker.secret(server.password(own_user(server))).decode()
    return {"auth": "env", "auth_env": SECRET_ENV}


def login_file(text):
    """~/.mylogin.cnf as mysql_config_editor writes it: four zero bytes, a 20-byte key, then each line with its length,
    in AES-128-ECB under the key folded to 16 bytes."""
    key, folded, data = bytes(range(7, 27)), bytearray(16), b""
    for i, byte in enumerate(key):
        folded[i % 16] ^= byte
    for line in text.splitlines(keepends=True):
        sealed = subprocess.run(["openssl", "enc", "-aes-128-ecb", "-K", folded.hex()], input=line.encode(), capture_output=True,
                                check=True).stdout
        data += struct.pack("<i", len(sealed)) + sealed
    return bytes(4) + key + data


def ca_folder(server):
    """A folder of CA certificates as OpenSSL expects it, with the CA of the server."""
    name = subprocess.run(["openssl", "x509", "-in", server.ca, "-noout", "-hash"], capture_output=True, check=True, text=True).stdout
    link = server.folder / "authorities" / f"{name.strip()}.0"
    if not link.is_symlink():
        link.parent.mkdir()
        link.symlink_to(server.ca)
    return link.parent


def traps(client, server, user="evil"):
    """An option file with the options of the client's family. Its CA is the right one: if it were used
    instead of the profile's wrong one, the login would succeed."""
    tls = [f"ssl-ca={server.ca}", f"ssl-capath={ca_folder(server)}",
           *{"mysql": ["ssl-mode=PREFERRED", "password1=evil"], "mariadb": ["skip-ssl", "disable-ssl-verify-server-cert"]}[client.family]]
    body = "\n".join([f"user={user}", "password=evil", "host=127.0.0.9", "port=1", "socket=/nowhere", *tls, ""])
    groups = ["client", "mysql", "client_suffix", "mysql_suffix", *(MARIADB_GROUPS if client.family == "mariadb" else ())]
    return "".join(f"[{group}]\n{body}" for group in groups) + "[mysql]\ndatabase=mysql\n"


def make_hostile(broker, client, server):
    """Writes all the option files and the login file, and sets the environment."""
    broker.write(".my.cnf", traps(client, server))
    broker.write("mysql_home/my.cnf", traps(client, server, "evil_home"))
    broker.etc.write("/etc/my.cnf", traps(client, server, "evil_etc"))
    broker.etc.write("/etc/mysql/my.cnf", traps(client, server, "evil_etc_mysql"))
    broker.write(".mylogin.cnf", login_file("[client]\nuser = evil_login\npassword = evil\nhost = 127.0.0.9\nport = 1\n"))
    broker.env.update(VARIABLES, MYSQL_HOME=f"{broker.home}/mysql_home")


def connect(broker, *args, **kwargs):
    return broker.run("connect", "p", "--", "-NB", *args, **kwargs)


@pytest.mark.parametrize("auth", ["env", "file", "command", "none"])
@pytest.mark.parametrize("way", ["tcp", "socket"])
def test_profile_wins(broker, client, server, names, way, auth):
    make_hostile(broker, client, server)
    user, password = own_user(server), broker.secret(server.password(own_user(server)))
    if auth == "none":
        user = "blank"
        server.create_user(user)
    secret = broker.write("secret", password, secret=True)
    keys = {"env": by_env(broker, server), "file": {"auth": "file", "auth_file": secret},
            "command": {"auth": "command", "auth_command": f"cat {secret}"}, "none": {"auth": "none"}}[auth]
    place = {"tcp": {}, "socket": {"socket": server.socket}}[way]
    profile(broker, server, client, **place, **keys, user=user)
    done = connect(broker, "-e", QUERY)
    row, _, cipher = done.text.partition("\n")
    seen_from = "localhost" if way == "socket" else "127.0.0.1"
    assert row == f"{user}@%\t{seen_from}\tshop\t{server.port}", done.errors
    assert way == "socket" or len(cipher.split("\t")[1]) > 9, "no TLS"


def test_profile_wins_with_the_keychain(broker, client, server, names, keychain):
    make_hostile(broker, client, server)
    broker.env.update(keychain.env)
    profile(broker, server, client)
    password = broker.secret(server.password(own_user(server)))
    assert broker.run("password", "set", "p", input=password).code == 0
    assert connect(broker, "-e", WHO).out == f"{own_user(server)}@%\n".encode()


def test_traps_work(broker, client, server, names):
    """The same home, but the profile has no user and password: each trap diverts the login in its turn, the one that
    has precedence first."""
    make_hostile(broker, client, server)
    profile(broker, server, client, user=None, auth="client")
    if client.family == "mysql":
        assert "Can't connect to MySQL server on '127.0.0.9:1'" in connect(broker, "-e", WHO).errors
        (broker.home / ".mylogin.cnf").unlink()
    for name in ("LIBMYSQL_PLUGINS", "MARIADB_PLUGIN_DIR"):
        del broker.env[name]
    for path in (".my.cnf", "mysql_home/my.cnf", "/etc/mysql/my.cnf", "/etc/my.cnf"):
        user = {".my.cnf": "evil", "mysql_home/my.cnf": "evil_home", "/etc/mysql/my.cnf": "evil_etc_mysql"}.get(path, "evil_etc")
        done = connect(broker, "-e", WHO)
        assert done.code == 1 and f"1045 (28000): Access denied for user '{user}'@" in done.errors
        (broker.home / path).write_text("")


@pytest.mark.parametrize("way", ["exec", "test"])
def test_profile_wins_for_other_verbs(broker, client, server, names, way):
    make_hostile(broker, client, server)
    profile(broker, server, client, **by_env(broker, server))
    if way == "exec":
        done = broker.run("exec", "p", "--", client.path, "--defaults-file={defaults-file}", "-NBe", WHO)
        assert done.out == f"{own_user(server)}@%\n".encode(), done.errors
    else:
        done = broker.run("test", "p")
        assert done.code == 0 and f", {own_user(server)}@" in done.text, done.errors


@pytest.mark.parametrize("why", ["ca", "name"])
def test_verification_stays_on(broker, client, server, names, why):
    make_hostile(broker, client, server)
    wrong = {"ca": {"tls_ca": server.wrong_ca}, "name": {"host": "wrong.test.internal"}}[why]
    profile(broker, server, client, **by_env(broker, server), **wrong)
    done = connect(broker, "-e", WHO)
    assert (done.code, done.out) == (1, b"") and b"ERROR 2026" in done.err


def fingerprint(server):
    done = subprocess.run(["openssl", "x509", "-in", server.certificate[0], "-noout", "-fingerprint", "-sha256"], capture_output=True,
                          check=True, text=True)
    return done.stdout.strip().partition("=")[2]


# Options that ours cannot override: a file that sets one is refused, wherever it is and however the option is spelled.

FINGERPRINT = "would change how the server's certificate is verified"
SERVICE = "would set another server"
HINT = "hint: delete the line, or set my_cnf = no, which leaves out your option files\n"


@pytest.mark.parametrize("option", ["ssl-fp", "ssl_fplist", "loose-ssl-fp"])
@pytest.mark.parametrize("name", ["mariadb1011", "mariadb118"])
def test_fingerprint_does_not_replace_verification(broker, clients, mariadb_server, names, name, option):
    client, keys = clients[name], by_env(broker, mariadb_server)
    broker.write(".my.cnf", f"[client]\n# {option}\n{option}={fingerprint(mariadb_server)}\n")
    profile(broker, mariadb_server, client, **keys, tls_ca=mariadb_server.wrong_ca)
    done = connect(broker, "-e", WHO)
    spelling = option.replace("_", "-").removeprefix("loose-")
    assert (done.code, done.out) == (78, b"") and done.errors == f"broker: ~/.my.cnf:3: '{spelling}' {FINGERPRINT}\n{HINT}"
    assert broker.run("connect", "p", "-o", "my_cnf=no", "--", "-e", WHO).code == 1
    assert broker.run("connect", "p", "--tls", "preferred", "--dry-run").code == 0, "allowed at a level that verifies nothing"


@pytest.mark.parametrize("nested", ["!include {}/more.cnf", "!includedir {}/more"])
def test_service_record_does_not_change_the_server(broker, clients, mysql_server, names, nested):
    broker.write("more.cnf", "[mysql]\n dns_srv = x.test.invalid\n")
    broker.write("more/a.cnf", "[mysql]\n\ndns-srv-name=x.test.invalid\n")
    broker.write(".my.cnf", nested.format(broker.home) + "\n")
    profile(broker, mysql_server, clients["mysql9"], **by_env(broker, mysql_server), socket=mysql_server.socket)
    place = "~/more/a.cnf:3" if "dir" in nested else "~/more.cnf:2"
    done = connect(broker, "-e", WHO)
    assert (done.code, done.errors) == (78, f"broker: {place}: 'dns-srv-name' {SERVICE}\n{HINT}")
    assert broker.run("connect", "p", "-o", "my_cnf=no", "--", "-e", WHO).code == 0


@pytest.mark.parametrize("line", ["!include {}/my files/a.cnf", "!include {}/my files/a.cnf \r", " !  include\t{}/my files/a.cnf",
                                  "! includedir {}/my files ", "!include {}/my files/a.cnf # mine"])
def test_included_paths_are_read_as_the_client_reads_them(broker, clients, mysql_server, names, line):
    broker.write("my files/a.cnf", "[mysql]\ndns-srv-name=x.test.invalid\n")
    broker.write(".my.cnf", line.format(broker.home) + "\n")
    raw = subprocess.run([clients["mysql9"].path, "-e", WHO], env=broker.env, capture_output=True, text=True)
    assert "DNS SRV" in raw.stderr
    profile(broker, mysql_server, clients["mysql9"], **by_env(broker, mysql_server), socket=mysql_server.socket)
    done = connect(broker, "-e", WHO)
    assert (done.code, done.errors) == (78, f"broker: ~/my files/a.cnf:2: 'dns-srv-name' {SERVICE}\n{HINT}")


@pytest.mark.parametrize("auth", ["none", "client"])
@pytest.mark.parametrize("version", ["mysql9", "mariadb118"])
def test_environment_of_the_client(broker, version, auth):
    """Only the variables that would override the profile are removed; with `auth = client` none is."""
    stub = broker.stub("client", version=version)
    broker.config(f"[profile p]\nhost = 127.0.0.1\nuser = app\nauth = {auth}\nclient = {stub.path}\n")
    broker.env.update(VARIABLES, MYSQL_TEST_LOGIN_FILE="/home/me/login", MYSQL_PS1="mine> ", MYSQL_HISTFILE="/dev/null", ANY=" thing ")
    assert broker.run("connect", "p").code == 0
    expected = broker.environment({})
    if auth == "none":
        expected = {name: value for name, value in expected.items() if name not in VARIABLES}
        if version == "mysql9":
            expected["MYSQL_TEST_LOGIN_FILE"] = "/dev/null"
    assert stub.environ == expected
    written = stub.seen["options"]
    # A user that the profile names is written, like `mysql -u`; the client gets the password by its own means.
    assert ("user=" in written, "password=" in written) == (True, auth == "none")


@pytest.mark.parametrize("source", ["my.cnf", "login file", "MYSQL_PWD", "suffix"])
def test_option_files_decide_with_auth_client(broker, client, server, names, source):
    user, password = own_user(server), broker.secret(server.password(own_user(server))).decode()
    text = f"user={user}\npassword={password}\n"
    if source == "login file":
        if client.family != "mysql":
            return  # MariaDB has none
        broker.write(".mylogin.cnf", login_file("[client]\n" + text))
    elif source == "MYSQL_PWD":
        broker.write(".my.cnf", f"[client]\nuser={user}\n")
        broker.env["MYSQL_PWD"] = password
    else:
        suffix = "_mine" if source == "suffix" else ""
        broker.write(".my.cnf", f"[client]\nuser=other\n[client{suffix}]\n{text}", secret=True)
        broker.env["MYSQL_GROUP_SUFFIX"] = suffix
    profile(broker, server, client, user=None)
    assert connect(broker, "-e", WHO).out == f"{user}@%\n".encode()


@pytest.mark.parametrize("mine", ["yes", "no"])
def test_user_preferences_stay(broker, client, server, names, mine):
    broker.write(".my.cnf", '[client]\npassword=evil\n[mysql]\nprompt="mine> "\npager="sed s/apple/PAGED/"\nsafe-updates\n'
                            'skip-auto-rehash\n')
    profile(broker, server, client, **by_env(broker, server), my_cnf=mine)
    terminal = broker.pty("connect", "p")
    prompt = b"mine> " if mine == "yes" else b"mysql> " if client.family == "mysql" else b"MariaDB [shop]> "
    seen = terminal.expect(prompt)
    assert (b"Reading table information" in seen) == (mine == "no")
    terminal.sendline(b"select name from item where id = 1;")
    seen = terminal.expect(b"1 row in set")
    assert (b"PAGED" in seen, b"apple" in seen) == (mine == "yes", mine == "no")
    terminal.sendline(b"begin; delete from item; rollback;")
    terminal.expect(b"ERROR 1175" if mine == "yes" else b"rows affected")
    terminal.sendline(b"exit")
    assert terminal.wait() == 0


def test_world_writable_file_is_ignored(broker, client, server, names):
    broker.write(".my.cnf", "[client]\nno_such_thing=1\nuser=evil\n", mode=0o666)
    profile(broker, server, client, **by_env(broker, server))
    done = connect(broker, "-e", WHO)
    assert done.out == f"{own_user(server)}@%\n".encode() and b"World-writable config file" in done.err


@pytest.mark.parametrize("line, status", [("no_such_thing=1", 7), ("no_such_thing", 2)])
def test_option_unknown_to_the_client(broker, client, server, names, line, status):
    broker.write(".my.cnf", f"[mysql]\n{line}\n{line}\n")  # mysql 9 ignores the first
    profile(broker, server, client, **by_env(broker, server))
    done = connect(broker, "-e", WHO)
    assert (done.code, done.out) == (status, b"") and b"no_such_thing" in done.err and b"broker" not in done.err
    tested = broker.run("test", "p")
    first, *detail, hint = tested.errors.splitlines()
    assert tested.code == 78 and first == f"broker: p: the client ended with exit status {status}"
    assert detail and all(line.startswith("  ") and "no_such_thing" in line for line in detail)
    assert hint == "hint: my_cnf = no leaves out your option files, if it does not understand one"
    assert connect(broker, "-e", WHO, env={"BROKER_MY_CNF": "no"}).code == 0
