# SPDX-License-Identifier: MIT
"""broker-http by itself: certificates of a real CA, versions of TLS, and proxies. A server that cannot be trusted gets
no request; the password of a proxy is in no message."""
import base64
import ssl
import subprocess
from pathlib import Path

import pytest

from lib.forwards import state_of, until
from lib.http_records import CANARY, STATUS, number
from lib.http_records import request as record_of
from lib.keeping import memory_of


# TLS

def test_tls(http, https, pki):
    server = https({"/": b"x"})
    assert http.get(server.url + "/", ca=pki.ca)[0] == 200
    assert http.get(f"https://localhost:{server.port}/", ca=pki.ca)[0] == 200


@pytest.mark.parametrize("ca", ["wrong_ca", None])
def test_untrusted_ca(http, https, pki, ca):
    server = https({"/": b"x"})
    message, transient = http.fails(server.url + "/", **({"ca": getattr(pki, ca)} if ca else {}))
    assert message.startswith("its certificate is not trusted: ") and not transient and not server.seen


BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def add_to_system_folder(http, ca):
    """Adds a CA certificate to the system's folder, where OpenSSL finds it by its name."""
    digest = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", ca], capture_output=True, text=True, check=True).stdout.strip()
    http.runner.etc.write(f"/etc/ssl/certs/{digest}.0", ca.read_text())


def test_only_the_given_ca_certificates(http, https, pki, names):
    """Also if libcurl has the system's folder of CA certificates in addition to a file."""
    server = https({"/": b"x"})
    add_to_system_folder(http, pki.ca)
    assert http.get(server.url + "/")[0] == 200
    assert "not trusted" in http.fails(server.url + "/", ca=pki.wrong_ca)[0] and len(server.seen) == 1


def statuses(http, server, count=3):
    return [answer[1].get(STATUS) for answer in http.ask(*[record_of(server.url + "/")] * count)]


def test_system_folder_saves_reading_the_system_file(http, https, pki, names):
    """OpenSSL needs more time to read the file than for all the rest. It is not read, so it may even be broken."""
    server = https({"/": b"x"})
    add_to_system_folder(http, pki.ca)
    http.runner.etc.write(BUNDLE, "")
    assert statuses(http, server) == [number(200)] * 3 and server.connections == 1


def test_ca_in_the_system_file_only(http, https, pki, names):
    """As in a container with that file mounted. The request is sent once, by the second connection, which stays
    open."""
    server = https({"/": b"x"})
    http.runner.etc.write(BUNDLE, BUNDLE.read_bytes() + pki.ca.read_bytes())
    assert statuses(http, server) == [number(200)] * 3
    assert len(server.seen) == 3 and server.connections <= 2


def test_ca_in_neither_system_file_nor_folder(http, https, pki, names):
    server = https({"/": b"x"})
    add_to_system_folder(http, pki.wrong_ca)
    assert statuses(http, server) == [None] * 3 and not server.seen


def test_wrong_name(http, web, pki, names):
    server = web({"/": b"x"}, certificate=pki.server)
    assert http.get(f"https://db.test.internal:{server.port}/", ca=pki.ca)[0] == 200
    message, transient = http.fails(f"https://wrong.test.internal:{server.port}/", ca=pki.ca)
    assert message.startswith("its certificate is not trusted: ") and not transient


def test_unreadable_ca_file(http, https):
    server = https({"/": b"x"})
    for ca in ("/nowhere.pem", http.runner.write("empty.pem", "")):
        assert http.fails(server.url + "/", ca=ca) == ("the file of CA certificates cannot be read", False)


def test_no_tls_session_keys_are_written(http, https, pki):
    """libcurl would write them, and whoever has that file can decrypt recorded traffic."""
    keys = http.runner.home / "keys"
    assert http.get(https({"/": b"x"}).url + "/", ca=pki.ca, env={"SSLKEYLOGFILE": str(keys)})[0] == 200
    assert not keys.exists()


