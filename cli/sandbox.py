"""The sandbox of commands that run scripts."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from runtime.errors import Unavailable
from scripts.sandbox.guest import user_cache
from scripts.sandbox.process import Sandbox, SandboxFailed


@contextmanager
def open_sandbox() -> Iterator[Sandbox]:
    """Yield a sandbox. Raises Unavailable if it cannot be started."""
    try:
        with closing(Sandbox(user_cache())) as sandbox:
            yield sandbox
    except SandboxFailed as error:
        raise Unavailable(f"{error}; link-actions doctor says what is missing") from error
