"""What a run of a script means: its input from an update, its effects as updates, its returnUrl. Pure."""
