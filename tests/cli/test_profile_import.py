# SPDX-License-Identifier: MIT
"""profile import: other programs' connections. broker shows what it would write, and asks before it writes anything; no
secret gets into the file.

The samples are made by hand, in each program's format (docs/import.md)."""
import json
import os
import plistlib
import random
import shutil
import subprocess

import pytest

from lib.terminal import Terminal
from servers import mysql9, process

CANARY = b"fake-canary-import-0123456789"
PASSWORD = CANARY.decode()


def shifted(secret, shift=3):
    """A password as HeidiSQL obfuscates it."""
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
[alias_dsn]  # all
shop = mysql://app:{PASSWORD}@db.internal:3306/shop?ssl_mode=on&ssl_ca=/home/me/ca.pem&ssl_verify_server_cert=true  # mine
# far = mysql://no@no/
far  = "mysql://app@db.internal/shop?ssh_jump=me@bastion.example.com" # "x"
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


def left_out(found, name):
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
    assert left_out(found, "bad") == {"auth_command", "client", "inherits", "vault_addr", "colour"}
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
    assert left_out(found, "vlt") == {"vault_address"} and found["not_imported"][0]["from"] == "hid"


def test_usql(broker):
    found = imported(broker, USQL)
    assert found["format"] == "usql"
    assert keys(found) == {
        "shop": {"host": "db.internal", "port": "3306", "user": "app", "database": "shop", "tls": "verify-identity"},
        "loc": {"host": "localhost", "port": "3308", "user": "root", "tls": "preferred"},
        "blk": {"host": "h3", "user": "u", "tls": "preferred"}}
    assert [p["password"] for p in found["profiles"]] == ["dropped", None, "dropped"]
    assert {row["from"] for row in found["not_imported"]} == {"pg", "lst"}


@pytest.mark.parametrize("value, read", [
    (r'"a\"b\\"', 'a"b\\'), ("'it''s'  # c", "it's"), ("a#b", "a#b"), ("a b # c", "a b"), ('"a, b}"', "a, b}"), ("~", None), ("# c", None),
    (r'"\x41"', ...), ("&x a", ...), ("|", ...), ("'a", ...), ("[a]", ...), ('"a"b', ...)])
@pytest.mark.parametrize("head, tail", [("connections: # c\n a:\n  proto: mysql\n  user: ", "\n  opts:\n   user: evil\n"),
                                        ("connections:\n a: {'proto': mysql, user: ", ", host: h}\n")])
def test_yaml_scalars(broker, head, tail, value, read):
    """... stands for a form that is not read: such a connection is left out."""
    found = json.loads(broker.run("profile", "import", "--json", "--dry-run", broker.write("theirs", head + value + tail)).text)
    if read is ...:
        assert found["not_imported"] == [{"from": "a", "why": "a form of YAML that broker does not read"}]
    else:
        assert [p["keys"].get("user") for p in found["profiles"]] == [read], found


def test_my_cnf(broker):
    found = imported(broker, MY_CNF)
    assert found["format"] == "my.cnf"
    assert keys(found) == {
        "client": {"socket": "auto", "user": "app", "tls": "preferred"},
        "stage": {"host": "stage.example.com", "user": "app", "database": "sh op", "tls": "verify-ca", "tls_ca": "/ca.pem"},
        "old": {"host": "h", "user": "app", "tls": "disabled"},
        "maria": {"host": "m", "user": "app", "tls": "verify-identity"}}
    assert left_out(found, "stage") == {"auto_rehash"}
    assert [row["from"] for row in found["not_imported"]] == ["an include"]


def test_real_programs_read_the_same_from_my_cnf(broker, real_programs):
    """The values that `my_print_defaults` reads from the same file."""
    path = broker.write("theirs", MY_CNF.replace("!include /etc/x\n", ""), secret=True)
    options_read = real_programs(path, "_stage")
    assert options_read["host"] == "stage.example.com" and options_read["user"] == "app" and options_read["database"] == "sh op"
    assert options_read["password"] == PASSWORD and options_read["ssl-ca"] == "/ca.pem"


