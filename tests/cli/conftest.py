# SPDX-License-Identifier: MIT
"""Fixtures for the command-line tests: the program in a private home, real servers and clients, a Secret Service.

Servers start when the first test needs them, and run until the end. A test that needs a missing program or server is
skipped, and the skip names it; with CI=true a skip is a failure. After each test no process may be left running, and no
registered secret may have appeared (lib/canary.py)."""
import gc
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import beside, namespace, procs  # noqa: E402
from lib import clients as client_table  # noqa: E402
from lib.bastion import ENGINES, Home  # noqa: E402
from lib.beside import pytest_addoption, pytest_xdist_make_scheduler  # noqa: E402, F401
from lib.broker import BUILD, PROGRAM, Broker  # noqa: E402
from lib.forwards import Forwards  # noqa: E402
from lib.helpers import Store  # noqa: E402
from lib.keyring import Keyring  # noqa: E402
from lib.vault import Desk  # noqa: E402
from servers import mysql9, process  # noqa: E402
from servers.aws_fake import AwsFake  # noqa: E402
from servers.aws_ssm_fake import SsmFake  # noqa: E402
from servers.bastions import KINDS as BASTIONS  # noqa: E402
from servers.botocore_oracle import Oracle  # noqa: E402
from servers.fake_mysql import FakeServer  # noqa: E402
from servers.mariadb import MariaDB  # noqa: E402
from servers.mariadb_iam import MariaDBIam  # noqa: E402
from servers.moto import Moto, MotoProxy  # noqa: E402
from servers.mysql9 import MySQL  # noqa: E402
from servers.openid import Provider  # noqa: E402
from servers.pki import Pki  # noqa: E402
from servers.relay import Relay  # noqa: E402
from servers.secret_service import SecretService, SilentBus  # noqa: E402
from servers.slapd import Slapd  # noqa: E402
from servers.sshd import Agent, Keys, Sshd  # noqa: E402
from servers.vault import Area, Vault  # noqa: E402
from servers.vault_front import Front  # noqa: E402
from servers.web import Web  # noqa: E402

TEST_SECONDS = 180
BASE = Path(tempfile.mkdtemp(prefix="broker-test-"))  # short: socket paths are limited
KEEP = "BROKER_KEEP" in os.environ
MEMORY = BASE / "private" if KEEP else BASE  # a tmpfs, which only this process and its children see
NO_NAMESPACE = None


def pytest_configure(config):
    global NO_NAMESPACE
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):  # a run in the background starts with them ignored
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    config.addinivalue_line("markers", "alone: measures time or uses up resources: no other test runs at the same time")
    config.addinivalue_line("markers", "builds: compiles the whole tree; runs with CI=true, or if its file is named")
    beside.watch(config)
    if beside.is_controller(config):
        return  # each worker makes its own private /etc and /run, which cannot be nested
    try:
        namespace.enter(MEMORY)
    except OSError as error:
        NO_NAMESPACE = f"a mount namespace ({error})"
    BASE.chmod(0o711)  # an sshd's user reads his authorized_keys
    procs.adopt_orphans()


def pytest_unconfigure(config):
    if KEEP:
        print(f"kept: {BASE}")
        return
    if not NO_NAMESPACE and not beside.is_controller(config):
        namespace.leave(MEMORY)
    shutil.rmtree(BASE, ignore_errors=True)


def pytest_collection_modifyitems(config, items):
    beside.select(config, items)
    for item in items:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


def pytest_collection_finish():
    gc.freeze()  # thousands of tests, which the garbage collector would look through again and again


