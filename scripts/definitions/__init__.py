"""Published scripts: their versions as values and records, and how new ones are published."""
