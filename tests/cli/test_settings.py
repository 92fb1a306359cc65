import re
from datetime import timedelta
from pathlib import Path

import pytest

from cli.entry import topic_names
from runtime.config.environment import WrongSettings, load_settings
from runtime.config.settings import (
    LogFormat,
    LogLevel,
    Settings,
    StateStoreKind,
    default_text,
    description_of,
    settings_help,
    variable,
)
from runtime.kafka.admin.topics import topic_specs

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"
BROKERS = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "localhost:9092"}


def mistakes_in(environ: dict[str, str]) -> list[str]:
    with pytest.raises(WrongSettings) as raised:
        load_settings(environ)
    return raised.value.mistakes


def test_bootstrap_servers_are_enough() -> None:
    settings = load_settings(BROKERS)

    assert settings.group_id == "link-actions"
    assert settings.state_store is StateStoreKind.ROWFILE
    assert settings.commit_interval_ms == 100
    assert settings.http_port == 9464
    assert settings.dedupe_retention is None
    assert settings.instance_id


def test_every_setting_is_read_from_its_variable(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("security.protocol=SSL\n")
    settings = load_settings(
        {
            "LINK_ACTIONS_BOOTSTRAP_SERVERS": "a:1, [::1]:2,c",
            "LINK_ACTIONS_GROUP_ID": "group",
            "LINK_ACTIONS_INSTANCE_ID": "one",
            "LINK_ACTIONS_STATE_DIR": "/somewhere",
            "LINK_ACTIONS_STATE_STORE": "rocksdb",
            "LINK_ACTIONS_TOPIC_PREFIX": "staging.",
            "LINK_ACTIONS_KAFKA_CONFIG": str(file),
            "LINK_ACTIONS_COMMIT_INTERVAL_MS": "50",
            "LINK_ACTIONS_HTTP_HOST": "[::1]",
            "LINK_ACTIONS_HTTP_PORT": "0",
            "LINK_ACTIONS_SCHEMA_REGISTRY_URL": "https://registry",
            "LINK_ACTIONS_LOG_LEVEL": "debug",
            "LINK_ACTIONS_LOG_FORMAT": "json",
            "LINK_ACTIONS_DEDUPE_RETENTION": "90d",
            "LINK_ACTIONS_DEAD_LETTER_LIMIT": "0.25",
        }
    )

    assert settings.bootstrap_servers == "a:1,[::1]:2,c"
    assert (settings.group_id, settings.instance_id, settings.topic_prefix) == ("group", "one", "staging.")
    assert settings.state_dir == Path("/somewhere")
    assert settings.state_store is StateStoreKind.ROCKSDB
    assert settings.kafka_config is not None
    assert settings.kafka_config.values == {"security.protocol": "SSL"}
    assert (settings.commit_interval_ms, settings.http_port, settings.dead_letter_limit) == (50, 0, 0.25)
    assert settings.http_host == "::1"
    assert settings.schema_registry_url == "https://registry"
    assert (settings.log_level, settings.log_format) == (LogLevel.DEBUG, LogFormat.JSON)
    assert settings.dedupe_retention == timedelta(days=90)


@pytest.mark.parametrize("field", sorted(Settings.model_fields.keys() - {"kafka_config"}))
def test_example_of_each_setting_is_valid(field: str) -> None:
    (example,) = Settings.model_fields[field].examples or []

    assert field in load_settings(BROKERS | {variable(field): example}).model_fields_set


def test_docs_list_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(LINK_ACTIONS_\w+)` \| ([^|]+) \|", OPERATIONS.read_text(), re.MULTILINE)

    assert {name: default.replace("`", "") for name, default in rows} == {
        variable(name): "required" if field.is_required() else default_text(name) or "none"
        for name, field in Settings.model_fields.items()
    }


def test_help_shows_every_setting_with_its_default() -> None:
    text = " ".join(settings_help().split())

    assert all(f"{variable(name)} {description_of(name)}" in text for name in Settings.model_fields)
    assert "LINK_ACTIONS_HTTP_PORT" in text
    assert "(default: 9464)" in text


def test_an_empty_variable_counts_as_not_set() -> None:
    settings = load_settings(BROKERS | {"LINK_ACTIONS_KAFKA_CONFIG": "", "LINK_ACTIONS_GROUP_ID": ""})

    assert settings.kafka_config is None
    assert settings.group_id == "link-actions"


