"""Which program this is."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from confluent_kafka import libversion


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of what matters when something is reported: us, the Kafka library, Python."""
    return {"link-actions": version("link-actions"), "librdkafka": libversion()[0], "python": platform.python_version()}
