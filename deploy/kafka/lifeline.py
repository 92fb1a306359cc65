"""Kills a child process when its parent exits for any reason."""

import subprocess

# The read returns when the parent, which alone holds the other end of the pipe, is gone.
_WATCH = 'read -r _; kill -KILL "$1"'


class Lifeline:
    """Kills a process as soon as this one is gone, even by SIGKILL, until it is cut."""

    def __init__(self, process_id: int) -> None:
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "lifeline", str(process_id)], stdin=subprocess.PIPE, start_new_session=True
        )

    def cut(self) -> None:
        """Stop watching: the process has ended, or may outlive this one."""
        self._watcher.kill()
        self._watcher.communicate()
