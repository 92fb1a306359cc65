"""Metrics, health probes and logs of a worker."""
