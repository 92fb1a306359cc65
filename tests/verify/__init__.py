"""The judge itself on trial."""