VALUES = ["app", "a b", "a#b", "a #b", '"a # b"', "'a # b'", r'"a\"b"', r'"a\\"', r'"a\\" # c', r"a\sb", r"a\#b", r"a\\b", r"a\xb", '"x\'y"', "it's",
          "it's # c", "'it''s'", '""', "", "''", '"', 'a"b"c', '"a" b', "a\\", r"a\ b", "a;b", "\u00fc", "a=b", "=a", "'a", r"\'a # b", '"a # b',
          r"a\'b # c", '"a"#x', '"a"  # "x"']
OPTIONS = {"host": "host", "user": "user", "database": "database", "ssl-ca": "tls_ca", "ssl-cipher": "tls_ciphers", "port": "port"}
GROUPS = ["[client]", "[client_s]", "[mysql_s]", "[mysql]", "[client_t]", "[mysqld]", "[client_s ]", "[client_s] # [x]", "[client_s]x"]
ODD = ["# c", "; c", "", "user # x = y", "  # host = x", "port = 3306"]


def option_file(seed):
    """A random option file with [client_s], as people write them: quotes, escapes, comments, repeated options."""
    rng = random.Random(seed)
    rows = [rng.choice(["[client]", "[client_s]"]), "host = base"]
    for _ in range(rng.randint(4, 12)):
        kind, name = rng.random(), rng.choice([*OPTIONS, "password"])
        value = {"host": rng.choice(["h1", '"h2"', "h3 # c"]), "port": "3307"}.get(name, rng.choice(VALUES))
        rows.append(rng.choice(GROUPS) if kind < 0.25 else rng.choice(ODD) if kind < 0.35 else
                    rng.choice(["", "", "  "]) + name + rng.choice(["=", " = ", "\t=  "]) + value + rng.choice(["", "  "]))
    return rng.choice(["\n", "\r\n"]).join([*rows, "[client_s]", "user = " + rng.choice(VALUES)])


@pytest.mark.parametrize("first", range(0, 80, 20))
def test_same_values_as_my_print_defaults(broker, real_programs, first):
    """Random files; a value that a profile cannot hold is listed as left out."""
    for seed in range(first, first + 20):
        text = option_file(seed)
        expected = {k.replace("_", "-"): v for k, v in real_programs(broker.write("theirs", text), "_s").items()}
        profile = next(p for p in imported(broker, text)["profiles"] if p["from"] == "s")
        left = {row["what"] for row in profile["left_out"]}
        wanted = {key: expected.get(name, "") for name, key in OPTIONS.items() if key not in left}
        wanted["port"] = wanted["port"].replace("3306", "")
        assert {key: profile["keys"].get(key, "") for key in wanted} == wanted, (seed, text)
        assert (profile["password"] is not None) == (expected.get("password", "") != ""), (seed, text)


def test_later_group_replaces_values(broker):
    """Also by an empty value, the default port, and no password."""
    found = imported(broker, f"[client]\nhost = h\nuser = u\nport = 3307\npassword = {PASSWORD}\ncompress\n"
                             "[client_a] # [x]\nuser = ''\nport = 3306\npassword =\ncompress = 0\ndatabase = \"a\\\"b\" # c\n")
    assert keys(found)["a"] == {"host": "h", "database": 'a"b', "tls": "preferred"}
    assert [p["password"] for p in found["profiles"]] == ["dropped", None]


@pytest.fixture
def real_programs():
    """options(FILE, SUFFIX): the options that MySQL 9's my_print_defaults reads."""
    words = tool("my_print_defaults")

    def options(path, suffix):
        out = subprocess.run([*words, f"--defaults-file={path}", f"--defaults-group-suffix={suffix}", "-s", "client", "mysql"],
                             capture_output=True, text=True, check=True).stdout
        return dict(line[2:].partition("=")[::2] for line in out.splitlines() if line.startswith("--"))
    return options


def tool(name):
    try:
        return mysql9.tool(name)
    except process.Missing as missing:
        return pytest.skip(f"missing: {missing}")


def test_heidisql(broker):
    found = imported(broker, HEIDI)
    assert found["format"] == "heidisql"
    assert keys(found) == {
        "shop-live": {"title": "Shop / shop live", "host": "db.internal", "via": "ssh://bast.example", "tls": "preferred"},
        "tls": {"host": "h", "port": "3307", "database": "a", "tls": "verify-identity", "tls_ca": "/ca.pem"}}
    assert left_out(found, "shop-live") == {"SSHtunnelPrivateKey"} and left_out(found, "tls") == {"Databases"}
    assert [p["password"] for p in found["profiles"]] == ["dropped", None]
    assert [row["from"] for row in found["not_imported"]] == ["pg"]


