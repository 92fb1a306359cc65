"""The compiled parts under AddressSanitizer and UndefinedBehaviorSanitizer: `make sanitize`."""
