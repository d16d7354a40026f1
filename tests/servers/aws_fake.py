# SPDX-License-Identifier: MIT
"""Fake AWS services that moto does not have, or not in this form: strict IMDSv2, container credentials, SSO portal and
SSO-OIDC; and an STS whose keys a test knows in advance, with second factors, refusals and a clock of its own. The fake
is written by the authors of broker, so it proves little alone: tests let botocore use it too, which must find the same
keys, and moto verifies signatures.

`AwsFake(state)` serves all of them on one port; `state` is read for every request, so a test may change it:
  sts   refuse: [(status, code, message), ...] answers to the next calls, None for a success; mfa: {serial: code that is
  valid
        once}; skew: offset of the Date header in seconds; minutes: life of the keys; delay: seconds before an answer;
        until: a path that must exist before the answer
  imds  role, creds, region, ttl, no_token_api, v1; fail: {path: [status, how often]} ecs   auth, creds; fail sso
  access_tokens, creds, pending, slow_down, refresh: {refresh token: access token}; rotated: the refresh token of the
        answer; seconds: life of a token; login: the token of a device login; interval, device_seconds; says: the error
        that ends a login; delay, until
  signin  see servers/aws_signin.py
`calls` are the forms that STS received, `ends` the Expiration of the keys that it issued, `seen` all requests. https,
proxies and the like: servers/web.py, the base class."""
import datetime
import hashlib
import json
import threading
import time
import urllib.parse
import uuid
from email.utils import formatdate

from . import aws_signin
from .web import Web

ROLES = "/latest/meta-data/iam/security-credentials/"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
WRONG_MFA = "MultiFactorAuthentication failed with invalid MFA one time pass code. "


