"""The composition root: builds a worker and its clients from the settings."""
