"""The part of the settings that the Kafka clients need."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.config.client_properties import ClientProperties

DEFAULT_GROUP_ID = "link-actions"


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """The brokers, the names that clients use there, and further client properties. Built by `Settings.kafka`."""

    bootstrap_servers: str
    topic_prefix: str
    group_id: str
    instance_id: str
    client_properties: ClientProperties | None = None

    @property
    def of_scripts(self) -> Self:
        """The settings of script workers, which have a consumer group of their own."""
        return replace(self, group_id=f"{self.group_id}.scripts")

    def properties_for(self, role: str) -> dict[str, str]:
        """Return the further properties of a client with this role (`consumer`, `producer` or `admin`)."""
        return self.client_properties.for_role(role) if self.client_properties else {}
