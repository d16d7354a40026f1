# SPDX-License-Identifier: MIT
"""HashiCorp's Vault, as vault-fetch builds it, and the mounts of one test on it.

`Vault` keeps everything in memory and has three listeners: http, https, and https that requires a client certificate of
the tests' CA. Its licence allows tests. Raises process.Missing if it is not installed. `Area` is for one test: a
database engine with roles of 1 h and 5 s on a real server, and the auth methods that the test enables, with names of
their own; all of it, and its leases, end with the test."""
import base64
import itertools
import json
import subprocess
import time
import urllib.error
import urllib.request

from . import process
from .slapd import PEOPLE_DN

NUMBERS = itertools.count(1)
CONFIG = """disable_mlock = true
ui = false
log_level = "warn"
storage "inmem" {{}}
api_addr = "http://127.0.0.1:{plain}"
disable_clustering = true
listener "tcp" {{
  address = "127.0.0.1:{plain}"
  tls_disable = true
}}
listener "tcp" {{
  address = "127.0.0.1:{tls}"
  tls_cert_file = "{cert}"
  tls_key_file = "{key}"
  tls_disable_client_certs = true
}}
listener "tcp" {{
  address = "127.0.0.1:{mutual}"
  tls_cert_file = "{cert}"
  tls_key_file = "{key}"
  tls_client_ca_file = "{ca}"
  tls_require_and_verify_client_cert = true
}}
"""
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
USER, PASSWORD = "vaultadmin", b"fake-vaultadmin-canary-3f80"
CREATE = ["CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'", "GRANT SELECT ON shop.* TO '{{name}}'@'%'"]


FORM_POST = {"oidc_response_mode": "form_post", "oidc_response_types": ["id_token"]}  # config for oidc()


class Refused(Exception):
    """An answer with a status of 400 or more: `status`, `errors`."""

    def __init__(self, status, errors):
        super().__init__(status, errors)
        self.status, self.errors = status, errors


