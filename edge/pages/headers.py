"""The headers of every page: it runs no script, loads nothing but pictures, and stays in no cache."""

import re
from base64 import b64encode
from hashlib import sha256

from edge.pages.style import STYLE

Headers = list[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""

_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-_~\[\]:]+")


def headers_of_page(form_action_origin: str | None = None, *, strict_transport_security: str | None = None) -> Headers:
    """Return the headers of a page.

    `form_action_origin` is the origin that the answer to the page's form redirects to, such as https://example.com:
    a browser refuses to follow a form's redirect to an origin that `form-action` does not list.
    `strict_transport_security` is that header's value, None for no such header. Raises ValueError if the origin is
    more or less than an origin, since it could extend the policy.
    """
    if form_action_origin is not None and not _ORIGIN.fullmatch(form_action_origin):
        raise ValueError("the origin of the form's redirect is not scheme://host or scheme://host:port")
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _policy(form_action_origin),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
        "cache-control": "no-store",
    }
    if strict_transport_security is not None:
        headers["strict-transport-security"] = strict_transport_security
    return [(name.encode(), value.encode("ascii")) for name, value in headers.items()]


def _policy(form_action_origin: str | None) -> str:
    targets = " ".join(filter(None, ["'self'", form_action_origin]))
    return (
        f"default-src 'none'; img-src https:; style-src 'sha256-{_STYLE_HASH}'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
