"""What a batch of clicks means: a pure function of clicks, link definitions and state."""