def test_heidisql_history_is_no_session(broker):
    """HeidiSQL stores the query history and the filters of tables below a session."""
    rows = (r"shop\Host<|||>1<|||>h", r"shop\QueryHistory\1<|||>1<|||>select 1", r"shop\db|t\Filter<|||>1<|||>x",
            r"shop\db|t\RecentFilters\1<|||>1<|||>x", r"shopper\Host<|||>1<|||>h2", r"f\Folder<|||>3<|||>1", r"f\in\Host<|||>1<|||>h3")
    found = imported(broker, "".join("Servers\\" + row + "\r\n" for row in rows))
    assert list(keys(found)) == ["shop", "shopper", "in"]


# Show, ask, write

def answer(broker, *answers, path, env={}, args=()):
    t = broker.pty("profile", "import", *args, path, env=env, stdout="pipe", stderr="pipe")
    for given in answers:
        t.expect(b"[y/N] ")
        t.sendline(given)
    code = t.wait()
    return t, code


def test_all_questions(broker, keychain):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    path = broker.write("theirs", URLS, secret=True)
    t, code = answer(broker, b"y", b"y", b"y", path=path)
    assert code == 0, t.err
    assert t.shown.replace(b"\r", b"").decode() == (
        "keep the weaker TLS of 1 profile? [y/N] y\nstore 2 passwords in the keychain? [y/N] y\nadd 5 profiles? [y/N] y\n")
    assert t.err == b"added 5 profiles to ~/.config/broker/config\n"
    assert t.out.count(b"# no user: the client would use the user and password of your option files\n") == 1
    assert b"# tls: weaker than broker's own, required\n" in t.out and b"# left out: client: a URL cannot run a program\n" in t.out
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3307"}) == CANARY
    assert keychain.lookup({"identity": "mysql://app@127.0.0.1:3306;via=ssh://me@bastion.example.com:2222"}) == CANARY
    assert broker.run("profile", "check").code == 0
    rows = {row["name"]: row for row in json.loads(broker.run("profile", "list", "--json").text)["profiles"]}
    assert rows["bad"]["tls"] == "preferred" and rows["shop-live"]["via"] == "ssh://me@bastion.example.com:2222"


def test_stricter_tls_and_without_passwords(broker, keychain):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    t, code = answer(broker, b"n", b"", b"y", path=broker.write("theirs", URLS, secret=True))
    assert code == 0, t.err
    rows = {row["name"]: row for row in json.loads(broker.run("profile", "list", "--json").text)["profiles"]}
    assert rows["bad"]["tls"] == "required" and "\ntls = required\n" in broker.config_path.read_text()
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3307"}) is None


def test_nothing_is_written_after_no(broker, keychain):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    t, code = answer(broker, b"y", b"y", b"", path=broker.write("theirs", URLS, secret=True))
    assert code == 0 and t.err == b"" and not broker.config_path.exists()
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3307"}) is None


def test_no_terminal(broker):
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
    """Names are made valid, and numbered if they clash with each other, a profile or a tunnel; the old name becomes the
    title."""
    broker.config("[profile shop]\nhost = h\n[tunnel far]\ntype = tcp\naddress = 1\n")
    lines = "\n".join(f"{name}: {{proto: mysql, host: h}}" for name in ('  "Ship / \U0001f6a2"', "  shop", "  Shop", "  far", "  direct", '  "shop"'))
    found = imported(broker, "connections:\n" + lines + "\n")
    assert [p["name"] for p in found["profiles"]] == ["Ship", "shop-2", "Shop", "far-2", "direct-2", "shop-3"]
    assert [p["keys"].get("title") for p in found["profiles"]] == ["Ship / \U0001f6a2", "shop", None, "far", "direct", "shop"]


