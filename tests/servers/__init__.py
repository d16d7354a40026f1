# SPDX-License-Identifier: MIT
"""Private throw-away servers for the tests: MariaDB, MySQL 9, fakes, a Secret Service; each a file, each stopped by pid."""
