"""A user of the command line who connects to a broker with authentication."""

import json
import os
import shlex
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from cli.app import execute
from tests.support.patience import stretched

DONE_SECONDS = 30.0

TELLING_WHO = frozenset({"updates"})
"""Commands whose standard output shows who clicked."""


@dataclass(frozen=True)
class Said:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """Return the last line on standard error or, if it is a JSON log line, its reason."""
        last = "".join(self.err.splitlines()[-1:])
        return str(json.loads(last)["reason"]) if last.startswith("{") else last


@dataclass(frozen=True)
class Visitor:
    """Runs commands with these settings; `properties` are the content of the client properties file."""

    folder: Path
    settings: Mapping[str, str]
    properties: Mapping[str, str]

    def environ(self) -> dict[str, str]:
        """Write the client properties file and return all settings."""
        path = self.folder / "client.properties"
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}={value}\n" for name, value in self.properties.items()))
        state = {"LINK_ACTIONS_STATE_DIR": str(self.folder / "state"), "LINK_ACTIONS_KAFKA_CONFIG": str(path)}
        return {**self.settings, **state}

    def say(self, *arguments: str) -> Said:
        """Call a command in this process."""
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in [name for name in os.environ if name.startswith("LINK_ACTIONS_")]:
                patch.delenv(name)
            for name, value in self.environ().items():
                patch.setenv(name, value)
            code = execute(arguments)
        with (self.folder / "said.log").open("a") as log:
            log.write(err.getvalue() + ("" if arguments[0] in TELLING_WHO else out.getvalue()))
        return Said(code, out.getvalue(), err.getvalue())


def rules_in(lines: Iterable[str]) -> list[AclBinding]:
    """Parse arguments of kafka-acls.sh, one ACL per line, like that program."""
    parser = ArgumentParser()
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", required=True)
    parser.add_argument("--resource-pattern-type", default="literal")
    resources = parser.add_mutually_exclusive_group(required=True)
    for resource in ("topic", "group", "transactional-id"):
        resources.add_argument(f"--{resource}")
    return [_rule(vars(parser.parse_args(shlex.split(line)))) for line in lines]


def grant(admin: AdminClient, rules: Iterable[AclBinding]) -> None:
    """Create these ACLs."""
    for future in admin.create_acls(list(rules)).values():
        future.result(timeout=stretched(DONE_SECONDS))


def revoke(admin: AdminClient, rule: AclBinding) -> None:
    """Delete this ACL, which must exist."""
    wanted = AclBindingFilter(
        rule.restype,
        rule.name,
        rule.resource_pattern_type,
        rule.principal,
        rule.host,
        rule.operation,
        rule.permission_type,
    )
    (future,) = admin.delete_acls([wanted]).values()
    assert len(future.result(timeout=stretched(DONE_SECONDS))) == 1


def assert_good(said: Said) -> None:
    """Assert that the command succeeded."""
    assert said.code == 0, said


def _rule(words: Mapping[str, str]) -> AclBinding:
    types = {
        "topic": ResourceType.TOPIC,
        "group": ResourceType.GROUP,
        "transactional_id": ResourceType.TRANSACTIONAL_ID,
    }
    (kind,) = (each for each in types if words[each])
    return AclBinding(
        types[kind],
        words[kind],
        ResourcePatternType[words["resource_pattern_type"].upper()],
        words["allow_principal"],
        "*",
        _OPERATIONS[words["operation"]],
        AclPermissionType.ALLOW,
    )


_OPERATIONS = {
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
}
