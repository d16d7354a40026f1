# SPDX-License-Identifier: MIT
"""The home and the command lines that tests/torture/run runs repeatedly. Everything in them is the same in each run, so
that the Nth call of one run is the Nth of the next. There is no terminal, no server and no network."""
from dataclasses import dataclass, field

CANARY = "TortureCanary8f3aSecret"

CONFIG = """\
# kept
[defaults]
connect_timeout = 5s
include = more

[profile default]
host = 127.0.0.1
user = app
database = shop
auth = env
auth_env = APP_PASSWORD
client = mariadb

[profile file]
inherits = default
auth = file
auth_file = ~/password
title = "quoted # title"

[profile asked]
inherits = default
auth = file
auth_file = ~/password
client = mysql

[profile command]
inherits = default
auth = command
auth_command = print-password {user} {host}

[profile lease]
inherits = default
auth = command
auth_command = print-lease

[profile keychain]
inherits = default
auth = keychain

[profile iam]
inherits = default
host = db.c9akciq32.eu-west-1.rds.amazonaws.com
auth = iam
login = client
client = mysql
"""
AWS_CONFIG = """\
[profile process]
credential_process = print-keys 'one word'
[profile session]
login_session = arn:aws:sts::012345678910:assumed-role/Admin/admin
[profile sso]
sso_start_url = https://x.example/start
sso_region = eu-west-1
sso_account_id = 1
sso_role_name = r
[profile broken]
role_arn = arn:aws:iam::1:role/R
source_profile = broken
"""
AWS_CREDENTIALS = f"[default]\naws_access_key_id = AKIAFAKE\naws_secret_access_key = {CANARY}\naws_session_token = {CANARY[::-1]}\n"
MORE = """\
[profile included]
host = db.example.com
user = app
tls = required
client = mysql
"""
# The stock client: prints its arguments and its option file, so that a truncated option file is noticed.
CLIENT = """\
#!/bin/sh
case "$*" in
--version) echo "mysql  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)" ;;
*version*) printf '9.7.4\\tapp@localhost\\nSsl_cipher\\tTLS_AES_256_GCM_SHA384\\n' ;;
*) for word; do echo "$word"; case $word in --defaults-file=*) cat "${word#*=}" ;; esac; done ;;
esac
"""
FILES = {  # name in the home: (content, mode)
    "dotfiles/config": (CONFIG, 0o600),
    "dotfiles/more": (MORE, 0o600),
    "password": (CANARY + "\n", 0o600),
    "bin/mariadb": (CLIENT, 0o755),
    "bin/mysql": (CLIENT, 0o755),
    "bin/print-password": (f"#!/bin/sh\necho {CANARY}\n", 0o755),
    "bin/print-lease": (f'''#!/bin/sh
echo "{{\\"user\\": \\"leased\\", \\"password\\": \\"{CANARY}\\", \\"expires_at\\": $(($(date +%s) + 3))}}"
''', 0o755),
}
FILES |= {
    ".aws/config": (AWS_CONFIG, 0o600),
    ".aws/login/cache/4b0ba8f99f075c0633e122fd73346ce203a3faf18ea0310eb2d29df1bab2e255.json": (
        f'''{{"accessToken": {{"accessKeyId": "ASIAFAKE", "secretAccessKey": "{CANARY}", "sessionToken": "{CANARY[::-1]}",
"expiresAt": "2099-01-01T00:00:00Z"}}, "unknown": [1]}}''', 0o600),
    ".local/share/broker/rds-ca.pem": ("authorities\n", 0o600),
    ".aws/credentials": (AWS_CREDENTIALS, 0o600),
    "bin/print-keys": (f"""#!/bin/sh
echo '{{"Version": 1, "AccessKeyId": "AKIAFAKE", "SecretAccessKey": "{CANARY}"}}'
""", 0o755),
}
LINKS = {".config/broker/config": "../../dotfiles/config", ".config/broker/more": "../../dotfiles/more"}


@dataclass
class Script:
    name: str
    args: list
    status: int = 0  # the exit status of a run without a failure
    stdin: str = ""
    shows_secret: bool = False  # on stdout, and only there
    keychain: bool = False  # needs a Secret Service
    env: dict = field(default_factory=dict)


