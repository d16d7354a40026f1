"""What botocore does, asked from another process: `Oracle().token(...)`, `.chain(environment)`, `.verify(...)`.

Half of this file runs under the virtual environment that tests/servers/botocore-fetch makes (`serve`), reading a JSON
object a line and answering with one. Each chain is looked up in a child of its own, because botocore reads os.environ."""
import json
import os
import subprocess
import sys

FORMAT = "%Y%m%dT%H%M%SZ"


class Oracle:
    """Raises process.Missing where botocore is not here."""

    def __init__(self):
        from . import process
        self.process = process
        self.python = process.need(process.cache_dir() / "botocore" / "bin" / "python")
        self.child = subprocess.Popen([self.python, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, preexec_fn=process.die_with_parent)
        process.KNOWN.add(self.child.pid)

    def ask(self, **question):
        self.child.stdin.write(json.dumps(question) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def token(self, **inputs):
        """host, port, user, region, id, secret, session (or None), time as in X-Amz-Date."""
        return self.ask(op="token", **inputs)["token"]

    def chain(self, environment):
        """{"method", "id", "secret", "token"} or {"error", "message"}; AWS_PROFILE in it is AWS's own, OUR_PROFILE the
        one that was given explicitly. With OUR_NETWORK in it the keys of
        a role or a session are fetched too."""
        return self.ask(op="chain", environment=environment)

    def stop(self):
        self.process.stop(self.child)


# --- under the virtual environment

def token(host, port, user, region, id, secret, session, time):
    import datetime

    import botocore.auth
    import botocore.session
    now = datetime.datetime.strptime(time, FORMAT)
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: (
        now if remove_tzinfo else now.replace(tzinfo=datetime.timezone.utc))
    global session_of_all
    if "session_of_all" not in globals():
        session_of_all = botocore.session.Session()
    session_of_all.set_credentials(id, secret, session)
    key = (region,)
    if key not in CLIENTS:
        CLIENTS[key] = session_of_all.create_client("rds", region_name=region)
    client = CLIENTS[key]
    credentials = session_of_all.get_credentials()
    client._request_signer._credentials = credentials
    return {"token": client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user, Region=region)}


CLIENTS = {}


def chain():
    import botocore.session
    session = botocore.session.Session(profile=os.environ.pop("OUR_PROFILE", None))
    try:
        found = session.get_credentials()
        if found is None:
            return {"error": "no credentials"}
        if "OUR_NETWORK" not in os.environ and found.method in ("assume-role", "assume-role-with-web-identity", "sso", "login"):
            return {"method": found.method}  # looking closer would ask the network
        keys = found.get_frozen_credentials()
        return {"method": found.method, "id": keys.access_key, "secret": keys.secret_key, "token": keys.token or None}
    except Exception as error:  # whatever it is, the test compares that there is one
        return {"error": type(error).__name__, "message": str(error)}


def use_crt():
    """Only for elliptic curves, which sessions of `aws login` want: not for signatures, whose time could not be set."""
    crt = os.path.join(os.path.dirname(os.path.dirname(sys.executable)), "crt")
    if os.path.isdir(crt):
        sys.path.append(crt)
        from awscrt.crypto import EC
        botocore.credentials.EC = EC


def chain_apart(environment):
    """In a child with that environment, without a network: instance metadata is switched off."""
    ours, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.environ.clear()
        os.environ.update({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true", **environment})
        for provider in (botocore.credentials.SSOProvider, botocore.tokens.SSOTokenProvider):
            provider._SSO_TOKEN_CACHE_DIR = os.path.expanduser("~/.aws/sso/cache")  # set at import
        if "OUR_NETWORK" in os.environ:
            use_crt()
        os.write(its, json.dumps(chain()).encode())
        os._exit(0)
    os.close(its)
    with open(ours) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return json.loads(text or json.dumps({"error": "crash", "message": ""}))


def serve():
    for line in sys.stdin:
        question = json.loads(line)
        op = question.pop("op")
        print(json.dumps(token(**question) if op == "token" else chain_apart(question["environment"])), flush=True)


if __name__ == "__main__":
    import botocore.credentials
    import botocore.tokens
    serve()
