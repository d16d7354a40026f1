# SPDX-License-Identifier: MIT
"""tests/run, in a small tree of its own: it runs tests in parallel, then those that must run alone, and prints the
totals last."""
import os
import shutil
import subprocess

import pytest

from lib.broker import REPO

CONFTEST = """
from lib import beside
from lib.beside import pytest_addoption, pytest_xdist_make_scheduler

def pytest_configure(config):
    config.addinivalue_line("markers", "alone: ...")
    beside.watch(config)

def pytest_collection_modifyitems(config, items):
    beside.select(config, items)
"""
FILE = """
import os
import pytest

BESIDE = "PYTEST_XDIST_WORKER" in os.environ

@pytest.mark.parametrize("case", ["a", "b::c/d [e]"])
def test_good(case):
    pass

@pytest.mark.alone
def test_alone():
    assert not BESIDE
"""
BAD_BESIDE = """
@pytest.mark.parametrize("case", ["a", "b::c/d [e]"])
def test_disturbed(case):
    assert not BESIDE or case == "a"

@pytest.fixture
def disturbed():
    yield
    assert not BESIDE

def test_disturbed_at_its_end(disturbed):
    pass
"""


@pytest.fixture
def run(tmp_path):
    """run({file: text}, ARGS...): tests/run on these files. Returns its status and its last lines."""
    if shutil.which("make") is None or not os.access("/usr/bin/python3", os.X_OK):
        pytest.skip("missing: make and python3")
    (tmp_path / "tests" / "cli" / "lib").mkdir(parents=True)
    shutil.copy(REPO / "tests" / "run", tmp_path / "tests")
    shutil.copy(REPO / "tests" / "cli" / "lib" / "beside.py", tmp_path / "tests" / "cli" / "lib")
    (tmp_path / "tests" / "cli" / "conftest.py").write_text(CONFTEST)

    def call(files, *args, **env):
        for name, text in files.items():
            (tmp_path / "tests" / "cli" / name).write_text(text)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "BROKER_", "CI"))}
        done = subprocess.run([tmp_path / "tests" / "run", *args], cwd=tmp_path, env={**kept, "BROKER_JOBS": "2", **env}, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        return done.returncode, [line for line in lines if line.startswith("passed only alone: ")] + lines[-1:], done.stdout
    return call


def test_failure_in_parallel_is_run_again_alone(run):
    code, lines, text = run({"test_a.py": FILE, "test_b.py": FILE + BAD_BESIDE})
    assert (code, lines) == (0, ["passed only alone: tests/cli/test_b.py::test_disturbed[b::c/d [e]]",
                                 "passed only alone: tests/cli/test_b.py::test_disturbed_at_its_end", "9 passed, 0 failed, 0 skipped"]), text


def test_failure_alone_is_a_failure(run):
    code, lines, text = run({"test_a.py": FILE, "test_b.py": FILE + "def test_bad():\n    assert False\n"})
    assert (code, lines) == (1, ["6 passed, 1 failed, 0 skipped"]), text


def test_too_many_failures_are_not_run_again(run):
    many = FILE + "@pytest.mark.parametrize('n', range(31))\ndef test_disturbed(n):\n    assert not BESIDE\n"
    code, lines, text = run({"test_a.py": FILE, "test_b.py": many})
    assert (code, lines) == (1, ["6 passed, 31 failed, 0 skipped"]), text


@pytest.mark.parametrize("text", ["import nothing_of_this_name\n", "import os\n\ndef test_crash():\n    os._exit(7)\n"])
def test_crash_is_a_failure(run, text):
    code, lines, shown = run({"test_a.py": FILE, "test_b.py": text})
    assert code == 1 and ", 0 failed" not in lines[-1], shown


def test_one_file_runs_in_one_process(run):
    """So all its tests run alone. With CI=true a skip is a failure."""
    skips = FILE + "def test_skip():\n    pytest.skip('no')\n\ndef test_one():\n    assert not BESIDE\n"
    for ci, code in (("", 0), ("true", 1)):
        assert run({"test_b.py": skips}, "tests/cli/test_b.py", CI=ci)[:2] == (code, ["4 passed, 0 failed, 1 skipped"])


def test_unit_programs_count(run, tmp_path):
    """A run of everything includes them; a run of one file only with `unit`."""
    programs = tmp_path / "build" / "tests" / "unit"
    programs.mkdir(parents=True)
    (programs / "test_x").write_text("#!/bin/sh\necho 'ok 1 - a'\necho 'not ok 2 # SKIP b'\n")
    (programs / "test_x").chmod(0o755)
    for args in ([], ["unit", "tests/cli/test_a.py"]):
        code, lines, text = run({"test_a.py": FILE}, *args)
        assert (code, lines) == (0, ["4 passed, 0 failed, 1 skipped"]) and "1 unit programs: 1 passed, 0 failed, 1 skipped" in text
