"""Pictures of the pages for the docs, taken by Chromium: `make pictures`.

Beside them `pages.json` keeps a digest of each page, by which a test notices that a picture is out of date.
"""

import base64
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from consumer.demo.links import definition_records, read_links
from consumer.demo.service import LINK_FILE
from edge.exchange import Answer
from edge.link import EdgeLink, link_compiler
from runtime.clock import SystemClock
from schemas.codec import Codec
from schemas.definition_key import encode_link, parse_definition_key
from tests.edge.parts import KINDS, SCHEMAS, a_responder, a_token, get, post
from tests.support.browsing import served
from tests.support.chromium import Tab, chromium, chromium_command

FOLDER = Path(__file__).parents[3] / "docs/pictures"
DIGESTS = FOLDER / "pages.json"
_PAGE_CLICK_ID = re.compile(rb'(name="page_click_id" value=")[^"]*')


@dataclass(frozen=True)
class Picture:
    """A page of the demo's link, as wide as given, in pixels. A form with an `answer` was sent with mistakes."""

    link_id: str
    width: int = 640
    media: Mapping[str, str] = field(default_factory=dict)
    answers: bytes | None = None


PICTURES = {
    "text": Picture("text"),
    "confirmation": Picture("confirm"),
    "confirmation-dark-320": Picture("confirm", 320, {"prefers_color_scheme": "dark"}),
    "form": Picture("form"),
    "form-mistakes-320": Picture("form", 320, answers=b"name=Ann&email=ann&question="),
}


def page_of(picture: Picture) -> Answer:
    """Return the answer that is in the picture."""
    respond = a_responder(*demo_links())
    path = f"/l/{a_token(picture.link_id, person_id='1001', mailing_id='demo')}"
    return respond(get(path) if picture.answers is None else post(path, picture.answers))


def demo_links() -> list[EdgeLink]:
    """Return the links of `demo --serve`."""
    compile_link = link_compiler(Codec(SCHEMAS["LinkDefined"]), KINDS)
    records = definition_records(read_links(LINK_FILE), SystemClock())
    named = [(parse_definition_key(key), value) for key, value in records]
    return [compile_link(encode_link(*name[:2]), name[2], value) for name, value in named if name]


def digests() -> dict[str, str]:
    """Return a digest of each page, by the name of its picture."""
    pages = {name: page_of(picture).body for name, picture in PICTURES.items()}
    return {name: sha256(_PAGE_CLICK_ID.sub(rb"\1", page)).hexdigest() for name, page in pages.items()}


def take(tab: Tab, picture: Picture) -> bytes:
    """Return the picture as PNG, as high as its page."""
    answer = page_of(picture)
    with served(lambda *_: (answer.status, answer.headers, answer.body)) as port:
        tab.emulate(width=picture.width, **picture.media)
        tab.go(f"http://127.0.0.1:{port}/")
        height = tab.run("document.querySelector('main').getBoundingClientRect().bottom") + 16
        clip = {"x": 0, "y": 0, "width": picture.width, "height": height, "scale": 1}
        shot = tab.send("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    return base64.b64decode(shot["data"])


def main() -> None:
    """Take every picture."""
    command = chromium_command()
    if command is None:
        sys.exit("There is no Chromium on this machine; install the package chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, chromium(command, Path(profile)) as tab:
        for name, picture in PICTURES.items():
            (FOLDER / f"{name}.png").write_bytes(take(tab, picture))
    DIGESTS.write_text(json.dumps(digests(), indent=2) + "\n")


if __name__ == "__main__":
    main()
