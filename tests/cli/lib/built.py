# SPDX-License-Identifier: MIT
"""The providers, formats, tunnels and verbs of this version, as messages list them: extend these lines to add one."""
PROVIDERS = "keychain iam vault command helper file env prompt none client"
FORMATS = ("env json dotenv mycnf mycnf-plain url command jdbc jdbc-mariadb go golang-migrate sqlalchemy django laravel rails node mysqlsh usql "
           "sequelace tableplus")
TUNNELS = "ssh command tcp"
VERBS = ["connect", "exec", "test", "token", "params", "forward", "credential", "status", "stop", "login", "logout", "password", "profile", "completion", "help", "version", "bugreport"]