@pytest.mark.parametrize("data, code, why", [
    (b"", 65, "not a file of connections that broker can import"), (b"hello\n", 65, "not a file of connections that broker can import"),
    (b"\0" * 10, 65, "not a file of connections that broker can import"), (b"postgres://x@y/\n", 65, "it has no connection that can be imported"),
    (b"mysql://h/\n" * 100000, 65, "over 1048576 bytes"), (b"[client_a]\nhost = -oX\n", 0, ""),
    (b"[client_a]\nhost = a\x1b[31m\nuser = \xff\n", 0, ""), (b"[client_a\x1b]0;x\x07]\nhost=h\nuser=[x\n", 0, "")])
def test_bad_files(broker, data, code, why):
    path = broker.write("their: file", data)
    done = broker.run("profile", "import", "--dry-run", path)
    assert done.code == code and why in done.errors and "\x1b" not in done.text + done.errors, done
    assert not broker.config_path.exists()


def test_no_value_adds_a_line_or_a_section(broker):
    data = b'[client_a]\nhost = h\nuser = "x\\nauth_command = touch /tmp/x"\ndatabase = "a\\n[defaults]\\ninclude = /x"\n'
    found = imported(broker, data)
    assert keys(found) == {"a": {"host": "h", "tls": "preferred"}} and left_out(found, "a") == {"user", "database"}


def test_at_most_two_thousand(broker):
    """The others are listed as not imported."""
    found = imported(broker, "".join(f"n{i} mysql://u@h{i}/\n" for i in range(2100)))
    assert len(found["profiles"]) == 2000 and len(found["not_imported"]) == 100


def test_nothing_is_left_beside_the_config(broker):
    path = broker.write("theirs", "mysql://app@h/shop\n")
    t, code = answer(broker, b"n", b"y", path=path)
    assert code == 0 and os.listdir(broker.config_path.parent) == ["config"]
    assert broker.config_path.read_text() == "[profile shop]\nhost = h\nuser = app\ndatabase = shop\ntls = required\n"
    t, code = answer(broker, b"n", b"y", path=path)
    assert "[profile shop-2]" in broker.config_path.read_text()


# Formats that the helper reads

FAVOURITES = [{"Name": "Shop", "IsExpanded": True, "Children": [
    {"id": 4711, "name": "shop live", "type": 2, "host": "db.internal", "user": "app", "sshHost": "bastion.example.com",
     "sshUser": "me", "sshPort": "22", "sshKeyLocationEnabled": 1, "sshKeyLocation": "~/.ssh/id_ed25519", "useCompression": False},
    {"name": "twin", "type": "2", "host": "db2.internal", "user": "app", "sshHost": "bastion.example.com", "sshUser": "me",
     "sshKeyLocationEnabled": 1, "sshKeyLocation": "~/.ssh/id_ed25519", "useCompression": 0, "useSSL": 1, "port": 3307}]},
    {"name": "sock", "type": 1, "host": "left.over", "socket": "", "user": "root", "colorIndex": 3, "password": PASSWORD,
     "allowDataLocalInfile": 1, "useCompression": 0},
    {"name": "rds", "type": 3, "host": "x.c9akciq32.eu-west-1.rds.amazonaws.com", "user": "app", "awsProfile": "prod",
     "awsRegion": "eu-west-1", "sshHost": "left.over", "useCompression": 0},
    {"name": "vlt", "type": 4, "host": "db", "user": "dropped", "vaultHost": "vault.example.com", "vaultPort": "443",
     "vaultOIDCMount": "oidc", "vaultCredentialsPath": "database/creds/readonly"}]
SEQUEL = {
    "shop-live": {"title": "Shop / shop live", "host": "db.internal", "user": "app", "tls": "preferred",
                  "tunnel.type": "ssh", "tunnel.host": "bastion.example.com", "tunnel.user": "me",
                  "tunnel.identity": "~/.ssh/id_ed25519"},
    "twin": {"title": "Shop / twin", "host": "db2.internal", "port": "3307", "user": "app", "tls": "required", "via": "shop-live"},
    "sock": {"socket": "auto", "user": "root", "tls": "preferred"},
    "rds": {"host": "x.c9akciq32.eu-west-1.rds.amazonaws.com", "user": "app", "auth": "iam", "aws_profile": "prod",
            "region": "eu-west-1", "tls": "verify-identity"},
    "vlt": {"host": "db", "auth": "vault", "vault_addr": "https://vault.example.com:443", "vault_mount": "oidc",
            "vault_path": "database/creds/readonly", "compress": "yes", "tls": "preferred"}}


