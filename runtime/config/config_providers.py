"""References in client properties to values outside the file, in the syntax of Kafka's config providers.

`${env:NAME}` is an environment variable, `${directory:/run/secrets:password}` the content of a file in a folder, and
`${file:/etc/secrets.properties:password}` one property of a file. They are resolved whenever the file is read.
"""

import os
import re
from pathlib import Path

from runtime.terminal.text import is_encodable

_REFERENCE = re.compile(r"\$\{(env|directory|file):([^}]*)\}")


class MissingValue(ValueError):
    """A reference cannot be resolved; the message names its target, never a value."""


def resolve(value: str) -> str:
    """Replace each reference by its value. Raises MissingValue."""
    return _REFERENCE.sub(lambda match: _PROVIDERS[match[1]](match[2]), value)


def _from_environment(name: str) -> str:
    found = os.environ.get(name)
    if not found:
        raise MissingValue(f"names the environment variable {name}, which is not set")
    if not is_encodable(found):
        raise MissingValue(f"names the environment variable {name}, which is not UTF-8 text")
    return found


def _from_directory(target: str) -> str:
    folder, separator, name = target.rpartition(":")
    if not separator:
        raise MissingValue("names no file: write ${directory:FOLDER:FILE}")
    return _text_of(Path(folder) / name).rstrip("\r\n")


def _from_file(target: str) -> str:
    path, separator, wanted = target.rpartition(":")
    if not separator:
        raise MissingValue("names no property: write ${file:PATH:NAME}, or ${directory:FOLDER:FILE} for a whole file")
    for line in _text_of(Path(path)).split("\n"):
        name, _, value = line.partition("=")
        if name.strip() == wanted and value.strip():
            return value.strip()
    raise MissingValue(f"names {wanted}, which {path} does not contain")


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MissingValue(f"names {path}, which cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise MissingValue(f"names {path}, which is not UTF-8 text") from error
    except ValueError as error:  # a NUL byte, which no path has
        raise MissingValue(f"names {path}, which is not a valid file name") from error


_PROVIDERS = {"env": _from_environment, "directory": _from_directory, "file": _from_file}
