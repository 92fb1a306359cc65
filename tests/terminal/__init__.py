"""Texts and streams that people read."""
