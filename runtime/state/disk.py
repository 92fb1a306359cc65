"""Translates errors of the disk into errors of the worker, with the remedy."""

import os
import pwd
import tempfile
from errno import EACCES, EDQUOT, EMFILE, ENFILE, ENOSPC, EPERM, EROFS
from pathlib import Path

from runtime.errors import LinkActionsError, Unavailable, UsageError
from runtime.ports import StateRefused

MORE_DESCRIPTORS = "raise the limit: ulimit -n 4096, LimitNOFILE=4096 in a systemd unit, or --ulimit nofile=4096:4096"
_NO_ROOM, _NO_DESCRIPTOR = frozenset((ENOSPC, EDQUOT)), frozenset((EMFILE, ENFILE))


def require_writable(folder: Path) -> None:
    """Raise UsageError or Unavailable unless the folder is writable, or can be created."""
    try:
        with tempfile.TemporaryFile(dir=existing_part(folder)):
            pass
    except OSError as error:
        raise failure_at_start(folder, error) from error


def existing_part(folder: Path) -> Path:
    """Return the folder or, if it does not exist, its nearest existing parent. Raises OSError."""
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    return existing


def failure_at_start(folder: Path, error: OSError) -> LinkActionsError:
    """Return the error to raise if the state cannot be opened. A restart helps only if space may be freed meanwhile."""
    reason = os.strerror(error.errno or 0)
    elsewhere = "set LINK_ACTIONS_STATE_DIR to another folder"
    if error.errno in _NO_ROOM:
        return Unavailable(f"No room is left for the state in {folder} ({reason}); make room there, or {elsewhere}")
    if error.errno in _NO_DESCRIPTOR:
        return UsageError(f"No more files can be opened for the state in {folder} ({reason}); {MORE_DESCRIPTORS}")
    if error.errno in {EACCES, EPERM}:
        user = _name_of(os.geteuid())
        return UsageError(
            f"The state in {folder} belongs to {_owner(folder)}, and this process runs as {user} ({reason});"
            f" run chown -R {user} {folder}, or {elsewhere}"
        )
    if error.errno == EROFS:
        return UsageError(f"The state in {folder} cannot be written ({reason}); mount it for writing, or {elsewhere}")
    return UsageError(f"The state in {folder} cannot be opened ({reason}); {elsewhere}")


def refused(what: str, error: OSError) -> StateRefused:
    """Return the error to raise if the disk fails while the worker runs: the worker retries until it succeeds."""
    remedy = MORE_DESCRIPTORS if error.errno in _NO_DESCRIPTOR else "make room, or repair the disk"
    if error.errno in {EACCES, EPERM}:
        remedy = "give the state back to this user"
    return StateRefused(f"{what} ({os.strerror(error.errno or 0)}); {remedy}")


def _owner(folder: Path) -> str:
    """Return the owner of the folder, or of its nearest visible parent."""
    for path in (folder.absolute(), *folder.absolute().parents):
        try:
            return _name_of(path.stat().st_uid)
        except OSError:
            continue
    return "another user"


def _name_of(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
