"""Input of commands: a file or standard input, line by line."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from consumer.inspect.ndjson import LINE_BYTES
from runtime.errors import UsageError

STANDARD_INPUT = Path("-")


def open_input(file: Path, content: str) -> AbstractContextManager[BinaryIO]:
    """Open a file of this content; - is standard input. Raises UsageError."""
    if file == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        fix = f"name a file of {content}, or - for standard input"
        raise UsageError(f"{file} cannot be read ({error.strerror}); {fix}") from error


def read_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines; a line that is too long is cut, so that memory stays bounded."""
    first = True
    while line := stream.readline(LINE_BYTES + 1):
        rest = line
        while len(rest) > LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_BYTES + 1)
        yield line.removeprefix(b"\xef\xbb\xbf") if first else line
        first = False
