# SPDX-License-Identifier: MIT
"""The credential that the keeper logs in with expires, changes or cannot be obtained: IAM tokens that expire, passwords
that were changed, helpers that fail in every way. The test sets the clock, so that it need not wait until a credential
expires."""
import re
import shutil
import subprocess
import time

import pytest

from conftest import lasting
from lib import stranger
from lib.broker import BUILD
from lib.clock import Clock
from lib.forwards import until
from lib.injected import Injected, audit, fetches
from lib.keeping import keepers
from lib.logins import profile
from lib.procs import environ
from servers import load, process
from servers.load import Refused
from test_connect_iam import iam, prepare  # noqa: F401

LIFE = 15 * 60 + 1  # seconds after which a token has expired
SLEEP = "select sleep(600)"


@pytest.fixture
def clock(broker):
    yield from lasting(Clock, broker)


@pytest.fixture
def running_clock(broker):
    """A clock whose jumps the timers see as well."""
    yield from lasting(Clock, broker, timers=True)


def later(clock, server, seconds=LIFE):
    """Moves the clock ahead, for broker and for the server that verifies the tokens."""
    clock.move(seconds)
    server.tell(now=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(clock.now)))


# IAM tokens

def test_thousand_connections_in_twenty_lives(broker, iam, clock, forwards):  # noqa: F811
    """None is refused, and one token is made for each lifetime, not for each connection."""
    seen = prepare(broker, iam)
    audit(broker)
    way = Injected(forwards)
    for life in range(20):
        later(clock, iam)
        assert set(way.ask_often(50, at_once=4)) == {"app@%"}
        assert fetches(broker) == life + 2
    verdicts = iam.verdicts()[seen:]
    assert len(verdicts) == 1000 and all(verdict.endswith("-> + ok") for verdict in verdicts)


@pytest.fixture
def session(broker, iam, clock, client):  # noqa: F811
    """A user's session on a terminal, with that client. Its token has not expired."""
    prepare(broker, iam)
    tty = broker.pty("connect", "p", "--client", client.path)
    tty.id = number(tty)
    return tty


def number(tty):
    """The connection ID, as the client prints it."""
    tty.sendline(b"select concat('n=', connection_id());")
    return re.search(rb"n=(\d+)", tty.expect(r"n=\d+\b"))[1].decode()


def asleep(server):
    return server.admin(f"select count(*) from information_schema.processlist where info = '{SLEEP}'") != "0"


def test_token_that_is_refused(broker, iam, forwards):  # noqa: F811
    """RDS counts failed logins, so there is one more try with another token, and that only once a minute."""
    seen = prepare(broker, iam)
    way = Injected(forwards)
    assert way.ask() == "app@%"
    iam.tell(keys={})
    for _ in range(3):
        with pytest.raises(Refused, match="^1045 #28000Access denied for user 'app'"):
            way.ask()
    assert len(iam.verdicts()[seen:]) == 1 + 2 + 1 + 1


def test_client_reconnects_by_itself(session, iam, clock):  # noqa: F811
    later(clock, iam)
    seen = len(iam.verdicts())
    iam.admin(f"kill {session.id}")
    session.sendline(b"select concat('an', 'y');")  # some clients reconnect for it, others only report the loss
    session.expect(r"\bany\b|ERROR \d+")
    assert number(session) != session.id
    assert [verdict[-4:] for verdict in iam.verdicts()[seen:]] == ["+ ok"]


def test_ctrl_c_after_the_token_has_expired(session, iam, clock):  # noqa: F811
    """The client cancels the query over a second connection. The query ends, and the session stays."""
    session.sendline(SLEEP.encode() + b";")
    assert until(lambda: asleep(iam))
    later(clock, iam)
    seen = len(iam.verdicts())
    session.interrupt()
    assert until(lambda: not asleep(iam))
    assert number(session) == session.id
    assert [verdict[-4:] for verdict in iam.verdicts()[seen:]] == ["+ ok"]


