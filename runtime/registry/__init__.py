"""Schema registries, and the codecs that use them."""
