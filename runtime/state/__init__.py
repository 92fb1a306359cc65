"""The dedupe state of the partitions: the actions already applied for each recipient, and the hits of links."""
