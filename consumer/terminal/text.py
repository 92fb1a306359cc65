"""Texts as people may see them. Every text of a record, a file or an argument passes `printable` on its way out."""


def printable(value: object) -> str:
    r"""Return a text that cannot move the cursor, colour the terminal or turn the direction of writing.

    Whatever is not printable is escaped as Python does it (`\x1b`, `\u202e`), so that two texts that differ stay
    different. A backslash stays as it is.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else escaped(letter) for letter in text)


def printable_lines(text: str) -> str:
    """Return a message of several lines with its line breaks, and all else as `printable` does."""
    return "\n".join(map(printable, text.split("\n")))


def escaped(letter: str) -> str:
    """Return the escape sequence of one character."""
    return letter.encode("unicode_escape").decode("ascii")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 click` or `2 clicks`; `plural` where an `s` is not enough."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def is_encodable(text: str) -> bool:
    """Tell whether the text is Unicode: bytes of another encoding come from the shell as halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
