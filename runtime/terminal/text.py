"""Text that is safe to print. Every text of a record, a file or an argument passes through `printable`."""


def printable(value: object) -> str:
    r"""Return a text that cannot move the cursor, colour the terminal or turn the direction of writing.

    Other characters are escaped as in Python (`\x1b`, `\u202e`), so different texts stay different. A backslash is
    kept.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else escaped(letter) for letter in text)


def printable_lines(text: str) -> str:
    """Return a message of several lines, each line as `printable` returns it."""
    return "\n".join(map(printable, text.split("\n")))


def escaped(letter: str) -> str:
    """Return the escape sequence of one character."""
    return letter.encode("unicode_escape").decode("ascii")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 click` or `2 clicks`; `plural` if an `s` is not enough."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def is_encodable(text: str) -> bool:
    """Return whether the text is valid Unicode: arguments in another encoding arrive as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
