# SPDX-License-Identifier: MIT
"""Values that break output which is not quoted correctly, and profiles that hold them."""
from .logins import SECRET_ENV, profile

# Percent signs, quotes, delimiters of URLs and of lines, what a shell expands, spaces at both ends, non-ASCII text.
VALUES = ["plain", "p@ss:w/o?r#d+%2B\"é", "x@evil.example/", "it's $HOME `id` $(id) \\ !! \\", "  edges ", "${HOME}", "%s<%= 1 %>{port}",
          "a\\\\b\\'c", "密码 \U0001f511", "-rf", "#x;y&z=1|", "[](){}*?~^", "\\n\\s\\x41", "\"'\"'", "true", "0123"]


def others(password):
    """A hostile user and database name, which differ from that password."""
    at = VALUES.index(password) if password in VALUES else 0
    return VALUES[(at + 5) % len(VALUES)], VALUES[(at + 9) % len(VALUES)]


def ini(value):
    """VALUE quoted for broker's config file."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(broker, password, **keys):
    """Writes [profile p] with auth = env and that password; leaves out a key of None, quotes `user` and `database`."""
    broker.env[SECRET_ENV] = broker.secret(password.encode(errors="surrogateescape")).decode(errors="surrogateescape")
    quoted = {key: ini(value) if key in ("user", "database") and value is not None else value for key, value in keys.items()}
    broker.config(profile(**{"host": "db.example.com", "user": "app", "auth": "env", "auth_env": SECRET_ENV, **quoted}))


def params(broker, *args, **run):
    """What `broker params p ARGS` prints."""
    done = broker.run("params", "p", *args, secret_out=True, **run)
    assert (done.code, done.errors) == (0, ""), done.errors
    return done.text
