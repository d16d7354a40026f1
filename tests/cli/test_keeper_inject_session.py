# SPDX-License-Identifier: MIT
"""After the keeper has logged in, a session is the same as if the client had logged in: it has what the client asked
for in its answer to the greeting (compression, character set, database, LOAD DATA LOCAL, session tracking), and all
commands work."""
import hashlib
import os
import threading
import time

import pytest

from conftest import having
from lib import inject
from lib.forwards import until
from lib.inject import MULTI_STATEMENTS, NATIVE, SESSION_TRACK, Wire, ask, run, wire
from lib.keeping import gone
from servers.load import Refused
from test_exec_programs import installed

MIB = 1024 * 1024
SERVERS = pytest.mark.parametrize("fixture, user", [("mariadb_server", "app_native"), ("mysql_server", "app_sha2")],
                                  ids=["mariadb", "mysql"])
CHANGE_USER, RESET, INIT_DB, QUERY = b"\x11", b"\x1f", b"\x02", b"\x03"


@pytest.fixture
def end(request, broker, names, forwards):
    """end(server, user, port=False, ...): a listener at which the keeper logs in as USER. `forwards` stops it."""
    def make(server, user, port=False, **keys):
        inject.write(broker, server, user, **keys)
        place = ["--listen", "0"] if port else ["--listen", broker.runtime / "end"]
        return inject.forward(broker, *place)
    return make


@pytest.fixture
def server_of(request):
    return request.getfixturevalue


@SERVERS
def test_database_and_character_set_are_the_clients(server_of, client, end, fixture, user):
    """The user is the one that the keeper logs in as, whatever name the client sends."""
    made = end(server_of(fixture), user)
    query = "select current_user(), database(), @@character_set_client, @@character_set_results, hex('\xe4');"
    done = run(client.path, client, made, "--database=shop", "--default-character-set=latin1", "-NB", input=query.encode("latin1"))
    assert done.stdout == f"{user}@%\tshop\tlatin1\tlatin1\tE4\n".encode(), (done.stdout, done.stderr)
    done = ask(client, made, query="select database()", user="root")
    assert done.stdout == b"NULL\n", done.stderr


@SERVERS
@pytest.mark.parametrize("allowed", ["yes", "no"])
def test_load_data_local(server_of, broker, client, end, fixture, user, allowed):
    """`local_infile = no` in the profile overrules the client."""
    server = server_of(fixture)
    rows = broker.write("rows", "".join(f"{n}\tname {n}\n" for n in range(100, 60100)))
    made = end(server, user, local_infile=allowed)
    server.admin("create table shop.loaded like shop.item")
    try:
        done = ask(client, made, "--local-infile=1", "--database=shop",
                   query=f"load data local infile '{rows}' into table loaded; select count(*), max(name) from loaded")
        if allowed == "yes":
            assert done.stdout == b"60000\tname 9999\n", (done.stdout, done.stderr)
        else:
            assert done.returncode == 1 and b"ERROR" in done.stderr and b"oca" in done.stderr, done.stderr
            assert server.admin("select count(*) from shop.loaded") == "0"
    finally:
        server.admin("drop table shop.loaded")


@SERVERS
def test_load_data_that_looks_like_a_command(server_of, broker, client, end, fixture, user):
    """Nearly every packet of the file begins with 0x11, the code of COM_CHANGE_USER. There are more than 256 packets,
    so the sequence number wraps, and some of them have number 0, as a command has."""
    server = server_of(fixture)
    row = b"\x11" * 1023 + b"\n"
    rows = broker.write("rows", row * 6000)
    made = end(server, user, local_infile="yes")
    server.admin("create table shop.loaded (text blob)")
    try:
        small = ["--net-buffer-length=4096"]
        done = ask(client, made, "--local-infile=1", *small, "--database=shop",
                   query=f"load data local infile '{rows}' into table loaded character set binary; select count(*), min(length(text)) from loaded")
        assert done.stdout == b"6000\t1023\n", (done.stdout, done.stderr)
    finally:
        server.admin("drop table shop.loaded")


