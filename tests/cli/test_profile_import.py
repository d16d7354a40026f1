"""profile import: other programs' connections. What is written is shown and asked; no secret gets into the file.

The samples are made by us, in each program's form: docs/import.md says where the forms are from."""
import json
import os
import shutil
import subprocess

import pytest

CANARY = b"fake-canary-import-0123456789"
PASSWORD = CANARY.decode()


def shifted(secret, shift=3):
    """HeidiSQL's way to hide a password."""
    return "".join(f"{(byte + shift) % 255:02x}" for byte in secret.encode()) + str(shift)


URLS = f"""\
# mine
mysql://app:{PASSWORD}@db.example.com:3307/shop?ssl_mode=on&keepalive_ticks=3
live = mysql://root@h2/?tls=skip-verify
sock mysql://root@localhost/x?socket=/run/m.sock
bad\tmysql://h/?auth_command=x&client=/bin/sh&inherits=live&vault_addr=v&colour=red
mysql+ssh://me@bastion.example.com:2222/app:{PASSWORD}@127.0.0.1:3306/DB?statusColor=686B6F&env=local&name=shop%20live&tLSMode=0&lazyload=false
postgres://x@y/z
plain words
"""
MYCLI = f"""\
[main]
shop = mysql://not@this/
[alias_dsn]
shop = mysql://app:{PASSWORD}@db.internal:3306/shop?ssl_mode=on&ssl_ca=/home/me/ca.pem&ssl_verify_server_cert=true
# far = mysql://no@no/
far  = "mysql://app@db.internal/shop?ssh_jump=me@bastion.example.com"
hid = $DSN
vlt = mysql://db/shop?vault_address=x
[alias_dsn.init-commands]
shop = set x
"""
USQL = f"""\
# mine
connections:
  shop: mysql://app:{PASSWORD}@db.internal:3306/shop?tls=true
  loc: {{proto: mysql, user: root, host: localhost, port: 3308}}
  pg: postgres://x@y/
  lst: [mysql, x]
  blk:
    protocol: mysql
    hostname: h3
    username: "u"  # c
    password: '{PASSWORD}'
init: |
  mysql://no@no/
"""
MY_CNF = f"""\
[client]
user = app
password = "{PASSWORD}"   # c
[client_stage]
host=stage.example.com
loose-ssl-mode=VERIFY_CA
ssl-ca=/ca.pem
[mysqld]
user=mysql
[mysql_stage]
database=sh\\sop # c
auto-rehash
!include /etc/x
[client_old]
host = h
skip-ssl
password =
[client_maria]
host = m
ssl-verify-server-cert
"""
HEIDI = "".join("Servers\\" + line + "\r\n" for line in (
    r"Shop\Folder<|||>3<|||>1", r"Shop\shop live\Host<|||>1<|||>db.internal", r"Shop\shop live\NetType<|||>3<|||>2",
    r"Shop\shop live\SSHtunnelHost<|||>1<|||>bast.example", r"Shop\shop live\SSHtunnelHostPort<|||>3<|||>22",
    r"Shop\shop live\SSHtunnelPrivateKey<|||>1<|||>C:\k.ppk", rf"Shop\shop live\Password<|||>1<|||>{shifted(PASSWORD)}",
    r"tls\Host<|||>1<|||>h", r"tls\Port<|||>3<|||>3307", r"tls\SSL_Active<|||>3<|||>1", r"tls\SSL_CA<|||>1<|||>/ca.pem",
    r"tls\Databases<|||>1<|||>a;b", r"pg\Host<|||>1<|||>h", r"pg\NetType<|||>3<|||>8"))


def imported(broker, data, *args, code=0, path="theirs"):
    broker.secret(CANARY)
    done = broker.run("profile", "import", "--json", "--dry-run", *args,
                      broker.write(path, data, secret=True))
    assert done.code == code, done
    return json.loads(done.text)


def keys(found):
    return {p["name"]: {k: v for k, v in p["keys"].items()} for p in found["profiles"]}


def left(found, name):
    return {row["what"] for p in found["profiles"] if p["name"] == name for row in p["left_out"]}


def test_urls(broker):
    found = imported(broker, URLS)
    assert found["format"] == "urls" and not found["written"]
    assert keys(found) == {
        "shop": {"host": "db.example.com", "port": "3307", "user": "app", "database": "shop", "tls": "required"},
        "live": {"host": "h2", "user": "root", "tls": "required"},
        "sock": {"socket": "/run/m.sock", "user": "root", "database": "x", "tls": "preferred"},
        "bad": {"host": "h", "tls": "preferred"},
        "shop-live": {"title": "shop live", "host": "127.0.0.1", "port": "3306", "user": "app", "database": "DB",
                      "via": "ssh://me@bastion.example.com:2222", "tls": "preferred"}}
    assert left(found, "bad") == {"auth_command", "client", "inherits", "vault_addr", "colour"}
    assert [p["password"] for p in found["profiles"]] == ["dropped", None, None, None, "dropped"]
    assert [p["is_of_option_files"] for p in found["profiles"]] == [False, False, False, True, False]
    assert [p["tls_is_weaker"] for p in found["profiles"]] == [False, False, False, True, False]
    assert len(found["not_imported"]) == 2


