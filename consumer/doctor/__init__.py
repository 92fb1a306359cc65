"""Checks an installation and says how to fix what is wrong."""
