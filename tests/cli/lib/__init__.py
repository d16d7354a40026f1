# SPDX-License-Identifier: MIT
"""The harness of the command-line tests; conftest.py turns it into fixtures."""
