# SPDX-License-Identifier: MIT
"""What the user sees, to the character, if real servers take part: the output of each command as a whole, on stdout
("1|"), stderr ("2|") and the terminal ("t|"), and its exit status. The causes of each line are tested elsewhere."""
import re
import shutil
import subprocess

import pytest

from lib.broker import PROGRAM
from lib.logins import profile
from lib.vault import HIDE
from servers.mariadb_iam import HOST, KEYS
from test_credential_clone import PASSWORD, USER, site  # noqa: F401

STATIC = next(iter(KEYS))
TOKEN = (r"\?Action=connect&DBUser=app_ro&X-Amz-Algorithm=AWS4-HMAC-SHA256&[\w%&=-]+", "TOKEN")
KEY = (r"SHA256:[\w+/]{43}", "SHA256:KEY")
ROW_TIME = (r"(ok    |failed)  (?=.{6}  ) *\d+m?s  ", r"\1     0ms  ")  # right-aligned in six columns
STEP_TIME = (r"(?m)^(2\| )\+\d+m?s +", r"\1+0ms   ")
VALID = (r"valid for (1h|59m)", "valid for 1h")


def shown(ran, *varying):
    """All output of a Result, or of a Terminal when its program has ended, and the exit status in the last line.
    VARYING: patterns of what differs in each run, and their replacements."""
    code = ran.code if hasattr(ran, "code") else ran.wait()
    tty = ran.tty if hasattr(ran, "tty") else ran.shown
    tty = re.sub(rb"(" + re.escape(HIDE) + rb"waiting for [^\r]*)*" + re.escape(HIDE), b"", tty)
    text = "".join(f"{mark} {line}\n" for mark, stream in (("1|", ran.out), ("2|", ran.err), ("t|", tty))
                   for line in stream.decode().replace("\r\n", "\n").splitlines())
    for pattern, word in varying:
        text = re.sub(pattern, word, text)
    return f"{text}[{code if code >= 0 else 128 - code}]\n"


def answer(terminal, *pairs):
    for question, said in pairs:
        terminal.expect(question.encode())
        terminal.sendline(said.encode())
    return terminal


# A bastion and IAM

@pytest.fixture
def prod(broker, names, iam_server, ssh_home, usual_sshd, user_key, clients, engine):
    """[profile prod] behind bastion.example.com, whose port and key only ~/.ssh/config knows."""
    iam_server.tell()
    usual_sshd.authorize(user_key)
    with open("/etc/hosts") as hosts:
        broker.etc.write("/etc/hosts", hosts.read() + f"127.0.0.1 {HOST} bastion.example.com\n")
    broker.write(".local/share/broker/rds-ca.pem", iam_server.ca.read_bytes())
    secret = broker.secret(KEYS[STATIC]["secret"].encode()).decode()
    broker.write(".aws/credentials", f"[prod]\naws_access_key_id = {STATIC}\naws_secret_access_key = {secret}\n", secret=True)
    broker.write(".ssh/config", f"Host bastion.example.com\n  Port {usual_sshd.port}\n  HostKeyAlgorithms ssh-ed25519\n"
                                f"  IdentityFile {user_key}\n  IdentitiesOnly yes\n  KexAlgorithms curve25519-sha256\n")
    keys = {"host": HOST, "port": iam_server.port, "user": "app_ro", "database": "shop", "auth": "iam", "aws_profile": "prod",
            "client": clients["mysql9"].path}
    broker.config(profile("prod", via="bastion", **keys) + profile("stage", **keys) +
                  f"[tunnel bastion]\ntype = ssh\nhost = bastion.example.com\nuser = {usual_sshd.user}\nssh_engine = {engine}\n")
    broker.client, broker.iam = clients["mysql9"].path, iam_server
    broker.bastion, broker.port = f"{usual_sshd.user}@bastion.example.com", usual_sshd.port
    return broker


def on_a_terminal(broker, *args):
    return broker.pty(*args, stdout="pipe", stderr="pipe")


def accept_new_keys(ssh_home):
    with (ssh_home / "config").open("a") as config:
        config.write("  StrictHostKeyChecking accept-new\n")


