"""What operators see of a worker: metrics, probes, log lines."""
