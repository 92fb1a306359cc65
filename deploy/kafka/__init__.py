"""Provides a Kafka: an existing one, else a container, else Kafka's own jars as a child process."""

from deploy.kafka.broker import Broker, Kafka, KafkaMissing
from deploy.kafka.choice import start_kafka
from deploy.kafka.cluster import KafkaCluster, start_cluster
from deploy.kafka.process import KafkaProcess, start_process
from deploy.kafka.profile import BENCHMARK, PATIENT, TEST, Profile

__all__ = [
    "BENCHMARK",
    "PATIENT",
    "TEST",
    "Broker",
    "Kafka",
    "KafkaCluster",
    "KafkaMissing",
    "KafkaProcess",
    "Profile",
    "start_cluster",
    "start_kafka",
    "start_process",
]
