"""Steady load with faults from time to time, and whether anything grows that should not: `make soak MINUTES=n`."""
