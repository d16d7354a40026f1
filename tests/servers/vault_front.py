# SPDX-License-Identifier: MIT
"""What stands between broker and a Vault in tests: it hands on each request, and the answer.

`seen` has what came (servers/web.py), so that a test can say which requests were made, and how often; `tokens` those that
log-ins gave. Every secret that goes
by is told to `secret`, so that a leak of it is found. `instead` maps a path to what is answered in Vault's place, once each,
as the routes of Web: that is how a real Vault comes to have bad moments."""
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
        """In the place of a table of routes."""
        told = self.instead.get(path)
        if told:
            return told.pop(0)
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
        """Tells of the secrets in VALUE, at any depth."""
        if isinstance(value, dict):
            for name, part in value.items():
                if name in HIDDEN and isinstance(part, str) and part:
                    self.secret(part.encode())
                    if name == "client_token":
                        self.tokens.append(part)
                self.note(part)

    def asked(self, *words):
        """The requests, as "METHOD PATH" without /v1/ and the query, that hold all WORDS."""
        lines = [f"{seen.method} {seen.path.partition('?')[0].removeprefix('/v1/')}" for seen in self.seen]
        return [line for line in lines if all(word in line for word in words)]


def errors(*lines):
    """Vault's own form of a refusal."""
    return json.dumps({"errors": list(lines)}).encode()
