"""Pages that show a text: that of the link, or a notice about the click."""

import re
from collections.abc import Mapping
from itertools import chain, repeat

from edge.pages.layout import framed, link_to, page, paragraph, posted_form
from edge.pages.markup import Html
from edge.pages.messages import messages_in

_HEADING = re.compile(r"<(?P<end>/?)h1\b")


def text_page(language: str, text: Html, *, title: str) -> bytes:
    """Return the page of a link whose response is a text. `text` is rich text that has been cleaned.

    The page has one heading of the first level: the first of the text, or the title if it has none.
    """
    if not _HEADING.search(text):
        return page(language, title, text)
    return framed(language, title, _with_one_heading(text))


def _with_one_heading(text: Html) -> Html:
    """Return the text with all headings of the first level but the first on the second level, nested ones as well."""
    names, opened = chain(["h1"], repeat("h2")), list[str]()

    def renamed(tag: re.Match[str]) -> str:
        if tag["end"]:
            return f"</{opened.pop()}"
        opened.append(next(names))
        return f"<{opened[-1]}"

    return Html(_HEADING.sub(renamed, text))


def thank_you_page(language: str) -> bytes:
    """Return the page after a form whose answers have been recorded."""
    words = messages_in(language)
    return page(language, words.thank_you_title, paragraph(words.thank_you_text))


def not_valid_page(language: str) -> bytes:
    """Return the page of every link that cannot be answered; it does not tell why. Its status is 404."""
    words = messages_in(language)
    return page(language, words.not_valid_title, paragraph(words.not_valid_text))


def not_ready_page(language: str, path: str) -> bytes:
    """Return the page of an edge that does not know all links yet. Its status is 503."""
    words = messages_in(language)
    again = link_to(path, words.try_again_button)
    return page(language, words.not_ready_title, paragraph(words.not_ready_text), again)


def try_again_page(language: str, path: str, posted: Mapping[str, str] | None = None) -> bytes:
    """Return the page for what could not be recorded and therefore was not done. Its status is 503.

    `posted` are the fields of a POST, which the button sends again; without them a link opens the path again.
    """
    words = messages_in(language)
    if posted is None:
        again = link_to(path, words.try_again_button)
    else:
        again = posted_form(path, posted, words.try_again_button)
    return page(language, words.try_again_title, paragraph(words.try_again_text), again)