class Vault:
    def __init__(self, folder, pki):
        program = process.need(process.cache_dir() / "vault" / "vault")
        folder.mkdir(parents=True)
        ports = [process.free_port() for _ in range(3)]
        cert, key = pki.issue("vault", ["DNS:localhost", "DNS:db.test.internal", "IP:127.0.0.1"])
        config, self.log = folder / "vault.hcl", folder / "log"
        config.write_text(CONFIG.format(plain=ports[0], tls=ports[1], mutual=ports[2], cert=cert, key=key, ca=pki.ca))
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.tls, self.mutual = (f"https://127.0.0.1:{port}" for port in ports[1:])
        self.proc = process.start([program, "server", f"-config={config}"], self.log, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)})
        process.wait_until(self._answers, self.proc, self.log)
        said = self("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None)
        self.root, self.unseal_key = said["root_token"], said["keys"][0]
        self.unseal()
        process.wait_until(self._active, self.proc, self.log)

    def __call__(self, method, path, body=None, token="root"):
        """Sends a request to /v1/PATH, with the root token unless TOKEN is given; returns the answer or None. Raises
        Refused."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["X-Vault-Token"] = self.root if token == "root" else token
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, headers, method=method)
        try:
            with NO_PROXY.open(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read().decode(errors="replace")) from None
        return json.loads(text) if text else None

    def _answers(self):
        try:
            return self("GET", "sys/seal-status", token=None) is not None
        except (OSError, Refused):
            return False

    def _active(self):
        try:
            return self("GET", "sys/health", token=None)["sealed"] is False
        except Refused:
            return False

    def seal(self):
        self("PUT", "sys/seal")

    def unseal(self):
        self("PUT", "sys/unseal", {"key": self.unseal_key}, token=None)

    def stop(self):
        process.stop(self.proc)


class Area:
    """vault: the Vault. path, short: the `vault_path` of two roles, with leases of 1 h (at most 24 h) and 5 s (at most
    20 s). policy allows a token to read both. database: the server on which the users are created."""

    def __init__(self, vault, database):
        self.vault, self.database, self.number = vault, database, next(NUMBERS)
        self.db, self.policy, self.mounts = f"db{self.number}", f"policy{self.number}", []
        self.tag = f"{self.number}x"
        database.create_user(USER, PASSWORD)
        database.admin(f"grant all on *.* to {USER}@'%' with grant option")
        self.mount("mounts", self.db, "database")
        vault("POST", f"{self.db}/config/app", {
            "plugin_name": "mysql-database-plugin", "connection_url": f"{{{{username}}}}:{{{{password}}}}@tcp(127.0.0.1:{database.port})/",
            "allowed_roles": "*", "username": USER, "password": PASSWORD.decode()})
        self.path, self.short = self.role("long", "1h", "24h"), self.role("short", "5s", "20s")
        self.allow(*(f'path "{path}" {{ capabilities = ["read"] }}' for path in (self.path, self.short)))

    def mount(self, kind, name, type):
        self.vault("POST", f"sys/{kind}/{name}", {"type": type})
        self.mounts.append((kind, name))
        return name

    def role(self, name, ttl, longest):
        """Adds a role; returns its vault_path."""
        name = f"{name}{self.tag}"
        self.vault("POST", f"{self.db}/roles/{name}", {"db_name": "app", "default_ttl": ttl, "max_ttl": longest, "creation_statements": CREATE})
        return f"{self.db}/creds/{name}"

    def allow(self, *rules):
        """Sets the rules of the policy."""
        self.vault("PUT", f"sys/policies/acl/{self.policy}", {"policy": "\n".join(rules)})

    def users(self):
        """The existing database users that were created for this test, sorted."""
        rows = self.database.admin(f"select user from mysql.user where user like 'v-%-%{self.tag}-%' order by user")
        return rows.split()

    def users_become(self, count, seconds=30):
        """Whether the number of users becomes COUNT within SECONDS."""
        deadline = time.monotonic() + seconds
        while len(self.users()) != count and time.monotonic() < deadline:
            time.sleep(0.1)
        return len(self.users()) == count

    def token(self, **more):
        """A token with the policy, valid for one hour."""
        return self.vault("POST", "auth/token/create", {"policies": [self.policy], "ttl": "1h", **more})["auth"]["client_token"]

    def revoke(self, token):
        self.vault("POST", "auth/token/revoke", {"token": token})

    # Auth methods; each function returns the mount

    def oidc(self, provider, config={}, **role):
        """Enables oidc with the default role "dba"."""
        mount = self.mount("auth", f"oidc{self.number}", "oidc")
        self.vault("POST", f"auth/{mount}/config", {"oidc_discovery_url": provider.url, "oidc_client_id": provider.client,
                                                     "oidc_client_secret": provider.secret, "default_role": "dba", **config})
        self.oidc_role(mount, "dba", **role)
        return mount

    def oidc_role(self, mount, name, **role):
        self.vault("POST", f"auth/{mount}/role/{name}", {
            "user_claim": "sub", "allowed_redirect_uris": ["http://localhost:8250/oidc/callback"], "token_policies": [self.policy],
            "oidc_scopes": ["email", "groups"], "groups_claim": "groups", "token_ttl": "1h", **role})

    def userpass(self, password, user="alice", **more):
        mount = self.mount("auth", f"userpass{self.number}", "userpass")
        self.vault("POST", f"auth/{mount}/users/{user}", {"password": password, "token_policies": [self.policy], "token_ttl": "1h", **more})
        return mount

    def ldap(self, slapd, user="alice"):
        mount = self.mount("auth", f"ldap{self.number}", "ldap")
        self.vault("POST", f"auth/{mount}/config", {"url": slapd.url, "userdn": PEOPLE_DN, "userattr": "uid", "token_ttl": "1h"})
        self.vault("POST", f"auth/{mount}/users/{user}", {"policies": self.policy})
        return mount

    def approle(self, **role):
        """Returns (mount, role id, secret id)."""
        mount = self.mount("auth", f"approle{self.number}", "approle")
        place = f"auth/{mount}/role/job"
        self.vault("POST", place, {"token_policies": [self.policy], "token_ttl": "1h", **role})
        role_id = self.vault("GET", f"{place}/role-id")["data"]["role_id"]
        return mount, role_id, self.vault("POST", f"{place}/secret-id", {})["data"]["secret_id"]

    def jwt(self, folder):
        """Returns (mount, sign), where sign(**claims) is a token that is accepted for the role "job"."""
        key = folder / f"jwt{self.number}.key"
        public = subprocess.run(f"openssl genrsa -out '{key}' 2048 2>/dev/null && openssl rsa -in '{key}' -pubout 2>/dev/null", shell=True,
                                check=True, capture_output=True, text=True).stdout
        mount = self.mount("auth", f"jwt{self.number}", "jwt")
        self.vault("POST", f"auth/{mount}/config", {"jwt_validation_pubkeys": [public], "bound_issuer": "https://ci.example.test"})
        self.vault("POST", f"auth/{mount}/role/job", {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"],
                                                       "token_policies": [self.policy], "token_ttl": "1h"})

        def sign(**claims):
            now = int(time.time())
            body = {"iss": "https://ci.example.test", "sub": "job", "aud": "vault", "iat": now, "exp": now + 600, **claims}
            text = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, body))
            made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), check=True, capture_output=True)
            return f"{text}.{encode(made.stdout)}"
        return mount, sign

    def end(self):
        """Revokes and unmounts everything. Vault drops the users with their leases; users that remain are dropped
        here."""
        for kind, name in reversed(self.mounts):
            if kind == "mounts":
                self.vault("PUT", f"sys/leases/revoke-force/{name}")
            self.vault("DELETE", f"sys/{kind}/{name}")
        for user in self.users():
            self.database.admin(f"drop user if exists '{user}'@'%'")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
