# SPDX-License-Identifier: MIT
"""A host name that begins to refer to another server while a keeper runs, as Aurora's do: each connection looks the
name up again, and resumes no TLS session of another address."""
import time

import pytest

from lib.injected import Injected
from lib.logins import for_user
from servers.pki import RIGHT_NAME

KEPT_SECONDS = 1.05  # the result of a lookup is used for all connections within a second
USERS = {"mariadb": "app_native", "mysql": "app_sha2"}


@pytest.fixture
def means(broker, names):
    """means(address) lets the server's name refer to ADDRESS, and waits until the result of an earlier lookup is
    forgotten."""
    with open("/etc/hosts") as hosts:
        others = [line for line in hosts if RIGHT_NAME not in line]

    def means(address):
        broker.etc.write("/etc/hosts", "".join(others) + f"{address} {RIGHT_NAME}\n")
        time.sleep(KEPT_SECONDS)
    return means


def test_each_connection_looks_up_the_name(broker, means, start_server, forwards):
    """Two servers at two addresses, with the same port."""
    first = start_server("mariadb")
    second = start_server("mariadb", options=["--bind-address=127.0.0.2", f"--port={first.port}"])
    for_user(broker, first, USERS["mariadb"], host=RIGHT_NAME, tls="verify-identity", tls_ca=first.ca)
    means("127.0.0.1")
    forward = Injected(forwards)
    for server, address in [(first, "127.0.0.1"), (second, "127.0.0.2"), (first, "127.0.0.1")]:
        means(address)
        assert [forward.ask("select @@datadir") for _ in range(2)] == [f"{server.folder}/data/"] * 2


def test_session_of_another_address(broker, means, start_server, forwards):
    """The server is the same one and could resume the session, but the keeper does not offer it."""
    server = start_server("mysql", options=["--bind-address=127.0.0.1,127.0.0.2"])
    for_user(broker, server, USERS["mysql"], host=RIGHT_NAME, tls="verify-identity", tls_ca=server.ca)
    means("127.0.0.1")
    forward = Injected(forwards)

    def resumes():
        """Whether the next connection resumes a session."""
        before = hits(server)
        assert forward.ask()
        return hits(server) > before
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        means(address)
        assert not resumes() and any(resumes() for _ in range(8))


def hits(server):
    return int(server.admin("show global status like 'Ssl_session_cache_hits'").split()[1])
