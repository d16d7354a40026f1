# SPDX-License-Identifier: MIT
"""moto: an independent fake of STS and IAM, with its signature checks enabled. `Moto(folder)` is a server,
`MotoProxy(folder)` an HTTPS proxy that answers for AWS's own host names, with certificates of its own CA.

Half of this file runs in the virtual environment that tests/servers/botocore-fetch makes: it creates a user and roles.
moto ignores second factors, external ids, session names and trust policies: servers/aws_fake.py checks those."""
import json
import socket
import subprocess
import sys

ACCOUNT = "123456789012"
ROLES = ("reader", "writer", "admin")
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole", "rds:*"], "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


class Moto:
    """Raises process.Missing if moto is not installed. `id` and `secret`: the key of a user who may assume all
    ROLES."""
    program = "moto_server"

    def __init__(self, folder):
        from . import process
        self.process = process
        self.environment = process.cache_dir() / "botocore"
        program = process.need(self.environment / "bin" / self.program)
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.log = process.free_port(), folder / f"{self.program}.log"
        self.proc = process.start([process.need(self.environment / "bin" / "python"), "-B", program, "-H", "127.0.0.1", "-p", self.port], self.log,
                                  env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        process.wait_until(self.listens, self.proc, self.log)
        done = subprocess.run([self.environment / "bin" / "python", "-B", __file__, self.url], env=self.client_environment(), capture_output=True)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        keys = json.loads(done.stdout)
        self.id, self.secret = keys["AccessKeyId"], keys["SecretAccessKey"]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def client_environment(self):
        return {"PATH": "/usr/bin:/bin"}

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.stop(self.proc)


class MotoProxy(Moto):
    program = "moto_proxy"

    @property
    def ca(self):
        return next(self.environment.glob("lib/python3*/site-packages/moto/moto_proxy/ca.crt"))

    def client_environment(self):
        return {"PATH": "/usr/bin:/bin", "HTTPS_PROXY": self.url, "HTTP_PROXY": self.url, "AWS_CA_BUNDLE": str(self.ca)}

    def hosts(self):
        """The requests that came through the proxy, as "METHOD https://host/path"."""
        return [line.split("\x1b")[0] for line in self.log.read_text().splitlines()]


# --- runs in the virtual environment

def set_up(endpoint):
    import os
    import urllib.request

    import boto3
    by_proxy = "HTTPS_PROXY" in os.environ
    iam = boto3.client("iam", endpoint_url=None if by_proxy else endpoint, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    iam.create_user(UserName="dev")
    keys = iam.create_access_key(UserName="dev")["AccessKey"]
    iam.create_policy(PolicyName="all", PolicyDocument=json.dumps(POLICY))
    iam.attach_user_policy(UserName="dev", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/all")
    for role in ROLES:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.attach_role_policy(RoleName=role, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/all")
    place = "http://motoapi.amazonaws.com" if by_proxy else endpoint
    urllib.request.urlopen(urllib.request.Request(place + "/moto-api/reset-auth", method="POST", data=b"0", headers={"Content-Type": "text/plain"}))
    print(json.dumps({name: keys[name] for name in ("AccessKeyId", "SecretAccessKey")}))


if __name__ == "__main__":
    set_up(sys.argv[1])
