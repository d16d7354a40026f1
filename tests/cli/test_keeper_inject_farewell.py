# SPDX-License-Identifier: MIT
"""A server counts a greeting that is not answered against this host, and blocks the host after some of them
(max_connect_errors), for all colleagues behind the same bastion. So if a client does not authenticate to the keeper,
the keeper answers the greeting with a user that cannot exist. To the server this is "access denied", which it does not
count."""
import pytest

from lib import inject
from lib.forwards import until
from lib.inject import Wire, wire
from servers.load import Refused

DENIED = "Access denied for user 'broker: not logged in'@"


def wrong_password(made):
    with pytest.raises(Refused, match="1045.*password of this run"):
        wire(made, password=b"wrong")


def hangs_up(made):
    one = Wire(made.place)
    one.greet()
    one.close()


def browser(made):
    one = Wire(made.place)
    one.greet()
    one.socket.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    one.close()


@pytest.mark.parametrize("client", [wrong_password, hangs_up, browser])
def test_server_is_answered(broker, names, forwards, start_server, client):
    """mysqld logs the same message, or that the connection ended while it asked for another plug-in, which it chooses
    for users that do not exist; it counts neither."""
    server = start_server("mariadb", options=["--log-warnings=2"])
    inject.write(broker, server, "app_native")
    made = inject.forward(broker, "--listen", "0")

    def denied():
        return server.log.read_text(errors="replace").count(DENIED)
    assert wire(made).query("select 1") == [b"1"] and denied() == 0
    for _ in range(3):
        client(made)
    assert until(lambda: denied() == 3), server.log.read_text(errors="replace")[-2000:]
    assert wire(made).query("select 1") == [b"1"]
