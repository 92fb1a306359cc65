"""The tests, and the twins and builders they share."""
