"""The operating system's side of the process: signals, malloc, file descriptors, the parent."""
