# SPDX-License-Identifier: MIT
"""A forward that logs in (`forward --inject`), and how often its keeper asked for a credential: by the audit file."""
import contextlib
import json
import signal
from concurrent.futures import ThreadPoolExecutor

from servers import load


def audit(broker):
    """From now on; for the config that is there."""
    broker.config("[defaults]\naudit = ~/audit.log\n" + broker.config_path.read_text())


def fetches(broker):
    """How many credentials broker has given since, the run's own one included."""
    return len((broker.home / "audit.log").read_text().splitlines())


class Injected:
    """forwards.start(PROFILE, "--inject", ...), at a port."""

    def __init__(self, forwards, *args, profile="p", **options):
        running = forwards.start(profile, "--inject", "--json", *args, **options)
        told = json.loads(running.lines[0])
        self.proc, self.place = running.proc, (told["host"], told["port"])
        self.user, self.password = told["user"], told["password"].encode()

    def connect(self):
        """A load.Connection that is logged in."""
        connection = load.Connection(self.place)
        connection.login(self.user, self.password)
        return connection

    def ask(self, sql="select current_user()"):
        """The first value of the answer, through a connection that is made for it."""
        connection = self.connect()
        rows = connection.query(sql)
        connection.close()
        return rows[0].decode()

    def wake(self):
        """The keeper looks at its timers, which may have been passed over by a clock that jumped."""
        connection = load.Connection(self.place)
        with contextlib.suppress(load.Refused):
            connection.read()
        connection.close(quit=False)

    def end(self):
        """Of the forward and its keeper, in order."""
        self.proc.terminate()
        assert self.proc.wait(30) == -signal.SIGTERM

    def ask_often(self, times, at_once):
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda _: self.ask(), range(times)))
