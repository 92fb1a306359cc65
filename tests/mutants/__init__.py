"""Mutation testing: a sample of small faults, one at a time, and whether the tests of the package fail."""
