"""Runs a script as a pure function of its input: QuickJS in WebAssembly, in a process that may do nothing else."""
