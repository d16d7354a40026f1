# SPDX-License-Identifier: MIT
"""A fake of AWS sign-in's token endpoint, which renews the sessions of `aws login` (no other test server has one). It
is strict: the proof of possession must be a JWT of RFC 9449 for this URL and method, issued now, used once, and signed
by the session's own key; openssl verifies the signature.

State: refresh: {refresh token: new keys}; key: the session's key, as new_key() returns it; error: the error of an
AccessDeniedException, which is then the answer; used: the ids of the proofs so far; delay; seconds; rotated: the next
refresh token."""

import base64
import json
import subprocess
import tempfile
import time
from pathlib import Path

ACCOUNT = "123456789012"


def new_key():
    """(PEM of a private key in the CLI's format, its public point)."""
    pem = subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], capture_output=True, check=True
    ).stdout
    der = subprocess.run(
        ["openssl", "ec", "-pubout", "-outform", "DER"], input=pem, capture_output=True, check=True
    ).stdout
    return pem.decode(), der[-64:]


def decode(text):
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def integer(raw):
    """An ASN.1 INTEGER."""
    raw = raw.lstrip(b"\0") or b"\0"
    raw = b"\0" + raw if raw[0] & 0x80 else raw
    return b"\x02" + bytes([len(raw)]) + raw


def is_signed(pem, text, signature):
    both = integer(signature[:32]) + integer(signature[32:])
    with tempfile.TemporaryDirectory() as folder:
        public, sealed = Path(folder) / "public", Path(folder) / "signature"
        public.write_bytes(
            subprocess.run(["openssl", "ec", "-pubout"], input=pem.encode(), capture_output=True, check=True).stdout
        )
        sealed.write_bytes(b"\x30" + bytes([len(both)]) + both)
        return (
            subprocess.run(
                ["openssl", "dgst", "-sha256", "-verify", public, "-signature", sealed],
                input=text.encode(),
                capture_output=True,
            ).returncode
            == 0
        )


def check_proof(state, url, proof):
    """What is wrong with the proof, or None."""
    head, payload, signature = proof.split(".")
    header, claims = json.loads(decode(head)), json.loads(decode(payload))
    pem, point = state["key"]
    if header != {
        "typ": "dpop+jwt",
        "alg": "ES256",
        "jwk": {"kty": "EC", "crv": "P-256", "x": header["jwk"]["x"], "y": header["jwk"]["y"]},
    }:
        return f"header {header}"
    if decode(header["jwk"]["x"]) + decode(header["jwk"]["y"]) != point:
        return "another key"
    if set(claims) != {"htm", "htu", "iat", "jti"} or (claims["htm"], claims["htu"]) != ("POST", url):
        return f"claims {claims}"
    if abs(claims["iat"] - time.time()) > 60 or claims["jti"] in state.setdefault("used", []):
        return "not current, or used before"
    state["used"].append(claims["jti"])
    return None if is_signed(pem, head + "." + payload, decode(signature)) else "signature"


def answer(state, url, seen):
    def refuse(status, kind, **more):
        return status, {"__type": kind, **more}, {"x-amzn-ErrorType": kind}

    body = json.loads(seen.body or b"{}")
    if (
        seen.method != "POST"
        or seen.headers.get("content-type") != "application/json"
        or "authorization" in seen.headers
    ):
        return refuse(400, "ValidationException", message="no JSON")
    wrong = check_proof(state, url, seen.headers.get("dpop", ""))
    if wrong:
        return refuse(400, "ValidationException", message=f"DPoP: {wrong}")
    if state.get("delay"):
        time.sleep(state["delay"])
    if set(body) != {"clientId", "refreshToken", "grantType"} or body["grantType"] != "refresh_token":
        return refuse(400, "ValidationException", message=f"fields {sorted(body)}")
    if state.get("error"):
        return refuse(400, "AccessDeniedException", error=state["error"], message="no")
    keys = state["refresh"].pop(body["refreshToken"], None)  # valid once
    if not keys:
        return refuse(400, "AccessDeniedException", error="TOKEN_EXPIRED", message="refresh token is not valid")
    return 200, {
        "accessToken": keys,
        "tokenType": "aws_sigv4",
        "expiresIn": state.get("seconds", 900),
        "refreshToken": state.get("rotated", "rt-next"),
    }