def test_mycli(broker):
    found = imported(broker, MYCLI)
    assert found["format"] == "mycli"
    assert keys(found) == {
        "shop": {"host": "db.internal", "port": "3306", "user": "app", "database": "shop", "tls": "verify-identity",
                 "tls_ca": "/home/me/ca.pem"},
        "far": {"host": "db.internal", "user": "app", "database": "shop", "via": "ssh://me@bastion.example.com",
                "tls": "preferred"},
        "vlt": {"host": "db", "database": "shop", "tls": "preferred"}}
    assert left(found, "vlt") == {"vault_address"} and found["not_imported"][0]["from"] == "hid"


def test_usql(broker):
    found = imported(broker, USQL)
    assert found["format"] == "usql"
    assert keys(found) == {
        "shop": {"host": "db.internal", "port": "3306", "user": "app", "database": "shop", "tls": "verify-identity"},
        "loc": {"host": "localhost", "port": "3308", "user": "root", "tls": "preferred"},
        "blk": {"host": "h3", "user": "u", "tls": "preferred"}}
    assert [p["password"] for p in found["profiles"]] == ["dropped", None, "dropped"]
    assert {row["from"] for row in found["not_imported"]} == {"pg", "lst"}


def test_my_cnf(broker):
    found = imported(broker, MY_CNF)
    assert found["format"] == "my.cnf"
    assert keys(found) == {
        "client": {"socket": "auto", "user": "app", "tls": "preferred"},
        "stage": {"host": "stage.example.com", "user": "app", "database": "sh op", "tls": "verify-ca", "tls_ca": "/ca.pem"},
        "old": {"host": "h", "user": "app", "tls": "disabled"},
        "maria": {"host": "m", "user": "app", "tls": "verify-identity"}}
    assert left(found, "stage") == {"auto_rehash"}
    assert [row["from"] for row in found["not_imported"]] == ["an include"]


def test_my_cnf_as_the_real_programs_read_it(broker, real_programs):
    """What `my_print_defaults` makes of the same file."""
    path = broker.write("theirs", MY_CNF.replace("!include /etc/x\n", ""), secret=True)
    told = real_programs(path, "_stage")
    assert told["host"] == "stage.example.com" and told["user"] == "app" and told["database"] == "sh op"
    assert told["password"] == PASSWORD and told["ssl-ca"] == "/ca.pem"


@pytest.fixture
def real_programs():
    """options(FILE, SUFFIX) by my_print_defaults, of whichever family is installed."""
    program = shutil.which("my_print_defaults") or shutil.which("my_print_defaults", path="/usr/sbin:/usr/local/bin")
    if not program:
        pytest.skip("missing: my_print_defaults")

    def options(path, suffix):
        out = subprocess.run([program, f"--defaults-file={path}", f"--defaults-group-suffix={suffix}", "client", "mysql"],
                             capture_output=True, text=True, check=True).stdout
        return dict(line[2:].partition("=")[::2] for line in out.splitlines() if line.startswith("--"))
    return options


def test_heidisql(broker):
    found = imported(broker, HEIDI)
    assert found["format"] == "heidisql"
    assert keys(found) == {
        "shop-live": {"title": "Shop / shop live", "host": "db.internal", "via": "ssh://bast.example", "tls": "preferred"},
        "tls": {"host": "h", "port": "3307", "database": "a", "tls": "verify-identity", "tls_ca": "/ca.pem"}}
    assert left(found, "shop-live") == {"SSHtunnelPrivateKey"} and left(found, "tls") == {"Databases"}
    assert [p["password"] for p in found["profiles"]] == ["dropped", None]
    assert [row["from"] for row in found["not_imported"]] == ["pg"]


# Shown, asked, written

def answer(broker, *answers, path, env={}, args=()):
    t = broker.pty("profile", "import", *args, path, env=env, stdout="pipe", stderr="pipe")
    for given in answers:
        t.expect(b"[y/N] ")
        t.sendline(given)
    code = t.wait()
    return t, code


def test_everything_is_asked(broker, keychain):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    path = broker.write("theirs", URLS, secret=True)
    t, code = answer(broker, b"y", b"y", b"y", path=path)
    assert code == 0, t.err
    assert t.shown.replace(b"\r", b"").decode() == (
        "keep the weaker TLS of 1 profile? [y/N] y\nstore 2 passwords in the keychain? [y/N] y\nadd 5 profiles? [y/N] y\n")
    assert t.err == b"added 5 profiles to ~/.config/broker/config\n"
    assert t.out.count(b"# no user: those of your own option files, and their password, would go to this server\n") == 1
    assert b"# tls: weaker than broker's own, required\n" in t.out and b"# left out: client: a URL runs no program\n" in t.out
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3307"}) == CANARY
    assert keychain.lookup({"identity": "mysql://app@127.0.0.1:3306;via=ssh://me@bastion.example.com:2222"}) == CANARY
    assert broker.run("profile", "check").code == 0
    rows = {row["name"]: row for row in json.loads(broker.run("profile", "list", "--json").text)["profiles"]}
    assert rows["bad"]["tls"] == "preferred" and rows["shop-live"]["via"] == "ssh://me@bastion.example.com:2222"


