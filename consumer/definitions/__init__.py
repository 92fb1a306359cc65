"""The published link definitions, followed into a local store: what a worker and anyone who answers links share."""
