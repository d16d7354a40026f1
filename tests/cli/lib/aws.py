"""For the tests of AWS's credentials: files in a test's home, obviously fake keys, tokens taken apart."""
import os
from urllib.parse import parse_qsl

HOST = "prod.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com"
ID, SECRET = "AKIAFAKEFAKEFAKE0001", "fake/secret+of=a0key1that2nobody3has4000"
KEYS = {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}


def pair(id=ID, secret=SECRET, **more):
    """The lines of a pair of keys."""
    rows = {"aws_access_key_id": id, "aws_secret_access_key": secret, **more}
    return "".join(f"{key} = {value}\n" for key, value in rows.items() if value is not None)


def files(broker, config=None, credentials=None):
    """~/.aws/config and ~/.aws/credentials, text or bytes."""
    for name, data in (("config", config), ("credentials", credentials)):
        if data is not None:
            broker.write(f".aws/{name}", data, secret=True)


def token(text):
    """(HOST:PORT, {parameter: value}) of a token."""
    place, _, query = text.partition("/?")
    return place, dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))


def fixed_clock(broker, stamp):
    """wrap and env for broker.run(): the program sees that time, like "2015-08-30 12:36:00", in UTC."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return {"wrap": ["/usr/bin/faketime", "-f", stamp], "env": {"TZ": "UTC", "ASAN_OPTIONS": options}}
