"""The worker's loop: records in, decisions carried out in one transaction, state after it."""
