"""What glibc's malloc keeps of memory that was freed: bounded, and given back after what happens rarely."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""From glibc's <malloc.h>."""
ARENAS = 2
_LARGE_BYTES = 9 << 18
"""From this size on a block comes from the system, which clears every page of it, and goes back to it. A little more
than what is fetched at once (`fetch.max.bytes`), for which a block is wanted again and again."""
_KEPT_BYTES = 1 << 24
"""So much may be free at the end of an arena: about what the next batch takes again."""


def limit_arenas() -> None:
    """Have all threads share two arenas that keep little; to be called first. Does nothing where malloc is another.

    Each thread of the client library would get an arena of its own, up to eight for each core, and an arena keeps what
    was freed in it: every client that is made anew after a broker was lost left up to 64 MiB behind, 220 MiB in an hour
    with four restarts, of which none was in use. Sharing costs no CPU that can be measured.

    A block that is freed raises the two sizes to its own and twice that, up to 32 and 64 MiB, as long as nobody sets
    them (mallopt(3)). Then tables of the state that grow are copied within an arena, and leave holes there.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def trim() -> None:
    """Return to the system what is free in the arenas; takes a few milliseconds for each 100 MiB.

    By itself malloc returns nothing of an arena but its end: up to 64 MiB stayed of what a lost broker, a restored
    state and the clicks that had waited meanwhile had needed for a moment.
    """
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
