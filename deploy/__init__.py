"""What it takes to run link-actions: Kafka for development, images, manifests, dashboards, rules."""
