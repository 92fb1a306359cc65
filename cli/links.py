"""`link-actions links`: checks and publishes link files, shows published links, and makes the links of messages."""

import json
from pathlib import Path
from typing import Annotated

import typer

from actions.link import Link, LinkStatus
from actions.registry import load_kinds
from cli.authoring import By, Json, author_name, mistakes_as_json
from cli.command_line import PlainCommand, PlainGroup
from cli.confirmation import confirm
from cli.entry import command_settings
from cli.link_signing import SIGN_EXAMPLE, sign_links
from cli.link_tables import (
    show_changes,
    show_checked,
    show_link,
    show_links,
    show_notes,
    show_preview,
    show_warnings,
    warn_of_versions,
)
from cli.output import say
from cli.script_lookup import published_scripts, scripts_in_files
from consumer.links.connect import connect_publisher
from consumer.links.editor_schema import editor_schema
from consumer.links.link_files import check_link_files
from consumer.links.link_model import link_file_model
from consumer.links.link_publisher import LinkPublisher
from consumer.links.link_reference import LinkReference, parse_reference
from runtime.clock import SystemClock
from schemas.record_schema import load_schemas

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions links check links/
  link-actions links publish links/"""

Paths = Annotated[list[Path], typer.Argument(metavar="PATH", help="Link files, or folders with .yaml or .yml files.")]
References = Annotated[list[str], typer.Argument(metavar="LINK", help="Each as tenant/link_id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show changes and their consequences, but publish nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings as mistakes.")]


@app.callback(epilog=GROUP_EXAMPLE)
def links() -> None:
    """Check, publish, list, reset, delete and sign links."""


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links check links/ --against-published")
def check(
    paths: Paths,
    *,
    against_published: Annotated[
        bool,
        typer.Option("--against-published", help="Compare with the published links and show the changes."),
    ] = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Find every mistake in link files, without a broker.

    If script files are among the files, each script that a link runs must be in them; with --against-published, it must
    be published.

    Warnings point at text that is taken literally but may be meant otherwise; with --strict they are mistakes.
    Notes show each address in the form that browsers get, if it was written in another.
    """
    with mistakes_as_json(as_json=as_json):
        find_scripts = published_scripts if against_published else scripts_in_files
        checked = check_link_files(paths, load_kinds(load_schemas()), strict=strict, find_scripts=find_scripts)
        show_warnings(checked.warnings, as_json=as_json)
        show_notes(checked.notes, as_json=as_json)
        if against_published:
            show_preview(_author(None).preview(checked.links), as_json=as_json)
    if not (against_published or as_json):
        show_checked(checked)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links publish links/spring.yaml links/autumn/")
def publish(paths: Paths, *, author: By = None, strict: Strict = False, as_json: Json = False) -> None:
    """Publish new and changed links of link files.

    All links are published or none: none if a file has a mistake, or with --strict a warning. Links that are in no file
    do not change; a deleted link that is in a file is restored. A link runs the newest version of its script until the
    link is published again.
    """
    with mistakes_as_json(as_json=as_json):
        checked = check_link_files(paths, load_kinds(load_schemas()), strict=strict, find_scripts=published_scripts)
        show_warnings(checked.warnings, as_json=as_json)
        show_changes(_author(author).publish(checked.links), as_json=as_json)


@app.command("list", cls=PlainCommand, epilog="\b\nExample:\n  link-actions links list --tenant acme")
def list_links(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only links of this tenant.")] = None,
    deleted: Annotated[bool, typer.Option("--all", help="Include deleted links.")] = False,
    as_json: Json = False,
) -> None:
    """List the published links."""
    newest = _author(None).list_links(tenant)
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
    shown, problems = _author(None).inspect(parse_reference(link), version)
    show_link(shown, as_json=as_json)
    warn_of_versions(problems)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links reset acme/spring-offer --dry-run")
def reset(
    links: References, *, author: By = None, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Forget who clicked by starting a new epoch.

    The next click of each person counts as the first, and hits start at zero. Updates already sent stay as they are.
    A reset cannot be undone, so the command asks first.
    """
    references = [parse_reference(link) for link in links]
    publisher = _author(author)
    versions = publisher.preview_reset(references)
    if dry_run:
        show_preview(versions, as_json=as_json)
    elif yes or confirm(versions, "reset"):
        epochs = {LinkReference(each.link.tenant_id, each.link.link_id): each.link.epoch for each in versions}
        show_changes(publisher.reset(references, epochs), as_json=as_json)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links delete acme/spring-offer acme/old-offer")
def delete(
    links: References, *, author: By = None, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Hide links from lists. They still redirect and act, because mails link to them.

    To stop the actions of a link, publish it without actions. The command asks first.
    """
    references = [parse_reference(link) for link in links]
    publisher = _author(author)
    versions = publisher.preview_deletion(references)
    if dry_run:
        show_preview(versions, as_json=as_json)
    elif yes or confirm(versions, "delete"):
        show_changes(publisher.delete(references), as_json=as_json)


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions links schema > link-file.schema.json")
def schema() -> None:
    """Print the JSON Schema of link files.

    Editors use it to complete and check link files while you type.
    """
    schemas = load_schemas()
    kinds = load_kinds(schemas)
    for line in json.dumps(editor_schema(link_file_model(kinds), kinds, schemas), indent=2).splitlines():
        say(line)


app.command("sign", cls=PlainCommand, epilog=SIGN_EXAMPLE)(sign_links)


def _author(name: str | None) -> LinkPublisher:
    defined_by = author_name(name)
    return connect_publisher(command_settings(), defined_by=defined_by, clock=SystemClock())
