# SPDX-License-Identifier: MIT
"""broker run as UID, an unprivileged user without a passwd entry, in a home of its own: for checks that root skips."""
import os
import shutil

UID = 54321
WRAP = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--"]


def settle(broker, build):
    """Copies the program from BUILD to where that user can run it, and gives that user the home."""
    base = broker.folder.parent.parent
    base.chmod(0o711)
    broker.folder.parent.chmod(0o711)
    broker.program = broker.folder / "installed" / "bin" / "broker"
    for part in ("bin", "libexec"):
        shutil.copytree(build / part, broker.folder / "installed" / part)
    own(broker)


def own(broker):
    """Makes the user the owner of all files of the test's folder."""
    for path in (broker.folder, *broker.folder.rglob("*")):
        os.chown(path, UID, UID, follow_symlinks=False)
