"""The other programs of the benchmark; each has its own virtual environment and imports nothing of the project."""
