"""What this version has, where texts enumerate it: one line to change when a provider or a verb is added."""
PROVIDERS = "keychain iam vault command file env prompt none client"
TUNNELS = "ssh command tcp"
VERBS = ["connect", "exec", "test", "token", "forward", "credential", "status", "stop", "login", "logout", "password", "profile", "completion", "help"]
