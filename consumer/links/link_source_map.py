"""Maps values of a link file to line and column, link and action."""

from runtime.authoring.source_map import SourceMap, number_of
from runtime.authoring.yaml_document import Path

LINK = 2
"""Length of the path to a link: `links` and its index."""
ACTION = 4
"""Length of the path to an action: the link's, `actions` and its index."""
_REDIRECT = ("response", "redirect")


class LinkSourceMap(SourceMap):
    """Locations of one link file."""

    def path(self, location: Path) -> Path:
        """Return the path of the innermost value at pydantic's location that is in the file.

        Pydantic adds the kind after an action's index, and after `redirect` whether it is a list; the path has no such
        steps.
        """
        if location[LINK : LINK + 1] == ("actions",) or location[LINK:ACTION] == _REDIRECT:
            location = (*location[:ACTION], *location[ACTION + 1 :])
        return super().path(location)

    def subject(self, path: Path) -> str:
        """Return the link, and the action if the value belongs to one."""
        link = super().subject(path) if path[:1] == ("links",) else ""
        if len(path) < ACTION or path[LINK] != "actions":
            return link
        action, kind = path[:ACTION], self.text((*path[:ACTION], "kind"))
        nameless = f"number {number_of(action)}{f' ({kind})' if kind else ''}"
        return f"{link}, action {self.text((*action, 'id')) or nameless}"
