"""Translates refusals of the in-memory cluster into the errors that the real adapter raises."""

from runtime.errors import FatalKafkaError, Unavailable
from runtime.fake_kafka.cluster import FakeCluster, UnknownTopic
from runtime.fake_kafka.partition_log import PartitionLog
from runtime.fake_kafka.transactions import Fenced


def missing(error: UnknownTopic) -> Unavailable:
    """Return the error for a topic or partition that does not exist."""
    return Unavailable(f"A topic is missing ({error}); run link-actions doctor to see what to do")


def taken_over(error: Fenced) -> FatalKafkaError:
    """Return the error for a transactional id that another producer has taken over."""
    return FatalKafkaError(
        f"Another process took over under the same LINK_ACTIONS_INSTANCE_ID ({error}); give each worker its own"
    )


def require_logs(cluster: FakeCluster, topic: str) -> list[PartitionLog]:
    """Return the partitions of a topic. Raises Unavailable if it does not exist."""
    try:
        return cluster.topic(topic).logs
    except UnknownTopic as error:
        raise missing(error) from error