@pytest.mark.parametrize("packets", [252, 253, 254, 255, 700])
def test_file_of_small_packets(mariadb_server, end, packets):
    """The same with an exact number of packets: the last one has sequence number 255, 0 or 1, too. A command follows
    it."""
    made = wire(end(mariadb_server, "app_native", local_infile="yes"), flags=inject.LOCAL_FILES, database="shop")
    made.query("create temporary table small (text varchar(40))")
    file_request = made.command(QUERY + b"load data local infile 'x' into table small")
    assert file_request == b"\xfbx", file_request
    for _ in range(packets):
        made.write(b"\x11\x11\n", made.sequence + 1)
        made.sequence += 1
    made.write(b"", made.sequence + 1)
    assert made.read()[:1] == b"\0"
    assert made.query("select count(*) from small") == [str(packets).encode()]
    made.close()


def test_long_command_of_several_packets(clients, mariadb_server, end):
    """A packet has 16 MiB, so the command has four, and its continuations begin with 0x11, as COM_CHANGE_USER does."""
    mariadb_server.admin(f"set global max_allowed_packet = {128 * MIB}")
    text = b"\x11" * (50 * MIB)
    done = run(clients["mariadb1011"].path, clients["mariadb1011"], end(mariadb_server, "app_native"), f"--max-allowed-packet={128 * MIB}",
               "--binary-mode", "-NB", input=b"select length('" + text + b"');")
    assert done.stdout == f"{50 * MIB}\n".encode(), (done.stdout[:100], done.stderr[:300])


