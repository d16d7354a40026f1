# SPDX-License-Identifier: MIT
"""A proxy between broker and a Vault in tests, which passes on each request and its answer.

`seen` records the requests (servers/web.py), so that a test can check which were made, and how often; `tokens` has the
tokens that logins returned. `secret` is called with every secret that passes, so that a leak of it is found. `instead`
maps a path to a list of answers, in the format of Web's routes, each of which is sent once in Vault's place: so a real
Vault can appear to fail."""
import http.client
import json
import urllib.parse

from .web import Handler, Web

HIDDEN = ("client_token", "password", "secret_id", "jwt", "client_nonce", "code", "id_token")
PASSED = ("Content-Type", "Location", "Retry-After")
Handler.do_LIST = Handler.answer


class Front(Web):
    def __init__(self, url, secret=lambda value: None, **more):
        self.place, self.secret, self.instead, self.tokens = urllib.parse.urlsplit(url), secret, {}, []
        super().__init__(**more)
        self.routes = self

    def get(self, path, default):
        """Takes the place of the table of routes."""
        replies = self.instead.get(path)
        if replies:
            return replies.pop(0)
        return self.forward

    def forward(self, request):
        seen = request.seen
        self.note(json.loads(seen.body) if seen.body.startswith(b"{") else None)
        self.note(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(seen.path).query)))
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=60)
        headers = {name: value for name, value in seen.headers.items() if name not in ("host", "connection", "content-length")}
        connection.request(seen.method, seen.path, seen.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if body.startswith(b"{"):
            self.note(json.loads(body))
        return answer.status, {name: value for name, value in answer.getheaders() if name in PASSED}, body

    def note(self, value):
        """Registers the secrets in VALUE, at any depth."""
        if isinstance(value, dict):
            for name, part in value.items():
                if name in HIDDEN and isinstance(part, str) and part:
                    self.secret(part.encode())
                    if name == "client_token":
                        self.tokens.append(part)
                self.note(part)

    def asked(self, *words):
        """The requests that contain all WORDS, as "METHOD PATH" without /v1/ and the query."""
        lines = [f"{seen.method} {seen.path.partition('?')[0].removeprefix('/v1/')}" for seen in self.seen]
        return [line for line in lines if all(word in line for word in words)]


def errors(*lines):
    """The body of an error answer of Vault."""
    return json.dumps({"errors": list(lines)}).encode()
