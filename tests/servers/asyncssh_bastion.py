#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""asyncssh_bastion.py PORT HOST_KEY AUTHORIZED [open]: a bastion made with asyncssh; with `open` it needs no
authentication. It forwards to any address, and refuses sessions. Prints "listening", then what clients request, as
gossh does."""
import asyncio
import sys
import warnings

warnings.simplefilter("ignore")
import asyncssh  # noqa: E402


class Bastion(asyncssh.SSHServer):
    def connection_made(self, conn):
        self.conn = conn

    def begin_auth(self, username):
        self.conn.set_authorized_keys(sys.argv[3])
        return sys.argv[4:] != ["open"]

    def auth_completed(self):
        print("login", flush=True)

    def connection_lost(self, exc):
        print("gone", flush=True)

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        print("channel direct-tcpip", flush=True)
        return True

    def session_requested(self):
        print("channel session", flush=True)
        return False


async def main():
    server = await asyncssh.create_server(Bastion, "127.0.0.1", int(sys.argv[1]), server_host_keys=[sys.argv[2]],
                                          reuse_address=True)
    print("listening", flush=True)
    await server.wait_closed()

asyncio.run(main())
