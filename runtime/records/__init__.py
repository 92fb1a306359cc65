"""Bulk handling of records: blocks of memory, batches, packed keys."""
