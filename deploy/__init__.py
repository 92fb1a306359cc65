"""Parts for running link-actions: Kafka for development, images, manifests, dashboards, rules."""
