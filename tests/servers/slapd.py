# SPDX-License-Identifier: MIT
"""OpenLDAP's slapd with one user: alice, with PASSWORD. Raises process.Missing if it is not installed."""
import socket
import subprocess

from . import process

BASE = "dc=example,dc=test"
PEOPLE_DN = f"ou=people,{BASE}"
PASSWORD = "ldap-fake-canary-77b0e2"
CONFIG = """include {root}/etc/ldap/schema/core.schema
include {root}/etc/ldap/schema/cosine.schema
include {root}/etc/ldap/schema/inetorgperson.schema
pidfile {folder}/pid
database ldif
suffix "{base}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""
ENTRIES = """dn: {base}
objectClass: organization
objectClass: dcObject
dc: example
o: example

dn: {people}
objectClass: organizationalUnit
ou: people

dn: uid=alice,{people}
objectClass: inetOrgPerson
uid: alice
cn: alice
sn: alice
userPassword: {password}
"""


class Slapd:
    def __init__(self, folder):
        root = process.cache_dir() / "vault" / "slapd"
        program = process.need(root / "usr/sbin/slapd")
        (folder / "data").mkdir(parents=True)
        config, entries = folder / "slapd.conf", folder / "entries"
        config.write_text(CONFIG.format(root=root, folder=folder, base=BASE))
        entries.write_text(ENTRIES.format(base=BASE, people=PEOPLE_DN, password=PASSWORD))
        env = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": ":".join(str(p) for p in root.glob("usr/lib/*-linux-gnu"))}
        subprocess.run([program, "-Tadd", "-f", config, "-l", entries], env=env, check=True, capture_output=True)
        self.port, self.log = process.free_port(), folder / "log"
        self.proc = process.start([program, "-d", "0", "-f", config, "-h", self.url], self.log, env=env)
        process.wait_until(self._listens, self.proc, self.log)

    @property
    def url(self):
        return f"ldap://127.0.0.1:{self.port}"

    def _listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        process.stop(self.proc)