@pytest.mark.parametrize("root", [{"Favorites Root": {"Name": "Favorites", "Children": FAVOURITES}},
                                  {"SPConnectionFavorites": FAVOURITES}])
def test_sequel_ace(broker, root):
    """Written by Python's plistlib, in the form of Favorites.plist and of an export."""
    found = imported(broker, plistlib.dumps(root))
    assert found["format"] == "sequel-ace" and keys(found) == SEQUEL
    assert left_out(found, "sock") == {"local_infile"} and not any(p["password"] for p in found["profiles"])


def test_a_shared_bastion_is_written_once(broker):
    path = broker.write("theirs", plistlib.dumps({"SPConnectionFavorites": FAVOURITES[0]["Children"]}))
    t, code = answer(broker, b"y", path=path)
    assert code == 0, t.err
    text = broker.config_path.read_text()
    assert text.count("[tunnel ") == 1 and text.count("via = shop-live\n") == 2


def test_sequel_ace_session(broker):
    found = imported(broker, plistlib.dumps({"format": "connection", "version": 1, "encrypted": False, "data": {"connection": {
        "type": "SPSSHTunnelConnection", "name": "n", "host": "h", "port": 3306, "user": "u", "password": PASSWORD,
        "ssh_host": "b", "ssh_port": 2222, "ssh_user": "me", "ssh_password": PASSWORD, "useCompression": False}}}))
    assert keys(found) == {"n": {"host": "h", "user": "u", "via": "ssh://me@b:2222", "tls": "preferred"}}
    assert left_out(found, "n") == {"ssh_password"} and found["profiles"][0]["password"] == "dropped"


def test_tableplus(broker):
    found = imported(broker, plistlib.dumps([
        {"ConnectionName": "Live!", "Driver": "MySQL", "DatabaseHost": "h", "DatabasePort": "3307", "DatabaseUser": "u",
         "DatabaseName": "d", "isOverSSH": True, "ServerAddress": "b", "ServerPort": "22", "ServerUser": "me",
         "isUsePrivateKey": 1, "ServerPrivateKeyName": "k", "tLSMode": 2, "ID": "1", "Enviroment": "production"},
        {"ConnectionName": "sock", "Driver": "MariaDB", "isUseSocket": 1, "DatabaseSocket": "/run/x.sock", "isOverSSH": 0,
         "ServerAddress": "left.over", "tLSMode": 9},
        {"ConnectionName": "pg", "Driver": "PostgreSQL"}]))
    assert found["format"] == "tableplus"
    assert keys(found) == {
        "Live": {"title": "Live!", "host": "h", "port": "3307", "user": "u", "database": "d", "via": "ssh://me@b", "tls": "required"},
        "sock": {"socket": "/run/x.sock", "tls": "preferred"}}
    assert left_out(found, "Live") == {"identity"} and left_out(found, "sock") == {"tLSMode"}
    assert [row["from"] for row in found["not_imported"]] == ["pg"]


WORKBENCH = f"""<?xml version="1.0" encoding="utf-8"?>
<data grt_format="2.0"><value _ptr_="0x1" type="list" content-type="object" content-struct-name="db.mgmt.Connection">
<value type="object" struct-name="db.mgmt.Connection" id="{{11111111-2222-4333-8444-555555555555}}">
 <link type="object" struct-name="db.mgmt.Driver" key="driver">com.mysql.rdbms.mysql.driver.native_sshtun</link>
 <value type="string" key="name">shop live</value>
 <value type="dict" key="parameterValues"><value type="string" key="hostName">db.internal</value><value type="int" key="port">3306</value>
  <value type="string" key="userName">app</value><value type="string" key="sshHost">bastion.example.com:22</value>
  <value type="string" key="password">{PASSWORD}</value><value type="string" key="SQL_MODE"/>
  <value type="string" key="sshKeyFile"></value><value type="int" key="useSSL">4</value></value></value>
<value type="object" struct-name="db.mgmt.Connection">
 <value type="dict" key="parameterValues"><value type="string" key="socket">/run/x.sock</value><value type="string" key="userName">root</value></value>
 <value type="string" key="name">sock &amp; more</value>
 <link type="object" key="driver">com.mysql.rdbms.mysql.driver.native_socket</link></value>
<value type="object" struct-name="db.mgmt.Connection"><value type="string" key="name">krb</value>
 <link type="object" key="driver">com.mysql.rdbms.mysql.driver.ldap_kerberos</link></value>
</value></data>"""


