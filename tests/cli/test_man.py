# SPDX-License-Identifier: MIT
"""The manual pages: one for each verb, generated from the help; no warnings of mandoc or groff; at most 80 columns."""
import re
import shutil
import subprocess

import pytest

from lib.broker import PROGRAM, REPO
from lib.built import VERBS

PAGES = ["man1/broker.1", *(f"man1/broker-{verb}.1" for verb in VERBS), "man5/broker-config.5", "man7/broker-tls.7",
         "man7/broker-troubleshooting.7"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("man")
    done = subprocess.run([REPO / "share" / "make-man", PROGRAM, folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def rendered(path):
    shown = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=80", path], capture_output=True, text=True, check=True).stdout
    return re.sub(".\b", "", shown)


def test_list_of_pages(pages):
    assert sorted(str(path.relative_to(pages)) for path in pages.rglob("*.*")) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_linted(pages, page):
    for program in ("mandoc", "groff"):
        shutil.which(program) or pytest.skip(f"missing: {program}")
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", pages / page], capture_output=True, text=True).stdout
    assert [line for line in lint.splitlines() if "referenced manual not found" not in line] == []
    done = subprocess.run(["groff", "-ww", "-mdoc", "-Tutf8", pages / page], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    text = rendered(pages / page)
    assert max(map(len, text.splitlines())) <= 80 + 7  # an example is indented, and as wide as in the help
    assert len(text.splitlines()) > 20


@pytest.mark.parametrize("verb", VERBS)
def test_page_contains_the_help(pages, broker, verb):
    """All options with their texts, the examples, and the description."""
    page = re.sub(r"\s+", " ", rendered(pages / f"man1/broker-{verb}.1"))
    text = broker.run("help", verb).text
    options = re.findall(r"^  (?:-\w, |    )?(-[-\w]+)(?: [^ ]+)?(?:  +|\n {26})(\S.*)$", text, re.M)
    assert len(options) >= 3
    for option, help in options:
        assert option in page and help in page, option
    for paragraph in text.split("\n\n")[1:3]:
        for line in paragraph.splitlines():
            assert re.sub(r"\s+", " ", line.strip()) in page, line
