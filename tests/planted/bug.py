"""A bug, as the lines that it changes."""

from dataclasses import dataclass
from pathlib import Path


class CannotBePlanted(Exception):
    """The program no longer has the lines that the bug changes."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: `sound` occurs once in the file, and `faulty` replaces it."""

    file: str
    sound: str
    faulty: str

    def plant(self, root: Path) -> None:
        """Change the file below this folder. Raises CannotBePlanted."""
        path = root / self.file
        text = path.read_text()
        if text.count(self.sound) != 1:
            raise CannotBePlanted(f"{self.file} does not contain these lines once; update the bug:\n{self.sound}")
        path.write_text(text.replace(self.sound, self.faulty))


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """A bug with a name that says what the program does wrong, and the tests of which one at least must fail."""

    name: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]
    needs_kafka: bool = False

    def plant(self, root: Path) -> None:
        """Change the copy of the program in this folder. Raises CannotBePlanted."""
        for edit in self.edits:
            edit.plant(root)
