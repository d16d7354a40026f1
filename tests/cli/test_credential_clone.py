# SPDX-License-Identifier: MIT
"""A real git with broker as its helper, over http with authentication: a password that was typed once is stored and
used, and erased when the server refuses it. With git-credential-oauth: a refresh token is kept longer than its
password."""
import base64
import functools
import http.server
import json
import shutil
import subprocess
import threading
import time

import pytest

from conftest import having
from lib.helpers import Git, Store, fields_of, git_version, lines
from servers.process import die_with_parent

GIT = "/usr/bin/git"
OAUTH = "/usr/bin/git-credential-oauth"
USER, PASSWORD = "dev", "canary-clone-19e4"


class Guarded(http.server.SimpleHTTPRequestHandler):
    """Serves files to clients that send `server.password`; `server.seen` has the credentials that were sent."""

    def do_GET(self):
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        given = base64.b64decode(text).decode() if kind == "Basic" else None
        if given:
            self.server.seen.append(given)
        if given == f"{USER}:{self.server.password}":
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def site(tmp_path):
    """A server with a repository app.git of one commit."""
    work, bare = tmp_path / "work", tmp_path / "www" / "app.git"
    me = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q", work], ["-C", work, *me, "commit", "-q", "--allow-empty", "-m", "one"],
                  ["clone", "-q", "--bare", work, bare], ["-C", bare, "update-server-info"]):
        subprocess.run([GIT, *words], check=True, preexec_fn=die_with_parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Guarded, directory=str(tmp_path / "www")))
    server.password, server.seen = PASSWORD, []
    server.url = f"http://127.0.0.1:{server.server_port}/app.git"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def git(bare_broker):
    if not shutil.which(GIT):
        pytest.skip("missing: git")
    store = having(Store, "keyring")
    runner = bare_broker(GIT)
    runner.secret(PASSWORD.encode())
    yield Git(runner, store)
    store.stop()


def typed(git, password):
    """Sets what the user would answer to git's prompts from now on."""
    git.runner.script("askpass", f'echo "$1" >>$HOME/asked\ncase $1 in Username*) echo {USER} ;; *) echo {password} ;; esac', secret=True)


def asked(git):
    path = git.runner.home / "asked"
    lines_ = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return len(lines_)


def test_clone_prompts_once(git, site):
    typed(git, PASSWORD)
    assert git.run("clone", "-q", site.url, "app").code == 0 and asked(git) == 2
    assert git.run("-C", "app", "pull", "-q").code == 0 and asked(git) == 0
    assert git.run("clone", "-q", site.url, "again").code == 0 and asked(git) == 0
    log = git.run("-C", "again", "log", "--format=%s")
    assert log.text == "one\n"


def test_refused_password_is_erased(git, site):
    typed(git, PASSWORD)
    assert git.run("clone", "-q", site.url, "app").code == 0
    site.password = "canary-changed-20b7"
    git.runner.secret(b"canary-changed-20b7")
    assert git.run("-C", "app", "pull", "-q").code != 0  # the old one is refused, and git does not prompt in the same run
    typed(git, site.password)
    asked(git)
    assert git.run("-C", "app", "pull", "-q").code == 0 and asked(git) == 2
    assert git.run("-C", "app", "pull", "-q").code == 0 and asked(git) == 0


def test_password_is_in_no_argv(git, site):
    typed(git, PASSWORD)
    with git.runner.watch() as watch:
        assert git.run("clone", "-q", site.url, "app").code == 0
    for argv in watch.argv:
        assert PASSWORD.encode() not in argv


def test_refresh_token_is_used_for_the_next_password(git, web):
    """broker keeps it after the password has expired; git-credential-oauth, the next helper, gets a new password
    with it."""
    if git_version() < (2, 41) or not shutil.which(OAUTH):
        return  # Debian 12: its git does not know refresh tokens, and it has no such helper
    forms = []

    def answer(handler):
        forms.append(handler.seen.body.decode())
        return 200, {"Content-Type": "application/json"}, json.dumps({
            "access_token": "canary-access-2", "token_type": "bearer", "expires_in": 7200, "refresh_token": "canary-refresh-2"}).encode()
    tokens = web({"/token": answer})
    place = {"protocol": "http", "host": "git.example.com"}
    end = int(time.time()) + 2
    first = lines(**place, username="oauth2", password="canary-access-1", oauth_refresh_token="canary-refresh-1",
                  password_expiry_utc=str(end))
    assert git.run("credential", "approve", input=first).code == 0
    while time.time() <= end:
        time.sleep(0.1)
    url = "credential.http://git.example.com"
    config = ["credential.helper=oauth", f"{url}.oauthClientId=client", f"{url}.oauthTokenURL={tokens.url}/token",
              f"{url}.oauthAuthURL={tokens.url}/auth", f"{url}.oauthRedirectURL=http://127.0.0.1"]
    done = git.run("credential", "fill", input=lines(**place), config=config)
    found = fields_of(done.out)
    assert done.code == 0 and found["password"] == "canary-access-2", (done.errors, forms)
    assert len(forms) == 1 and "canary-refresh-1" in forms[0] and "grant_type=refresh_token" in forms[0]
    assert git.run("credential", "approve", input=done.out, config=config).code == 0
    kept = fields_of(git.run("credential", "fill", input=lines(**place)).out)
    assert (kept["password"], kept["oauth_refresh_token"]) == ("canary-access-2", "canary-refresh-2") and len(forms) == 1
