"""What this version has, where texts enumerate it: one line to change when a provider or a verb is added."""
PROVIDERS = "keychain iam command file env prompt none client"
VERBS = ["connect", "exec", "test", "token", "status", "login", "logout", "password", "profile", "completion", "help"]
