"""The frame of every page, and the parts that several of them have."""

from collections.abc import Mapping

from edge.pages.markup import Html, escaped, joined, undirected
from edge.pages.style import STYLE

PAGE_CLICK_ID = "page_click_id"
"""Name of the hidden field with the id of the click that showed the page."""


def page(language: str, title: str, *content: Html) -> bytes:
    """Return a whole page with the title as its heading."""
    return framed(language, title, Html(f"<h1>{escaped(title)}</h1>"), *content)


def framed(language: str, title: str, *content: Html) -> bytes:
    """Return a whole page whose content has the heading; `title` is what the browser's tab shows."""
    return f"""<!doctype html>
<html lang="{escaped(language)}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>{escaped(undirected(title))}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{joined(list(content))}
</main>
</body>
</html>
""".encode()


def paragraph(text: str) -> Html:
    """Return a paragraph of plain text."""
    return Html(f"<p>{escaped(text)}</p>")


def link_to(url: str, text: str) -> Html:
    """Return a paragraph with a link alone."""
    return Html(f'<p><a class="next" href="{escaped(url)}">{escaped(text)}</a></p>')


def posted_form(path: str, hidden: Mapping[str, str], button: str, *content: Html) -> Html:
    """Return a form that POSTs to this path on the same host, with hidden fields and one button."""
    fields = [
        Html(f'<input type="hidden" name="{escaped(name)}" value="{escaped(value)}">') for name, value in hidden.items()
    ]
    start = Html(f'<form method="post" action="{escaped(path)}">')
    end = Html(f'<p><button type="submit">{escaped(button)}</button></p>\n</form>')
    return joined([start, *fields, *content, end])
