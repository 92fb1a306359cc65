"""An independent check of what the worker wrote: what must happen by one naive pass, what a plain reader sees.

Shares no code with the rest of the program; of `schemas/` it reads the `.avsc` files and nothing else.
"""