def iso(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def keys_of(role):
    """The keys that this STS issues for the role of that name."""
    digest = hashlib.sha256(role.encode()).hexdigest()
    return {"id": "ASIAFAKE" + digest[:12].upper(), "secret": "f+/" + digest[12:48], "token": "t+/" + digest[::-1] * 3 + "=="}


def hold(state):
    time.sleep(state.get("delay", 0))
    while "until" in state and not state["until"].exists():
        time.sleep(0.005)


class AwsFake(Web):
    def __init__(self, state=None, **options):
        super().__init__(**options)
        self.routes = self  # every path
        self.state = state if state is not None else {}
        self.calls, self.ends, self.lock = [], [], threading.Lock()
        self.failed, self.tokens, self.polls = {}, {}, {}

    def get(self, path, otherwise=None):
        return lambda handler: self.answer(handler, path)

    def answer(self, handler, path):
        kind = ("imds" if path.startswith("/latest/") else "ecs" if path.startswith("/ecs") else "sts" if path == "/" else
                "signin" if path == "/v1/token" else "sso")
        state = self.state.get(kind, {})
        with self.lock:
            status, often, *text = state.get("fail", {}).get(path, (0, 0))
            if self.failed.get(path, 0) < often:
                self.failed[path] = self.failed.get(path, 0) + 1
                return status, {}, (text or [b"try again"])[0]
            status, body, *headers = getattr(self, kind)(state, path, handler.seen)
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return status, (headers or [{}])[0], body.encode() if isinstance(body, str) else body

    # STS

    def sts(self, state, path, seen):
        form = dict(urllib.parse.parse_qsl(seen.body.decode(), keep_blank_values=True))
        self.calls.append(form)
        hold(state)
        refusal = state["refuse"].pop(0) if state.get("refuse") else None
        action, arn = form.get("Action"), form.get("RoleArn", "")
        if not refusal and form.get("SerialNumber") is not None:
            good = state.get("mfa", {}).get(form["SerialNumber"])
            if not good or form.get("TokenCode") != good:
                refusal = (403, "AccessDenied", WRONG_MFA)
            else:
                del state["mfa"][form["SerialNumber"]]
        if refusal:
            status, code, message = refusal
            return (status, f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code>'
                    f"<Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>", self.date(state))
        role = arn.rpartition("/")[2]
        keys, end = keys_of(role), iso(60 * state.get("minutes", 60))
        self.ends.append(end)
        return (200, f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><AssumedRoleUser>
<AssumedRoleId>A:{form.get("RoleSessionName")}</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/{role}/x</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>{keys["id"]}</AccessKeyId><SecretAccessKey>{keys["secret"]}</SecretAccessKey><SessionToken>{keys["token"]}
</SessionToken><Expiration>{end}</Expiration></Credentials></{action}Result></{action}Response>""".replace("\n</Sess", "</Sess"), self.date(state))

    def date(self, state):
        return {"Date": formatdate(time.time() + state["skew"], usegmt=True)} if "skew" in state else {}

    # IMDS

    def imds(self, state, path, seen):
        if path == "/latest/api/token":
            ttl = seen.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
            if seen.method != "PUT" or state.get("no_token_api"):
                return 405 if seen.method != "PUT" else 404, ""
            if "x-forwarded-for" in seen.headers:
                return 403, ""
            if not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
                return 400, ""
            token = uuid.uuid4().hex + "=="
            self.tokens[token] = time.time() + state.get("ttl", int(ttl))
            return 200, token
        token, role = seen.headers.get("x-aws-ec2-metadata-token"), state.get("role", "my-role")
        if (token is None and not state.get("v1")) or (token is not None and self.tokens.get(token, 0) < time.time()):
            return 401, ""
        if path in (ROLES, ROLES[:-1]):
            return (200, role) if role else (404, "")
        if role and path == ROLES + role:
            return 200, state.get("creds") or {
                "Code": "Success", "LastUpdated": iso(-60), "Type": "AWS-HMAC", "AccessKeyId": "ASIAFAKEIMDS", "SecretAccessKey":
                "fake+secret/of+imds", "Token": "fake+token/of+imds", "Expiration": iso(21600)}
        return 404, ""

    # ECS, EKS

    def ecs(self, state, path, seen):
        if state.get("auth") and seen.headers.get("authorization") != state["auth"]:
            return 401, {"code": "AccessDenied", "message": "bad token"}
        return 200, state.get("creds") or {"RoleArn": "arn:aws:iam::123456789012:role/task", "AccessKeyId": "ASIAFAKEECS", "SecretAccessKey":
                                           "fake+secret/of+ecs", "Token": "fake+token/of+ecs", "Expiration": iso(3600)}

    def signin(self, state, path, seen):
        return aws_signin.answer(state, f"{self.url}{path}", seen)

    # SSO portal and SSO-OIDC

    def sso(self, state, path, seen):
        def refuse(status, kind, **more):
            return status, {"__type": kind, **more}, {"x-amzn-ErrorType": kind}
        if path == "/federation/credentials" and seen.method == "GET":
            query = dict(urllib.parse.parse_qsl(seen.path.partition("?")[2]))
            if seen.headers.get("x-amz-sso_bearer_token") not in state.get("access_tokens", ["at1"]):
                return refuse(401, "UnauthorizedException", message="Session token not found or invalid")
            found = state.get("creds", {"123456789012/r": {}}).get(f"{query.get('account_id')}/{query.get('role_name')}")
            if found is None:
                return refuse(403, "ForbiddenException", message="No access")
            return 200, {"roleCredentials": {"accessKeyId": "ASIAFAKESSO", "secretAccessKey": "fake+secret/of+sso", "sessionToken":
                                             "fake+token/of+sso", "expiration": int((time.time() + 3600) * 1000), **found}}
        if seen.method != "POST" or seen.headers.get("content-type") not in ("application/json", "application/x-amz-json-1.1"):
            return refuse(400, "InvalidRequestException", error="invalid_request", error_description="no JSON")
        body = json.loads(seen.body or b"{}")
        hold(state)
        if path == "/client/register" and body.get("clientName") and body.get("clientType") == "public":
            return 200, {"clientId": "cid", "clientSecret": "csec", "clientIdIssuedAt": int(time.time()),
                         "clientSecretExpiresAt": int(time.time()) + 7776000}
        if path not in ("/device_authorization", "/token"):
            return refuse(404, "ResourceNotFoundException", message=path)
        if (body.get("clientId"), body.get("clientSecret")) != ("cid", "csec"):
            return refuse(401, "InvalidClientException", error="invalid_client")
        if path == "/device_authorization":
            if not body.get("startUrl"):
                return refuse(400, "InvalidRequestException", error="invalid_request", error_description="no startUrl")
            device = uuid.uuid4().hex
            self.polls[device] = 0
            page = "http://127.0.0.1/device"
            return 200, {"deviceCode": device, "userCode": "ABCD-EFGH", "verificationUri": page, "verificationUriComplete":
                         page + "?user_code=ABCD-EFGH", "expiresIn": state.get("device_seconds", 600), "interval": state.get("interval", 1),
                         **state.get("device", {})}
        return self.oidc_token(state, body, refuse)

    def oidc_token(self, state, body, refuse):
        def good(token):
            return 200, {"accessToken": token, "tokenType": "Bearer", "expiresIn": state.get("seconds", 28800),
                         "refreshToken": state.get("rotated", "rt2")}
        if body.get("grantType") == "refresh_token":
            token = state.get("refresh", {"rt1": "at2"}).get(body.get("refreshToken"))
            return good(token) if token else refuse(400, "InvalidGrantException", error="invalid_grant")
        device, slow = body.get("deviceCode"), state.get("slow_down", 0)
        if body.get("grantType") != DEVICE_GRANT:
            return refuse(400, "UnsupportedGrantTypeException", error="unsupported_grant_type")
        if "says" in state:
            return refuse(400, "SomeException", error=state["says"])
        if device not in self.polls:
            return refuse(400, "ExpiredTokenException", error="expired_token")
        self.polls[device] += 1
        if self.polls[device] <= slow:
            return refuse(400, "SlowDownException", error="slow_down")
        if self.polls[device] <= slow + state.get("pending", 1):
            return refuse(400, "AuthorizationPendingException", error="authorization_pending")
        return good(state.get("login", "at1"))
