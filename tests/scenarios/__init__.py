"""Runs scripts on the in-memory fake and on a real Kafka; equal outcomes keep the fake from drifting."""