def another_key(broker):
    """A key pair that no server knows; returns its path."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", broker.folder / "other"], check=True)
    return broker.folder / "other"


QUERY = ["--", "-NBe", "select current_user()"]
def test_connect(prod, engine, ssh_home):
    place = f"[bastion.example.com]:{prod.port}"
    assert shown(prod.run("connect", "stage", *QUERY)) == "1| app_ro@%\n[0]\n"
    asked = answer(on_a_terminal(prod, "connect", "prod", *QUERY), ("(yes/no/[fingerprint])? ", "yes"))
    assert shown(asked, KEY) == f"""\
1| app_ro@%
2| Warning: Permanently added '{place}' (ED25519) to the list of known hosts.
t| The authenticity of host '{place} ([127.0.0.1]:{prod.port})' can't be established.
t| ED25519 key fingerprint is SHA256:KEY.
t| This key is not known by any other names.
t| Are you sure you want to continue connecting (yes/no/[fingerprint])? yes
[0]
"""
    assert shown(on_a_terminal(prod, "connect", "prod", *QUERY)) == "1| app_ro@%\n[0]\n"
    reason = "openssh: ssh_engine" if engine == "openssh" else "libssh2"
    said = shown(prod.run("connect", "prod", "-v", *QUERY), STEP_TIME, (r"2\| \S+ +ssh  .*\n", ""), (r"/dev/fd/\d+", "/dev/fd/N"))
    assert said == f"""\
1| app_ro@%
2| +0ms   config      ~/.config/broker/config:1
2| +0ms   login       aws profile prod, static keys
2| +0ms   route       ssh {prod.bastion}:{prod.port}, {reason}
2| +0ms   credential  iam token for app_ro, password ********, valid for 15m
2| +0ms   keeper      logs in for each connection
2| +0ms   client      {prod.client} --defaults-file=/dev/fd/N
[0]
"""
    known, other = ssh_home / "known_hosts", another_key(prod).with_suffix(".pub").read_text()
    known.write_text(f"# mine\n{known.read_text().split()[0]} {' '.join(other.split()[:2])}\n")
    assert shown(on_a_terminal(prod, "connect", "prod"), KEY) == f"""\
2| broker: prod: {place}: REMOTE HOST IDENTIFICATION HAS CHANGED
2|   ~/.ssh/known_hosts:2  ED25519 SHA256:KEY
2|   offered now           ED25519 SHA256:KEY
2| hint: ssh-keygen -R '{place}', once you know why
[77]
"""


def test_test(prod, ssh_home):
    accept_new_keys(ssh_home)
    assert prod.run("test", "prod").code == 0
    route = f"ssh {prod.bastion}:{prod.port}"
    rows = f"""\
1| login       ok         0ms  aws profile prod, static keys
1| route       ok         0ms  {route}
1| credential  ok         0ms  iam token for app_ro, valid for 15m
"""
    assert shown(prod.run("test", "prod"), ROW_TIME, (r"  \d+\.\d+\.\d+-\S+,", "  VERSION,")) == \
        rows + "1| server      ok         0ms  VERSION, app_ro@127.0.0.1, TLS_AES_256_GCM_SHA384\n[0]\n"
    prod.iam.tell(grants={STATIC: ["app"]})
    message = "1045 access denied for app_ro@127.0.0.1"
    hint = "check IAM auth on the server, rds-db:connect for app_ro, aws sts get-caller-identity --profile prod"
    error = f"2| broker: prod: {message}\n2| hint: {hint}\n[77]\n"
    assert shown(prod.run("test", "prod"), ROW_TIME) == f"{rows}1| server      failed     0ms  {message}\n{error}"
    hops = [("login", "aws profile prod, static keys"), ("route", route), ("credential", "iam token for app_ro, valid for 15m")]
    passed = "".join(f'{{"hop":"{hop}","ok":true,"ms":0,"detail":"{detail}"}},' for hop, detail in hops)
    assert shown(prod.run("test", "prod", "--json"), (r'"ms":\d+', '"ms":0')) == (
        f'1| {{"profile":"prod","ok":false,"exit":77,"hops":[{passed}{{"hop":"server","ok":false,"ms":0,"detail":"{message}"}}],'
        f'"user":null,"version":null,"tls_cipher":null,"error":{{"message":"{message}","hint":"{hint}","server_code":1045}}}}\n{error}')
    config = ssh_home / "config"
    config.write_text(re.sub("IdentityFile .*", f"IdentityFile {another_key(prod)}", config.read_text()))
    assert shown(prod.run("test", "prod"), ROW_TIME) == f"""\
