# SPDX-License-Identifier: MIT
"""The algorithms that the libssh2 engine offers, as recorded by a relay in front of a real sshd: those that the user's
ssh allows, in its order, and never a weak one."""
import re
import struct

import pytest

from lib.bastion import Home, libssh2_version, tunnel, write
from lib.keeping import gone

WEAK = re.compile(r"cbc|arcfour|none|md5|ripemd|-96|umac-64|group1-|group-exchange|-sha1$|ssh-dss|ssh-rsa$")
KINDS = ["kex", "host keys", "ciphers up", "ciphers down", "MACs up", "MACs down"]
OLD = libssh2_version() < (1, 11)
GCM = "aes128-gcm@openssh.com"
CHACHA = "chacha20-poly1305@openssh.com"
MARKS = {"ext-info-c", "kex-strict-c-v00@openssh.com"}  # listed among the kex methods, but not methods


def offered(sent):
    """The lists of the client's KEXINIT (RFC 4253, 7.1), which follows its version string."""
    packet = sent[sent.index(b"\n") + 1:]
    assert packet[5] == 20
    at, lists = 22, {}
    for kind in KINDS:
        length, = struct.unpack_from(">I", packet, at)
        lists[kind] = packet[at + 4:at + 4 + length].decode().split(",")
        at += 4 + length
    assert CHACHA not in lists["ciphers up"] or MARKS <= set(lists["kex"])  # against Terrapin
    lists["kex"] = [word for word in lists["kex"] if word not in MARKS]
    return lists


@pytest.fixture
def offers(broker, ssh_home, sshd, user_key, mariadb_server, clients, relay):
    """offers(lines of ~/.ssh/config): the lists that were offered in a successful login."""
    def offers(config):
        home, front = Home(broker, ssh_home), relay((sshd.host, sshd.port))
        home.has_key(user_key)
        home.config(config)
        home.known_hosts.write_text(sshd.known("ed25519", name=f"[127.0.0.1]:{front.port}"))
        write(broker, mariadb_server, tunnel(sshd, "libssh2", port=front.port), client=clients["mariadb1011"].path)
        done = broker.run("connect", "p", "--", "-NBe", "select 1")
        assert (done.out, done.err) == (b"1\n", b"") and gone(broker)
        found = offered(front.sent)
        assert found["ciphers up"] == found["ciphers down"] and found["MACs up"] == found["MACs down"]
        return found
    return offers


def test_default_algorithms(offers):
    """The first of each list is the first one of the user's ssh that libssh2 supports."""
    found = offers("")
    assert found["ciphers up"][0] == ("aes128-ctr" if OLD else CHACHA)
    assert found["MACs up"][0] == ("hmac-sha2-256" if OLD else "hmac-sha2-256-etm@openssh.com")
    assert found["kex"][0] == "curve25519-sha256" and found["host keys"][0] == "ssh-ed25519"


@pytest.mark.parametrize("ciphers", ["aes256-ctr,aes128-ctr", "aes192-ctr", "aes128-ctr,aes256-ctr"])
@pytest.mark.parametrize("macs", ["hmac-sha2-512,hmac-sha2-256", "hmac-sha2-512"])
def test_order_is_the_users(offers, ciphers, macs):
    found = offers(f"Ciphers {ciphers}\nMACs umac-128@openssh.com,{macs}\nKexAlgorithms ecdh-sha2-nistp384,curve25519-sha256\n")
    assert (",".join(found["ciphers up"]), ",".join(found["MACs up"])) == (ciphers, macs)
    assert found["kex"] == ["ecdh-sha2-nistp384", "curve25519-sha256"]


def test_another_cipher_first(offers):
    found = offers(f"Ciphers ^{GCM}\n")
    assert found["ciphers up"][0] == ("aes128-ctr" if OLD else GCM)


@pytest.mark.parametrize("config", ["", "Ciphers +aes128-cbc,3des-cbc\nMACs +hmac-md5,hmac-sha1-96\nKexAlgorithms +diffie-hellman-group1-sha1,"
                                    "diffie-hellman-group-exchange-sha1\nHostKeyAlgorithms +ssh-rsa\n"])
def test_no_weak_algorithm(offers, config):
    """Even if the user's ssh would use one. HMAC-SHA1 does not count as weak."""
    words = [word for words in offers(config).values() for word in words if not re.fullmatch(r"hmac-sha1(-etm@openssh.com)?", word)]
    assert words and not [word for word in words if WEAK.search(word)]
