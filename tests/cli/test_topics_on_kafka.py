from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from deploy.kafka import Broker
from runtime.config.settings import Settings
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin
from runtime.kafka.admin.topics import topic_specs
from schemas.topics import TopicNames
from tests.support.patience import stretched

ROUNDS = 8  # more than half of them failed if the leaders were not awaited


def test_topics_can_be_used_as_soon_as_they_are_created(kafka: Broker, topic_prefix: str) -> None:
    admin = KafkaTopicAdmin(Settings(bootstrap_servers=kafka.bootstrap_servers).kafka)
    for number in range(ROUNDS):
        specs = topic_specs(TopicNames(f"{topic_prefix}{number}.", "group", ("set_field", "follow_up")))
        admin.create_topics(specs, partitions=4, replication_factor=1)
        partitions = {TopicPartition(spec.name, 0): OffsetSpec.latest() for spec in specs}  # type: ignore[no-untyped-call]
        # A new client: one that has seen the error would retry.
        client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
        ends = client.list_offsets(partitions, request_timeout=stretched(10))
        assert {future.result().offset for future in ends.values()} == {0}
