# SPDX-License-Identifier: MIT
"""Throw-away certificates, made for each run by the openssl program.

`ca` signs everything; `wrong_ca` signs nothing. The servers' certificate is valid for the names `db.test.internal` and
`localhost` and for no address, so one server serves all cases: right name (either of them), wrong name
(`wrong.test.internal`, 127.0.0.1), right and wrong CA. `db.test.internal` is needed because MariaDB clients from 11.4
check no name for 127.0.0.1 and ::1; both .internal names are in the tests' private /etc/hosts (see
cli/lib/namespace.py)."""
import subprocess
from pathlib import Path

RIGHT_NAME = "db.test.internal"
WRONG_NAME = "wrong.test.internal"


class Pki:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.ca, self.ca_key = self._make("ca", ["basicConstraints=critical,CA:TRUE"])
        self.wrong_ca, _ = self._make("wrong-ca", ["basicConstraints=critical,CA:TRUE"])
        self.server = self.issue("server", [f"DNS:{RIGHT_NAME}", "DNS:localhost"])
        self.client_cert, self.client_key = self.issue("client", [])

    def issue(self, name, sans):
        """Issues a certificate of `ca` for SANS (["DNS:name", "IP:address"]); returns (certificate, key)."""
        extensions = ["basicConstraints=CA:FALSE"]
        if sans:
            extensions.append("subjectAltName=" + ",".join(sans))
        return self._make(name, extensions, ["-CA", self.ca, "-CAkey", self.ca_key])

    @staticmethod
    def past():
        """The options that make `openssl x509 -req` issue an expired certificate. OpenSSL 3.5 no longer accepts
        negative days, and the options that replace them are new in 3.4."""
        known = subprocess.run(["openssl", "x509", "-help"], capture_output=True, text=True).stderr
        return ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"] if "-not_after" in known else ["-days", "-1"]

    def issue_for(self, name, sans, start, end):
        """As issue(), valid from START to END ("20200101000000Z"); in all versions of OpenSSL only `openssl ca` can do
        that."""
        config, request = self.folder / "ca.cnf", self.folder / f"{name}.csr"
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        config.write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {self.folder}/index\nnew_certs_dir = {self.folder}\nrand_serial = yes\n"
                          "default_md = sha256\npolicy = p\ncopy_extensions = copy\nunique_subject = no\n[p]\ncommonName = supplied\n")
        (self.folder / "index").touch()
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "/dev/null",
                        "-subj", f"/CN=broker test {name}", "-keyout", key, "-out", request, "-addext",
                        "subjectAltName=" + ",".join(sans)], check=True, capture_output=True)
        subprocess.run(["openssl", "ca", "-batch", "-notext", "-config", config, "-cert", self.ca, "-keyfile", self.ca_key,
                        "-startdate", start, "-enddate", end, "-in", request, "-out", cert], check=True, capture_output=True)
        return cert, key

    def _make(self, name, extensions, signer=()):
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-config", "/dev/null", "-subj", f"/CN=broker test {name}", "-keyout", key, "-out", cert, *signer]
        for extension in extensions:
            argv += ["-addext", extension]
        subprocess.run(argv, check=True, capture_output=True)
        return cert, key
