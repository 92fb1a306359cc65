"""Loads the settings from the `LINK_ACTIONS_*` variables of an environment and reports every mistake at once."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from runtime.config.service_links import is_service_link
from runtime.config.settings import EDGE_PREFIX, PREFIX, Settings, description_of, variable
from runtime.errors import UsageError
from runtime.terminal.text import is_encodable
from runtime.terminal.value_problem import problem_of


class WrongSettings(UsageError):
    """Some settings are wrong; `mistakes` has a sentence for each."""

    def __init__(self, mistakes: list[str]) -> None:
        heading = f"{len(mistakes)} settings are wrong:\n  " if len(mistakes) > 1 else ""
        super().__init__(heading + "\n  ".join(mistakes))
        self.mistakes = mistakes


AnySettings = TypeVar("AnySettings", bound=Settings)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Build the settings that all programs share; `load_settings_of` has the details."""
    return load_settings_of(Settings, environ)


def load_settings_of(kind: type[AnySettings], environ: Mapping[str, str]) -> AnySettings:
    """Build settings from the variables of an environment; an empty variable counts as not set.

    Variables that Kubernetes sets for a Service are ignored, even if a setting has the same name. Raises WrongSettings,
    which names every variable that is wrong, missing or unknown.
    """
    links = service_links(environ)
    _check_encoding({name: environ[name] for name in environ if name.upper().startswith(PREFIX) and name not in links})
    unknown = list(_unknown_variables(environ.keys() - links, kind))
    source = EnvSettingsSource(kind)
    source.env_vars = {name.lower(): value for name, value in environ.items() if value and name not in links}
    try:
        settings = kind(**source())
    except ValidationError as error:
        raise WrongSettings([*(_mistake(dict(detail), kind) for detail in error.errors()), *unknown]) from error
    if unknown:
        raise WrongSettings(unknown)
    return settings


def service_links(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the variables that start like settings but were set by Kubernetes for a Service."""
    ours = {name for name in environ if name.startswith(PREFIX)}
    return frozenset(name for name in ours if is_service_link(name.removeprefix(PREFIX), environ[name]))


def hidden_settings(environ: Mapping[str, str], kind: type[Settings] = Settings) -> list[str]:
    """Return the settings whose variable Kubernetes has set for a Service; their defaults apply."""
    return sorted(service_links(environ) & {variable(field) for field in kind.model_fields})


def _check_encoding(environ: Mapping[str, str]) -> None:
    mistakes = [
        f"{name} is not UTF-8 text; set it again in UTF-8" for name, value in environ.items() if not is_encodable(value)
    ]
    if mistakes:
        raise WrongSettings(mistakes)


def _unknown_variables(names: Iterable[str], kind: type[Settings]) -> Iterator[str]:
    known = [field.upper() for field in kind.model_fields]
    has_edge = any(field.startswith(EDGE_PREFIX) for field in known)
    for name in sorted(names):
        prefix, own = name[: len(PREFIX)].upper(), name[len(PREFIX) :].upper()
        if prefix == PREFIX and own not in known and (has_edge or not own.startswith(EDGE_PREFIX)):
            near = get_close_matches(own, known, n=1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else f"known after {PREFIX} are {', '.join(known)}"
            yield f"{name} is no setting; {hint}"


def _mistake(detail: dict[str, Any], kind: type[Settings]) -> str:
    """Describe what is wrong with one variable, without its value, which may be a secret."""
    field = str(detail["loc"][0])
    sample = (kind.model_fields[field].examples or [""])[0]
    example = f"set it to {description_of(field, kind)}, for example {variable(field)}={sample}"
    if detail["type"] == "missing":
        return f"{variable(field)} is not set: {example}"
    return f"{variable(field)} is wrong: {problem_of(detail)}; {example}"
