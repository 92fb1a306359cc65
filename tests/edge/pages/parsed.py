"""A page as a browser's parser sees its tags, attributes and text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

Attributes = dict[str, str | None]


@dataclass
class Parsed(HTMLParser):
    """Start tags with their attributes, end tags, and the text outside `style`."""

    starts: list[tuple[str, Attributes]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.ends.append(tag)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def handle_data(self, data: str) -> None:
        if self.starts[-1:] != [("style", {})] or "style" in self.ends:
            self.text += data

    def tags(self) -> list[tuple[str, list[str]]]:
        """Each start tag with the names of its attributes."""
        return [(tag, sorted(attributes)) for tag, attributes in self.starts]

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.starts if name == tag]


def parsed(page: bytes) -> Parsed:
    parser = Parsed()
    parser.feed(page.decode())
    parser.close()
    return parser
