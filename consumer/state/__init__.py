"""The dedupe state of the partitions: what a recipient's clicks have already brought about, and the hits of links."""
