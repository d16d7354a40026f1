# SPDX-License-Identifier: MIT
"""Tests side by side, by pytest-xdist: which one goes to which worker, which ones run alone, and what became of each.

tests/run starts pytest twice: first the workers, with all tests but those marked `alone`; then one process, with the tests
marked `alone` and those that failed beside others (`--again FILE`). Every worker has servers, /etc, /run and a temporary
folder of its own; workers share the ports of 127.0.0.1 (process.free_port keeps them apart), and the kernel's keyring, where
each test's entries have names of their own."""
import collections
import json
import os
from pathlib import Path

import pytest

try:
    from xdist.scheduler.loadscope import LoadScopeScheduling
except ImportError:  # one process is enough for one file
    LoadScopeScheduling = object


def pytest_addoption(parser):
    parser.addoption("--outcomes", metavar="FILE", help="write what became of each test into FILE, as JSON")
    parser.addoption("--beside", action="store_true", help="without the tests marked `alone`")
    parser.addoption("--again", metavar="FILE", help="only the tests listed in FILE (JSON), and those marked `alone`")


# Files with the longest tests, which wait most of their time: they start first, so that nothing long is left when the others end.
# tests/run prints the slowest functions at its end.
LONG = ("test_soak", "test_ssh_hostile", "test_exec_programs", "test_keeper_abuse", "test_ssh_dead", "test_ssh_silent", "test_ssh_approval",
        "test_vault_leases", "test_keeper_trouble", "test_keeper_expiry", "test_build")
PIECE = 20
MANY = 1000  # functions of a whole run


class ByFunction(LoadScopeScheduling):
    """Up to PIECE cases of a test function go to one worker; the next go to whichever is free. LONG files come first."""

    def schedule(self):
        if self.collection is None:
            self.pieces, count = {}, collections.Counter()
            for nodeid in next(iter(self.registered_collections.values())):
                function = nodeid.partition("[")[0]
                self.pieces[nodeid] = f"{function} {count[function] // PIECE}"
                count[function] += 1
        super().schedule()

    def _split_scope(self, nodeid):
        return self.pieces[nodeid]

    def _assign_work_unit(self, node):
        first = next((scope for scope in self.workqueue if Path(scope.partition("::")[0]).stem in LONG), None)
        if first:
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFunction(config, log)


def is_controller(config):
    """The process that only hands out tests."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


def select(config, items):
    """Keeps in ITEMS what belongs to this pass."""
    again = config.getoption("again")
    if again:
        listed = set(json.loads(Path(again).read_text()))
        items[:] = [item for item in items if item.nodeid in listed or item.get_closest_marker("alone")]
    elif config.getoption("beside"):
        items[:] = [item for item in items if not item.get_closest_marker("alone")]
    if os.environ.get("CI") != "true":
        named = {Path(arg.partition("::")[0]).stem for arg in config.args}
        items[:] = [item for item in items if not item.get_closest_marker("builds") or item.path.stem in named]


class Outcomes:
    """{test: "passed", "failed", "skipped" or "xfailed"}; a test whose clean-up fails has failed."""

    def __init__(self, path):
        self.path, self.of, self.seconds = Path(path), {}, collections.Counter()

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid.partition("[")[0]] += report.duration
        if report.failed:
            self.of[report.nodeid] = "failed"
        elif report.skipped:
            self.of.setdefault(report.nodeid, "xfailed" if hasattr(report, "wasxfail") else "skipped")
        elif report.when == "call":
            self.of.setdefault(report.nodeid, "passed")

    def pytest_sessionfinish(self):
        self.path.write_text(json.dumps(self.of))

    def pytest_terminal_summary(self, terminalreporter):
        if len(self.seconds) > MANY:
            slowest = ", ".join(f"{function.rpartition('/')[2]} {seconds:.0f} s" for function, seconds in self.seconds.most_common(10))
            terminalreporter.write_line(f"slowest functions, all cases of each: {slowest}")


def watch(config):
    """Called once in each process: writes the outcomes where that was asked for."""
    path = config.getoption("outcomes")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(path))
