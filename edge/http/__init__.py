"""The HTTP server: uvicorn in this process, with the limits that it lacks, and the adapter between bytes and values."""
