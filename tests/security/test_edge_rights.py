"""An edge with the rights of its role, and no others."""

import shlex
from collections.abc import Mapping

from runtime.kafka.admin.acls import Role
from schemas.topics import LINK_CLICKS
from tests.security.job import PREFIX, Job, rights
from tests.security.visitor import grant, revoke, rules_in
from tests.support.edge import EdgeProcess, link_path
from tests.support.planted import MARK
from tests.support.waiting import wait_until


def an_edge(job: Job, name: str) -> EdgeProcess:
    visitor = job.visitor(Role.EDGE)
    environ: Mapping[str, str] = visitor.environ()
    settings = {key: value for key, value in environ.items() if key.startswith("LINK_ACTIONS_")}
    settings |= {
        "LINK_ACTIONS_STATE_DIR": str(visitor.folder / f"{name}-state"),
        "LINK_ACTIONS_EDGE_PORT": "0",
        "LINK_ACTIONS_INSTANCE_ID": name,
    }
    return EdgeProcess(job.environment.kafka.sasl, PREFIX, visitor.folder, name, settings=settings)


def test_rights_of_the_role_suffice_and_what_is_refused_is_published_later(done: Job) -> None:
    edge = an_edge(done, "edge-rights").wait_edge()
    assert edge.get(link_path("spring", f"{MARK}-edge-1")).status == 302
    edge.wait_published()
    (right,) = (each for each in rights(Role.EDGE) if each.name.endswith(LINK_CLICKS))
    (rule,) = rules_in([shlex.join(right.arguments("User:edge"))])
    revoke(done.environment.admin, rule)
    try:
        wait_until(
            lambda: edge.get(link_path("spring", f"{MARK}-edge-2")).status == 302 and edge.events("publish.failed"),
            "refused records",
        )
        assert "TOPIC_AUTHORIZATION_FAILED" in edge.log
    finally:
        grant(done.environment.admin, [rule])
    edge.wait_published()
    assert edge.stop() == 0
