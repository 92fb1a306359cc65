"""Limits the clicks of a token, so that one that is requested again and again does not fill the topic."""

from collections.abc import Callable

MAX_CLICKS_A_MINUTE = 30
_MAX_TOKENS = 200_000
"""Tokens counted at a time, some 100 bytes each; if there are more, counting begins again."""


class RateLimit:
    """Counts the clicks of each token in the current minute. `now_ms` is in milliseconds."""

    def __init__(self, now_ms: Callable[[], int], *, limit: int = MAX_CLICKS_A_MINUTE) -> None:
        self._now_ms = now_ms
        self._limit = limit
        self._minute = 0
        self._clicks: dict[str, int] = {}

    def admits(self, token: str) -> bool:
        """Count one click, and return whether the token is within its limit."""
        minute = self._now_ms() // 60_000
        if minute != self._minute or len(self._clicks) >= _MAX_TOKENS:
            self._minute, self._clicks = minute, {}
        number = self._clicks[token] = self._clicks.get(token, 0) + 1
        return number <= self._limit
