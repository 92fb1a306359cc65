"""Reads and checks link files, computes the next versions of links and publishes them."""
