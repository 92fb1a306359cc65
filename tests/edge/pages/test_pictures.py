"""The pictures in the docs show the pages as they are."""

import json

from tests.edge.pages.pictures import DIGESTS, FOLDER, PICTURES, digests

MAX_PICTURE_BYTES = 60_000


def test_pictures_are_of_the_present_pages() -> None:
    assert json.loads(DIGESTS.read_text()) == digests(), "run make pictures"


def test_every_picture_is_there_and_small() -> None:
    sizes = {path.stem: path.stat().st_size for path in FOLDER.glob("*.png")}
    assert sizes.keys() == PICTURES.keys()
    assert max(sizes.values()) <= MAX_PICTURE_BYTES
