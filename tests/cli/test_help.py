"""Help, to the character: it is made from the parser's own tables and names what this version has, and nothing else."""
import re

import pytest

from lib import built
from lib.built import PROVIDERS, TUNNELS

OVERVIEW = """\
usage: broker VERB [PROFILE|URL] [OPTION]...

get in
  connect     become the mysql client
  exec        run any program with the connection parameters
  test        try every hop and say which one fails
hand out
  token       print the secret
  params      print connection parameters for other tools
  forward     forward a local port, for programs that only take a host and a port
  credential  serve the git credential protocol
look after
  status      forwards and cached sessions, with their remaining life
  stop        end a forward
  login       do the interactive part of logging in ahead of time
  logout      forget what is kept between runs
  password    set or delete a stored password
set up
  profile     list, show, add, set, edit, remove, rename, import, export, check
  completion  print completion for bash, zsh or fish
  help        a verb, or: config urls environment exit-codes formats

first time: broker profile add NAME
"""
WHERE = "where  --host NAME  -P --port N  -S --socket PATH|auto  --via TUNNEL  --tls LEVEL\n"
WHO = "who    -u --user NAME  --auth PROVIDER  --aws-profile NAME  --region NAME  --vault-path PATH\n"
WHAT = "what   -D --database NAME  --client PROGRAM  -o KEY=VALUE\n"
COMMON = "--no-input  -q --quiet  -v --verbose\n"
VERBS = {
    "connect": """\
usage: broker connect [PROFILE|URL] [OPTION]... [-- CLIENT ARG...]

  broker connect prod
  broker connect prod < dump.sql
  broker connect prod -- -e 'select 1'
  broker connect --socket auto --user root --auth client

""" + WHERE + WHO + WHAT + "how    --fresh  --timeout TIME  --dry-run  " + COMMON,
    "exec": """\
usage: broker exec [PROFILE|URL] [OPTION]... -- COMMAND [ARG...]

  broker exec prod -- mysqldump --defaults-file={defaults-file} shop
  broker exec prod -- sh -c 'echo $MYSQL_HOST'
  broker exec prod --env url -- ./migrate

""" + WHERE + WHO + WHAT.replace("\n", "  --env FORMAT  --format FORMAT\n") + "how    --fresh  --timeout TIME  --dry-run  " + COMMON,
    "test": """\
usage: broker test [PROFILE|URL] [OPTION]...

  broker test prod
  broker test prod --json

""" + WHERE + WHO + WHAT + "how    --json  --fresh  --timeout TIME  --dry-run  " + COMMON,
    "token": """\
usage: broker token [PROFILE|URL] [OPTION]...

  MYSQL_PWD=$(broker token prod)
  broker token --iam --host NAME --user app_ro

""" + WHERE + WHO.replace("  --aws", "  --iam  --aws") + WHAT + "how    --fresh  --timeout TIME  " + COMMON,
    "credential": """\
usage: broker credential get|store|erase|capability|exit|aws PROFILE [OPTION]...

  git config --global credential.helper broker
  git config --global credential.helper 'broker --store keyring --timeout 1h'
  printf 'profile=prod\\n\\n' | broker credential get
  aws configure set credential_process 'broker credential aws prod' --profile prod-db

how    --store keychain|keyring  --timeout TIME  """ + COMMON,
    "params": """\
usage: broker params [PROFILE|URL] [OPTION]...

  eval "$(broker params prod)"
  broker params prod --format json | jq -r .password
  broker params prod --field host
  broker params prod --format mycnf > prod.cnf

""" + WHERE + WHO + WHAT.replace("\n", "  --format FORMAT  --field NAME  --shell sh|fish  --endpoint\n") +
    "how    --no-password  --reveal  --json  --fresh  --timeout TIME  --dry-run  " + COMMON,
    "forward": """\
usage: broker forward [PROFILE|URL]... [OPTION]...

  broker forward prod
  broker forward prod stage --listen 0
  broker forward prod --listen 13306 --drain 30s
  ADDR=$(broker forward prod --detach)

""" + WHERE + WHO + WHAT.replace("\n", "  --listen PORT|ADDR:PORT|/PATH  --terminate-tls  --drain TIME  --log FILE\n") +
    "how    --detach  --json  --timeout TIME  --dry-run  " + COMMON,
    "status": """\
usage: broker status [NAME] [OPTION]...

  broker status
  broker status --json
  broker status prod --wait --timeout 30s

how    --wait  --json  --timeout TIME  """ + COMMON,
    "stop": """\
usage: broker stop NAME|--all [OPTION]...

  broker stop prod
  broker stop --all

how    --all  --timeout TIME  """ + COMMON,
    "login": """\
usage: broker login [PROFILE|URL] [OPTION]...

  broker login prod

""" + WHERE + WHO + WHAT + "how    --timeout TIME  " + COMMON,
    "logout": """\
usage: broker logout [PROFILE|URL|--all] [OPTION]...

  broker logout prod
  broker logout --all

""" + WHERE + WHO + WHAT + "how    --all  --timeout TIME  " + COMMON,
    "password": """\
usage: broker password set|delete [PROFILE|URL|--tunnel NAME] [OPTION]...

  broker password set shop
  pass show db/shop | broker password set shop
  broker password delete shop
  broker password set --tunnel bastion

""" + WHERE + WHO + WHAT + "how    --tunnel  --timeout TIME  " + COMMON,
    "profile": """\
usage: broker profile list|show|add|set|edit|remove|rename|import|export|check [NAME|FILE] [URL|KEY=VALUE...] [OPTION]...

  broker profile add shop
  broker profile add shop mysql://app@db.example.com/shop
  broker profile add shop --test --host db.example.com --user app
  broker profile show shop --all
  broker profile set shop database=shop2 via=
  broker profile edit
  broker profile import ~/.my.cnf
  broker profile check

""" + WHERE + WHO + WHAT + "how    --test  --all  --json  --dry-run  " + COMMON,
    "completion": """\
usage: broker completion bash|zsh|fish

  eval "$(broker completion bash)"
  broker completion fish > ~/.config/fish/completions/broker.fish

how    """ + COMMON,
    "help": """\
usage: broker help [VERB|TOPIC]

  broker help connect
  broker help config

how    """ + COMMON,
    "version": "usage: broker version\n\nhow    " + COMMON,
}
TOPICS = ("config", "environment", "exit-codes", "formats")
LATER = re.compile(r"\bman\b", re.M)


