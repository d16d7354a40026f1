"""The two ends of `exec` at required and stricter: the port passes a client's own TLS on and refuses one that asks for none,
before anything of it is on the far leg; the unix socket has the keeper's TLS."""
import pytest

from lib import canary
from lib.logins import SECRET_ENV, profile
from servers.pki import RIGHT_NAME

WORDS = b"broker: 2026 this end passes TLS on and wants it\nhint: ask for TLS, or use the unix socket, where it is made for you"
QUERY = "select current_user(); show session status like 'Ssl_version'"
OFF = {"mysql": ["--ssl-mode=DISABLED"], "mariadb": ["--skip-ssl"]}
ON = {"mysql": ["--ssl-mode=REQUIRED"], "mariadb": ["--ssl", "--ssl-verify-server-cert=0"]}


@pytest.fixture
def run(broker, names, client, mariadb_server, relay):
    """run(place, tls, level): the client at that end of `broker exec p`; run.far is what the far leg has carried."""
    far = relay((mariadb_server.host, mariadb_server.port))

    def go(place, tls, level="verify-identity"):
        broker.env[SECRET_ENV] = broker.secret(mariadb_server.password("app_native")).decode()
        broker.config(profile(host=RIGHT_NAME, port=mariadb_server.port, user="app_native", auth="env", auth_env=SECRET_ENV, tls=level,
                              tls_ca=mariadb_server.ca if level != "required" else None, via=f"tcp://127.0.0.1:{far.port}"))
        return broker.run("exec", "p", "--", client.path, "--no-defaults", "--user=app_native", *place,
                          *(ON if tls else OFF)[client.family], *client.options_for(mariadb_server, "app_native"), "-NBe", QUERY)
    go.far = far
    return go


PORT = ["--host={host}", "--port={port}", "--protocol=tcp"]
SOCKET = ["--host=localhost", "--socket={socket}"]  # MYSQL_HOST is in the environment


@pytest.mark.parametrize("level", ["required", "verify-ca", "verify-identity"])
def test_without_tls_at_the_port(run, broker, level):
    done = run(PORT, tls=False, level=level)
    assert done.code == 1 and not done.out and WORDS in done.err, done.errors
    assert not canary.found([*broker.secrets, b"app_native"], run.far.sent)


@pytest.mark.parametrize("place, tls", [(PORT, True), (SOCKET, False)], ids=["port", "socket"])
def test_with_tls(run, broker, place, tls):
    done = run(place, tls)
    assert done.out == b"app_native@%\nSsl_version\tTLSv1.3\n", done.errors
    assert run.far.connections == 1 and not canary.found([*broker.secrets, b"app_native"], run.far.sent)


def test_preferred_passes_everything(run):
    done = run(PORT, tls=False, level="preferred")
    assert done.out == b"app_native@%\nSsl_version\t\n", done.errors