def test_a_missing_broker_list_is_named_with_an_example() -> None:
    (mistake,) = mistakes_in({})

    assert mistake.startswith("LINK_ACTIONS_BOOTSTRAP_SERVERS is not set")
    assert "LINK_ACTIONS_BOOTSTRAP_SERVERS=localhost:9092" in mistake


def test_all_mistakes_are_named_at_once() -> None:
    mistakes = mistakes_in({"LINK_ACTIONS_HTTP_PORT": "many", "LINK_ACTIONS_LOG_LEVEL": "loud", "LINK_ACTIONS_X": "1"})

    assert [mistake.split()[0] for mistake in mistakes] == [
        "LINK_ACTIONS_BOOTSTRAP_SERVERS",
        "LINK_ACTIONS_HTTP_PORT",
        "LINK_ACTIONS_LOG_LEVEL",
        "LINK_ACTIONS_X",
    ]


def test_an_unknown_variable_is_a_mistake_with_the_likely_name() -> None:
    (mistake,) = mistakes_in(BROKERS | {"LINK_ACTIONS_GROUPID": "x"})

    assert mistake == "LINK_ACTIONS_GROUPID is no setting; did you mean LINK_ACTIONS_GROUP_ID?"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BOOTSTRAP_SERVERS", "a:99999"),
        ("BOOTSTRAP_SERVERS", "a:1,,b:2"),
        ("BOOTSTRAP_SERVERS", "a:1,"),
        ("BOOTSTRAP_SERVERS", " "),
        ("BOOTSTRAP_SERVERS", "http://localhost:9092"),
        ("BOOTSTRAP_SERVERS", "a:1/path"),
        ("BOOTSTRAP_SERVERS", "::1:9092"),
        ("BOOTSTRAP_SERVERS", "[::1:9092"),
        ("BOOTSTRAP_SERVERS", "[localhost]:9092"),
        ("BOOTSTRAP_SERVERS", "løkalhost:9092"),
        ("BOOTSTRAP_SERVERS", "a..b:9092"),
        ("BOOTSTRAP_SERVERS", "a b:9092"),
        ("BOOTSTRAP_SERVERS", "a:"),
        ("BOOTSTRAP_SERVERS", "a:0"),
        ("GROUP_ID", "with space"),
        ("GROUP_ID", "g" * 151),
        ("INSTANCE_ID", "a/b"),
        ("INSTANCE_ID", "."),
        ("INSTANCE_ID", ".."),
        ("INSTANCE_ID", "../other"),
        ("INSTANCE_ID", "a\0b"),
        ("INSTANCE_ID", "i" * 101),
        ("WORKERS", "0"),
        ("WORKERS", "257"),
        ("TOPIC_PREFIX", "p" * 61),
        ("TOPIC_PREFIX", "a/b."),
        ("TOPIC_PREFIX", "ü"),
        ("KAFKA_CONFIG", "/nowhere/client.properties"),
        ("COMMIT_INTERVAL_MS", "0"),
        ("HTTP_HOST", "http://localhost"),
        ("HTTP_HOST", "127.0.0.1:9464"),
        ("HTTP_PORT", "70000"),
        ("SCHEMA_REGISTRY_URL", "registry:8081"),
        ("SCHEMA_REGISTRY_URL", "https://registry:80811"),
        ("SCHEMA_REGISTRY_URL", "https://regi stry"),
        ("DEDUPE_RETENTION", "90x"),
        ("DEDUPE_RETENTION", "PX"),
        ("DEDUPE_RETENTION", "1h"),
        ("DEAD_LETTER_LIMIT", "1.5"),
    ],
)
def test_invalid_value_is_named_with_its_fix(variable: str, value: str) -> None:
    (mistake,) = mistakes_in(BROKERS | {f"LINK_ACTIONS_{variable}": value})

    assert mistake.startswith(f"LINK_ACTIONS_{variable} is wrong: ")
    assert "; set it to " in mistake
    assert f"for example LINK_ACTIONS_{variable}=" in mistake


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24h", timedelta(days=1)),
        ("2w", timedelta(weeks=2)),
        ("P90D", timedelta(days=90)),
        ("pt48h", timedelta(days=2)),
    ],
)
def test_a_retention_may_be_short_or_iso_8601(text: str, expected: timedelta) -> None:
    assert load_settings(BROKERS | {"LINK_ACTIONS_DEDUPE_RETENTION": text}).dedupe_retention == expected


