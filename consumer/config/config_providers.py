"""Values that stand elsewhere than in the file of client properties, written as Kafka's own config providers have it.

`${env:NAME}` is a variable of the environment, `${directory:/run/secrets:password}` all of a file in a folder, and
`${file:/etc/secrets.properties:password}` one property of a file. What is named is read again whenever the file is.
"""

import os
import re
from pathlib import Path

from consumer.terminal.text import is_encodable

_REFERENCE = re.compile(r"\$\{(env|directory|file):([^}]*)\}")


class MissingValue(ValueError):
    """A value is not where the reference says; the message names the place and never what stands there."""


def resolve(value: str) -> str:
    """Put in place of each reference what it names. Raises MissingValue."""
    return _REFERENCE.sub(lambda match: _PROVIDERS[match[1]](match[2]), value)


def _from_environment(name: str) -> str:
    found = os.environ.get(name)
    if not found:
        raise MissingValue(f"names the environment variable {name}, which is not set")
    if not is_encodable(found):
        raise MissingValue(f"names the environment variable {name}, which is not UTF-8 text")
    return found


def _from_directory(place: str) -> str:
    folder, separator, name = place.rpartition(":")
    if not separator:
        raise MissingValue("names no file: write ${directory:FOLDER:FILE}")
    return _text_of(Path(folder) / name).rstrip("\r\n")


def _from_file(place: str) -> str:
    path, separator, wanted = place.rpartition(":")
    if not separator:
        raise MissingValue("names no property: write ${file:PATH:NAME}, or ${directory:FOLDER:FILE} for all of a file")
    for line in _text_of(Path(path)).split("\n"):
        name, _, value = line.partition("=")
        if name.strip() == wanted and value.strip():
            return value.strip()
    raise MissingValue(f"names {wanted}, which {path} does not have")


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MissingValue(f"names {path}, which cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise MissingValue(f"names {path}, which is not UTF-8 text") from error
    except ValueError as error:  # a NUL byte, which no path has
        raise MissingValue(f"names {path}, which cannot be the name of a file") from error


_PROVIDERS = {"env": _from_environment, "directory": _from_directory, "file": _from_file}
