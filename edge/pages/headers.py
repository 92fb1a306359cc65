"""The headers of every page: it runs no script, loads nothing but pictures, and stays in no cache."""

import re
from base64 import b64encode
from hashlib import sha256

from edge.pages.style import STYLE

Headers = list[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""

ANY_ORIGIN = "https: http:"
"""The `form_action` of a page whose form leads to other hosts. No page has a form of an author, which it would free."""

_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-_~\[\]:]+")


def headers_of_page(form_action: str | None = None, *, strict_transport_security: str | None = None) -> Headers:
    """Return the headers of a page.

    `form_action` is where the POST of the page's form may redirect to: None for the same origin alone, else an origin
    such as https://example.com, or `ANY_ORIGIN`. Chromium refuses every redirect after a POST to an origin that is not
    listed, those of the target's own host as well: to www., to https, to a login. Then the person stays on the page.
    `strict_transport_security` is that header's value, None for no such header. Raises ValueError for other text
    in `form_action`, since it could extend the policy.
    """
    if form_action is not None and form_action != ANY_ORIGIN and not _ORIGIN.fullmatch(form_action):
        raise ValueError("the origin of the form's redirect is not scheme://host or scheme://host:port")
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _policy(form_action),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
        "cache-control": "no-store",
    }
    if strict_transport_security is not None:
        headers["strict-transport-security"] = strict_transport_security
    return [(name.encode(), value.encode("ascii")) for name, value in headers.items()]


def _policy(form_action: str | None) -> str:
    targets = " ".join(filter(None, ["'self'", form_action]))
    return (
        f"default-src 'none'; img-src https:; style-src 'sha256-{_STYLE_HASH}'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
