"""The base of the pydantic models of files that authors write."""

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """Base of all models: unknown keys are refused and no value is converted to another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
