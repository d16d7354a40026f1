# SPDX-License-Identifier: MIT
"""A forward that logs in (`forward --inject`), and how often its keeper fetched a credential (from the audit file)."""
import contextlib
import json
import signal
from concurrent.futures import ThreadPoolExecutor

from servers import load


def audit(broker):
    """Adds an audit file to the config that was written."""
    broker.config("[defaults]\naudit = ~/audit.log\n" + broker.config_path.read_text())


def fetches(broker):
    """How many credentials broker has fetched since audit(), including the first one of the run."""
    return len((broker.home / "audit.log").read_text().splitlines())


class Injected:
    """forwards.start(PROFILE, "--inject", ...) with a TCP port."""

    def __init__(self, forwards, *args, profile="p", **options):
        running = forwards.start(profile, "--inject", "--json", *args, **options)
        told = json.loads(running.lines[0])
        self.proc, self.place = running.proc, (told["host"], told["port"])
        self.user, self.password = told["user"], told["password"].encode()

    def connect(self):
        """A load.Connection that has logged in."""
        connection = load.Connection(self.place)
        connection.login(self.user, self.password)
        return connection

    def ask(self, sql="select current_user()"):
        """The first value of the answer, over a new connection."""
        connection = self.connect()
        rows = connection.query(sql)
        connection.close()
        return rows[0].decode()

    def wake(self):
        """Connects, so that the keeper looks at its timers, which a jump of the clock may have made due."""
        connection = load.Connection(self.place)
        with contextlib.suppress(load.Refused):
            connection.read()
        connection.close(quit=False)

    def end(self):
        """Ends the forward, and thereby its keeper, with SIGTERM."""
        self.proc.terminate()
        assert self.proc.wait(30) == -signal.SIGTERM

    def ask_often(self, times, at_once):
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda _: self.ask(), range(times)))
