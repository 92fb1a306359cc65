"""Measures the cost of a click, relative to a baseline on the same broker in the same run: `make bench`."""
