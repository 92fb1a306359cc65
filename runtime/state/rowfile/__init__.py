"""State in append-only files of fixed rows, found through a numpy index in memory.

Design and reasons: docs/decisions/0004-state-store.md.
"""
