"""The decision, held to the naive model and to the design's sentences."""
