"""`link-actions links`: from link files to published versions, and back to look at them."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from actions.link import Link, LinkStatus
from actions.registry import load_kinds
from consumer.cli.command_line import PlainCommand, PlainGroup
from consumer.cli.confirmation import agreed
from consumer.cli.entry import command_settings
from consumer.cli.link_tables import (
    show_checked,
    show_link,
    show_links,
    show_mistakes,
    show_planned,
    show_preview,
    show_warnings,
    warn_of_versions,
)
from consumer.cli.output import say
from consumer.clock import SystemClock
from consumer.errors import UsageError
from consumer.links.connect import connect_publisher
from consumer.links.diagnostic import InvalidLinkFiles
from consumer.links.editor_schema import editor_schema
from consumer.links.field_types import check_name
from consumer.links.link_files import check_link_files
from consumer.links.link_model import link_file_model
from consumer.links.link_publisher import LinkPublisher
from consumer.links.link_reference import LinkReference, parse_reference
from schemas.record_schema import load_schemas

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions links check links/
  link-actions links publish links/"""

Paths = Annotated[list[Path], typer.Argument(metavar="PATH", help="Link files, or folders with .yaml or .yml files.")]
References = Annotated[list[str], typer.Argument(metavar="LINK", help="Each as tenant/link_id.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object a line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done, and what it means.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without a question.")]
Strict = Annotated[bool, typer.Option("--strict", help="Take each warning for a mistake.")]
By = Annotated[str | None, typer.Option("--author", help="Who publishes; your user name unless said otherwise.")]


@app.callback(epilog=GROUP_EXAMPLE)
def links() -> None:
    """Check, publish, list, reset and delete links."""


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links check links/ --against-published")
def check(
    paths: Paths,
    *,
    against_published: Annotated[
        bool, typer.Option("--against-published", help="Compare with the broker too, and show what would be published.")
    ] = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Find every mistake in link files, without a broker.

    Warnings are about what is taken as it is written and may not be meant so; with --strict they are mistakes.
    """
    with _mistakes_as_json(as_json=as_json):
        checked = check_link_files(paths, load_kinds(load_schemas()), strict=strict)
        show_warnings(checked.warnings, as_json=as_json)
        if against_published:
            show_preview(_author(None).preview(checked.links), as_json=as_json)
    if not (against_published or as_json):
        show_checked(checked)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links publish links/spring.yaml links/autumn/")
def publish(paths: Paths, *, author: By = None, strict: Strict = False, as_json: Json = False) -> None:
    """Publish what is new or changed in link files.

    All or nothing, and nothing where a file holds a mistake, or with --strict a warning. A link that is in no file
    stays as it is; one that was deleted comes back.
    """
    with _mistakes_as_json(as_json=as_json):
        checked = check_link_files(paths, load_kinds(load_schemas()), strict=strict)
        show_warnings(checked.warnings, as_json=as_json)
        show_planned(_author(author).publish(checked.links), as_json=as_json)


@app.command("list", cls=PlainCommand, epilog="\b\nExample:\n  link-actions links list --tenant acme")
def list_links(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only the links of this tenant.")] = None,
    deleted: Annotated[bool, typer.Option("--all", help="Deleted links too.")] = False,
    as_json: Json = False,
) -> None:
    """List the published links."""
    newest = _author(None).newest(tenant)
    show_links(
        (link for link in newest if deleted or not isinstance(link, Link) or link.status is not LinkStatus.DELETED),
        as_json=as_json,
    )


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links show acme/spring-offer --version 2")
def show(
    link: Annotated[str, typer.Argument(metavar="LINK", help="As tenant/link_id.")],
    *,
    version: Annotated[int | None, typer.Option(min=1, help="An earlier version instead of the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show one version of a link in full."""
    shown, odd = _author(None).look(parse_reference(link), version)
    show_link(shown, as_json=as_json)
    warn_of_versions(odd)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links reset acme/spring-offer --dry-run")
def reset(
    links: References, *, author: By = None, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Forget who clicked, by starting a new epoch.

    Each person's next click on the link is a first one again, and the hits start at zero. What was done stays done. It
    cannot be undone, so it asks first.
    """
    references = [parse_reference(link) for link in links]
    publisher = _author(author)
    planned = publisher.preview_reset(references)
    if dry_run:
        show_preview(planned, as_json=as_json)
    elif yes or agreed(planned, "reset"):
        epochs = {LinkReference(each.link.tenant_id, each.link.link_id): each.link.epoch for each in planned}
        show_planned(publisher.reset(references, epochs), as_json=as_json)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links delete acme/spring-offer acme/old-offer")
def delete(
    links: References, *, author: By = None, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Hide links from authors. They go on redirecting and acting, since the mails are out.

    To stop a link from acting, publish it without actions. It asks first.
    """
    references = [parse_reference(link) for link in links]
    publisher = _author(author)
    planned = publisher.preview_deletion(references)
    if dry_run:
        show_preview(planned, as_json=as_json)
    elif yes or agreed(planned, "delete"):
        show_planned(publisher.delete(references), as_json=as_json)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links schema > link-file.schema.json")
def schema() -> None:
    """Print the JSON Schema of link files.

    With it an editor completes and checks them while you type.
    """
    schemas = load_schemas()
    kinds = load_kinds(schemas)
    for line in json.dumps(editor_schema(link_file_model(kinds), kinds, schemas), indent=2).splitlines():
        say(line)


@contextmanager
def _mistakes_as_json(*, as_json: bool) -> Iterator[None]:
    """Show mistakes as objects where a program reads them."""
    try:
        yield
    except InvalidLinkFiles as error:
        if not as_json:
            raise
        show_mistakes(error.mistakes)
        raise typer.Exit(error.exit_code) from error


def _author(name: str | None) -> LinkPublisher:
    defined_by = _user_name() if name is None else _author_name(name)
    return connect_publisher(command_settings(), defined_by=defined_by, clock=SystemClock())


def _author_name(name: str) -> str:
    """Take a name like those of a link file: it is published with each version. Raises UsageError."""
    try:
        return check_name(name)
    except ValueError as error:
        raise UsageError(f"--author: {error}") from error


def _user_name() -> str:
    """Return who runs the command; a container may have no name for that."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
