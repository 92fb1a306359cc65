"""Records as text and JSON for people: dead letters, clicks, any record."""