def test_workbench(broker):
    found = imported(broker, WORKBENCH)
    assert found["format"] == "workbench"
    assert keys(found) == {
        "shop-live": {"title": "shop live", "host": "db.internal", "user": "app", "via": "ssh://bastion.example.com",
                      "tls": "verify-identity"},
        "sock-more": {"title": "sock & more", "socket": "/run/x.sock", "user": "root", "tls": "preferred"}}
    assert found["profiles"][0]["password"] == "dropped" and [row["from"] for row in found["not_imported"]] == ["krb"]


DATAGRIP = {"dataSources.xml": f"""<?xml version="1.0" encoding="UTF-8"?>
<project version="4"><component name="DataSourceManagerImpl" format="xml" multifile-model="true">
<data-source source="LOCAL" name="shop live" group="Shop" uuid="1111"><driver-ref>mysql.8</driver-ref>
 <jdbc-url>jdbc:mysql://db.internal:3306/shop?sslMode=REQUIRED</jdbc-url></data-source>
<data-source source="LOCAL" name="rds" uuid="2222"><jdbc-url>jdbc:aws-wrapper:mysql://x.c9akciq32.eu-west-1.rds.amazonaws.com/d</jdbc-url>
 <jdbc-additional-properties><property name="AWS.CredentialId" value="profile:prod"/><property name="AWS.RegionId" value="eu-west-1"/>
 </jdbc-additional-properties></data-source>
<data-source name="pw" uuid="3333"><jdbc-url>jdbc:mariadb://h/d?user=u&amp;password={PASSWORD}</jdbc-url></data-source>
<data-source name="pg" uuid="4444"><jdbc-url>jdbc:postgresql://h/d</jdbc-url></data-source>
</component></project>""", "dataSources.local.xml": """<project version="4"><component name="dataSourceStorageLocal">
<data-source name="shop live" uuid="1111"><secret-storage>master_key</secret-storage><user-name>app</user-name>
 <ssh-properties><enabled>true</enabled><ssh-config-id>c-1</ssh-config-id></ssh-properties>
 <ssl-config><enabled>true</enabled><mode>VERIFY_CA</mode><ca-cert>$USER_HOME$/ca.pem</ca-cert><client-key>$PROJECT_DIR$/k</client-key></ssl-config>
</data-source><data-source uuid="2222"><user-name>iam_user</user-name></data-source></component></project>""",
            "sshConfigs.xml": """<application><component name="SshConfigs"><configs>
<sshConfig id="c-1" host="bastion.example.com" port="22" username="me" authType="OPEN_SSH" keyPath=""/></configs></component></application>"""}


def test_datagrip(broker):
    for name, text in DATAGRIP.items():
        broker.write(f".idea/{name}", text, secret=True)
    found = imported(broker, DATAGRIP["dataSources.xml"], path=".idea/dataSources.xml")
    assert found["format"] == "datagrip"
    assert keys(found) == {
        "shop-live": {"title": "Shop / shop live", "host": "db.internal", "port": "3306", "user": "app", "database": "shop",
                      "via": "ssh://me@bastion.example.com", "tls": "verify-ca", "tls_ca": "~/ca.pem"},
        "rds": {"host": "x.c9akciq32.eu-west-1.rds.amazonaws.com", "database": "d", "user": "iam_user", "auth": "iam",
                "aws_profile": "prod", "region": "eu-west-1", "tls": "verify-identity"},
        "pw": {"host": "h", "user": "u", "database": "d", "tls": "preferred"}}
    assert left_out(found, "shop-live") == {"tls_key"}
    assert [p["password"] for p in found["profiles"]] == [None, None, "dropped"]


