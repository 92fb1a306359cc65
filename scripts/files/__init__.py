"""Script files: read, checked, and their examples run."""
