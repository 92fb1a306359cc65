"""The kinds of action and the link definition, as pure functions."""
