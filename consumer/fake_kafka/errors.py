"""What the cluster's refusals mean for the loop."""

from consumer.errors import FatalKafkaError, Unavailable
from consumer.fake_kafka.cluster import UnknownTopic
from consumer.fake_kafka.transactions import Fenced


def missing(error: UnknownTopic) -> Unavailable:
    """Return what to raise where a topic or partition is not there."""
    return Unavailable(f"A topic is missing ({error}); run link-actions doctor, which says how to go on")


def taken_over(error: Fenced) -> FatalKafkaError:
    """Return what to raise where another producer has the transactional id now."""
    return FatalKafkaError(
        f"Another process took over under the same LINK_ACTIONS_INSTANCE_ID ({error}); give each worker its own"
    )
