"""Health probes, logs and the making of metrics."""
