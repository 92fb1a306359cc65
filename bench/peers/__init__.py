"""The other programs of the benchmark; each runs in an environment of its own and imports nothing of the project."""