# Passwords that are changed

@pytest.fixture
def source(broker, mariadb_server):
    return Source(broker, mariadb_server)


class Source:
    """The profile `p` with `auth = command`, and the program, whose runs are counted."""

    def __init__(self, broker, server):
        self.broker, self.server, self.user = broker, server, "changing"

    def configure(self, **keys):
        self.broker.config(profile(**{"host": self.server.host, "port": self.server.port, "user": self.user, "tls": "required",
                                      "auth": "command", "auth_command": "~/bin/get", **keys}))

    def runs(self):
        return len((self.broker.home / "runs").read_text().splitlines())

    def does(self, text):
        """Sets what the program does, in sh."""
        self.broker.script("get", f'echo run >>"$HOME/runs"\n{text}', secret=True)

    def gives(self, password, expires=None, before=""):
        text = self.broker.secret(password).decode()
        self.does(f'{before}\nprintf \'%s\' \'{{"password": "{text}", "expires_at": {int(expires)}}}\'' if expires else f"{before}\necho {text}")

    def account(self, password):
        """Sets the password of the account at the server."""
        self.server.create_user(self.user, self.broker.secret(password))


def test_changed_password(source, forwards):
    """Changed at the server and in the source: the next connection is logged in, and no client notices the change."""
    source.configure()
    source.account(b"fake-canary-old-77")
    source.gives(b"fake-canary-old-77")
    way = Injected(forwards)
    assert [way.ask() for _ in range(3)] == ["changing@%"] * 3 and source.runs() == 1
    source.account(b"fake-canary-new-78")
    source.gives(b"fake-canary-new-78")
    assert [way.ask() for _ in range(3)] == ["changing@%"] * 3 and source.runs() == 2


def test_password_changed_only_at_the_server(source, running_clock, forwards):
    """The client gets the server's own message. There is one try a minute, because more could lock the account."""
    source.configure()
    source.account(b"fake-canary-old-77")
    source.gives(b"fake-canary-old-77")
    way = Injected(forwards)
    assert way.ask() == "changing@%"
    source.account(b"fake-canary-new-78")
    for _ in range(5):
        with pytest.raises(Refused, match="^1045 #28000Access denied for user 'changing'"):
            way.ask()
    assert source.runs() == 2
    source.gives(b"fake-canary-new-78")
    running_clock.move(61)
    assert way.ask() == "changing@%" and source.runs() == 3


def test_changed_password_in_the_keychain(broker, mariadb_server, keychain, forwards):
    broker.env.update(keychain.env)
    broker.config(profile(host=mariadb_server.host, port=mariadb_server.port, user="changing", tls="required", auth="keychain"))
    ways = []
    for password in (b"fake-canary-old-77", b"fake-canary-new-78"):
        mariadb_server.create_user("changing", password)
        assert broker.run("password", "set", "p", input=broker.secret(password)).code == 0
        ways = ways or [Injected(forwards)]
        assert ways[0].ask() == "changing@%"


@pytest.mark.parametrize("options, error", [([], "Please use --connect-expired-password"),  # mysql's message for 1862
                                            (["--connect-expired-password"], "ERROR 1820 (HY000)")])
def test_expired_password(broker, mysql_server, clients, options, error):
    """An expired password is not a wrong one: the client gets the server's message, and a client that supports expired
    passwords is accepted."""
    broker.env["TEST_SECRET"] = broker.secret(b"fake-canary-expired-80").decode()
    mysql_server.create_user("expired", b"fake-canary-expired-80")
    mysql_server.admin("alter user expired@'%' password expire")
    broker.config(profile(host=mysql_server.host, port=mysql_server.port, user="expired", tls="required", login="keeper", auth="env",
                          auth_env="TEST_SECRET"))
    done = broker.run("connect", "p", "--client", clients["mysql9"].path, "--", *options, "-e", "select 1")
    assert done.code == 1 and (done.text + done.errors).startswith(error), (done.text, done.errors)


