"""Signals, malloc, file descriptors and the supervisor: the process and its operating system."""
