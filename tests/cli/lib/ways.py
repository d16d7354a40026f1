# SPDX-License-Identifier: MIT
"""Profiles for a server behind each kind of route, with each kind of credential; and the outcome of one login.

`write()` writes the profile `p`, `ask()` logs in with it, `outcome()` asserts the expected outcome if the server is the
right one."""
from dataclasses import dataclass, field

from servers.aws_ssm_fake import COMMAND
from servers.mariadb_iam import HOST, KEYS, OTHER, REGION
from servers.pki import RIGHT_NAME, WRONG_NAME

from .logins import QUERY, for_user, logged_in, profile

IAM_KEY = next(iter(KEYS))
CLEARTEXT = "broker: p: tls = preferred with a password sent in cleartext\nhint: set tls = verify-identity\n"
SSM = f"[tunnel far]\ntype = command\ncommand = {COMMAND}\n"


@dataclass
class Place:
    """A server as a profile names it: `host` is its own name, `port` its port as seen from the end of the route."""
    server: object
    user: str = "app"
    host: str = RIGHT_NAME
    port: int = 0
    keys: dict = field(default_factory=dict)

    def __post_init__(self):
        self.port = self.port or self.server.port


def keychain(broker, place, keychain):
    """The password is in the keychain, where broker itself has stored it."""
    broker.env.update(keychain.env)
    place.keys["auth"] = "keychain"

    def store():
        done = broker.run("password", "set", "p", input=broker.secret(place.server.password(place.user)))
        assert done.code == 0, done.errors
    return store


def command(broker, place, _):
    """A program prints the password."""
    path = broker.write("password", broker.secret(place.server.password(place.user)) + b"\n", secret=True)
    place.keys.update(auth="command", auth_command=f"cat {path}")


def iam(broker, place, _):
    """A token, signed for the server's own name, whatever address is dialled; the server verifies it with botocore."""
    key = KEYS[IAM_KEY]
    broker.write(".aws/credentials", f"[work]\naws_access_key_id = {IAM_KEY}\naws_secret_access_key = "
                 f"{broker.secret(key['secret'].encode()).decode()}\n", secret=True)
    place.keys.update(auth="iam", aws_profile="work", region=REGION)
    if place.port != place.server.port:
        place.server.tell(endpoints=[f"{HOST}:{place.port}"])
    else:
        place.server.tell()


def client(broker, place, _):
    """The client reads the password from its own files; broker does not know it."""
    password = broker.secret(place.server.password(place.user)).decode()
    broker.write(".my.cnf", f"[client]\nuser = {place.user}\npassword = {password}\n", secret=True)
    place.keys.update(auth="client", user=None)


PROVIDERS = {"keychain": keychain, "iam": iam, "command": command, "client": client}


def through(broker, server, user="app", tunnel=None, **keys):
    """Writes the profile `p` for SERVER behind a tcp:// route; its host and port are only valid behind that route."""
    for_user(broker, server, user, **{"host": RIGHT_NAME, "port": 3306, "via": f"tcp://127.0.0.1:{server.port}", "tls_ca": server.ca, **keys})
    if tunnel:
        with open(broker.config_path, "a") as f:
            f.write(tunnel)


def resolve(broker, *names, address="127.0.0.1"):
    """Makes NAMES resolve to ADDRESS during the test."""
    with open("/etc/hosts") as hosts:
        broker.etc.write("/etc/hosts", hosts.read() + f"{address} {' '.join(names)}\n")


def write(broker, place, provider, tunnel="", service=None, **keys):
    """Writes the profile `p` with KEYS, and the text TUNNEL after it."""
    after = PROVIDERS[provider](broker, place, service)
    broker.config(profile(**{"host": place.host, "port": place.port, "user": place.user, **place.keys, **keys}) + tunnel)
    if after:
        after()


def wrong_name(place):
    """A name that resolves here too, and is not the server's own (the IAM server's certificate has OTHER as well)."""
    return OTHER if place.host == HOST else WRONG_NAME


def ask(broker, client, place, *args, query=QUERY, **run):
    """`broker connect p` with one query."""
    return broker.run("connect", "p", "--client", client.path, *args, "--", *client.options_for(place.server, place.user), "-NBe",
                      query, **run)


def place_for(request, broker, provider, client):
    """A server with accounts for that provider. For the keychain it is of the other family than the client (MariaDB's
    clients log in to MySQL's server and the other way round), else of the same."""
    if provider == "iam":
        resolve(broker, HOST, OTHER)
        return Place(request.getfixturevalue("iam_server"), host=HOST)
    fixture = "mysql_server" if (client.family == "mariadb") == (provider == "keychain") else "mariadb_server"
    return Place(request.getfixturevalue(fixture))


def outcome(done, place, provider, level):
    """Asserts a login with TLS; or that broker refuses to send a token if nothing is verified (tls = preferred)."""
    if (provider, level) == ("iam", "preferred"):
        assert (done.code, done.out, done.errors) == (78, b"", CLEARTEXT)
    else:
        login = logged_in(done)
        assert login.account == f"{place.user}@%" and login.version == "TLSv1.3"