@pytest.mark.parametrize("name, fixture, user", [("mysql9", "mysql_server", "app_sha2"), ("mariadb118", "mariadb_server", "app_native")])
def test_64_mib_packets(server_of, clients, end, name, fixture, user):
    """In both directions."""
    server, client = server_of(fixture), clients[name]
    server.admin(f"set global max_allowed_packet = {128 * MIB}")
    text, row = "abcdefghi\n" * (64 * MIB // 10), "0123456789" * (64 * MIB // 10)
    done = run(client.path, client, end(server, user), f"--max-allowed-packet={128 * MIB}", "-NBr", timeout=120,
               input=f"select sha2('{text}', 256), repeat('0123456789', {64 * MIB // 10});".encode())
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert done.stdout == f"{digest}\t{row}\n".encode(), (len(done.stdout), done.stderr[:500])


COMPRESSION = [("mysql9", "mysql_server", "zlib"), ("mysql9", "mysql_server", "zstd"), ("mysql9", "mariadb_server", "zlib"),
               ("mariadb1011", "mysql_server", "zlib"), ("mariadb1011", "mariadb_server", "zlib"), ("mariadb118", "mariadb_server", "zlib")]


@pytest.mark.parametrize("name, fixture, algorithm", COMPRESSION)
def test_compression(server_of, clients, end, name, fixture, algorithm):
    """The server reports that compression is on, and which algorithm is used; the query is large, too."""
    server, client = server_of(fixture), clients[name]
    user = {"mysql_server": "app_sha2", "mariadb_server": "app_native"}[fixture]
    server.admin(f"set global max_allowed_packet = {128 * MIB}")
    on = [f"--compression-algorithms={algorithm}"] if client.family == "mysql" else ["--compress"]
    text = "y" * 300000
    query = ("show session status where variable_name in ('Compression', 'Compression_algorithm'); "
             f"select length(repeat('x', 5000000)), sha2('{text}', 256)")
    done = run(client.path, client, end(server, user), *on, "-NB", input=query.encode() + b";")
    status = {"mariadb_server": "Compression\tON\n", "mysql_server": f"Compression\tON\nCompression_algorithm\t{algorithm}\n"}[fixture]
    assert done.stdout.decode() == f"{status}5000000\t{hashlib.sha256(text.encode()).hexdigest()}\n", (done.stdout, done.stderr)


@SERVERS
def test_results_of_a_procedure(server_of, client, end, fixture, user):
    server = server_of(fixture)
    server.admin("create procedure shop.both_of_them() begin select 1; select 2, 3; end")
    try:
        done = ask(client, end(server, user), "--database=shop", query="call both_of_them(); select 4")
        assert done.stdout == b"1\n2\t3\n4\n", (done.stdout, done.stderr)
    finally:
        server.admin("drop procedure shop.both_of_them")


@SERVERS
def test_session_tracking(server_of, end, fixture, user):
    """The server reports a change of the database to a client that has asked for session tracking, and only to that."""
    there = end(server_of(fixture), user)
    made = wire(there, flags=SESSION_TRACK)
    report = made.command(INIT_DB + b"shop")
    assert report[:1] == b"\0" and b"shop" in report, report
    made.close()
    silent = wire(there)
    assert b"shop" not in silent.command(INIT_DB + b"shop")
    silent.close()


@SERVERS
@pytest.mark.parametrize("port", [False, True], ids=["unix", "port"])
def test_reset_connection(server_of, end, fixture, user, port):
    """As connection pools do it: the session is new, the user is the same."""
    made = wire(end(server_of(fixture), user, port))
    made.query("set @a = 1")
    assert made.command(RESET)[:1] == b"\0"
    assert made.query("select coalesce(@a, 'none')") == [b"none"] and made.query("select current_user()") == [f"{user}@%".encode()]
    made.close()


@SERVERS
@pytest.mark.parametrize("split", [1, 4, 5, 0], ids=["in the header", "after the header", "after the command", "whole"])
def test_change_user(server_of, end, fixture, user, split):
    """The client's answer cannot be right, as it does not have the server's password: so the keeper sends a clear error
    and closes the connection, in however many pieces the command arrives."""
    made = wire(end(server_of(fixture), user))
    assert made.query("select 1") == [b"1"]
    body = CHANGE_USER + b"root\0\0shop\0\x2d\0mysql_native_password\0"
    packet = len(body).to_bytes(3, "little") + b"\0" + body
    made.socket.sendall(packet[:split])
    time.sleep(0.05)
    try:
        made.socket.sendall(packet[split:])
    except BrokenPipeError:  # the keeper has closed, as it has read enough
        pass
    with pytest.raises(Refused, match="broker: .*COM_CHANGE_USER"):
        made.read()
    assert made.ends()


def test_change_user_behind_another_command(mariadb_server, end):
    """Both come in one segment: the first one (COM_PING) may still be answered, then comes the error."""
    made = wire(end(mariadb_server, "app_native"))
    body = CHANGE_USER + b"root\0\0shop\0\x2d\0mysql_native_password\0"
    made.socket.sendall(b"\1\0\0\0\x0e" + len(body).to_bytes(3, "little") + b"\0" + body)
    with pytest.raises(Refused, match="COM_CHANGE_USER"):
        while made.read()[:1] == b"\0":
            pass
    assert made.ends()


@SERVERS
def test_kill_from_another_connection(server_of, clients, end, fixture, user):
    """The connection id in the greeting is the server's own: a client needs it to kill its query at Ctrl-C."""
    made = end(server_of(fixture), user)
    sleeper, other = wire(made), wire(made)
    sleeper.write(QUERY + b"select sleep(60)", 0)
    assert until(lambda: other.query(f"select count(*) from information_schema.processlist where id = {sleeper.thread} "
                                     "and info like 'select sleep%'") == [b"1"])
    other.query(f"kill query {sleeper.thread}")
    try:
        assert sleeper.read()  # MySQL: one row with 1
    except Refused as error:
        assert "1317" in str(error)
    for one in (sleeper, other):
        one.close(quit=False)


PHP = r"""
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$c = new mysqli(getenv('MYSQL_HOST'), getenv('MYSQL_USER'), getenv('MYSQL_PWD'), 'shop', (int) getenv('MYSQL_TCP_PORT'));
$s = $c->prepare('select ? + 1, concat(?, "x"), current_user()');
foreach ([1, 2] as $n) { $s->bind_param('is', $n, $text); $text = str_repeat('a', 3); $s->execute(); echo implode('|', $s->get_result()->fetch_row()), "\n"; }
$s->close();
$c->multi_query('select 1; select 2; do 0; select 3');
do { if ($r = $c->store_result()) echo $r->fetch_row()[0], "\n"; } while ($c->more_results() && $c->next_result());
try { $c->change_user('root', '', 'shop'); } catch (mysqli_sql_exception $e) { echo $e->getMessage(), "\n"; }
"""


@SERVERS
def test_prepared_statements_and_multi_results(server_of, broker, names, fixture, user):
    """With PHP's driver, which uses the binary protocol for prepared statements; its change_user() is refused."""
    inject.write(broker, server_of(fixture), user)
    done = broker.run("exec", "p", "--", having(installed, "/usr/bin/php"), "-r", PHP)
    lines = done.text.splitlines()
    assert lines[:5] == [f"2|aaax|{user}@%", f"3|aaax|{user}@%", "1", "2", "3"], (done.text, done.errors)
    assert "COM_CHANGE_USER" in lines[5]
    assert gone(broker)


@SERVERS
def test_multi_statements(server_of, end, fixture, user):
    """Only for a client that has asked for them."""
    made = end(server_of(fixture), user)
    plain = wire(made)
    with pytest.raises(Refused, match="1064"):
        plain.query("select 1; select 2")
    plain.close()
    many = wire(made, flags=MULTI_STATEMENTS)
    assert many.query("select 1; select 2") == [b"1", b"2"]
    many.close()


# Many at once

COUNT = 200
SLOW = """#!/bin/sh
n=$(ls "$HOME/asked" | wc -l)
: > "$HOME/asked/$$"
[ "$n" = 0 ] || while [ ! -e "$HOME/go" ]; do sleep 0.02; done
cat "$HOME/answer.$([ "$n" = 0 ] && echo first || echo next)"
"""


@pytest.mark.parametrize("port", [False, True], ids=["unix", "port"])
def test_many_at_once_and_one_fetch(broker, names, forwards, start_server, many_files, port):
    """The first credential, with which the forward was opened, is about to expire; all clients that connect while the
    next one is fetched share it."""
    server = start_server("mariadb", options=["--back-log=400", "--max-connections=400"])
    user, password = "app_native", server.password("app_native").decode()
    (broker.home / "asked").mkdir()
    for name, life in (("first", 20), ("next", 3600)):
        answer = f'{{"user": "{user}", "password": "{password}", "expires_at": {int(time.time()) + life}}}'
        broker.write(f"answer.{name}", answer, secret=True)
    broker.script("slow", SLOW)
    inject.write(broker, server, user, auth_command=broker.home / "bin" / "slow", connect_timeout="60s")
    end = inject.forward(broker, *(["--listen", "0"] if port else ["--listen", broker.runtime / "end"]))
    assert len(os.listdir(broker.home / "asked")) == 1
    made = [Wire(end.place, timeout=120) for _ in range(COUNT)]
    assert until(lambda: len(os.listdir(broker.home / "asked")) == 2)
    (broker.home / "go").touch()
    answers = []

    def use(connection):
        connection.login(end.user, end.password)
        answers.append(connection.query("select current_user()"))
    threads = [threading.Thread(target=use, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[b"app_native@%"]] * COUNT
    assert len(os.listdir(broker.home / "asked")) == 2
    assert int(server.admin("select count(*) from information_schema.processlist where user = 'app_native'")) >= COUNT
    for one in made:
        one.close()


def test_command_sent_with_the_answer(mariadb_server, end):
    """MariaDB's driver for Java sends its first command together with its answer to the greeting."""
    made = Wire(end(mariadb_server, "app_native").place)
    made.greet()
    answer = inject.SCRAMBLES[NATIVE](b"any", made.salt)
    body = inject.struct.pack("<IIB23x", inject.FLAGS, 1 << 24, 45) + b"x\0" + bytes([len(answer)]) + answer + NATIVE.encode() + b"\0"
    ahead = QUERY + b"select current_user()"
    made.socket.sendall(len(body).to_bytes(3, "little") + b"\1" + body + len(ahead).to_bytes(3, "little") + b"\0" + ahead)
    assert made.read()[:1] == b"\0"
    for _ in range(3):
        made.read()
    assert made.read() == b"\x0capp_native@%"
    made.close(quit=False)
