# SPDX-License-Identifier: MIT
"""What this version has, where texts enumerate it: one line to change when a provider or a verb is added."""
PROVIDERS = "keychain iam vault command helper file env prompt none client"
FORMATS = ("env json dotenv mycnf mycnf-plain url command jdbc jdbc-mariadb go golang-migrate sqlalchemy django laravel rails node mysqlsh usql "
           "sequelace tableplus")
TUNNELS = "ssh command tcp"
VERBS = ["connect", "exec", "test", "token", "params", "forward", "credential", "status", "stop", "login", "logout", "password", "profile", "completion", "help", "version", "bugreport"]
