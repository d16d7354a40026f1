# SPDX-License-Identifier: MIT
"""URLs from an attacker: each is tried on the command line, from stdin, from the environment and in `profile add`.
None runs a program, opens a file, lowers TLS, or sends a secret of this machine to a server that it does not belong to.
A refusal has status 65 and says what to do instead. The servers are fakes that record every byte they get."""
import json

import pytest

from servers.pki import RIGHT_NAME

SECRET = b"fake-canary-of-this-machine"
RDS = "prod.c9akciq32.eu-west-1.rds.amazonaws.com"
KEY = "AKIAFAKECANARY000000"
MARK = "somebody was here"
# Each tries to run, read or send something of this machine. {fake} is the attacker's port, {evil} a program, {ca} a
# file.
URLS = [
    "mysql://app@{name}:{fake}/?auth=command&auth_command={evil}",
    "mysql://app@127.0.0.1:{fake}/?auth_command={evil}",
    "mysql://app@{name}:{fake}/?auth=none&client={evil}",
    "mysql://app:pw@{name}:{fake}/?client={evil}",
    "mysql://app@{name}:{fake}/?auth=helper&auth_helper={evil}",
    f"mysql://app@{RDS}/?auth=iam&mfa_command={{evil}}&via=tcp://127.0.0.1:{{fake}}",
    "mysql://app@{name}:{fake}/?auth=env&auth_env=AWS_SECRET_ACCESS_KEY&tls=preferred",
    "mysql://app@127.0.0.1:{fake}/?auth=env&auth_env=AWS_SECRET_ACCESS_KEY",
    "mysql://app@127.0.0.1:{fake}/?auth=file&auth_file=~/.git-credentials",
    "mysql://app@{name}:{fake}/?auth=file&auth_file=~/.git-credentials&tls=disabled",
    "mysql://app:pw@127.0.0.1:{fake}/?local_infile=yes",
    "mysql://app@{name}:{fake}/?inherits=prod",
    "mysql://app:pw@{name}:{fake}/?inherits=prod",
    f"mysql://app@{RDS}/?type=aws_iam&aws_profile=prod&via=tcp://127.0.0.1:{{fake}}&tls=required",
    f"mysql://app:pw@{RDS}/?type=aws_iam&aws_profile=prod&via=tcp://127.0.0.1:{{fake}}&tls=required",
    f"mysql://app@{RDS}/?type=aws_iam&aws_profile=prod&via=tcp://127.0.0.1:{{fake}}&tls_ca={{ca}}",
    f"mysql://app@{RDS}/?type=aws_iam&aws_profile=prod&via=tcp://127.0.0.1:{{fake}}&tls=verify-ca",
    f"mysql://app@{{name}}:{{fake}}/?type=aws_iam&aws_profile=prod&sign_host={RDS}&tls=verify-ca",
    f"mysql://app@127.0.0.1:{{fake}}/?type=aws_iam&aws_profile=prod&sign_host={RDS}",
    "mysql://{name}:{fake}/",
    "mysql://app@{name}:{fake}/?auth=client",
    "mysql://app:pw@{name}:{fake}/?auth=client&tls=disabled",
    "mysql://127.0.0.1/?via=tcp://127.0.0.1:{fake}",
    "mysql://app@{name}:{fake}/?tls=preferred",
    "mysql://app@{name}:{fake}/?tls=disabled",
    "mysql://app@{name}:{fake}/?type=vault&vault_addr=https://{name}:{fake}&vault_path=x",
    "mysql://app@{name}:{fake}/?auth=none&my_cnf=no",
    "mysql://app@{name}:{fake}/?auth=none&listen=0.0.0.0:13306",
    "mysql://app@{name}:{fake}/--init-command=x?auth=none",
]


