"""The format of the changelog, which restores the dedupe state: entries, counts of hits, and checkpoints."""
