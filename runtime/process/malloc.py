"""Limits the freed memory that glibc's malloc keeps, and returns it to the system after rare peaks."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""From glibc's <malloc.h>."""
ARENAS = 2
_LARGE_BYTES = 9 << 18
"""Blocks from this size are mapped, which clears every page, and are unmapped when freed. A little above the size of a
fetch (`fetch.max.bytes`), whose block is allocated again and again."""
_KEPT_BYTES = 1 << 24
"""Free memory kept at the end of an arena: about what the next batch allocates again."""


def limit_arenas() -> None:
    """Let all threads share two arenas that keep little. Call this first; it does nothing without glibc's malloc.

    By default each thread of the client library gets its own arena, up to eight per core, and an arena keeps what was
    freed in it: every client recreated after a broker was lost left up to 64 MiB unused, 220 MiB in an hour with four
    restarts. Sharing costs no measurable CPU.

    Unless the two sizes are set, a freed block raises them to its own size and twice that, up to 32 and 64 MiB
    (mallopt(3)). Growing tables of the state would then be copied within an arena and leave holes there.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def trim() -> None:
    """Return the free memory of the arenas to the system; takes a few milliseconds per 100 MiB.

    Otherwise malloc returns only the end of an arena: up to 64 MiB stayed after the short peak of a lost broker, a
    restored state and the clicks that had waited.
    """
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
