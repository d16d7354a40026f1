# SPDX-License-Identifier: MIT
"""Random pairs of ~/.aws/config and ~/.aws/credentials, made from a seed, as people and programs write them, with their
mistakes: indentation, comments, Unicode spaces, quotes, brackets, odd headers, repeated sections and keys, and invalid
lines."""
import random

BLANKS = [" ", " ", " ", "", "", "\t", "\u00a0", "\u3000", "\f", "\x1c", "\u2028"]
NAMES = ["default", "default", "dev", "My Dev", "B\u00fcro", "a[b]", "it's", "x\\y", "q\"q", "DEFAULT", "\u540d", "d;v", "#1"]
KEYS = ["aws_access_key_id", "aws_secret_access_key"]
ID = ["AKIA{}", "ASIA{}=", "A{}/+", "\"AKIA{}\"", "AKIA{}\u00e9"]
ODD_LINES = ["nonsense", "= value", ": value", "[broken = x", "[x: y", "region", "\u200b", "\\", "]"]
ODD_HEADERS = ["[plugins]", "[profile a b]", "[profile]", "[x]y]", "[sso-sesion z]", "[services]", "[]", "[profile broken", "[", "[profile 'open]"]
LINE_ENDS = ["\n"] * 8 + ["\r\n", "\r"]


def config_header(rng, name):
    quoted = "'" + name.replace("'", "'\"'\"'") + "'" if any(c in name for c in " '\"\\") or rng.random() < 0.1 else name
    word = rng.choice(["profile "] * 12 + ["profile\t", "profile  ", "profile", "Profile ", " profile ", "profile \u00a0", "profilex "])
    if name in ("default", "DEFAULT") and rng.random() < 0.7:
        return name
    form = rng.choice([quoted] * 10 + [name, f'"{name}"', name.replace(" ", "\\ "), quoted + " ", quoted + " x"])
    return word + form