DBEAVER = {"connections": {
    "mysql8-19a0-1": {"provider": "mysql", "driver": "mysql8", "name": "shop live", "folder": "Shop", "configuration": {
        "host": "db.internal", "port": "3306", "database": "shop", "configurationType": "MANUAL", "type": "prod", "auth-model": "native",
        "handlers": {"ssh_tunnel": {"type": "TUNNEL", "enabled": True, "properties": {
            "host": "bastion.example.com", "port": 22, "authType": "PUBLIC_KEY", "keyPath": "/home/me/.ssh/id_ed25519"}},
            "mysql_ssl": {"type": "CONFIG", "enabled": True, "properties": {"ssl.verify.server": True, "ssl.ca.cert": "/ca.pem"}}}}},
    "mysql8-2": {"provider": "mysql", "driver": "mariaDB", "name": "url", "configuration": {
        "configurationType": "URL", "url": "jdbc:mariadb://h:3307/d", "handlers": {"mysql_ssl": {"enabled": False}}}},
    "pg-1": {"provider": "postgresql", "name": "pg", "configuration": {}}}}
DBEAVER_KEY = "babb4a9f774ab853c96c2d653dfe544a"


def encrypted(data, key=DBEAVER_KEY):
    """DATA encrypted as in DBeaver's credentials-config.json, with the openssl program."""
    iv = os.urandom(16)
    out = subprocess.run(["openssl", "enc", "-aes-128-cbc", "-K", key, "-iv", iv.hex()], input=data, capture_output=True, check=True)
    return iv + out.stdout


def test_dbeaver(broker):
    credentials = {"mysql8-19a0-1": {"#connection": {"user": "app", "password": PASSWORD},
                                     "network/ssh_tunnel": {"user": "me", "password": PASSWORD}}}
    broker.write("p/credentials-config.json", encrypted(json.dumps(credentials).encode()))
    found = imported(broker, json.dumps(DBEAVER), path="p/data-sources.json")
    assert found["format"] == "dbeaver"
    assert keys(found) == {
        "shop-live": {"title": "Shop / shop live", "host": "db.internal", "user": "app", "database": "shop", "tls": "verify-ca",
                      "tls_ca": "/ca.pem", "tunnel.type": "ssh", "tunnel.host": "bastion.example.com", "tunnel.user": "me",
                      "tunnel.identity": "/home/me/.ssh/id_ed25519"},
        "url": {"host": "h", "port": "3307", "database": "d", "tls": "disabled"}}
    assert found["profiles"][0]["password"] == "dropped" and left_out(found, "shop-live") == {"the bastion's password"}
    assert [row["from"] for row in found["not_imported"]] == ["pg"]


@pytest.mark.parametrize("data, why", [
    (None, "no credentials-config.json in its folder"), (b"short", "credentials-config.json: encrypted with another key"),
    (bytes(range(64)), "credentials-config.json: encrypted with another key"),
    (b"json", "JSON: not well-formed, line 1")], ids=["none", "short", "another-key", "no-json"])
def test_dbeaver_without_its_credentials(broker, data, why):
    if data:
        broker.write("p/credentials-config.json", encrypted(b"{no") if data == b"json" else data)
    found = imported(broker, json.dumps(DBEAVER), path="p/data-sources.json")
    assert "user" not in keys(found)["shop-live"] and len(found["profiles"]) == 2
    assert {"from": "users and passwords", "why": why} in found["not_imported"]


def mylogin(lines, seed=bytes(range(1, 21))):
    """The bytes of a ~/.mylogin.cnf with these lines, encrypted with the openssl program."""
    key = bytearray(16)
    for i, byte in enumerate(seed):
        key[i % 16] ^= byte
    out = bytes(4) + seed
    for line in lines:
        data = subprocess.run(["openssl", "enc", "-aes-128-ecb", "-K", key.hex()], input=line.encode() + b"\n", capture_output=True,
                              check=True).stdout
        out += len(data).to_bytes(4, "little") + data
    return out


def test_mylogin_made_by_hand(broker):
    found = imported(broker, mylogin(["[client]", "user = old", "[shop]", f'password = "{PASSWORD}\\"#"', 'host = "db.example.com"',
                                      "port = 3307", "[weird name]]", 'user = "a b"']))
    assert found["format"] == "mylogin"
    assert keys(found) == {
        "client": {"socket": "auto", "user": "old", "tls": "preferred"},
        "shop": {"host": "db.example.com", "port": "3307", "user": "old", "tls": "preferred"},
        "weird-name": {"title": "weird name]", "socket": "auto", "user": "a b", "tls": "preferred"}}
    assert [p["password"] for p in found["profiles"]] == [None, "dropped", None]


