"""Schema registries, and the codecs that write their frame."""
