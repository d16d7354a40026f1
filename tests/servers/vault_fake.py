# SPDX-License-Identifier: MIT
"""A fake Vault, for machines that cannot build a real one, and for behaviour that a real one does not show on request.

Its successful answers are those of a real Vault 1.21 (tests/cli/test_vault_servers.py runs the same client against a
real one); error answers are set with `instead`, as in servers/vault_front.py. Each test that uses one names its
documentation: the status codes in Vault's API documentation ("HTTP Status Codes"), rate limits in "Resource quotas",
standby nodes in "Request forwarding"."""
import json
import time

from .vault_front import Front, errors

TOKEN = "hvs.fake-canary-token-0c7e21a94b"
USER, PASSWORD = "v-fake-canary-user", "fake-lease-canary-a91"


class VaultFake(Front):
    """Has userpass at auth/userpass, and a credential at database/creds/readonly. lease: its life in seconds. token:
    fields of lookup-self's answer that replace the usual ones."""

    def __init__(self, secret=lambda value: None, lease=3600, token={}, **more):
        self.lease, self.token, self.serial = lease, token, 0
        super().__init__("http://127.0.0.1:1", secret, **more)

    def forward(self, request):
        path = request.path.partition("?")[0].removeprefix("/v1/")
        if path.startswith("auth/userpass/login/"):
            return self.say(auth=self.auth())
        if path == "auth/token/renew-self":
            return self.say(auth=self.auth())
        if request.headers.get("X-Vault-Token") != TOKEN:
            return 403, {}, errors("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
        if path == "auth/token/lookup-self":
            return self.say(data=self.looked_up())
        if path == "database/creds/readonly":
            return self.credential()
        if path in ("sys/leases/revoke", "auth/token/revoke-self"):
            return 204, {}, b""
        return 403, {}, errors("1 error occurred:\n\t* permission denied\n\n")

    def credential(self):
        self.serial += 1
        data = {"username": f"{USER}{self.serial}", "password": PASSWORD}
        return self.say(data=data, lease_id=f"database/creds/readonly/fake{self.serial}", lease_duration=self.lease, renewable=True)

    def auth(self):
        return {"client_token": TOKEN, "accessor": "fake-accessor", "policies": ["default", "db"], "token_policies": ["default", "db"],
                "metadata": {"username": "alice"}, "lease_duration": 3600, "renewable": True, "entity_id": "e", "token_type": "service",
                "orphan": True, "mfa_requirement": None, "num_uses": 0}

    def looked_up(self):
        now = int(time.time())
        return {"accessor": "fake-accessor", "creation_time": now, "creation_ttl": 3600, "display_name": "userpass-alice", "entity_id": "e",
                "expire_time": "2099-01-01T00:00:00Z", "explicit_max_ttl": 0, "id": TOKEN, "issue_time": "2026-01-01T00:00:00Z",
                "meta": {"username": "alice"}, "num_uses": 0, "orphan": True, "path": "auth/userpass/login/alice",
                "policies": ["db", "default"], "renewable": True, "ttl": 3600, "type": "service", **self.token}

    def say(self, **parts):
        """An answer with PARTS in Vault's format; registers the secrets in it."""
        body = {"request_id": "fake", "lease_id": "", "renewable": False, "lease_duration": 0, "data": None, "wrap_info": None,
                "warnings": None, "auth": None, "mount_type": "", **parts}
        self.note(body)
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()
