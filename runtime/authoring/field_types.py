"""Types of values that files of links and of scripts have in common.

Each checker returns the value or raises ValueError with a message that says how to fix it.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from actions.ids import ID_SCHEMA, JOINERS, check_id, check_line

_TENANT = re.compile(r"[A-Za-z0-9._-]{1,100}")


def check_tenant_id(text: str) -> str:
    """Check a tenant id, which comes before the slash of a record key."""
    if not _TENANT.fullmatch(text):
        raise ValueError(f"{text!r} is not a tenant id; use 1 to 100 letters, digits, '.', '_' and '-'")
    return text


def check_name(text: str) -> str:
    """Check a name: like an id, but joiners that some scripts need are allowed."""
    return check_line(text, allowed=JOINERS)


_TENANT_SCHEMA = {"type": "string", "pattern": f"^{_TENANT.pattern}$"}

TenantId = Annotated[str, AfterValidator(check_tenant_id), WithJsonSchema(_TENANT_SCHEMA)]
WrittenId = Annotated[str, AfterValidator(check_id), WithJsonSchema(ID_SCHEMA)]
Name = Annotated[str, AfterValidator(check_name), WithJsonSchema(ID_SCHEMA)]
