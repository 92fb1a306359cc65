import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.pages.language import LANGUAGES, language_of


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("nl", "nl"),
        ("NL-be", "nl"),
        ("fr;q=0.8, de;q=0.9", "de"),
        ("sv;q=0.5, fi;q=0.5", "sv"),
        ("da;q=0.4, fi", "fi"),
        ("nl;q=0, de;q=0.001", "de"),
        ("nl;q=0", "en"),
        ("no", "nb"),
        ("nn-NO,en;q=0.5", "nb"),
        ("zh-Hant-TW, xx, *;q=0.5, fr;q=0.4", "en"),
        ("pt, fi;q=0.1", "fi"),
        ("\tfi \t;\tq=1.000 ", "fi"),
        ("nl;q=2, nl;q=0.1234, nl;Q=.5, nl_BE, nl-, -nl, nl;q=, fr;q=0.1", "fr"),
        ("nl; q=0.9; x=1, fr;q=0.1", "fr"),
        ("ſv, ni", "en"),
        ("\x00, \ud800, de", "de"),
    ],
)
def test_the_browsers_language(accept_language: str | None, language: str) -> None:
    assert language_of(accept_language, None) == language


@pytest.mark.parametrize(
    ("tenant_language", "language"), [("da", "da"), ("nn", "nb"), ("DE-at", "de"), ("pt", "fr"), ("", "fr")]
)
def test_the_tenants_language_comes_first(tenant_language: str, language: str) -> None:
    assert language_of("fr", tenant_language) == language


def test_a_very_long_header_is_not_read_to_its_end() -> None:
    assert language_of("xx," * 20_000 + "nl", None) == "en"
    assert language_of("nl;q=0.5," + "de-" * 20_000, None) == "nl"


@given(st.text(st.sampled_from("nldefr-*;q=01. ,\t\x00ö")))
def test_any_header_gives_a_language(accept_language: str) -> None:
    assert language_of(accept_language, None) in LANGUAGES
