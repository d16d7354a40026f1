# SPDX-License-Identifier: MIT
"""The commands of docs/tools.md, exactly as they are written there: each migration tool creates a table through `broker
exec`, with verified TLS, directly and through a tunnel. bin/rails is a script with Active Record's own migrations,
because Rails itself is not installed."""
import itertools
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from conftest import BASE, having, lasting
from lib.logins import for_user
from servers.mysql9 import MySQL
from servers.pki import RIGHT_NAME
from test_exec_programs import bastion, fetched, flyway_program, installed, make_account  # bastion is a fixture

DOCS = Path(__file__).resolve().parents[2] / "docs" / "tools.md"
COMMANDS = dict(re.findall(r"^### (\S+)\n.*?^    (broker exec [^\n]*)$", DOCS.read_text(), re.M | re.S))
TABLE = "create table made (id int primary key)"
FILES = {
    "dbmate": {"db/1_made.sql": f"-- migrate:up\n{TABLE};\n-- migrate:down\n"},
    "goose": {"db/00001_made.sql": f"-- +goose Up\n{TABLE};\n"},
    "golang-migrate": {"db/1_made.up.sql": f"{TABLE};\n"},
    "skeema": {".skeema": "host=prod\nschema={database}\nflavor=mysql:8.4\nconnect-options=\n", "made.sql": f"{TABLE};\n".upper().replace(
        "CREATE TABLE MADE (ID INT PRIMARY KEY)", "CREATE TABLE `made` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`)\n)")},
    "Alembic": {
        "alembic.ini": "[alembic]\nscript_location = steps\n",
        "steps/env.py": "import os, sqlalchemy\nfrom alembic import context\n"
                        "with sqlalchemy.create_engine(os.environ['DATABASE_URL']).connect() as c:\n    context.configure(connection=c)\n"
                        "    with context.begin_transaction():\n        context.run_migrations()\n",
        "steps/versions/1_made.py": "from alembic import op\nrevision, down_revision = '1', None\n\n\ndef upgrade():\n"
                                    f"    op.execute('{TABLE}')\n"},
    "Django": {
        "manage.py": "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
                     "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
        "settings.py": "import dj_database_url\nDATABASES = {'default': dj_database_url.config()}\nINSTALLED_APPS = ['shop']\n",
        "shop/__init__.py": "", "shop/migrations/__init__.py": "",
        "shop/migrations/0001_made.py": "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                                        f"    operations = [migrations.RunSQL('{TABLE}')]\n"},
    "Rails": {
        "bin/rails": '#!/bin/sh\nexec ruby "$HOME/rails.rb" "$@"\n',
        "db/migrate/1_make_made.rb": f"class MakeMade < ActiveRecord::Migration[6.1]\n  def up\n    execute '{TABLE}'\n  end\nend\n"},
    "Flyway": {"db/V1__made.sql": f"{TABLE};\n"},
}
RAILS = """
require 'active_record'
raise 'what?' unless ARGV == ['db:migrate']
ActiveRecord::Base.establish_connection(ENV['DATABASE_URL'])
ActiveRecord::MigrationContext.new('db/migrate', ActiveRecord::SchemaMigration).migrate
"""
number = itertools.count(1)


@pytest.fixture(scope="session")
def server(pki):
    yield from lasting(MySQL, BASE / "migrations", pki)


def place(broker, tool, database):
    """(a folder with that tool's files, a PATH with its programs first)."""
    folder = broker.home / "work"
    for path, text in FILES[tool].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.replace("{database}", database))
        (folder / path).chmod(0o755)
    (broker.home / "rails.rb").write_text(RAILS)
    path = [str(broker.program.parent)]
    need = {"goose": "go/goose", "golang-migrate": "go/migrate", "skeema": "go/skeema", "dbmate": "node/node_modules/.bin/dbmate",
            "Alembic": "python/bin/alembic", "Django": "python/bin/python"}
    if tool in need:
        path.append(os.path.dirname(having(fetched, need[tool])))
    if tool == "Rails":
        having(installed, "/usr/bin/ruby")
    if tool == "Flyway":
        broker.script("flyway", f'exec {shlex.join(having(flyway_program))} "$@"')
    return folder, ":".join([*path, broker.env["PATH"]])


@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize("route", ["direct", "ssh"])
def test_documented_command(request, broker, names, server, relay, route, tool):
    make_account(server)
    database = f"migrated_{next(number)}"
    server.admin(f"create database {database}; grant all on *.* to prog@'%'; flush privileges")
    far = relay((server.host, server.port))
    sshd = request.getfixturevalue("bastion") if route == "ssh" else None
    for_user(broker, server, "prog", host=RIGHT_NAME, port=far.port, tls="verify-identity", tls_ca=server.ca, database=database,
             via="b" if sshd else None)
    text = broker.config_path.read_text().replace("[profile p]", "[profile prod]")
    if sshd:
        text += f"[tunnel b]\ntype = ssh\nhost = {sshd.host}\nport = {sshd.port}\nuser = {sshd.user}\n"
    broker.config(text)
    folder, path = place(broker, tool, database)
    done = subprocess.run(["sh", "-c", COMMANDS[tool]], cwd=folder, env={**broker.env, "PATH": path}, capture_output=True, timeout=120)
    there = server.admin(f"select count(*) from information_schema.tables where table_schema = '{database}' and table_name = 'made'")
    assert done.returncode == 0 and there == "1", (done.stdout, done.stderr)
    assert b"prog" not in far.sent and far.sent[36:38] == b"\x16\x03"  # TLS starts before the user name is sent


def test_all_tools_are_documented():
    assert list(COMMANDS) == list(FILES)
