from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.config.client_properties import ClientProperties
from runtime.config.kafka_settings import KafkaSettings
from runtime.config.settings import Settings
from runtime.errors import UsageError
from runtime.kafka.client import (
    ClientConfig,
    Isolation,
    admin_config,
    authors_transactional_id,
    open_admin,
    open_consumer,
    open_producer,
    producer_config,
    reader_config,
    static_membership,
    transactional_id,
    worker_consumer_config,
    worker_producer_config,
)

CONFIGS = [admin_config, reader_config, producer_config, worker_consumer_config, worker_producer_config]


def settings_with(**properties: str) -> KafkaSettings:
    named = {name.replace("_", "."): value for name, value in properties.items()}
    file = ClientProperties(Path("client.properties"), named)
    return KafkaSettings("localhost:1", topic_prefix="", group_id="group", instance_id="one", client_properties=file)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_client_connects_with_the_properties_of_the_file(config: Callable[[KafkaSettings], ClientConfig]) -> None:
    built = config(settings_with(security_protocol="SSL"))

    assert built["bootstrap.servers"] == "localhost:1"
    assert built["client.id"] == "group-one"
    assert built["security.protocol"] == "SSL"


def test_worker_consumer_reads_committed_without_auto_commit() -> None:
    config = worker_consumer_config(settings_with())

    assert config["group.id"] == "group"
    assert config["isolation.level"] == "read_committed"
    assert config["auto.offset.reset"] == "error"
    assert config["enable.auto.commit"] is False
    assert config["enable.auto.offset.store"] is False


def test_transactional_id_survives_a_restart() -> None:
    config = worker_producer_config(
        Settings(bootstrap_servers="b:1", topic_prefix="staging.", group_id="group", instance_id="one").kafka
    )

    assert config["transactional.id"] == "staging.group/worker/one"
    assert (config["acks"], config["enable.idempotence"], config["partitioner"]) == ("all", True, "murmur2_random")


def test_no_two_writers_of_one_broker_share_a_transactional_id() -> None:
    names = [
        ("link", "eu-1"),
        ("link-eu", "1"),
        ("link", "eu-1-doctor"),
        ("link", "repartition"),
        ("link-definitions", "a"),
    ]
    settings = [Settings(bootstrap_servers="b:1", group_id=group, instance_id=instance) for group, instance in names]
    ids = [name_of(each.kafka) for each in settings for name_of in (transactional_id, authors_transactional_id)]

    assert len(set(ids)) == len(names) + 1


def test_file_may_override_tuning_properties() -> None:
    assert worker_consumer_config(settings_with(session_timeout_ms="6000"))["session.timeout.ms"] == "6000"
    assert worker_producer_config(settings_with(linger_ms="20"))["linger.ms"] == "20"


@pytest.mark.parametrize("config_of", [worker_consumer_config, reader_config])
def test_new_group_protocol_omits_broker_side_properties(
    config_of: Callable[[KafkaSettings], ClientConfig],
) -> None:
    config = config_of(settings_with(group_protocol="consumer", session_timeout_ms="2000"))

    assert "session.timeout.ms" not in config
    assert "partition.assignment.strategy" not in config
    open_consumer(config).close()


def test_reader_has_a_separate_group_and_isolation_level() -> None:
    assert reader_config(settings_with())["isolation.level"] == "read_committed"
    uncommitted = reader_config(settings_with(), Isolation.READ_UNCOMMITTED)
    assert uncommitted["isolation.level"] == "read_uncommitted"
    assert uncommitted["group.id"] == "group-reader"


def test_librdkafka_accepts_every_configuration() -> None:
    settings = settings_with()

    open_admin(admin_config(settings))
    open_consumer(reader_config(settings)).close()
    open_consumer(worker_consumer_config(settings)).close()
    open_producer(producer_config(settings))
    open_producer(worker_producer_config(settings))


def test_unknown_property_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r'"no\.such\.thing"; fix LINK_ACTIONS_KAFKA_CONFIG'):
        open_admin(admin_config(settings_with(no_such_thing="1")))


def test_restarted_worker_is_the_same_static_member() -> None:
    assert static_membership(settings_with()) == {"group.instance.id": "one"}
    assert not static_membership(settings_with(group_protocol="consumer"))
