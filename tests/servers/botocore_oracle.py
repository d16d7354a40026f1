# SPDX-License-Identifier: MIT
"""Asks botocore, in another process, what it does: `Oracle().token(...)`, `.chain(environment)`, `.steps(...)`.

Half of this file (`serve`) runs in the virtual environment that tests/servers/botocore-fetch makes. It reads one JSON
object a line, and answers with one. Each chain is looked up in a child process of its own, because botocore reads
os.environ."""
import json
import os
import subprocess
import sys

FORMAT = "%Y%m%dT%H%M%SZ"


class Oracle:
    """Raises process.Missing if botocore is not installed."""

    def __init__(self):
        from . import process
        self.process, self.namer = process, None
        self.python = process.need(process.cache_dir() / "botocore" / "bin" / "python")
        self.child = subprocess.Popen([self.python, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, preexec_fn=process.die_with_parent)
        process.KNOWN.add(self.child.pid)

    def ask(self, **question):
        self.child.stdin.write(json.dumps(question) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def token(self, **inputs):
        """The token for host, port, user, region, id, secret, session (or None), and time as in X-Amz-Date."""
        return self.ask(op="token", **inputs)["token"]

    def chain(self, environment):
        """{"method", "id", "secret", "token"} or {"error", "message"}. In ENVIRONMENT, AWS_PROFILE is AWS's own
        variable, and OUR_PROFILE a profile that is given explicitly. With OUR_NETWORK the keys of a role or a session
        are fetched too."""
        return self.ask(op="chain", environment=environment)

    def steps(self, config, credentials, profile=None):
        """What botocore finds in these two files, without running a program, a request or a signature: {"steps",
        "region"} as tests/drivers/aws_chain.c prints them, or {"error"}. All lookups run in one process, which is quick
        enough for thousands; it is a separate one, because botocore is patched in it to fetch nothing."""
        self.namer = self.namer or Oracle()
        return self.namer.ask(op="steps", config=config, credentials=credentials, profile=profile)

    def stop(self):
        if self.namer:
            self.namer.stop()
        self.process.stop(self.child)


# --- runs in the virtual environment

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
            return {"method": found.method}  # the keys would need the network
        keys = found.get_frozen_credentials()
        return {"method": found.method, "id": keys.access_key, "secret": keys.secret_key, "token": keys.token or None}
    except Exception as error:  # of any type: the test only compares whether there is one
        return {"error": type(error).__name__, "message": str(error)}


def use_crt():
    """Uses awscrt only for elliptic curves, which sessions of `aws login` need; not for signatures, as their time could
    not be set."""
    crt = os.path.join(os.path.dirname(os.path.dirname(sys.executable)), "crt")
    if os.path.isdir(crt):
        sys.path.append(crt)
        from awscrt.crypto import EC
        botocore.credentials.EC = EC


def chain_apart(environment):
    """chain() in a child process with that environment, and with instance metadata disabled."""
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


def of_fetcher(found):
    """The steps of credentials that have not been fetched yet: those of the keys that assume a role, then the role."""
    refresh = found._refresh_using
    fetcher = getattr(refresh, "_refresh", refresh).__self__  # with MFA, another object wraps the fetcher
    if found.method == "sso":
        return [{"kind": "SSO", "sso_session": fetcher._sso_session_name, "start_url": fetcher._start_url,
                 "sso_region": fetcher._sso_region, "sso_account": fetcher._account_id, "sso_role": fetcher._role_name}]
    args = fetcher._assume_kwargs
    role = {"role_arn": args["RoleArn"], "session_name": None if fetcher._using_default_session_name else args["RoleSessionName"]}
    if found.method == "assume-role-with-web-identity":
        loader = fetcher._web_identity_token_loader
        return [{"kind": "web identity", "token_file": loader._web_identity_token_path, **role}]
    seconds = args.get("DurationSeconds")
    return of(fetcher._source_credentials) + [{
        "kind": "role_arn", "external_id": args.get("ExternalId"), "mfa_serial": args.get("SerialNumber"),
        "duration": seconds if seconds is None else str(seconds), **role}]


def of(found):
    if found.method in ("sso", "assume-role", "assume-role-with-web-identity"):
        return of_fetcher(found)
    if found.method == "login":
        return [{"kind": "aws login", "login_session": found.access_key}]
    if found.method == "custom-process":
        return [{"kind": "credential_process", "command": found.access_key}]
    return [{"kind": "static keys", "id": found.access_key, "secret": found.secret_key, "token": found.token or None}]


def leave_alone():
    """Patches botocore, so that it only names what it finds: it runs no process, and reads no cached login."""
    def command(self, line):
        return {"access_key": botocore.compat.compat_shell_split(line), "secret_key": "-"}

    def session(self):
        return {"access_key": self._session_name, "secret_key": "-", "token": "-", "account_id": None,
                "expiry_time": "2115-01-01T00:00:00Z"}
    botocore.credentials.ProcessProvider._retrieve_credentials_using = command
    botocore.credentials.LoginCredentialFetcher.load_cached_credentials = session
    botocore.credentials.EC = botocore.credentials.EC or object()
    botocore.httpsession.create_urllib3_context = lambda: None  # would be made for each chain, and never used


def steps(config, credentials, profile):
    global plain_session
    if "plain_session" not in globals():
        leave_alone()
        plain_session = botocore.session.Session()
    session = plain_session
    session._config = session._profile_map = session._profile = None
    os.environ.update(AWS_CONFIG_FILE=config, AWS_SHARED_CREDENTIALS_FILE=credentials, AWS_EC2_METADATA_DISABLED="true")
    session.set_config_variable("profile", profile)
    try:
        found = botocore.credentials.create_credential_resolver(session).load_credentials()
        said = {"region": session.get_scoped_config().get("region")}
        return {"steps": of(found), **said} if found else {"error": "no credentials", **said}
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


def serve():
    operations = {"token": token, "chain": chain_apart, "steps": steps}
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(operations[question.pop("op")](**question)), flush=True)


if __name__ == "__main__":
    import botocore.credentials
    import botocore.httpsession
    import botocore.session
    import botocore.tokens
    serve()