STS = b"""<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAFAKE</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@pytest.mark.parametrize("kind", ["https", "web"])
@pytest.mark.parametrize("body, want", [(STS % CANARY, "xAssumeRoleResponse/AssumeRoleResult/Credentials/SecretAccessKey"),
                                        (b'{"roleCredentials": {"secretAccessKey": "%s"}}' % CANARY, "jroleCredentials.secretAccessKey")], ids=["xml", "json"])
@pytest.mark.parametrize("size", [0, 3000, 15000, 40000])
def test_answer_does_not_stay_in_memory(request, http, pki, kind, body, want, size):
    server = request.getfixturevalue(kind)({"/": b" " * size + body + b" " * size})
    message = record_of(server.url + "/", ca=pki.ca, wants=[want], headers=["X-Sent: " + CANARY.decode()])
    run = http.runner.start(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        run.stdin.write(message)
        run.stdin.flush()
        head = run.stdout.read(4)
        assert CANARY in run.stdout.read(int.from_bytes(head, "big"))
        assert until(lambda: state_of(run.pid) == "S")  # it waits for the next request
        memory = memory_of(run.pid)
    finally:
        run.kill()
        run.communicate()
    assert b"broker/" in memory and server.seen and memory.count(CANARY) == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version, good", [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_tls_versions(http, https, pki, version, good):
    server = https({"/": b"x"}, versions=(ssl.TLSVersion[version], ssl.TLSVersion[version]))
    assert (http.get(server.url + "/", ca=pki.ca)[0] == 200) == good


def test_a_client_certificate(http, https, pki):
    server = https({"/": b"x"}, client_ca=pki.ca)
    assert http.get(server.url + "/", ca=pki.ca, cert=pki.client_cert, key=pki.client_key)[0] == 200
    assert http.get(server.url + "/", ca=pki.ca)[0] is None
    assert http.fails(server.url + "/", ca=pki.ca, cert="/nowhere.pem") == ("the client certificate or its key cannot be read", False)


def test_http_server_at_an_https_url(http, web):
    server = web({"/": b"x"})
    assert http.fails(server.url.replace("http", "https") + "/")[1] is False


# Proxies; a real one: test_aws_proxy.py

PASSWORD = CANARY.decode()


def test_a_proxy_with_a_password(http, web):
    proxy = web({"http://db.example.com/": b"by proxy"})
    env = {"http_proxy": f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}"}
    assert http.get("http://db.example.com/", wants=["t"], env=env)[1] == {0: b"by proxy"}
    assert base64.b64decode(proxy.seen[0].headers["proxy-authorization"].split()[1]).decode() == f"user:{PASSWORD}"


@pytest.mark.parametrize("more, env", [({"direct": 1}, {}), ({}, {"NO_PROXY": "127.0.0.1"}), ({}, {"no_proxy": "*"})])
def test_proxy_is_bypassed(http, web, more, env):
    proxy, server = web({}), web({"/": b"x"})
    env = {"http_proxy": f"http://127.0.0.1:{proxy.port}", "https_proxy": f"http://127.0.0.1:{proxy.port}", **env}
    assert http.get(server.url + "/", env=env, **more)[0] == 200 and not proxy.connections


@pytest.mark.parametrize("env, by_proxy", [
    ({"HTTP_PROXY": "{proxy}"}, True), ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1"}, False), ({"HTTP_PROXY": "{proxy}", "REQUEST_METHOD": "GET"}, False),
    ({"HTTP_PROXY": "{proxy}", "http_proxy": ""}, False), ({"HTTPS_PROXY": "{proxy}"}, False), ({"ALL_PROXY": "{proxy}"}, False), ({"all_proxy": "{proxy}"}, False), ({"HTTP_PROXY": ""}, False)])
def test_which_proxy(http, web, env, by_proxy):
    server = web({"/": b"x"})
    proxy = web({server.url + "/": b"y"})
    assert http.get(server.url + "/", wants=["t"], env={k: v.format(proxy=proxy.url) for k, v in env.items()})[1] == {0: b"y" if by_proxy else b"x"}


@pytest.mark.parametrize("proxy, message", [
    ("http://user:{password}@127.0.0.1:1", "connection refused"),
    ("http://user:{password}@nowhere.test.invalid:1", "the proxy set in the environment: no such host, or not a URL"),
    ("http://user:{password}@[::1", "the proxy set in the environment: no such host, or not a URL"),
    ("gopher://user:{password}@127.0.0.1:1", "connection failed"),
    ("http://user:{password}@127.0.0.1:{port}", "the proxy set in the environment answered with HTTP 407")])
def test_proxy_password_is_not_shown(http, web, proxy, message):
    def refuse(handler):
        return 407, {"Proxy-Authenticate": "Basic"}, b"no"
    server = web({"127.0.0.1:4": refuse})
    env = {"HTTPS_PROXY": proxy.format(password=PASSWORD, port=server.port)}
    said, _ = http.fails("https://127.0.0.1:4/", env=env)
    assert said == message
