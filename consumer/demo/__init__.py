"""An end-to-end run on sample data: real workers, one of them killed, and an independent check of the result."""
