"""No language lacks a word, a placeholder or a sentence, and the package has every file."""

import tomllib
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import edge.pages
from edge.pages.effects import effects_of_kind
from edge.pages.form_answers import FieldError
from edge.pages.language import LANGUAGES
from edge.pages.messages import Messages, messages_in
from tests.actions.builders import an_action, click_facts, kinds, link_facts, samples_of

ROOT = Path(__file__).parents[3]
[PACKAGE] = map(Path, edge.pages.__path__)
KIND_FILES = sorted((PACKAGE / "translations/actions").glob("*.toml"))


def placeholders(text: str) -> set[str]:
    """The names of the placeholders; a conversion, format or attribute in one is an error."""
    found = set()
    for _, name, form, conversion in Formatter().parse(text):
        assert not form
        assert not conversion
        if name is not None:
            assert name.isidentifier(), text
            found.add(name)
    return found


def flat(messages: Messages) -> dict[str, str]:
    words = {field.name: getattr(messages, field.name) for field in fields(messages)}
    errors = words.pop("field_errors")
    return words | {f"field_errors.{name}": text for name, text in errors.items()}


def test_a_file_per_language() -> None:
    assert {path.stem for path in (PACKAGE / "translations").glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_a_language(language: str) -> None:
    """`Messages` refuses a file with a word too few or too many; here are the placeholders."""
    words, english = flat(messages_in(language)), flat(messages_in("en"))
    assert words.pop("language") == language
    assert words.keys() == english.keys() - {"language"}
    for name, text in words.items():
        assert text.strip() == text != "", name
        assert placeholders(text) == placeholders(english[name]), name
        assert language == "en" or " " not in text or text != english[name], name


def test_every_field_error_has_a_sentence() -> None:
    assert messages_in("en").field_errors.keys() == {error.value for error in FieldError}


def test_a_missing_word_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PACKAGE / "translations/nl.toml").read_text()
    (tmp_path / "nl.toml").write_text(text.replace("form_button", "form_buttons"))
    monkeypatch.setattr("edge.pages.messages.TRANSLATIONS", tmp_path)
    with pytest.raises(TypeError, match="form_button"):
        messages_in.__wrapped__("nl")


@pytest.mark.parametrize("path", KIND_FILES, ids=lambda path: path.stem)
def test_sentences_of_a_kind(path: Path) -> None:
    """Each sentence is in all languages with the same placeholders, and each sample of the kind has a sentence."""
    assert path.stem in kinds()
    effects = effects_of_kind(path.stem)
    for effect in effects:
        assert effect.texts.keys() == set(LANGUAGES)
        assert len({frozenset(placeholders(text)) for text in effect.texts.values()}) == 1, effect.texts["en"]
        assert len(set(effect.texts.values())) == len(LANGUAGES)
    for sample in samples_of(path.stem):
        values = update_fields(path.stem, sample)
        effect = next(effect for effect in effects if effect.describes(values))
        assert placeholders(effect.texts["en"]) <= values.keys()


def update_fields(kind: str, sample: dict[str, Any]) -> dict[str, Any]:
    action = an_action(kind, **sample)
    return action.parameters.model_dump() | action.kind.fields(action.parameters, link_facts(), click_facts())


def test_the_package_has_every_file() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["edge"]
    packaged = {path for pattern in patterns for path in (ROOT / "edge").glob(pattern)}
    assert packaged >= set((PACKAGE / "translations").rglob("*.toml")) > set()