def test_mylogin_of_the_real_editor(broker, keychain):
    """mysql_config_editor writes it; it runs on a terminal, where it asks for the password."""
    editor = tool("mysql_config_editor")
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    path = broker.home / "login"
    env = {**broker.environment({}), "MYSQL_TEST_LOGIN_FILE": str(path)}
    made = Terminal([*editor, "set", "--login-path=shop", "--host=db.example.com", "--user=app", "--port=3307", "--password"],
                    env, broker.home)
    made.expect(b"Enter password: ")
    made.sendline(CANARY)
    assert made.wait() == 0
    t, code = answer(broker, b"y", b"y", b"y", path=path)
    assert code == 0, (t.err, t.shown)
    assert broker.config_path.read_text() == (
        "[profile shop]\nhost = db.example.com\nport = 3307\nuser = app\ntls = preferred\n")
    assert keychain.lookup({"identity": "mysql://app@db.example.com:3307"}) == CANARY


@pytest.mark.parametrize("data, why", [
    (mylogin(["[a]"])[:-1], "mylogin: a line has the wrong length"), (mylogin(["[a]"]) + b"\0\0", "mylogin: a line has the wrong length"),
    (mylogin(["[a]"]) + b"\xff" * 20, "mylogin: a line has the wrong length"),
    (mylogin([])[:24] + b"\x10\0\0\0" + bytes(16), "mylogin: it cannot be decrypted"),
    (b"bplist00" + bytes(40), "plist: in binary form"), (b"<plist><dict>", "plist: XML: not well-formed"),
    (b'<!DOCTYPE plist [<!ENTITY a "b">]><plist><string>&a;</string></plist>', "plist: XML: it declares entities"),
    (b'<!DOCTYPE plist SYSTEM "file:///etc/passwd"><plist><string>&a;</string></plist>', "plist: XML: unknown entity"),
    (b"<plist>" * 70 + b"</plist>" * 70, "plist: XML: too deep"), (b"<plist/>", "plist: an empty property list"),
    (b'<data grt_format="2.0"/>', "it has no connection that can be imported"),
    (b'{"connections": {}', "dbeaver: JSON: not well-formed"), (b'{"connections": []}', "it has no connection that can be imported"),
    (b"<plist><array>" + b"<integer>1</integer>" * 52000 + b"</array></plist>", "it has no connection that can be imported"),
    (b"<plist><array>" + b"<a/>" * 250000 + b"</array></plist>", "plist: XML: too large"),
    (b"<plist><string>" + b"a" * 70000 + b"</string></plist>", "plist: XML: a text is too long")], ids=range(16))
def test_bad_documents(broker, data, why):
    done = broker.run("profile", "import", "--dry-run", broker.write("theirs", data))
    assert done.code == 65 and why in done.errors, done


# Passwords that Workbench has stored (the tests make the entries, with its attributes, because Workbench is not
# installed)

WORKBENCH_ENTRY = {"service": "Mysql@db.internal:3306@bastion.example.com:22", "account": "app"}


@pytest.mark.parametrize("agrees", [True, False])
def test_workbench_stored_passwords(broker, keychain, agrees):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    keychain.store("theirs", CANARY, WORKBENCH_ENTRY)
    path = broker.write("theirs", WORKBENCH.replace(PASSWORD, ""))
    t, code = answer(broker, b"y" if agrees else b"n", b"y", path=path)
    assert code == 0, (t.err, t.shown)
    assert b"copy what Workbench has stored for 2 profiles? [y/N] " in t.shown and b"store " not in t.shown
    assert t.err == b"added 2 profiles to ~/.config/broker/config\n"
    ours = keychain.lookup({"identity": "mysql://app@db.internal:3306;via=ssh://bastion.example.com"})
    assert ours == (CANARY if agrees else None)
    assert keychain.lookup(WORKBENCH_ENTRY) == CANARY


def test_workbench_passwords_are_not_read_without_asking(broker, keychain):
    broker.secret(CANARY)
    broker.env.update(keychain.env)
    keychain.store("theirs", CANARY, WORKBENCH_ENTRY)
    found = imported(broker, WORKBENCH.replace(PASSWORD, ""))
    assert [p["password"] for p in found["profiles"]] == ["workbench", "workbench"]
