"""The worker that runs scripts."""
