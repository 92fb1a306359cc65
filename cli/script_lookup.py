"""The scripts that link files may name: those of the script files beside them, or the published ones."""

from collections.abc import Sequence

from actions.registry import load_kinds
from cli.entry import command_settings
from consumer.links.desired import DesiredLink
from consumer.links.script_pins import KnownScript, KnownScripts, runs_scripts
from runtime.authoring.diagnostic import Diagnostic
from runtime.authoring.source_files import SourceFile
from runtime.clock import SystemClock
from schemas.record_schema import load_schemas
from scripts.definitions.connect import connect_script_publisher
from scripts.definitions.published import PublishedScripts
from scripts.definitions.script import Script, ScriptReference
from scripts.files.script_files import read_script_sources

_NOT_IN_FILES = "is in none of the script files; add it to one, or correct its id"
_NOT_PUBLISHED = "is not published; run link-actions scripts publish, or correct its id"

Found = tuple[KnownScripts | None, list[Diagnostic]]


def scripts_in_files(sources: Sequence[SourceFile], _links: Sequence[DesiredLink]) -> Found:
    """Return the scripts of the script files; None if there is no such file, or one has mistakes."""
    scripts, mistakes = read_script_sources(sources, load_kinds(load_schemas()))
    if mistakes or not sources:
        return None, mistakes
    known = {
        (script.reference.tenant_id, script.reference.script_id): KnownScript(frozenset(script.emits))
        for script in scripts
    }
    return KnownScripts(known, _NOT_IN_FILES), []


def published_scripts(_sources: Sequence[SourceFile], links: Sequence[DesiredLink]) -> Found:
    """Return the published scripts; None if no link runs one. Raises Unavailable."""
    if not runs_scripts(links):
        return None, []
    published = connect_script_publisher(command_settings(), clock=SystemClock()).read()
    known = {(reference.tenant_id, reference.script_id): _known_script(published, reference) for reference in published}
    return KnownScripts(known, _NOT_PUBLISHED), []


def _known_script(published: PublishedScripts, reference: ScriptReference) -> KnownScript:
    newest = published.newest(reference)
    emits = frozenset(newest.emits if isinstance(newest, Script) else ())
    return KnownScript(emits, tuple(published.numbers(reference)))
