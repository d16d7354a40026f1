# SPDX-License-Identifier: MIT
"""Running tests in parallel with pytest-xdist: which worker runs which test, which ones run alone, and each outcome.

tests/run starts pytest twice: first the workers, with all tests but those marked `alone`; then one process, with the
tests marked `alone` and those that failed in the first pass (`--again FILE`). Every worker has servers, /etc, /run and
a temporary folder of its own; workers share the ports of 127.0.0.1 (process.free_port keeps them apart), and the
kernel's keyring, where each test's entries have names of their own."""
import collections
import json
import os
from pathlib import Path

import pytest

try:
    from xdist.scheduler.loadscope import LoadScopeScheduling
except ImportError:  # without pytest-xdist, tests run in one process
    LoadScopeScheduling = object


def pytest_addoption(parser):
    parser.addoption("--outcomes", metavar="FILE", help="write the outcome of each test to FILE, as JSON")
    parser.addoption("--beside", action="store_true", help="leave out the tests marked `alone`")
    parser.addoption("--again", metavar="FILE", help="run only the tests listed in FILE (JSON), and those marked `alone`")


# The files whose tests mostly wait. Every third worker begins with them, so that no long test is still running when all
# others have ended. The other workers, which compute meanwhile, begin at the end of the list. tests/run prints the slowest
# functions at its end.
LONG = ("test_build", "test_aws_files", "test_ssh_hostile", "test_ssh_dead", "test_ssh_approval", "test_ssh_lost", "test_ssh_silent",
        "test_keeper_abuse", "test_vault_leases", "test_keeper_trouble")
PIECE = 20
MANY = 1000  # a run of more functions than this is a run of all tests


class ByFunction(LoadScopeScheduling):
    """Gives up to PIECE cases of a test function to one worker, the next cases to a free one."""

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
        if self.nodes.index(node) % 3:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def mark_test_complete(self, node, item_index, duration=0):
        """Forgets a piece that is complete: xdist looks through all pieces of the worker after each test."""
        super().mark_test_complete(node, item_index, duration)
        scope = self._split_scope(self.registered_collections[node][item_index])
        if all(self.assigned_work[node][scope].values()):
            del self.assigned_work[node][scope]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFunction(config, log)


def is_controller(config):
    """Whether this process only hands out tests to workers."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


def select(config, items):
    """Removes from ITEMS the tests that do not belong to this pass. In parallel, those in LONG files come first."""
    again = config.getoption("again")
    if again:
        listed = set(json.loads(Path(again).read_text()))
        items[:] = [item for item in items if item.nodeid in listed or item.get_closest_marker("alone")]
    elif config.getoption("beside"):
        items[:] = [item for item in items if not item.get_closest_marker("alone")]
        items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    if os.environ.get("CI") != "true":
        named = {Path(arg.partition("::")[0]).stem for arg in config.args}
        items[:] = [item for item in items if not item.get_closest_marker("builds") or item.path.stem in named]


class Outcomes:
    """`of` is {test: "passed", "failed", "skipped" or "xfailed"}; a test whose clean-up fails has failed."""

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
    """Called once in each process; with --outcomes, the controller writes the outcomes."""
    path = config.getoption("outcomes")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(path))
