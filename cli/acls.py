"""`link-actions acls`: the least ACLs that each role needs."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from cli.command_line import PlainCommand
from cli.entry import command_settings, topic_names
from cli.output import say, say_json
from cli.table import print_table
from runtime.errors import UsageError
from runtime.kafka.admin.acls import Acl, Role, acls_of

EXAMPLE = """\b
Example:
  link-actions acls worker --principal User:worker | xargs -L1 kafka-acls.sh --bootstrap-server localhost:9092"""


def acls(
    roles: Annotated[list[Role] | None, typer.Argument(metavar="ROLE", help="Default: all roles.")] = None,
    *,
    principal: Annotated[
        str | None, typer.Option(help="Print arguments of kafka-acls.sh that grant this principal one role's rights.")
    ] = None,
    subscriber_group: Annotated[str | None, typer.Option(help="The consumer group of a subscriber.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object per line.")] = False,
) -> None:
    """Show the least ACLs that each role needs on Kafka with these settings.

    A worker runs, an edge publishes clicks, an author publishes links and scripts, a subscriber reads updates, an
    operator replays dead letters, an administrator creates topics.
    """
    settings = command_settings()
    names = topic_names(settings)
    rights = [
        (role, right)
        for role in roles or list(Role)
        for right in acls_of(role, settings.kafka, names, subscriber_group=subscriber_group)
    ]
    if principal is not None:
        _print_arguments(roles or (), (right for _, right in rights), principal)
    elif as_json:
        for role, right in rights:
            say_json({"role": role, **asdict(right)})
    else:
        print_table(("role", "operation", "resource", "name"), [_row(role, right) for role, right in rights])


def _print_arguments(roles: Sequence[Role], rights: Iterable[Acl], principal: str) -> None:
    if len(roles) != 1:
        raise UsageError(
            "--principal needs exactly one role; run for example link-actions acls worker --principal User:worker"
        )
    for right in rights:
        say(shlex.join(right.arguments(principal)))


def _row(role: Role, right: Acl) -> tuple[object, ...]:
    return role, right.operation, right.resource, right.name + ("*" if right.is_prefix else "")


app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command("acls", cls=PlainCommand, epilog=EXAMPLE)(acls)
