# SPDX-License-Identifier: MIT
"""The short form of tests/soak for each route: connections one after the other, then some seconds under load. The long
form (`tests/soak KIND`: 10,000 and ten minutes) is run by hand."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.broker import BUILD, REPO

CONNECTIONS = {"direct": 2000, "tcp": 500, "command": 500, "libssh2": 500, "openssh": 500}


@pytest.mark.alone
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", CONNECTIONS)
def test_soak(names, kind):
    done = subprocess.run([sys.executable, "-B", Path(REPO, "tests/soak"), kind, "2", str(CONNECTIONS[kind])], text=True,
                          capture_output=True, env={**os.environ, "BROKER_BUILD": str(BUILD)})
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
