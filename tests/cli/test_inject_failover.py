# SPDX-License-Identifier: MIT
"""A name that comes to mean another server while a keeper runs, as Aurora's do: each connection looks it up anew, and takes up
no TLS session of another address."""
import time

import pytest

from lib.injected import Injected
from lib.logins import for_user
from servers.pki import RIGHT_NAME

KEPT_SECONDS = 1.05  # an answer serves all connections that come within a second
USERS = {"mariadb": "app_native", "mysql": "app_sha2"}


@pytest.fixture
def means(broker, names):
    """means(address): the server's name is that, and what was looked up before is forgotten."""
    with open("/etc/hosts") as hosts:
        others = [line for line in hosts if RIGHT_NAME not in line]

    def means(address):
        broker.etc.write("/etc/hosts", "".join(others) + f"{address} {RIGHT_NAME}\n")
        time.sleep(KEPT_SECONDS)
    return means


def test_each_connection_looks_it_up(broker, means, start_server, forwards):
    """Two servers at one port of two addresses."""
    first = start_server("mariadb")
    second = start_server("mariadb", options=["--bind-address=127.0.0.2", f"--port={first.port}"])
    for_user(broker, first, USERS["mariadb"], host=RIGHT_NAME, tls="verify-identity", tls_ca=first.ca)
    means("127.0.0.1")
    way = Injected(forwards)
    for server, address in [(first, "127.0.0.1"), (second, "127.0.0.2"), (first, "127.0.0.1")]:
        means(address)
        assert [way.ask("select @@datadir") for _ in range(2)] == [f"{server.folder}/data/"] * 2


def test_session_of_another_address(broker, means, start_server, forwards):
    """The server could take it up, for it is the same one: it is not offered."""
    server = start_server("mysql", options=["--bind-address=127.0.0.1,127.0.0.2"])
    for_user(broker, server, USERS["mysql"], host=RIGHT_NAME, tls="verify-identity", tls_ca=server.ca)
    means("127.0.0.1")
    way = Injected(forwards)

    def taken_up():
        """Whether that of the next connection was."""
        before = hits(server)
        assert way.ask()
        return hits(server) > before
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        means(address)
        assert not taken_up() and any(taken_up() for _ in range(8))


def hits(server):
    return int(server.admin("show global status like 'Ssl_session_cache_hits'").split()[1])
