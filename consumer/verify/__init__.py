"""An independent check of the worker's output: a reference model and a plain reader.

It shares no code with the rest of the program; of `schemas/` it reads only the `.avsc` files.
"""
