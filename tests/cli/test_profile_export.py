# SPDX-License-Identifier: MIT
"""profile export: URLs in Sequel Ace's dialect, without secrets, which `profile add` reads back."""
import json
from urllib.parse import parse_qsl, urlsplit

import pytest

CONFIG = """\
[profile a]
host = h
user = us@r/:
port = 3307
database = d b
[profile b]
inherits = a
via = bast
[profile sock]
socket = /run/my sql.sock
user = root
[profile auto]
socket = auto
user = root
[profile rds]
host = x.c9akciq32.eu-west-1.rds.amazonaws.com
user = app
auth = iam
aws_profile = a%25b
[profile six]
host = ::1
user = u
auth = command
auth_command = print s3cret
tls = required
compress = yes
[profile far]
socket = /run/far.sock
user = u
via = ssh://bast:2222
[tunnel bast]
type = ssh
host = b.example
user = me
identity = ~/.ssh/id
"""
# The parameters that Sequel Ace accepts; with any other one it refuses the whole URL.
SEQUEL_ACE = {"type", "socket", "ssh_host", "ssh_port", "ssh_user", "ssh_password", "ssh_keyLocation", "ssh_keyLocationEnabled",
              "ssh_remote_socket_path", "aws_profile", "aws_region", "enable_cleartext_plugin", "get_server_public_key",
              "request_server_public_key", "autoConnect"}
URLS = {
    "a": "mysql://us%40r%2F%3A@h:3307/d%20b",
    "b": "mysql://us%40r%2F%3A@h:3307/d%20b?type=ssh&ssh_host=b.example&ssh_user=me&ssh_keyLocation={home}%2F.ssh%2Fid"
         "&ssh_keyLocationEnabled=1",
    "sock": "mysql://root@localhost/?type=socket&socket=%2Frun%2Fmy%20sql.sock",
    "auto": "mysql://root@localhost/?type=socket",
    "rds": "mysql://app@x.c9akciq32.eu-west-1.rds.amazonaws.com/?type=aws_iam&aws_profile=a%2525b&aws_region=eu-west-1",
    "six": "mysql://u@[::1]/",
    "far": "mysql://u@localhost/?type=ssh&ssh_host=bast&ssh_port=2222&ssh_remote_socket_path=%2Frun%2Ffar.sock"}


@pytest.fixture
def filled(broker):
    broker.config(CONFIG)
    return broker


def wanted(broker, *names):
    home = str(broker.home).replace("/", "%2F")
    return "".join(URLS[name].replace("{home}", home) + "\n" for name in names or URLS)


def test_all(filled):
    done = filled.run("profile", "export")
    assert (done.text, done.errors, done.code) == (wanted(filled), "six: not in the URL: auth tls compress auth_command\n", 0)
    assert all({name for name, _ in parse_qsl(urlsplit(url).query, strict_parsing=True)} <= SEQUEL_ACE
               for url in done.text.split() if "?" in url)


def test_some(filled):
    assert filled.run("profile", "export", "rds", "a").text == wanted(filled, "rds", "a")
    done = filled.run("profile", "export", "a", "nosuch")
    assert done.code == 78 and done.errors.startswith("broker: nosuch: no such profile\n")
    assert filled.run("profile", "export", "six", "-q").errors == ""


def test_json(filled):
    done = filled.run("profile", "export", "six", "--json")
    assert json.loads(done.text) == {"profiles": [{"name": "six", "url": "mysql://u@[::1]/",
                                                   "left_out": ["auth", "tls", "compress", "auth_command"]}]}
    assert done.errors == ""


def test_read_back(filled):
    """`profile add` reads the URLs; all keys that a URL can have get the same value."""
    for name, url in zip(URLS, filled.run("profile", "export", "-q").text.split("\n"), strict=False):
        assert filled.run("profile", "add", f"{name}2", url, "-q").code == 0, url
        before, after = (json.loads(filled.run("profile", "show", n, "--json").text) for n in (name, f"{name}2"))
        for key in ("host", "port", "user", "database", "socket", "aws_profile", "region"):
            assert before["keys"].get(key, {}).get("value") == after["keys"].get(key, {}).get("value"), (name, key)
        tunnels = [{k: v["value"] for k, v in shown["tunnel"].items()} for shown in (before, after)]
        assert tunnels[0] == tunnels[1]


def test_no_profiles(broker):
    assert (broker.run("profile", "export").text, broker.run("profile", "export").code) == ("", 0)