1| login       ok         0ms  aws profile prod, static keys
1| route       failed     0ms  {prod.bastion}: Permission denied (publickey)
2| broker: prod: {prod.bastion}: Permission denied (publickey)
2| hint: make ssh {prod.bastion} work, or set identity in [tunnel bastion]
[77]
"""


def test_forward(prod, forwards, ssh_home):
    accept_new_keys(ssh_home)
    assert prod.run("test", "prod").code == 0
    no_forward = "2| broker: prod: no forward\n2| hint: broker forward prod --detach\n[69]\n"
    assert shown(prod.run("status", "prod")) == shown(prod.run("params", "prod")) == no_forward
    tty = prod.pty("forward", "prod", stdout="pipe")
    tty.expect(b"Ctrl-C ends it")
    tty.interrupt()
    assert re.fullmatch(rf"1\| 127\.0\.0\.1:\d+\nt\| prod: to {HOST}:{prod.iam.port}, Ctrl-C ends it\nt\| \^C\n\[130\]\n", shown(tty))
    address = forwards.detach("prod")
    assert shown(prod.run("forward", "prod", "--detach")) == f"1| {address}\n[0]\n"
    listed = prod.run("status", "prod").text
    life = re.search(r"up \d+m?s", listed)[0]
    assert listed == f"KIND     NAME  {'LIFE':{len(life)}}  DETAIL\nforward  prod  {life}  {address}, 0 connections\n"
    of = (f'{{"profile":"prod","host":"127.0.0.1","port":{address.partition(":")[2]},"socket":null,"user":null,"password":null,'
          f'"endpoint":{{"host":"{HOST}","port":{prod.iam.port},"socket":null}},"pid":{forwards.one("prod")["pid"]}')
    assert shown(prod.run("forward", "prod", "--detach", "--json")) == f"1| {of}}}\n[0]\n"
    assert shown(prod.run("status", "prod", "--json"), (r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"', '"TIME"')) == \
        f'1| {{"forwards":[{of},"state":"up","connections":0,"started_at":"TIME"}}],"sessions":[]}}\n[0]\n'
    assert shown(prod.run("stop", "prod")) == "[0]\n" and shown(prod.run("status", "prod")) == no_forward


def test_token(prod):
    token = f"{HOST}:{prod.iam.port}/TOKEN"
    for ran in (prod.run("token", "prod"), on_a_terminal(prod, "token", "prod")):
        assert shown(ran, TOKEN) == f"1| {token}\n[0]\n"
    assert shown(prod.run("credential", "get", input=b"profile=prod\n\n"), TOKEN, (r"utc=\d+", "utc=TIME")) == \
        f"1| username=app_ro\n1| password={token}\n1| password_expiry_utc=TIME\n[0]\n"


# The keychain

def test_keychain(broker, names, mysql_server, clients, keychain):
    broker.env.update(keychain.env)
    with open("/etc/hosts") as hosts:
        broker.etc.write("/etc/hosts", hosts.read() + "127.0.0.1 db.example.com\n")
    password = broker.secret(mysql_server.password("app")).decode()
    server = f"db.example.com:{mysql_server.port}"
    broker.config(profile("shop", host="db.example.com", port=mysql_server.port, user="app", database="shop", client=clients["mysql9"].path))
    first = answer(on_a_terminal(broker, "connect", "shop", *QUERY),
                   (f"password for app@{server}: ", password), ("store it in the keychain? [y/N] ", "y"))
    assert shown(first) == f"1| app@%\nt| password for app@{server}: \nt| store it in the keychain? [y/N] y\n[0]\n"
    assert shown(on_a_terminal(broker, "connect", "shop", *QUERY)) == "1| app@%\n[0]\n"
    rows = ["export MYSQL_HOST='db.example.com'", f"export MYSQL_TCP_PORT='{mysql_server.port}'", "export MYSQL_USER='app'",
            "# export MYSQL_PWD=********", "export MYSQL_DATABASE='shop'"]
    assert shown(broker.pty("params", "shop", stderr="pipe")) == \
        "2| password masked on a terminal; --reveal shows it\n" + "".join(f"t| {row}\n" for row in rows) + "[0]\n"
    rows[3] = f"export MYSQL_PWD='{password}'"
    assert shown(broker.run("params", "shop", secret_out=True)) == "".join(f"1| {row}\n" for row in rows) + "[0]\n"
    assert shown(broker.run("params", "shop", "--format", "url", secret_out=True)) == f"1| mysql://app:{password}@{server}/shop?ssl-mode=REQUIRED\n[0]\n"
    done = broker.run("test", "shop", "--tls", "verify-identity", "-o", f"tls_ca={mysql_server.ca}")
    message = "2026 certificate is not valid for db.example.com"
    assert shown(done, ROW_TIME) == f"""\
