# SPDX-License-Identifier: MIT
"""`auth = helper`: real credential helpers of git and docker, each with its own store, and the answers of fake
helpers."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import having
from lib.helpers import lines
from servers import process

PASSWORD = "canary-helper-27d5"
SERVER = "host = db.example.com\nuser = app\nauth = helper\n"
CONTRIB = Path("/usr/share/doc/git/contrib/credential/libsecret/git-credential-libsecret.c")


@pytest.fixture
def shop(broker):
    broker.secret(PASSWORD.encode())

    def write(helper, *more, server=SERVER):
        broker.config(f"[profile shop]\n{server}auth_helper = {helper}\n" + "".join(f"{line}\n" for line in more))
    broker.helper = write
    return broker


def token(broker, *words, **more):
    return broker.run("token", "shop", *words, secret_out=True, **more)


def gives(broker, **more):
    done = token(broker, **more)
    assert (done.code, done.text) == (0, PASSWORD + "\n"), done.errors
    return done


# Real helpers


def test_git_credential_store(shop):
    """`store` is the name of a helper of git itself; its option names the file with the passwords."""
    shop.helper("store --file=passwords")
    shop.write("passwords", f"https://app:wrong@db.example.com\nmysql://other:wrong@db.example.com\nmysql://app:{PASSWORD}@db.example.com\n",
               secret=True)
    gives(shop)
    shop.helper("store --file=passwords", "port = 3307")
    assert token(shop).code == 79
    shop.write("passwords", f"mysql://app:{PASSWORD}@db.example.com:3307\n", secret=True)
    gives(shop)


def test_helper_url_is_https(shop):
    """auth_helper_url is for helpers that ignore the protocol mysql."""
    shop.helper("store --file=passwords", "auth_helper_url = https://db.example.com")
    shop.write("passwords", f"https://app:{PASSWORD}@db.example.com\n", secret=True)
    gives(shop)


@pytest.fixture(scope="module")
def libsecret(tmp_path_factory):
    """git-credential-libsecret, built from the source that Debian ships with git."""
    if not CONTRIB.exists():
        pytest.skip(f"missing: {CONTRIB}")
    program = tmp_path_factory.mktemp("libsecret") / "git-credential-libsecret"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libsecret-1", "glib-2.0"], capture_output=True, text=True, check=True)
    subprocess.run(["cc", "-o", program, CONTRIB, *flags.stdout.split()], check=True, capture_output=True)
    return program


def test_git_credential_libsecret(shop, keychain, libsecret):
    shop.env.update(keychain.env)
    shop.helper("libsecret")
    env = {"PATH": f"{libsecret.parent}:{shop.env['PATH']}"}
    assert token(shop, env=env).code == 79
    entry = lines(protocol="mysql", host="db.example.com", username="app", password=PASSWORD)
    subprocess.run([libsecret, "store"], input=entry, env={**shop.env, **env}, check=True)
    gives(shop, env=env)
    shop.helper(libsecret)
    gives(shop)


def store_in_docker(program, env, url="mysql://db.example.com", user="app"):
    text = json.dumps({"ServerURL": url, "Username": user, "Secret": PASSWORD}).encode()
    subprocess.run([program, "store"], input=text, env=env, check=True, capture_output=True)


def test_docker_credential_secretservice(shop, keychain):
    program = having(process.need, "/usr/bin/docker-credential-secretservice")
    shop.env.update(keychain.env)
    shop.helper("secretservice")
    assert "docker-credential-secretservice has no password" in token(shop).errors
    store_in_docker(program, shop.env)
    gives(shop)
    shop.helper(program)
    gives(shop)


def test_docker_credential_pass(shop):
    """The helper gets variables such as GNUPGHOME and GPG_TTY, because pass runs gpg."""
    having(process.need, "/usr/bin/pass")
    program = having(process.need, "/usr/bin/docker-credential-pass")
    (shop.home / "gpg").mkdir(mode=0o700)
    shop.env.update(GNUPGHOME=str(shop.home / "gpg"), PASSWORD_STORE_DIR=str(shop.home / "store"))

    def run(*words):
        subprocess.run(words, env={**os.environ, **shop.env}, check=True, capture_output=True, timeout=120)
    run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "shop@example.com", "default", "default")
    run("pass", "init", "shop@example.com")
    try:
        shop.helper("pass")
        store_in_docker(program, shop.env)
        gives(shop)
    finally:
        run("gpgconf", "--kill", "all")


def test_broker_is_not_its_own_helper(shop, keychain):
    """git-credential-broker does not answer for databases; otherwise broker would call itself without end."""
    shop.env.update(keychain.env)
    shop.helper(shop.program.parent / "git-credential-broker")
    done = token(shop)
    assert done.code == 79 and "git-credential-broker has no password" in done.errors and "auth_helper_url" in done.errors


# Answers of fake helpers, because no real helper gives them on demand


def fake(shop, name, text):
    return shop.script(name, text, secret=True)


def test_helper_input(shop):
    fake(shop, "git-credential-fake", f"cat >asked; echo \"$@\" >words; echo password={PASSWORD}")
    shop.helper("'fake' --option 'two words'")
    gives(shop)
    assert (shop.home / "asked").read_text() == "protocol=mysql\nhost=db.example.com\nusername=app\n\n"
    assert (shop.home / "words").read_text() == "--option two words get\n"
    shop.helper("fake", "auth_helper_url = https://me%40x@db.example.com:8443/team")
    gives(shop)
    assert (shop.home / "asked").read_text() == "protocol=https\nhost=db.example.com:8443\npath=team\nusername=me@x\n\n"
    shop.helper("fake", server="socket = /run/my.sock\nuser = app\nauth = helper\n")
    gives(shop)
    assert (shop.home / "asked").read_text() == "protocol=mysql\nhost=localhost\npath=run/my.sock\nusername=app\n\n"


@pytest.mark.parametrize("words, never", [([], False), (["--no-input"], True)])
def test_no_input_is_passed_on(shop, words, never):
    fake(shop, "git-credential-fake", f'echo "$GCM_INTERACTIVE,$GIT_TERMINAL_PROMPT,$GPG_TTY" >seen; echo password={PASSWORD}')
    shop.helper("fake")
    assert token(shop, *words, env={"GPG_TTY": "/dev/pts/7"}).code == 0
    assert (shop.home / "seen").read_text() == ("never,0" if never else ",") + ",/dev/pts/7\n"


def test_helper_returns_user(shop):
    fake(shop, "git-credential-fake", f"printf 'username=made\\npassword={PASSWORD}\\npassword_expiry_utc=9999999999\\n'")
    shop.helper("fake", server="host = db.example.com\nauth = helper\n")
    done = shop.run("credential", "get", input=b"profile=shop\n", secret_out=True)
    assert done.text == f"username=made\npassword={PASSWORD}\npassword_expiry_utc=9999999999\n"
    shop.helper("fake")
    done = token(shop)
    assert done.code == 79 and "has the password of another user, not of app" in done.errors
    shop.helper("fake", "auth_helper_url = https://x.example.com")
    gives(shop)


@pytest.mark.parametrize("text, code, message", [
    ("exit 1", 79, "has no password"), (":", 79, "has no password"), ("echo username=app", 79, "has no password"),
    (f"echo password={PASSWORD}; exit 3", 0, ""), ("echo quit=1", 77, "answered quit=1"),
    (f"printf 'password={PASSWORD}\\npassword_expiry_utc=1\\n'", 79, "has no password"), ("echo nonsense", 76, "printed an invalid answer"),
    ("printf 'a\\0b=c\\n'", 76, "printed an invalid answer"), ("head -c 100000 /dev/zero | tr '\\0' =", 65, "printed over"),
    ("echo 'locked out' >&2; exit 1", 79, "locked out"), (f"printf 'password={PASSWORD}\\r\\n'", 0, ""), ("echo password=", 0, ""),
])
def test_answers(shop, text, code, message):
    fake(shop, "git-credential-fake", text)
    shop.helper("fake")
    done = token(shop)
    assert done.code == code and message in done.errors, done.errors
    assert code or done.text in (PASSWORD + "\n", "\n")


@pytest.mark.parametrize("text, code, message", [
    ("echo credentials not found in native keychain; exit 1", 79, "has no password"), ("echo '{}'", 76, "printed an invalid answer"),
    ("echo '{\"ServerURL\":\"x\",\"Username\":\"other\",\"Secret\":\"y\"}'", 79, "another user"),
    (f"cat >asked; echo '{{\"ServerURL\":\"x\",\"Username\":\"app\",\"Secret\":\"{PASSWORD}\"}}'", 0, ""),
])
def test_answers_of_docker(shop, text, code, message):
    fake(shop, "docker-credential-fake", text)
    shop.helper("fake")
    done = token(shop)
    assert done.code == code and message in done.errors, done.errors
    assert code or (shop.home / "asked").read_text() == "mysql://db.example.com"


def test_no_such_helper(shop):
    for name in ("nowhere", "/nowhere/at/all", "git-credential-nowhere"):
        shop.helper(name)
        done = token(shop)
        assert done.code == 78 and f"auth_helper: {name}: no such helper" in done.errors


def test_keys(broker):
    broker.config("[profile shop]\n" + SERVER)
    assert "auth = helper needs auth_helper" in token(broker).errors
    broker.config("[profile shop]\n" + SERVER + "auth_helper = x\nauth_helper_url = db.example.com\n")
    assert "not a URL" in token(broker).errors


def test_password_is_not_in_arguments(shop):
    fake(shop, "git-credential-fake", f"echo password={PASSWORD}")
    shop.helper("fake")
    with shop.watch() as watch:
        assert token(shop, "-vv").code == 0
    for argv in watch.argv:
        assert PASSWORD.encode() not in argv or b"git-credential-fake" in argv


def test_connect(shop, mariadb_server, clients):
    """The stock client logs in with a password from git-credential-store."""
    client = clients["mariadb1011"].path
    shop.helper("store --file=passwords", f"client = {client}",
                server=f"host = 127.0.0.1\nport = {mariadb_server.port}\nuser = app\nauth = helper\n")
    password = mariadb_server.password("app").decode()
    shop.write("passwords", f"mysql://app:{password}@127.0.0.1:{mariadb_server.port}\n", secret=True)
    done = shop.run("connect", "shop", "--", "-e", "select 1")
    assert done.code == 0, done.errors
