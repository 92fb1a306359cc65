"""`link-actions run --workers N`: one process that starts N workers, restarts them and merges their endpoints."""
