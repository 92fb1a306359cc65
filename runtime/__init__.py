"""The ground that consumer and edge share: Kafka clients, local state, settings, registry, monitoring, processes."""
