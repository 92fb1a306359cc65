"""Settings and client properties."""
