"""`link-actions run --workers N`: one process that starts, watches and speaks for N workers."""
