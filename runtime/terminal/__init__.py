"""Output for people: text without control characters, counted nouns, and robust standard streams."""
