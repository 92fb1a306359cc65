"""The points at which a steered worker can be told to do something; see `steered_worker`."""

import re

from confluent_kafka import Producer

from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer

_POINT = re.compile(r"records|(?:before|after)\.(?P<producer>producer\.)?(?P<call>\w+)")


def check_point(point: str) -> None:
    """Raise ValueError for a point that no worker ever reaches, such as a call that has been renamed."""
    match = _POINT.fullmatch(re.sub(r"\.\d+$", "", point))
    owner = Producer if match and match["producer"] else KafkaTransactionalConsumer
    if match is None or (match["call"] and not hasattr(owner, match["call"])):
        raise ValueError(f"{point} is not a point of a steered worker")
