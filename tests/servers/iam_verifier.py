# SPDX-License-Identifier: MIT
"""Verifies RDS IAM tokens as the database service does, with botocore's SigV4; runs in botocore's virtual environment.

iam_verifier.py SOCKET CONFIG.json. CONFIG is read again for every login, so that a test can change it:
{"endpoints": ["host:3306"], "region": "eu-west-1", "keys": {ID: {"secret": "...", "token": "..." or null}},
 "grants": {ID: ["user", "*"]} (default: any user), "now": "20150830T123700Z" (default: the clock)}"""
import datetime
import hmac
import json
import os
import socketserver
import sys
from urllib.parse import quote, unquote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FORMAT = "%Y%m%dT%H%M%SZ"
WANTED = {"Action", "DBUser", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
          "X-Amz-Signature"}
SKEW = datetime.timedelta(minutes=5)


def parse(token):
    """(HOST:PORT, {parameter: value}); raises ValueError with the reason."""
    text = token.decode("ascii")
    place, mark, query = text.partition("/?")
    if not mark or "://" in text:
        raise ValueError("not a token")
    found = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not equals or name in found:
            raise ValueError(f"bad or repeated parameter {part!r}")
        found[name] = unquote(value, errors="strict")
    missing, extra = WANTED - set(found), set(found) - WANTED - {"X-Amz-Security-Token"}
    if missing or extra:
        raise ValueError(f"missing {sorted(missing)}, unknown {sorted(extra)}")
    return place, found


def signature(place, found, id, key, region):
    signer = botocore.auth.SigV4QueryAuth(Credentials(id, key["secret"], key.get("token")), "rds-db", region)
    pairs = [f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in found.items() if n != "X-Amz-Signature"]
    request = AWSRequest(method="GET", url=f"https://{place}/?" + "&".join(pairs))
    request.context["timestamp"] = found["X-Amz-Date"]
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


def check(config, user, token):
    """"" if the token is valid for USER, else the reason why not."""
    place, found = parse(token)
    if place.lower() not in [e.lower() for e in config["endpoints"]]:
        return f"signed for {place}"
    if found["Action"] != "connect" or found["X-Amz-SignedHeaders"] != "host":
        return "action or headers"
    if found["DBUser"] != user:
        return f"signed for user {found['DBUser']}"
    id, day, region, service, end = found["X-Amz-Credential"].split("/")
    when, expires = datetime.datetime.strptime(found["X-Amz-Date"], FORMAT), int(found["X-Amz-Expires"])
    if (service, end, day) != ("rds-db", "aws4_request", found["X-Amz-Date"][:8]):
        return "scope"
    if region != config["region"]:
        return f"signed for region {region}"
    key = config["keys"].get(id)
    if not key:
        return f"unknown access key {id}"
    if (key.get("token") or None) != found.get("X-Amz-Security-Token"):
        return "wrong session token"
    if not {"*", user} & set(config.get("grants", {}).get(id, ["*"])):
        return "not granted rds-db:connect"
    if not hmac.compare_digest(signature(place, found, id, key, region), found["X-Amz-Signature"]):
        return "signature does not match"
    now = config.get("now") or datetime.datetime.now(datetime.timezone.utc).strftime(FORMAT)
    now = datetime.datetime.strptime(now, FORMAT)
    if not 1 <= expires <= 900 or now > when + datetime.timedelta(seconds=expires):
        return "expired"
    return "from the future" if when > now + SKEW else ""


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        user, _, token = self.rfile.read().split(b"\0", 2)
        try:
            with open(sys.argv[2]) as config:
                why = check(json.load(config), user.decode(), token)
        except Exception as error:  # malformed input is a refusal as well
            why = f"{error}"
        self.wfile.write(f"- {why}".encode() if why else b"+ ok")


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    server = Server(sys.argv[1], Handler)
    os.chmod(sys.argv[1], 0o666)
    server.serve_forever()
