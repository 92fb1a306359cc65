"""The HTTP server: bytes to requests and answers to bytes, by httptools and uvloop, with limits for strangers."""
