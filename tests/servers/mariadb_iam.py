# SPDX-License-Identifier: MIT
"""A private mariadbd whose accounts log in with RDS IAM tokens, as on RDS: its plug-in (rds_iam.c) has each token verified
by botocore (iam_verifier.py). Its certificate is for HOST and OTHER, which the test must make resolve to 127.0.0.1."""
import json
import shutil
import subprocess
from pathlib import Path

from . import process
from .mariadb import MariaDB

HERE = Path(__file__).resolve().parent
HOST = "mydb.abcdefghijkl.eu-west-1.rds.amazonaws.com"
OTHER = "other.abcdefghijkl.eu-west-1.rds.amazonaws.com"  # in the certificate too, but tokens for it are refused
REGION = "eu-west-1"
USERS = ("app", "app_ro")
SESSION = "a/+=" * 625  # 2,500 bytes; percent-encoded the token has over 6,000
KEYS = {"AKIAFAKESTATIC": {"secret": "fake/static+secret0of0a0key0for0canaries", "token": None},
        "ASIAFAKESESSION": {"secret": "fake/session+secret0of0a0key0for0canary", "token": "fake+session/token=" * 10},
        "ASIAFAKELONG": {"secret": "fake/long+secret0of0a0key0for0canaries00", "token": SESSION}}


class MariaDBIam(MariaDB):
    plugins = {}

    def __init__(self, folder, pki):
        python = process.need(process.cache_dir() / "botocore" / "bin" / "python")
        folder.mkdir(parents=True)
        self.verifier_socket, self.config = folder / "verifier", folder / "verifier.json"
        (folder / "plugin").mkdir()
        subprocess.run([process.need(shutil.which("cc") or "/usr/bin/cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                        "-o", folder / "plugin/rds_iam.so", HERE / "rds_iam.c"], check=True)
        self.plugin_dir = folder / "plugin"
        log = folder / "verifier.log"
        self.verifier = process.start([python, "-B", HERE / "iam_verifier.py", self.verifier_socket, self.config], log)
        process.wait_until(self.verifier_socket.exists, self.verifier, log)
        super().__init__(folder / "server", pki, certificate=pki.issue("rds", [f"DNS:{HOST}", f"DNS:{OTHER}"]))
        self.tell()

    def command(self):
        return ["/usr/bin/env", f"RDS_IAM_SOCKET={self.verifier_socket}", self.program(), "--no-defaults",
                "--innodb-log-file-size=8M", f"--plugin-dir={self.plugin_dir}", "--plugin-load-add=rds_iam"]

    def account_sql(self):
        lines = []
        for user in USERS:
            lines += [f"create user {user}@'%' identified with AWSAuthenticationPlugin as 'RDS' require ssl",
                      f"grant all on shop.* to {user}@'%'"]
        return lines

    def tell(self, **changes):
        """Changes the verifier's configuration, from the next login on."""
        config = {"endpoints": [f"{HOST}:{self.port}"], "region": REGION, "keys": KEYS, **changes}
        self.config.write_text(json.dumps(config))

    def verdicts(self):
        """The plug-in's log, one line for each login."""
        return [line.partition("rds_iam: ")[2] for line in self.log.read_text(errors="replace").splitlines() if "rds_iam: " in line]

    def stop(self):
        super().stop()
        process.stop(self.verifier)