class Pair:
    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.number = 0
        self.wild = rng.choice([0, 0, 0.03, 0.1, 0.25])  # the probability of something odd
        self.profile = rng.choice([None, None, "dev", "My Dev", "B\u00fcro", "a[b]", "it's", "\u540d", "default", "x\\y"])
        self.names = list(dict.fromkeys([self.profile or "default", *rng.sample(NAMES, rng.randint(1, 3))]))
        self.end = rng.choice(LINE_ENDS)
        self.config = self.file(config_header, True)
        self.credentials = self.file(lambda _, name: name, False)

    def odd(self, share=1.0):
        return self.rng.random() < self.wild * share

    def pad(self):
        return self.rng.choice(BLANKS) if self.odd(2) else self.rng.choice([" ", "", " ", "  "])

    def value(self, text):
        rng = self.rng
        if self.odd(0.7):
            text = rng.choice([text + " # comment", text + "\t;c", text + "#x", text[:2] + " " + text[2:], text[:2] + "\u00a0" + text[2:],
                               text[:1] + "\x0c" + text[1:], "", text + "\u200b", text + "\x01", text + "\udcff"])
        return text

    def line(self, key, value):
        rng = self.rng
        key = key.upper() if self.odd() else key
        sign = rng.choice(["=", "=", "=", ":"]) if self.odd(3) else "="
        return key + self.pad() + sign + self.pad() + self.value(value) + (rng.choice(BLANKS) if self.odd() else "")

    def serial(self, form):
        self.number += 1
        return form.format(self.number)

    def static(self):
        rng = self.rng
        lines = [self.line(KEYS[0], self.serial(rng.choice(ID) if self.odd() else ID[0])), self.line(KEYS[1], self.serial("secret/{}"))]
        if rng.random() < 0.4:
            lines.append(self.line(rng.choice(["aws_session_token", "aws_session_token", "aws_security_token"]), self.serial("token{}==")))
        if self.odd():
            lines.pop(rng.randrange(len(lines)))
        return lines

    def role(self):
        rng, lines = self.rng, []
        lines.append(self.line("role_arn", self.serial("arn:aws:iam::123456789012:role/r{}")))
        if not self.odd():
            source = rng.choice(self.names) if not self.odd() else "nobody"
            lines.append(self.line("source_profile", source))
        for key, form in (("external_id", "ext{}"), ("role_session_name", "me@{}"), ("duration_seconds", "90{}"), ("mfa_serial", "arn:aws:iam::1:mfa/{}")):
            if rng.random() < 0.2:
                lines.append(self.line(key, self.serial(form)))
        return lines

    def sso(self):
        lines = [self.line("sso_account_id", self.serial("12345678901{}")), self.line("sso_role_name", self.serial("Role{}"))]
        if self.rng.random() < 0.6:
            lines.append(self.line("sso_session", self.rng.choice(["corp", "My Corp"])))
        else:
            lines += self.place()
        return lines

    def place(self):
        return [self.line("sso_start_url", self.serial("https://d-{}.awsapps.com/start")), self.line("sso_region", "eu-west-1")]

    def process(self):
        return [self.line("credential_process", self.rng.choice(["/bin/x --a 'b c' {}", "x \"y {}\"", "y\\ z {}"]).format(self.rng.random()))]

    def web(self):
        return [self.line("role_arn", self.serial("arn:aws:iam::1:role/w{}")), self.line("web_identity_token_file", self.serial("/t/{}"))]

    def login(self):
        return [self.line("login_session", self.serial("arn:aws:iam::1:user/l{}"))]

    def body(self, is_config):
        rng = self.rng
        kinds = [self.static] * 4 + [self.role] * 3 + [self.sso] * 2 + [self.process, self.web, self.login] if is_config else [self.static] * 5
        lines = rng.choice(kinds)()
        if rng.random() < 0.5:
            lines.append(self.line("region", rng.choice(["eu-west-1", "us-gov-west-1"])))
        if rng.random() < 0.2:
            lines += rng.choice([["s3 =", "  max = 1", "", "  other=2"], ["note = one", "  two", "", "  # no", "  three"], ["s3:", "\ta = b"]])
        if self.odd():
            lines.insert(rng.randint(0, len(lines)), rng.choice(ODD_LINES))
        if self.odd(0.5):
            lines.append(rng.choice(lines))
        if self.odd(0.5):
            lines += ["k =", "   x"]
        if self.odd():
            lines = []
        rng.shuffle(lines) if self.odd(0.3) else None
        return self.sprinkle(lines)

    def sprinkle(self, lines):
        """LINES with comments and empty lines in between."""
        rng, out = self.rng, []
        for line in lines:
            while rng.random() < 0.12:
                out.append(rng.choice(["", "# comment", "# \udcff", "  # indented comment", "\t; another = one", "   ", "\u00a0", "; x"]))
            out.append(line)
        return out

    def section(self, header, is_config):
        rng = self.rng
        behind = rng.choice([" # comment", ";c", " x = y", " ]"]) if self.odd() else ""
        lines = [f"[{header}]{behind}", *self.body(is_config)]
        if rng.random() < 0.15:  # indents the keys; the next case indents the whole section
            lines = [lines[0], *("  " + line for line in lines[1:])]
        if rng.random() < 0.05 or self.odd(0.3):
            lines = [rng.choice(["  ", "\t", "\u00a0", "    "]) + line for line in lines]
        if self.odd(0.5):
            at = rng.randrange(len(lines))
            lines[at] = rng.choice([" ", "\t", "    ", "\u00a0"]) + lines[at]
        return lines

    def file(self, header_of, is_config):
        rng, sections = self.rng, []
        for name in rng.sample(self.names, rng.choice([len(self.names), len(self.names), rng.randint(0, len(self.names))])):
            sections.append(self.section(header_of(rng, name), is_config))
        if is_config:
            for name in ["corp", "My Corp"]:
                if rng.random() < 0.5:
                    header = "sso-session " + (f"'{name}'" if " " in name else name)
                    sections.append([f"[{header}]", *self.sprinkle(self.place())])
        if self.odd() and sections:
            sections.append(rng.choice(sections))
        if self.odd():
            sections.append([rng.choice(ODD_HEADERS), *self.body(is_config)])
        if self.odd(0.3):
            sections.append(["[DEFAULT]", *self.body(is_config)])
        rng.shuffle(sections)
        if self.odd(0.2):
            sections.insert(0, [rng.choice(ODD_LINES)])
        return sections

    def write(self, folder):
        """Writes both files; returns their paths."""
        paths = []
        for name, sections in (("config", self.config), ("credentials", self.credentials)):
            path = folder / name
            path.write_bytes("".join(line + self.end for lines in sections for line in lines).encode(errors="surrogateescape"))
            paths.append(str(path))
        return paths
