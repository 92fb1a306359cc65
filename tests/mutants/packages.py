"""The packages to mutate, and the tests that must notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Package:
    """The modules and the tests of one package, as glob patterns below the root. None of the tests needs a broker.

    `adapters` are modules that do nothing without one, and so are left out.
    """

    name: str
    modules: str
    tests: tuple[str, ...]
    adapters: tuple[str, ...] = ()

    def files(self, root: Path) -> Sequence[str]:
        """Return the modules."""
        return [file for file in _matching(root, self.modules) if file not in self.adapters]

    def test_files(self, root: Path) -> Sequence[str]:
        """Return the files of tests."""
        return [file for pattern in self.tests for file in _matching(root, pattern)]


def _matching(root: Path, pattern: str) -> Sequence[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))


PACKAGES = (
    Package("decision", "consumer/decision/*.py", ("tests/decision/test_*.py",)),
    Package("changelog", "consumer/changelog/*.py", ("tests/changelog/test_*.py",)),
    Package("loop", "consumer/loop/*.py", ("tests/loop/test_*.py",)),
    Package("state", "runtime/state/**/*.py", ("tests/state/test_*.py",)),
    Package("schemas", "schemas/*.py", ("tests/schemas/test_*.py",)),
    Package(
        "links",
        "consumer/links/*.py",
        ("tests/links/test_*.py",),
        adapters=("consumer/links/connect.py",),
    ),
    Package(
        "authoring",
        "runtime/authoring/*.py",
        ("tests/authoring/test_*.py", "tests/links/test_*.py"),
        adapters=("runtime/authoring/definition_topic.py",),
    ),
    Package("supervisor", "runtime/supervisor/*.py", ("tests/supervisor/test_*.py",)),
    Package(
        "maintenance",
        "consumer/maintenance/*.py",
        ("tests/maintenance/test_*.py",),
        adapters=(
            "consumer/maintenance/changelog_writer.py",
            "consumer/maintenance/dead_letter_topic.py",
            "consumer/maintenance/offline_state.py",
        ),
    ),
)