# Sources that fail

PASSWORD = b"fake-canary-source-31"


@pytest.fixture
def expired(source, clock, forwards):
    """A forward whose credential has expired."""
    source.user = "troubled"
    source.account(PASSWORD)
    source.configure(connect_timeout="1s")
    source.gives(PASSWORD, expires=clock.now + 300)
    way = Injected(forwards)
    assert way.ask() == "troubled@%" and source.runs() == 1
    clock.move(300)
    return way


@pytest.mark.parametrize("script, message", [
    ("sleep 600", r"no credential within 3s\b.*hint: .*broker token"),
    ("echo the ticket is void >&2; exit 3", r"auth_command: \S+/get: exit\w* .*3\b.*the ticket is void.*hint: "),
    ("kill -9 $$", r"auth_command: \S+/get: "), ("true", "printed nothing"),
    ("printf '{\\n \"password\": '", "JSON"), ("printf '{\"password\": 7}'", "JSON"), ("printf '\\nx'", "empty first line"),
    ("head -c 100000 /dev/zero", r"broker: "),
], ids=["hangs", "fails", "dies", "says nothing", "half JSON", "no password", "empty", "long"])
def test_source_that_fails(source, expired, clock, script, message):
    """The client is told why, within a bounded time. Connections work again once the source returns a credential."""
    source.does(script)
    began = time.monotonic()
    with pytest.raises(Refused) as told:
        expired.ask()
    assert time.monotonic() - began < 30
    assert re.search(message, str(told.value), re.S) and "canary" not in str(told.value)
    source.gives(PASSWORD, expires=clock.now + 300)
    assert expired.ask() == "troubled@%"


def test_credential_helper_that_fails(source, clock, forwards):
    """The same for a git credential helper, which is the child of another program."""
    source.account(PASSWORD)
    source.configure(connect_timeout="1s", auth="helper", auth_helper=source.broker.home / "bin/git-credential-get")

    def does(text):
        source.broker.script("git-credential-get", text, secret=True)
    answer = f"echo username={source.user}; echo password={source.broker.secret(PASSWORD).decode()}; echo password_expiry_utc="
    does(answer + str(int(clock.now + 300)))
    way = Injected(forwards)
    assert way.ask() == "changing@%"
    clock.move(300)
    for text, message in [("sleep 600", "no credential within 3s"), ("echo the store is locked >&2; exit 1", "the store is locked"), ("true", r"hint: ")]:
        does(text)
        with pytest.raises(Refused, match=f"(?s){message}"):
            way.ask()
    does(answer + str(int(clock.now + 300)))
    assert way.ask() == "changing@%"


def test_broker_that_was_removed(source, clock, forwards):
    """An installation that is removed while its keeper runs, and then restored."""
    source.account(PASSWORD)
    source.configure()
    source.gives(PASSWORD, expires=clock.now + 300)
    program = source.broker.program = source.broker.folder / "installed/bin/broker"
    for part in ("bin", "libexec"):
        shutil.copytree(BUILD / part, source.broker.folder / "installed" / part)
    way = Injected(forwards)
    assert way.ask() == "changing@%"
    clock.move(300)
    program.rename(program.with_suffix(".away"))
    with pytest.raises(Refused, match=rf"{program}: .*No such file"):
        way.ask()
    program.with_suffix(".away").rename(program)
    source.gives(PASSWORD, expires=clock.now + 300)
    assert way.ask() == "changing@%"


