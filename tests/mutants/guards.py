# SPDX-License-Identifier: MIT
"""The sources that protect secrets, and for each of them the unit test programs and the files of command-line tests for
it."""

LOGIN = "test_mysql_login test_mysql_inject test_mysql_inject_server test_mysql_inject_edges test_mysql_handshake"
GUARDS = {
    "src/mysql/login_filter.c": (LOGIN, "test_tls_stripped"),
    "src/mysql/login_action.c": (LOGIN, "test_tls_stripped"),
    "src/mysql/login_packet.c": (LOGIN, "test_tls_stripped"),
    "src/mysql/login_inject.c": (LOGIN, ""),
    "src/mysql/inject_client.c": (LOGIN, ""),
    "src/mysql/inject_server.c": (LOGIN, ""),
    "src/mysql/packet.c": (LOGIN, "test_tls_stripped"),
    "src/mysql/sha2_key.c": (LOGIN, "test_tls_stripped"),
    "src/mysql/tls.c": ("test_mysql_tls test_mysql_tls_errors test_mysql_tls_resume", ""),
    "src/mysql/tls_errors.c": ("test_mysql_tls_errors test_mysql_tls", ""),
    "src/mysql/tls_pem.c": ("test_mysql_tls_pem", ""),
    "src/ipc/record.c": ("test_record test_helper", ""),
    "src/session/url_rule.c": ("test_url_rule test_plan", "test_hostile_url"),
    "src/model/url.c": ("test_url test_url_words", "test_hostile_url"),
    "src/model/url_keys.c": ("test_url test_url_words", "test_hostile_url"),
    "src/model/url_mode.c": ("test_url test_url_words", "test_hostile_url"),
    "src/model/url_text.c": ("test_url test_url_words", "test_hostile_url"),
    "src/model/url_words.c": ("test_url test_url_words", "test_hostile_url"),
    "src/base/file.c": ("test_file test_trust test_config test_config_errors", "test_folders"),
    "src/base/trust-linux.c": ("test_file test_trust test_config test_config_errors", "test_folders"),
    "src/output/option_file.c": ("test_option_file test_params_file", "test_hostile_home"),
}
