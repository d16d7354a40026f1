# SPDX-License-Identifier: MIT
"""Private throw-away servers for the tests: MariaDB, MySQL 9, fakes, a Secret Service. Each is a file, and is stopped
by pid."""
