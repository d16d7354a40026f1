# SPDX-License-Identifier: MIT
"""Tests side by side, by pytest-xdist: which one goes to which worker, which ones run alone, and what became of each.

tests/run starts pytest twice: first the workers, with all tests but those marked `alone`; then one process, with the tests
marked `alone` and those that failed beside others (`--again FILE`). Every worker has servers, /etc, /run and a temporary
folder of its own; workers share the ports of 127.0.0.1 (process.free_port keeps them apart), and the kernel's keyring, where
each test's entries have names of their own."""
import json
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


class ByFunction(LoadScopeScheduling):
    """All cases of a test function go to one worker; the functions of a file go to whichever is free."""

    def _split_scope(self, nodeid):
        return nodeid.partition("[")[0]


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


class Outcomes:
    """{test: "passed", "failed", "skipped" or "xfailed"}; a test whose clean-up fails has failed."""

    def __init__(self, path):
        self.path, self.of = Path(path), {}

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.of[report.nodeid] = "failed"
        elif report.skipped:
            self.of.setdefault(report.nodeid, "xfailed" if hasattr(report, "wasxfail") else "skipped")
        elif report.when == "call":
            self.of.setdefault(report.nodeid, "passed")

    def pytest_sessionfinish(self):
        self.path.write_text(json.dumps(self.of))


def watch(config):
    """Called once in each process: writes the outcomes where that was asked for."""
    path = config.getoption("outcomes")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(path))
