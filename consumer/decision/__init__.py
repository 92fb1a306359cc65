"""Decides a batch of clicks: a pure function of clicks, link definitions and state."""
