"""Many records at once: blocks of memory, batches, keys."""
