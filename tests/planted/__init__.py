"""Bugs planted in a copy of the program, each with the tests that must catch it: `make planted-bugs`."""