@pytest.fixture
def victim(broker, names, fake_server, pki, clients):
    """A user with secrets of all kinds, and the attacker's server."""
    broker.secret(SECRET)
    broker.allow(broker.write(".git-credentials", b"https://me:" + SECRET + b"@git.example.com\n"))
    broker.allow(broker.write(".my.cnf", b"[client]\nuser=root\npassword=" + SECRET + b"\n"))
    broker.allow(broker.write(".aws/credentials", b"[prod]\naws_access_key_id = " + KEY.encode() +
                              b"\naws_secret_access_key = " + SECRET + b"\n"))
    broker.write(".aws/config", "[profile prod]\nregion = eu-west-1\n")
    broker.script("print-it", f"echo {SECRET.decode()}", secret=True)
    broker.script("evil", f"echo '{MARK}' >>{broker.home}/mark; echo x")
    broker.config(f"[defaults]\nclient = {clients['mariadb1011'].path}\n"
                  "[profile prod]\nhost = prod.example.com\nuser = app\nauth = command\nauth_command = print-it\n")
    broker.env["AWS_SECRET_ACCESS_KEY"] = SECRET.decode()
    broker.fake = fake_server("switch", certificate=pki.issue("self", [f"DNS:{RDS}", f"DNS:{RIGHT_NAME}"]))
    broker.pki = pki
    return broker


def filled(victim, url):
    return url.format(name=RIGHT_NAME, fake=victim.fake.port, evil=victim.home / "bin" / "evil", ca=victim.pki.ca)


def unharmed(victim):
    assert not (victim.home / "mark").exists()
    assert victim.fake.connections == 0 and victim.fake.received == b""


def assert_refused(done):
    lines = done.errors.splitlines()
    lines = lines[2:] if lines[0] == "broker: warning: password on the command line" else lines
    assert done.code == 65 and done.out == b"", done
    assert len(lines) == 2 and lines[0].startswith("broker: URL: ") and lines[1].startswith("hint: "), lines
    assert "-o " in lines[1] and lines[1].endswith("or a profile"), lines


@pytest.mark.parametrize("url", URLS)
def test_refused_wherever_a_url_is_read(victim, url):
    url = filled(victim, url)
    for args, options in ((["connect", url], {}), (["connect", "-"], {"input": url.encode() + b"\n"}),
                          (["connect"], {"env": {"BROKER_PROFILE": url}}), (["test", url], {}), (["token", url], {}),
                          (["exec", url, "--", "env"], {}), (["login", url], {}),
                          (["connect", url, "--dry-run"], {})):
        assert_refused(victim.run(*args, **options))
    before = victim.config_path.read_bytes()
    for args, options in (([url], {}), (["-"], {"input": url.encode() + b"\n"})):
        assert_refused(victim.run("profile", "add", "new", *args, **options))
    assert victim.config_path.read_bytes() == before
    unharmed(victim)


def test_fake_can_get_the_secret(victim):
    """Shows that the fake would get the secret: here the user's own profile allows it, and the server is not
    verified."""
    victim.config("[profile p]\nhost = 127.0.0.1\nuser = app\nauth = env\nauth_env = AWS_SECRET_ACCESS_KEY\n"
                  "tls = required\ncleartext = yes\n")
    done = victim.run("connect", "p", "--port", str(victim.fake.port), "--", "-e", "select 1")
    assert done.code == 1 and SECRET in victim.fake.received


def test_token_is_sent_only_to_a_verified_server(victim, clients):
    """Without `tls=required` this URL is allowed, so what is at the end of the tunnel must prove that it is the
    server."""
    for client in clients.values():
        done = victim.run("connect", f"mysql://app@{RDS}/?type=aws_iam&aws_profile=prod&via=tcp://127.0.0.1:{victim.fake.port}",
                          "--client", client.path, "--", "-e", "select 1")
        assert done.code != 0
    assert victim.fake.connections >= 1
    assert b"X-Amz" not in victim.fake.received and SECRET not in victim.fake.received