@pytest.mark.parametrize(
    "servers", ["a", "a:1, b:2", "10.0.0.1:9092", "[::1]:9092", "[fe80::1%eth0]", "a.b.c.:9092", "kafka_1:9092"]
)
def test_brokers_accept_every_notation_of_kafka(servers: str) -> None:
    assert load_settings({"LINK_ACTIONS_BOOTSTRAP_SERVERS": servers}).bootstrap_servers == servers.replace(" ", "")


def test_broker_protocol_prefix_must_match_the_clients(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("security.protocol=SASL_SSL\n")
    config = {"LINK_ACTIONS_KAFKA_CONFIG": str(file)}

    load_settings({"LINK_ACTIONS_BOOTSTRAP_SERVERS": "PLAINTEXT://a:1"})
    load_settings({"LINK_ACTIONS_BOOTSTRAP_SERVERS": "SASL_SSL://a:1", **config})
    for given in (
        {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "a:1,SSL://b:1"},
        {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "SSL://a:1", **config},
    ):
        (mistake,) = mistakes_in(given)
        assert "begin with SSL://" in mistake
        assert "security.protocol" in mistake


def test_longest_names_make_valid_topics() -> None:
    settings = load_settings(BROKERS | {"LINK_ACTIONS_TOPIC_PREFIX": "p" * 60, "LINK_ACTIONS_GROUP_ID": "g" * 150})
    for spec in topic_specs(topic_names(settings)):
        assert len(spec.name) <= 249


def test_mistakes_and_settings_show_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("sasl.password=hunter2\n")
    given = BROKERS | {
        "LINK_ACTIONS_SCHEMA_REGISTRY_URL": "https://user:hunter2@registry",
        "LINK_ACTIONS_KAFKA_CONFIG": str(file),
    }

    assert "hunter2" not in repr(load_settings(given))
    (mistake,) = mistakes_in(BROKERS | {"LINK_ACTIONS_SCHEMA_REGISTRY_URL": "ftp://user:hunter2@registry"})
    assert "hunter2" not in mistake


def test_constructed_settings_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_ACTIONS_GROUP_ID", "from-the-environment")

    assert Settings(bootstrap_servers="localhost:9092").group_id == "link-actions"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEDUPE_RETENTION", "999999999999d", "it is too long"),
        ("DEDUPE_RETENTION", "P1X", "it is no ISO 8601 duration"),
        ("DEDUPE_RETENTION", "9" * 5_000 + "d", "it is no duration"),
        ("DEDUPE_RETENTION", "1h", "it must be at least 1 day"),
        ("WORKERS", "x", "it must be a whole number"),
        ("WORKERS", "1.5", "it must be a whole number"),
        ("WORKERS", "9" * 5_000, "it must be"),
        ("WORKERS", "0", "it must be at least 1"),
        ("STATE_STORE", "x", "it must be rowfile or rocksdb"),
        ("DEAD_LETTER_LIMIT", "x", "it must be a number"),
        ("DEAD_LETTER_LIMIT", "nan", "it must be"),
        ("GROUP_ID", "x" * 200, "it must have at most 150 characters"),
        ("LOG_LEVEL", "loud", "it must be debug, info, warning or error"),
    ],
)
def test_invalid_value_has_our_message(name: str, value: str, sentence: str) -> None:
    (mistake,) = mistakes_in(BROKERS | {f"LINK_ACTIONS_{name}": value})

    assert mistake.startswith(f"LINK_ACTIONS_{name} is wrong: {sentence}")
    assert not any(phrase in mistake.lower() for phrase in ("input should", "unable to parse", "value error", "string"))


def test_invalid_encoding_is_reported_for_each_variable() -> None:
    mistakes = mistakes_in(BROKERS | {"LINK_ACTIONS_GROUP_ID": "\udce9", "LINK_ACTIONS_STATE_DIR": "\udce9"})

    assert mistakes == [
        "LINK_ACTIONS_GROUP_ID is not UTF-8 text; set it again in UTF-8",
        "LINK_ACTIONS_STATE_DIR is not UTF-8 text; set it again in UTF-8",
    ]
