# SPDX-License-Identifier: MIT
"""Values that break what is written without care, and profiles that hold them."""
from .logins import SECRET_ENV, profile

# Percent-signs, quotes, what ends a part of a URL or a line of a file, what a shell expands, blanks at the ends, no ASCII.
VALUES = ["plain", "p@ss:w/o?r#d+%2B\"é", "x@evil.example/", "it's $HOME `id` $(id) \\ !! \\", "  edges ", "${HOME}", "%s<%= 1 %>{port}",
          "a\\\\b\\'c", "密码 \U0001f511", "-rf", "#x;y&z=1|", "[](){}*?~^", "\\n\\s\\x41", "\"'\"'", "true", "0123"]


def others(password):
    """A user and a database as bad as that password, and not the same."""
    at = VALUES.index(password) if password in VALUES else 0
    return VALUES[(at + 5) % len(VALUES)], VALUES[(at + 9) % len(VALUES)]


def ini(value):
    """VALUE as our config file has it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(broker, password, **keys):
    """[profile p] with auth = env and that password; a key of None is left out. A str is quoted where it must be."""
    broker.env[SECRET_ENV] = broker.secret(password.encode(errors="surrogateescape")).decode(errors="surrogateescape")
    quoted = {key: ini(value) if key in ("user", "database") and value is not None else value for key, value in keys.items()}
    broker.config(profile(**{"host": "db.example.com", "user": "app", "auth": "env", "auth_env": SECRET_ENV, **quoted}))


def params(broker, *args, **run):
    """What `broker params p ARGS` prints."""
    done = broker.run("params", "p", *args, secret_out=True, **run)
    assert (done.code, done.errors) == (0, ""), done.errors
    return done.text
