# SPDX-License-Identifier: MIT
"""An HTTP or HTTPS server inside the test process, whose answers the test writes.

`routes` maps a path to the answer: bytes, a tuple (status, headers, body), or a function of the request that returns
one of these, or None if it has written to the connection itself (slowly, cut off, in chunks). `seen` records all
requests. `connections` counts the accepted ones, so that a test can check that one was reused, or that none was
made."""
import http.server
import socketserver
import ssl
import threading
from dataclasses import dataclass


@dataclass
class Seen:
    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *args):
        pass

    def answer(self):
        web = self.server.web
        length = int(self.headers.get("Content-Length") or 0)
        self.seen = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length))
        web.seen.append(self.seen)
        reply = web.routes.get(self.path.partition("?")[0], (404, {}, b"nothing here"))
        reply = reply(self) if callable(reply) else reply
        if reply is None:
            return
        status, headers, body = reply if isinstance(reply, tuple) else (200, {}, reply)
        if "Date" in headers:
            self.date_time_string = lambda timestamp=None: headers["Date"]
        self.send_response(status)
        for name, value in headers.items():
            if name != "Date":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = answer


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def get_request(self):
        connection, address = super().get_request()
        self.web.connections += 1
        self.web.open.append(connection)
        return connection, address

    def finish_request(self, request, client_address):
        if self.web.context:
            request.settimeout(30)
            request = self.web.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # a client that disconnects, or a failed handshake: the test sees it at the client


class Web:
    """certificate: (cert, key) for HTTPS; versions: (least, most) of ssl.TLSVersion."""
    host = "127.0.0.1"

    def __init__(self, routes=None, certificate=None, versions=None, client_ca=None):
        self.routes, self.seen, self.connections, self.open = dict(routes or {}), [], 0, []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            if versions:
                self.context.set_ciphers("ALL:@SECLEVEL=0")
                self.context.minimum_version, self.context.maximum_version = versions
            if client_ca:
                self.context.load_verify_locations(client_ca)
                self.context.verify_mode = ssl.CERT_REQUIRED
        self.server = Server((self.host, 0), Handler)
        self.server.web = self
        self.port = self.server.server_address[1]
        self.scheme = "https" if certificate else "http"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://{self.host}:{self.port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.open:
            connection.close()
