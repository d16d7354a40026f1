# SPDX-License-Identifier: MIT
"""A user without privileges and without a passwd entry, for what root may do anyway: broker run as UID in a home of its own."""
import os
import shutil

UID = 54321
WRAP = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--"]


def settle(broker, build):
    """The program out of BUILD is copied to where that user can run it, and the home is made his."""
    base = broker.folder.parent.parent
    base.chmod(0o711)
    broker.folder.parent.chmod(0o711)
    broker.program = broker.folder / "installed" / "bin" / "broker"
    for part in ("bin", "libexec"):
        shutil.copytree(build / part, broker.folder / "installed" / part)
    own(broker)


def own(broker):
    """Gives all that is in the home to the user."""
    for path in (broker.folder, *broker.folder.rglob("*")):
        os.chown(path, UID, UID, follow_symlinks=False)
