"""The name of a link: tenant and link id."""

from dataclasses import dataclass

from runtime.errors import UsageError


@dataclass(frozen=True, slots=True, order=True)
class LinkReference:
    """Tenant and link, written `tenant/link_id`; a tenant id has no slash, a link id may have several."""

    tenant_id: str
    link_id: str

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.link_id}"


def parse_reference(text: str) -> LinkReference:
    """Read `tenant/link_id`. Raises UsageError."""
    tenant_id, slash, link_id = text.partition("/")
    if not (tenant_id and slash and link_id):
        raise UsageError(f"{text!r} is not a link; write tenant/link_id, for example acme/spring-offer")
    return LinkReference(tenant_id, link_id)
