"""Follows the published link definitions into a local store, for workers and for processes that answer links."""