def test_stricter_and_without_passwords(broker, keychain):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    t, code = answer(broker, b"n", b"", b"y", path=broker.write("theirs", URLS, secret=True))
    assert code == 0, t.err
    rows = {row["name"]: row for row in json.loads(broker.run("profile", "list", "--json").text)["profiles"]}
    assert rows["bad"]["tls"] == "required" and "\ntls = required\n" in broker.config_path.read_text()
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3307"}) is None


def test_no_is_no(broker, keychain):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    t, code = answer(broker, b"y", b"y", b"", path=broker.write("theirs", URLS, secret=True))
    assert code == 0 and t.err == b"" and not broker.config_path.exists()
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3307"}) is None


def test_nobody_to_ask(broker):
    broker.secret(CANARY)
    path = broker.write("theirs", URLS, secret=True)
    done = broker.run("profile", "import", path)
    assert done.code == 79 and done.text.startswith("[profile shop]\n") and not broker.config_path.exists()
    assert done.errors == ("broker: profile: nothing written: no terminal to ask on\n"
                           "hint: --dry-run shows what would be written\n")
    assert json.loads(broker.run("profile", "import", "--json", path).text)["written"] is False


def test_without_a_keychain(broker, empty_bus):
    broker.secret(CANARY)
    broker.env.update(empty_bus.env)
    t, code = answer(broker, b"y", path=broker.write("theirs", MYCLI.replace("vlt", "#"), secret=True))
    assert code == 0 and b"the passwords are dropped: no keychain here" in t.err


def test_from_stdin(broker):
    done = broker.run("profile", "import", "--dry-run", "-", input=b"mysql://app@h/shop\n")
    assert (done.text, done.errors, done.code) == (
        "[profile shop]\nhost = h\nuser = app\ndatabase = shop\ntls = preferred\n# tls: weaker than broker's own, required\n", "", 0)


def test_names(broker):
    """Rewritten, numbered where they clash with each other, a profile or a tunnel; what they were is the title."""
    broker.config("[profile shop]\nhost = h\n[tunnel far]\ntype = tcp\naddress = 1\n")
    lines = "\n".join(f"{name}: {{proto: mysql, host: h}}" for name in ('  "Ship / \U0001f6a2"', "  shop", "  Shop", "  far", "  direct", '  "shop"'))
    found = imported(broker, "connections:\n" + lines + "\n")
    assert [p["name"] for p in found["profiles"]] == ["Ship", "shop-2", "Shop", "far-2", "direct-2", "shop-3"]
    assert [p["keys"].get("title") for p in found["profiles"]] == ["Ship / \U0001f6a2", "shop", None, "far", "direct", "shop"]


@pytest.mark.parametrize("data, code, why", [
    (b"", 65, "no file of connections that broker knows"), (b"hello\n", 65, "no file of connections that broker knows"),
    (b"\0" * 10, 65, "no file of connections that broker knows"), (b"postgres://x@y/\n", 65, "no connection in it that can be imported"),
    (b"mysql://h/\n" * 100000, 65, "over 1048576 bytes"), (b"[client_a]\nhost = -oX\n", 0, ""),
    (b"[client_a]\nhost = a\x1b[31m\nuser = \xff\n", 0, ""), (b"[client_a\x1b]0;x\x07]\nhost=h\nuser=[x\n", 0, "")])
def test_bad_files(broker, data, code, why):
    path = broker.write("theirs", data)
    done = broker.run("profile", "import", "--dry-run", path)
    assert done.code == code and why in done.errors and "\x1b" not in done.text + done.errors, done
    assert not broker.config_path.exists()


def test_no_value_makes_a_line_or_a_section(broker):
    data = b'[client_a]\nhost = h\nuser = "x\\nauth_command = touch /tmp/x"\ndatabase = "a\\n[defaults]\\ninclude = /x"\n'
    found = imported(broker, data)
    assert keys(found) == {"a": {"host": "h", "tls": "preferred"}} and left(found, "a") == {"user", "database"}


def test_a_thousand(broker):
    """And past two thousand it says so."""
    found = imported(broker, "".join(f"n{i} mysql://u@h{i}/\n" for i in range(2100)))
    assert len(found["profiles"]) == 2000 and len(found["not_imported"]) == 100


def test_nothing_is_left_beside_the_config(broker):
    path = broker.write("theirs", "mysql://app@h/shop\n")
    t, code = answer(broker, b"n", b"y", path=path)
    assert code == 0 and os.listdir(broker.config_path.parent) == ["config"]
    assert broker.config_path.read_text() == "[profile shop]\nhost = h\nuser = app\ndatabase = shop\ntls = required\n"
    t, code = answer(broker, b"n", b"y", path=path)
    assert "[profile shop-2]" in broker.config_path.read_text()