def test_alone(broker):
    done = broker.run()
    assert (done.text, done.errors, done.code) == ("", OVERVIEW, 64)


@pytest.mark.parametrize("args", [["help"], ["--help"], ["-h"]])
def test_overview(broker, args):
    done = broker.run(*args)
    assert (done.text, done.errors, done.code) == (OVERVIEW, "", 0)


@pytest.mark.parametrize("verb", VERBS)
def test_verb(broker, verb):
    wanted = VERBS[verb] + "\nmore: broker help config\n"
    for args in (["help", verb], [verb, "-h"], [verb, "--help"], [verb, "-vh", "--quiet"]):
        done = broker.run(*args)
        assert (done.text, done.errors, done.code) == (wanted, "", 0), args


def test_help_wins_over_what_else_is_wrong(broker):
    broker.config("[profile a]\nbad\n")
    assert broker.run("connect", "nobody", "--help").code == 0
    assert broker.run("profile", "frobnicate", "-h").code == 0


def test_every_verb_is_in_the_overview(broker):
    listed = re.findall(r"^  (\w+) ", OVERVIEW, re.M)
    assert listed == built.VERBS and set(listed) == set(VERBS) - {"version"}
    for verb in listed:
        assert f"usage: broker {verb}" in broker.run("help", verb).text


@pytest.mark.parametrize("topic", TOPICS)
def test_topic(broker, topic):
    done = broker.run("help", topic)
    assert done.code == 0 and done.errors == "" and len(done.text.splitlines()) > 1
    assert max(map(len, done.text.splitlines())) <= 120


@pytest.mark.parametrize("args", [["help"], *(["help", name] for name in (*VERBS, *TOPICS))])
def test_names_only_what_is_built(broker, args):
    done = broker.run(*args)
    assert done.code == 0 and not LATER.findall(done.text)


def test_config_topic_is_the_table_of_keys(broker):
    broker.config("[profile p]\nhost = h\nuser = u\n")
    text = broker.run("help", "config").text
    table = text[text.index("\nKEY ") + 1:text.index("\nauth is one of:")].splitlines()
    assert table[0].split() == ["KEY", "DEFAULT", "MEANING"]
    defaults = {line.split()[0]: line.split()[1] for line in table[1:]}
    shown = broker.run("profile", "show", "p", "--all").text
    for key, default in defaults.items():
        assert re.search(rf"^{key} ", shown, re.M), key
        if default != "-":
            assert re.search(rf"^{key} +{re.escape(default)} +built in$", shown, re.M), key
    providers = re.findall(r"^  (\w+) ", text[text.index("auth is one of:"):text.index("tls is one of:")], re.M)
    assert providers == PROVIDERS.split()
    assert "\ntls is one of: disabled preferred required verify-ca verify-identity\n" in text
    tunnels = text[text.index("\nvia names a [tunnel NAME]:\n\nKEY "):]
    assert re.findall(r"^(\w+)  ", tunnels, re.M)[:2] == ["KEY", "type"]
    assert re.findall(r"^  (\w+)  ", tunnels, re.M) == TUNNELS.split()


def test_exit_codes_topic(broker):
    text = broker.run("help", "exit-codes").text
    assert re.findall(r"^ *(\d+)  \w", text, re.M) == "0 64 65 69 70 74 75 76 77 78 79 126 127".split()


@pytest.mark.parametrize("args, wanted", [
    (["help", "conect"], "broker: conect: no such topic\nhint: did you mean 'connect'?\n"),
    (["help", "exit-code"], "broker: exit-code: no such topic\nhint: did you mean 'exit-codes'?\n"),
    (["help", "zzz"], "broker: zzz: no such topic\nhint: a verb, or: config urls environment exit-codes formats\n"),
    (["help", "__complete"], "broker: __complete: no such topic\nhint: a verb, or: config urls environment exit-codes formats\n"),
    (["help", "a", "b"], "broker: help: unexpected argument\nhint: broker help help\n")])
def test_no_such_topic(broker, args, wanted):
    done = broker.run(*args)
    assert (done.text, done.errors, done.code) == ("", wanted, 64)


@pytest.mark.parametrize("args", [["version"], ["--version"]])
def test_version(broker, args):
    done = broker.run(*args)
    assert re.fullmatch(r"broker \d+\.\d+\.\d+\n", done.text) and (done.errors, done.code) == ("", 0)