1| route       ok         0ms  direct to {server}
1| credential  ok         0ms  stored password of app@{server}
1| server      failed     0ms  {message}
2| broker: shop: {message}
2|   it names db.test.internal, localhost
2| hint: host = db.test.internal
[69]
"""


# Vault

@pytest.fixture
def warehouse(desk, vault, openid, clients):
    """The profile `w`: Vault with a browser's login."""
    desk.configure(vault_mount=vault.oidc(openid), client=clients["mariadb1011"].path)
    return desk


URL = (r"(?m)^(2|t)\| http://\S+/auth\?client_id=\S+$", r"\1| URL")


def test_browser(warehouse, vault):
    place = vault.front.url
    assert shown(warehouse.run("params", "w")) == f"2| broker: w: not logged in to {place}\n2| hint: broker login w\n[79]\n"
    invited = f"2| log in to {place} in the browser:\n2| URL\n"
    tty = on_a_terminal(warehouse, "login", "w")
    warehouse.opened()
    tty.interrupt()
    assert shown(tty, URL) == f"{invited}t| ^C\n[130]\n" and tty.echo
    (warehouse.broker.home / "seen").unlink()
    tty = on_a_terminal(warehouse, "connect", "w", "--", "-NBe", "select 1")
    warehouse.browser.sign_in(warehouse.opened())
    assert shown(tty, URL, VALID) == f"1| 1\n{invited}2| logged in, valid for 1h\n[0]\n"
    assert shown(on_a_terminal(warehouse, "connect", "w", "--", "-NBe", "select 1")) == "1| 1\n[0]\n"
    user, = vault.users()
    rows = [line.split("  ") for line in re.sub(" {2,}", "  ", warehouse.run("status").text).splitlines()]
    assert [row[:2] + row[3:] for row in rows] == [["KIND", "NAME", "DETAIL"], ["vault_token", place, "oidc"], ["vault_lease", vault.path, user]]
    assert all(re.fullmatch("valid for (1h|59m)", row[2]) for row in rows[1:])


def test_pasted_address(warehouse, vault):
    """Without a display."""
    tty = warehouse.pty("login", "w", env={"DISPLAY": None})
    tty.expect(b"address: ")
    link = re.search(rb"\n(http\S+)\r\n", tty.shown)[1].decode()
    tty.sendline(warehouse.browser.sign_in(link, until=warehouse.address).encode())
    machine = subprocess.run(["uname", "-n"], capture_output=True, text=True, check=True).stdout.strip()
    port = warehouse.callback
    assert shown(tty, URL, VALID) == f"""\
t| log in to {vault.front.url} in any browser:
t| URL
t| it ends at http://localhost:{port}/...; if that does not load, paste its address,
t| or first: ssh -L {port}:localhost:{port} {machine}
t| address:{" "}
t| logged in, valid for 1h
[0]
"""


# git

def test_git(bare_broker, site, keychain):  # noqa: F811
    git = bare_broker(shutil.which("git") or pytest.skip("missing: git"))
    git.env.update({**keychain.env, "PATH": f"{PROGRAM.parent}:/usr/bin:/bin"})
    git.secret(PASSWORD.encode())
    place, host = site.url.rpartition("/")[0], site.url.split("/")[2]
    assert shown(git.run("config", "--global", "credential.helper", "broker")) == "[0]\n"
    tty = answer(on_a_terminal(git, "clone", "-q", site.url), ("Username", USER), ("Password", PASSWORD))
    assert shown(tty) == f"t| Username for '{place}': {USER}\nt| Password for 'http://{USER}@{host}': \n[0]\n"
    assert shown(on_a_terminal(git, "-C", "app", "pull", "-q")) == "[0]\n"
    assert shown(git.run("credential", "fill", input=f"protocol=http\nhost={host}\n\n".encode(), secret_out=True)) == \
        f"1| protocol=http\n1| host={host}\n1| username={USER}\n1| password={PASSWORD}\n[0]\n"
