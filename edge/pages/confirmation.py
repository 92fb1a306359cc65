"""The page before an action that needs a person's will: what will happen, and one button."""

from collections.abc import Sequence

from edge.pages.layout import PAGE_CLICK_ID, link_to, page, paragraph, posted_form
from edge.pages.markup import Html, filled, isolated, joined
from edge.pages.messages import Messages, messages_in


def confirmation_page(
    language: str,
    *,
    link_name: str,
    effects: Sequence[Html],
    path: str,
    page_click_id: str,
    target_url: str | None = None,
) -> bytes:
    """Return the page; `effects` are sentences of `effect_of`, equal ones shown once.

    The button POSTs to `path` with `page_click_id`, the id of the click that showed the page. `target_url` is where the
    link leads, for a person who does not want the actions.
    """
    words = messages_in(language)
    without = [] if target_url is None else [link_to(target_url, words.confirm_without)]
    return page(
        language,
        words.confirm_title,
        Html(f"<p>{filled(words.confirm_link, {'name': isolated(link_name)})}</p>"),
        listed_effects(effects, words),
        posted_form(path, {PAGE_CLICK_ID: page_click_id}, words.confirm_button),
        *without,
    )


def listed_effects(effects: Sequence[Html], words: Messages) -> Html:
    """Return what will happen, as a list; equal sentences are shown once."""
    items = [Html(f"<li>{effect}</li>") for effect in dict.fromkeys(effects)]
    return joined([paragraph(words.confirm_effects), Html("<ul>"), *items, Html("</ul>")])
