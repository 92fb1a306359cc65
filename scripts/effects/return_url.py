"""Checks the address that a script leaves in `returnUrl`: without this, a script is an open redirect."""

from collections.abc import Collection
from typing import Any

from ada_url import URL

from runtime.authoring.web_address import check_url


class BadReturnUrl(Exception):
    """An address that a browser may not be sent to. The message may quote it."""


def checked_return_url(value: Any, *, link_url: str | None, hosts: Collection[str]) -> str | None:
    """Return the address in the form that browsers send; None if the script left `returnUrl` as it was.

    It leads to the host of the link's own URL or to one of `hosts`, by https, or by http if the link's own URL does. It
    has at most 4,000 characters in either form. Raises BadReturnUrl.
    """
    if value == link_url:
        return None
    if not isinstance(value, str):
        raise BadReturnUrl("returnUrl must be text")
    try:
        canonical = check_url(value)
    except ValueError as error:
        raise BadReturnUrl(f"returnUrl: {error}") from error
    url, own = URL(canonical), None if link_url is None else URL(link_url)
    if url.protocol != "https:" and (own is None or own.protocol != "http:"):
        raise BadReturnUrl(f"returnUrl begins with {url.protocol}; use https")
    if url.hostname not in {*hosts, *([own.hostname] if own else [])}:
        raise BadReturnUrl(f"returnUrl leads to {url.hostname}; add that to the script's hosts, or choose another host")
    return canonical