def no_skip_in_ci(report):
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure with CI=true: {report.longrepr[-1]}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    no_skip_in_ci(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report():
    outcome = yield
    no_skip_in_ci(outcome.get_result())


def having(make, *args, **kwargs):
    """make(...); skips the test if that raises Missing."""
    try:
        return make(*args, **kwargs)
    except process.Missing as missing:
        pytest.skip(f"missing: {missing}")


def lasting(make, *args, **kwargs):
    """For a fixture: having(...), stopped when the fixture ends."""
    thing = having(make, *args, **kwargs)
    yield thing
    thing.stop()


@pytest.fixture(scope="session")
def names():
    """db.test.internal and wrong.test.internal resolve, and /etc and /run are private (broker.etc)."""
    if NO_NAMESPACE:
        pytest.skip(f"missing: {NO_NAMESPACE}")


@pytest.fixture
def many_files():
    yield from procs.many_files()


@pytest.fixture(scope="session")
def oracle():
    """What botocore does with the same keys, files and environment; see servers/botocore_oracle.py."""
    yield from lasting(Oracle)


@pytest.fixture(scope="session")
def moto():
    """An STS that verifies signatures; see servers/moto.py."""
    yield from lasting(Moto, BASE / "moto")


@pytest.fixture(scope="session")
def moto_proxy():
    """An HTTPS proxy that answers for AWS's host names."""
    yield from lasting(MotoProxy, BASE / "moto")


@pytest.fixture(scope="session")
def pki():
    """ca, wrong_ca, client_cert, client_key, issue(name, sans); see servers/pki.py."""
    return having(Pki, BASE / "pki")


@pytest.fixture(scope="session")
def mariadb_server(pki):
    yield from lasting(MariaDB, BASE / "mariadb", pki)


@pytest.fixture(scope="session")
def mariadb_notls(pki):
    yield from lasting(MariaDB, BASE / "mariadb-notls", pki, tls=False)


@pytest.fixture(scope="session")
def iam_server(pki):
    """A server that accepts RDS IAM tokens, each verified by botocore; see servers/mariadb_iam.py."""
    yield from lasting(MariaDBIam, BASE / "iam", pki)


@pytest.fixture(scope="session")
def mysql_server(pki):
    yield from lasting(MySQL, BASE / "mysql", pki)


@pytest.fixture(scope="session")
def mysql_notls(pki):
    yield from lasting(MySQL, BASE / "mysql-notls", pki, tls=False)


@pytest.fixture
def start_server(pki):
    """start_server("mariadb" or "mysql", tls=True, certificate=None, options=()): a server for this test only, which it
    may stop or restart; certificate: as pki.issue("loopback", ["IP:127.0.0.1"]) returns it."""
    started = []

    def start(family, **options):
        make = {"mariadb": MariaDB, "mysql": MySQL}[family]
        started.append(having(make, Path(tempfile.mkdtemp(dir=BASE)) / "s", pki, **options))
        return started[-1]
    yield start
    for server in started:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def fake_server():
    """fake_server(mode, ...) starts a FakeServer that ends with the test."""
    started = []

    def start(*args, **kwargs):
        started.append(FakeServer(*args, **kwargs))
        return started[-1]
    yield start
    for server in started:
        server.stop()


@pytest.fixture
def web():
    """web(routes, ...) starts a Web (servers/web.py) that ends with the test."""
    started = []

    def start(*args, **kwargs):
        started.append(Web(*args, **kwargs))
        return started[-1]
    yield start
    for server in started:
        server.stop()


@pytest.fixture
def relay():
    """relay((host, port) or path, ...) starts a Relay (servers/relay.py) that ends with the test."""
    started = []

    def start(*args, **kwargs):
        started.append(Relay(*args, **kwargs))
        return started[-1]
    yield start
    for server in started:
        server.stop()


@pytest.fixture
def ssm(broker):
    """Makes servers/aws_ssm_fake.py the `aws` program of the test's home; ssm.tell(...) sets its behaviour."""
    return SsmFake(broker.home / "bin")


@pytest.fixture(scope="session")
def ssh_keys():
    """ssh_keys.make(kind); see servers/sshd.py."""
    return having(Keys, BASE / "keys")


@pytest.fixture(scope="session")
def user_key(ssh_keys):
    """An ed25519 key, for tests that need only one."""
    return ssh_keys.make("ed25519")


@pytest.fixture(scope="session")
def usual_sshd(names, ssh_keys):
    """An sshd that is shared by all tests that change only its authorized_keys. It does not offer sntrup761, for which
    each ssh computes a key for 20 ms."""
    yield from lasting(Sshd, BASE / "sshd", ssh_keys, lines=["KexAlgorithms -sntrup761*"])


@pytest.fixture
def sshd(usual_sshd, user_key):
    """The shared sshd, which accepts user_key."""
    usual_sshd.authorize(user_key)
    return usual_sshd


@pytest.fixture
def start_sshd(names, ssh_keys):
    """start_sshd(...) starts an Sshd for this test only, which it may stop or restart."""
    started = []

    def start(**options):
        started.append(having(Sshd, Path(tempfile.mkdtemp(dir=BASE)) / "s", ssh_keys, **options))
        started[-1].folder.parent.chmod(0o711)
        return started[-1]
    yield start
    for server in started:
        server.stop()


@pytest.fixture
def start_bastion(broker, ssh_home, ssh_keys):
    """start_bastion("dropbear", "asyncssh" or "go", ...) starts one of servers/bastions.py that ends with the test."""
    started = []

    def start(kind, *options):
        started.append(having(BASTIONS[kind], Path(tempfile.mkdtemp(dir=BASE)) / "s", ssh_keys, *options))
        if kind == "dropbear":
            with open("/etc/passwd") as passwd:
                broker.etc.write("/etc/passwd", started[-1].passwd(passwd.read()))
        return started[-1]
    yield start
    for server in started:
        server.stop()


@pytest.fixture
def agent():
    """agent(KEY...) starts an ssh-agent; broker.env.update(agent.env)."""
    started = []

    def start(*keys):
        started.append(having(Agent, Path(tempfile.mkdtemp(dir=BASE)) / "a", *keys))
        return started[-1]
    yield start
    for one in started:
        one.stop()


@pytest.fixture
def ssh_home(broker, names):
    """Makes the test's home the user's home in /etc/passwd, where ssh looks for ~/.ssh; returns ~/.ssh."""
    with open("/etc/passwd") as passwd:
        broker.etc.write("/etc/passwd", namespace.accounts(passwd.read(), broker.home))
    (broker.home / ".ssh").mkdir(mode=0o700)
    return broker.home / ".ssh"


@pytest.fixture
def home(broker, ssh_home, user_key, mariadb_server, clients):
    """A lib.bastion.Home with user_key, and with the `server` and the `client` for the profile `p`."""
    home = Home(broker, ssh_home)
    home.has_key(user_key)
    home.server, home.client = mariadb_server, clients["mariadb1011"]
    return home


@pytest.fixture(params=ENGINES)
def engine(request):
    """ssh_engine: what broker connects to a bastion with."""
    return request.param


@pytest.fixture
def aws_fake():
    """aws_fake(state) starts an AwsFake (servers/aws_fake.py) that ends with the test."""
    started = []

    def start(*args, **kwargs):
        started.append(AwsFake(*args, **kwargs))
        return started[-1]
    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def vault_server(pki):
    """HashiCorp's Vault, shared by all tests; see servers/vault.py."""
    yield from lasting(Vault, BASE / "vault", pki)


@pytest.fixture(scope="session")
def openid():
    """An OpenID provider; see servers/openid.py."""
    yield from lasting(Provider, BASE / "openid")


@pytest.fixture(scope="session")
def slapd():
    """See servers/slapd.py."""
    yield from lasting(Slapd, BASE / "slapd")


@pytest.fixture
def make_area(broker, vault_server):
    """make_area(database) makes this test's mounts on Vault (an Area), whose `front` records the requests; they end
    with it."""
    made = []

    def make(database):
        made.append(Area(vault_server, database))
        made[-1].front = Front(vault_server.url, broker.secret)
        return made[-1]
    yield make
    for area in made:
        area.front.stop()
        area.end()


@pytest.fixture
def vault(make_area, mariadb_server):
    """The mounts of this test on Vault, which makes its users on a MariaDB."""
    return make_area(mariadb_server)


@pytest.fixture
def keyring():
    """A kernel keyring for this test only; broker.run(..., wrap=keyring.wrap)."""
    yield from lasting(Keyring)


@pytest.fixture
def desk(broker, keyring, vault):
    """A user with a profile `w` for that Vault; see lib/vault.py."""
    return Desk(broker, keyring, vault)


@pytest.fixture
def http(bare_broker):
    """broker-http by itself; see lib/http_records.py."""
    helper = BUILD / "libexec" / "broker" / "broker-http"
    if not os.access(helper, os.X_OK):
        pytest.skip(f"missing: {helper} (make)")
    from lib import http_records  # imported here, because it imports a test module, which imports this one
    return http_records.Http(bare_broker(helper))


@pytest.fixture
def https(web, pki):
    """https(routes): a server with a certificate of pki.ca for 127.0.0.1 and localhost."""
    pair = pki.issue("web", ["IP:127.0.0.1", "DNS:localhost"])
    return lambda routes=None, **more: web(routes, certificate=pair, **more)


@pytest.fixture
def fake_cleartext(fake_server):
    """A server without TLS that requests the password in cleartext."""
    return fake_server("switch")


@pytest.fixture(scope="session")
def clients():
    """{name: Client} of all three clients."""
    return {name: having(client_table.find, name) for name in client_table.NAMES}


@pytest.fixture(params=client_table.NAMES)
def client(request):
    """Runs the test once with each client."""
    return having(client_table.find, request.param)


@pytest.fixture(scope="session")
def native_plugin_dir():
    return mysql9.native_plugin_dir()


@pytest.fixture
def keychain():
    """An unlocked Secret Service for this test only; broker.env.update(keychain.env)."""
    yield from lasting(SecretService, Path(tempfile.mkdtemp(dir=BASE)) / "ss")


@pytest.fixture(params=["keyring", "keychain"])
def store(request):
    """Runs the test with each of the two stores of `broker credential`; each is for this test only."""
    yield from lasting(Store, request.param, request.getfixturevalue("keychain") if request.param == "keychain" else None)


@pytest.fixture
def locked_keychain(keychain):
    """A Secret Service whose collection exists and is locked."""
    keychain.lock()
    return keychain


@pytest.fixture
def empty_bus():
    """A session bus without a Secret Service."""
    yield from lasting(SecretService, Path(tempfile.mkdtemp(dir=BASE)) / "bus", keyring=False)


@pytest.fixture
def silent_bus():
    """A session bus that never answers."""
    yield from lasting(SilentBus, Path(tempfile.mkdtemp(dir=BASE)) / "bus")


@pytest.fixture
def bare_broker():
    """bare_broker(program): the harness of `broker` for any program."""
    made = []

    def make(program):
        made.append(Broker(Path(tempfile.mkdtemp(dir=BASE)) / "b", program))
        return made[-1]
    yield make
    faults = [fault for b in made for fault in b.finish()]
    if not faults and not KEEP:
        for b in made:
            shutil.rmtree(b.folder.parent, ignore_errors=True)
    assert not faults, "\n".join(faults)


@pytest.fixture
def broker(bare_broker):
    """The program under test, in a home of its own; see lib/broker.py."""
    if not os.access(PROGRAM, os.X_OK):
        pytest.skip(f"missing: {PROGRAM} (make)")
    return bare_broker(PROGRAM)


@pytest.fixture
def forwards(broker):
    """The forwards of this test; see lib/forwards.py."""
    made = Forwards(broker)
    yield made
    made.finish()


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    left = procs.strays()
    assert not left, "left running: " + "; ".join(left)