def test_needs_the_user(broker, mariadb_server, keychain, running_clock, forwards):
    """The user is told which command to run."""
    broker.env.update(keychain.env)
    broker.config(profile(host=mariadb_server.host, port=mariadb_server.port, user="app_native", tls="required", auth="keychain"))
    password = broker.secret(mariadb_server.password("app_native"))
    assert broker.run("password", "set", "p", input=password).code == 0
    way = Injected(forwards)
    assert way.ask() == "app_native@%"
    assert broker.run("password", "delete", "p").code == 0
    assert way.ask() == "app_native@%", "it is kept for a minute"
    running_clock.move(61)
    way.wake()
    with pytest.raises(Refused, match=r"no stored password for app_native@\S+\nhint: broker password set p"):
        way.ask()
    assert broker.run("password", "set", "p", input=password).code == 0
    assert way.ask() == "app_native@%"


def test_two_hundred_at_once(source, expired, clock):
    """One fetch serves all of them."""
    source.gives(PASSWORD, expires=clock.now + 300, before="sleep 0.5")
    assert set(expired.ask_often(200, at_once=200)) == {"troubled@%"}
    assert source.runs() == 2


# Credentials that cannot be fetched again

@pytest.mark.parametrize("way", ["env", "prompt", "url"])
def test_kept_until_the_keeper_ends(broker, mariadb_server, running_clock, way):
    """A password from a variable, from a prompt or from a URL is in the keeper from the start, in no environment, and
    until the keeper ends. If the server refuses it, no other one is tried."""
    server, listen = mariadb_server, broker.runtime / "s"
    secret = broker.secret(server.password("app_native"))
    broker.env["TEST_SECRET"] = secret.decode() if way == "env" else None
    auth = {"auth": way if way == "prompt" else "env", "auth_env": "TEST_SECRET"}
    broker.config(profile(host=server.host, port=server.port, user="app_native", tls="required", **({} if way == "url" else auth)))
    url = broker.write("url", f"mysql://app_native:{secret.decode()}@{server.host}:{server.port}/?tls=required\n", secret=True)
    with open(url) as stdin:
        tty = broker.pty("forward", "-" if way == "url" else "p", "--inject", "--listen", listen, stdin=stdin if way == "url" else "tty")
    if way == "prompt":
        tty.expect(r"assword[^\r\n]*: ")
        tty.sendline(secret)
    tty.expect(str(listen).encode())
    assert until(listen.is_socket)
    ((_, keeper),) = keepers()
    assert secret not in environ(keeper)
    for _ in range(3):
        assert load.once(listen, "anybody", b"", "select current_user()") == [b"app_native@%"]
        running_clock.move(3600)
    server.create_user("app_native", broker.secret(b"fake-canary-changed-12"), "mysql_native_password")
    try:
        with pytest.raises(Refused, match="^1045 #28000Access denied for user 'app_native'"):
            load.once(listen, "anybody", b"")
    finally:
        server.create_user("app_native", secret, "mysql_native_password")
    tty.interrupt()
    assert tty.wait() == -2


# A user who is not root

def test_keeper_of_another_user_than_root(broker, mariadb_server, forwards, clock):
    """Only root can read the path of a keeper's executable. For another user broker sees only its name, and still
    accepts the keys of the run from it."""
    source = Source(broker, mariadb_server)
    source.account(PASSWORD)
    source.configure()
    source.gives(PASSWORD, expires=clock.now + 300)
    stranger.settle(broker, BUILD)
    way = Injected(forwards, wrap=stranger.WRAP)
    assert as_stranger(way) == "changing@%\n"
    clock.move(300)
    source.gives(PASSWORD, expires=clock.now + 300)
    broker.config("")
    stranger.own(broker)
    assert as_stranger(way) == "changing@%\n" and source.runs() == 2
    way.end()


def as_stranger(way):
    """Connects as that user, because no other user is served."""
    host, port = way.place
    done = subprocess.run([*stranger.WRAP, process.need("/usr/bin/mariadb"), "--no-defaults", f"--host={host}", f"--port={port}",
                           f"--user={way.user}", "-NBe", "select current_user()"], env={"MYSQL_PWD": way.password.decode()},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
