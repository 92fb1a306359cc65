"""Scripts of links."""
