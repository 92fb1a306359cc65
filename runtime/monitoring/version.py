"""Versions of link-actions, librdkafka and Python."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from confluent_kafka import libversion


@cache
def versions() -> Mapping[str, str]:
    """Return the versions that a bug report needs, by name."""
    return {"link-actions": version("link-actions"), "librdkafka": libversion()[0], "python": platform.python_version()}
