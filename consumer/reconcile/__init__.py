"""Going on after a contradiction between committed offsets, memory and clicks."""