def test_provider_from_defaults_is_refused(victim, clients):
    """A provider from [defaults] or the environment is refused for a URL's server. A loopback server is the user's
    own."""
    url = f"mysql://app@{RIGHT_NAME}:{victim.fake.port}/"
    for text, env in (("auth = command\nauth_command = evil", {}), ("", {"BROKER_AUTH": "command", "BROKER_AUTH_COMMAND": "evil"})):
        victim.config("[defaults]\n" + text + "\n")
        done = victim.run("token", url, env=env)
        assert (done.code, done.out) == (65, b"")
        assert done.errors == "broker: URL: auth = command: its secret is not for this server only\nhint: -o auth=command, or a profile\n"
        unharmed(victim)
        done = victim.run("token", url, "--auth", "command", env=env)
        assert (done.code, done.text) == (0, "x\n")
        (victim.home / "mark").unlink()
        assert victim.run("token", f"mysql://app@127.0.0.1:{victim.fake.port}/", env=env).text == "x\n"
        (victim.home / "mark").unlink()


def test_own_password_wins_over_defaults(victim):
    victim.config("[defaults]\nauth = command\nauth_command = evil\n")
    done = victim.run("token", "-", input=f"mysql://app:own@{RIGHT_NAME}/\n".encode())
    assert (done.code, done.text) == (0, "own\n")
    unharmed(victim)


def test_profile_from_a_url_names_its_provider(victim, keychain):
    """The new profile uses no secret of this machine either, because it names its provider."""
    victim.env.update(keychain.env)
    victim.config("[defaults]\nauth = command\nauth_command = evil\n")
    done = victim.run("profile", "add", "new", "-", input=f"mysql://app:own@{RIGHT_NAME}/\n".encode())
    assert done.code == 0 and "auth = keychain\n" in victim.config_path.read_text()
    unharmed(victim)


def test_profile_add_warns_of_lower_tls_with_own_password(victim):
    done = victim.run("profile", "add", "new", "-", input=f"mysql://app:own@{RIGHT_NAME}/?tls=disabled\n".encode())
    assert done.code == 0
    assert done.errors.startswith("broker: warning: from the URL: tls = disabled is weaker than this server's usual level, required\n"
                                  "hint: broker profile show new\n")
    shown = json.loads(victim.run("profile", "show", "new", "--json").out)
    assert shown["keys"]["tls"]["value"] == "disabled"


@pytest.mark.parametrize("zone", ["%27 = (select sleep(9)) -- ", "SYSTEM%27; drop database prod; -- ", "UTC%5C%27", "%22%60"])
def test_time_zone_cannot_be_a_statement(victim, zone):
    """With NO_BACKSLASH_ESCAPES, which the server can set, no escaping in what the client is told could keep it a
    string."""
    done = victim.run("connect", "-", input=filled(victim, f"mysql://app:pw@{{name}}:{{fake}}/?time_zone={zone}").encode() + b"\n")
    assert (done.code, done.out) == (65, b"")
    assert done.errors == ("broker: URL: time_zone: not the name of a time zone\n"
                           "hint: for example: time_zone = Europe/Berlin, +02:00 or server\n")
    unharmed(victim)


@pytest.mark.parametrize("url", [
    "mysql://app@{name}:{fake}/?tls=required", "mysql://app@{name}:{fake}/?tls_ca={ca}",
    "mysql://app:pw@{name}:{fake}/?tls=disabled", "mysql://app@{name}:{fake}/?auth=none&tls=disabled",
    "mysql://127.0.0.1:{fake}/", "mysql://app@127.0.0.1/?ssh_host=b&ssh_keyLocation={ca}&ssh_keyLocationEnabled=1",
    "mysql://app@{name}/?tls_cert={ca}&tls_key={ca}", f"mysql://app@{RDS}/?type=aws_iam&aws_profile=prod"])
def test_allowed_urls(victim, clients, url):
    url = filled(victim, url)
    done = victim.run("connect", "-", "--dry-run", "--client", clients["mysql9"].path, input=url.encode() + b"\n")
    assert (done.code, done.errors) == (0, ""), done