URL = f"mysql://app:{CANARY}@127.0.0.1/shop"
SCRIPTS = [
    Script("nothing", [], 64),
    Script("version", ["version"]),
    Script("help", ["help"]),
    Script("help-verb", ["help", "connect"]),
    Script("help-config", ["help", "config"]),
    Script("typo", ["tokne"], 64),
    Script("no-such-profile", ["token", "flie"], 78),
    Script("unknown-key", ["token", "file", "-o", "hots=x"], 64),
    Script("completion", ["completion", "bash"]),
    Script("complete", ["__complete"], stdin="connect\n\n"),
    Script("list", ["profile", "list"]),
    Script("list-json", ["profile", "list", "--json"]),
    Script("show", ["profile", "show", "file"]),
    Script("show-json", ["profile", "show", "file", "--json", "--all"]),
    Script("check", ["profile", "check"]),
    Script("add", ["profile", "add", "new", "--host", "db.example.com", "--user", "app", "-o", "title=a new one"]),
    Script("add-url", ["profile", "add", "new", "-"], stdin=URL + "\n"),
    Script("dry-run", ["connect", "file", "--dry-run"]),
    Script("dry-run-via", ["connect", "--via", "ssh://bastion", "included", "--dry-run"]),
    Script("token-env", ["token"], shows_secret=True),
    Script("token-file", ["token", "file"], shows_secret=True),
    Script("token-command", ["token", "command", "-vv"], shows_secret=True),
    Script("token-lease", ["token", "lease"], shows_secret=True),
    Script("token-url", ["token", "-"], stdin=URL + "\n", shows_secret=True),
    Script("token-iam", ["token", "iam", "-vv"]),
    Script("token-iam-process", ["token", "iam", "--aws-profile", "process"]),
    Script("token-iam-broken", ["token", "iam", "--aws-profile", "broken"], 78),
    Script("token-iam-session", ["token", "iam", "--aws-profile", "session"]),
    Script("token-iam-sso", ["token", "iam", "--aws-profile", "sso"], 79),
    Script("login", ["login", "iam"]),
    Script("logout", ["logout", "file"]),
    Script("connect-iam", ["connect", "iam"]),
    Script("exec", ["exec", "file", "--", "sh", "-c", "env | grep MYSQL_ | sort"], shows_secret=True),
    Script("exec-url", ["exec", "file", "--env", "url", "--", "sh", "-c", "echo $DATABASE_URL"], shows_secret=True),
    Script("exec-file", ["exec", "file", "--", "cat", "{defaults-file}"], shows_secret=True),
    Script("exec-missing", ["exec", "file", "--", "no-such-program"], 127),
    Script("connect", ["connect", "file", "--", "-e", "select 1"], shows_secret=True),
    Script("connect-asked", ["connect", "asked", "-v"], shows_secret=True),
    Script("connect-unreadable", ["connect", "file", "-o", "auth_file=/nonexistent"], 78),
    Script("forward-plan", ["forward", "file", "--dry-run"]),
    Script("forward-detach", ["forward", "file", "included", "--detach"]),
    Script("forward-inject", ["forward", "file", "--inject", "--detach"]),
    Script("forward-nowhere", ["forward", "file", "--listen", "192.0.2.1:0"], 69),
    Script("forward-unsafe", ["forward", "file", "--listen", "/tmp/x.sock", "--tls", "preferred"], 64),
    Script("status-none", ["status", "file"], 69),
    Script("stop-none", ["stop", "file"]),
    Script("stop-all", ["stop", "--all"]),
    Script("stop-which", ["stop"], 64),
    Script("test", ["test", "asked"]),
    Script("test-json", ["test", "asked", "--json"]),
    Script("no-keychain", ["password", "set", "keychain"], 78, stdin=CANARY),
    Script("no-keychain-token", ["token", "keychain", "--no-input"], 78),
    Script("keychain-set", ["password", "set", "keychain", "-u", "one"], stdin=CANARY, keychain=True),
    Script("keychain-delete", ["password", "delete", "keychain", "-u", "two"], keychain=True),
    Script("keychain-token", ["token", "keychain", "-u", "kept"], shows_secret=True, keychain=True),
]
KEEP = ["password", "set", "keychain", "-u", "kept"]  # run once, before all scripts, for keychain-token
