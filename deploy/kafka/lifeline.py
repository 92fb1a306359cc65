"""What ends a child process together with its parent, however the parent ends."""

import subprocess

# The child's end of a pipe: reading returns when the parent, the only one to hold the other end, is gone.
_WATCH = 'read -r _; kill -KILL "$1"'


class Lifeline:
    """Kills a process at once when this one is gone, be it by SIGKILL; holds until it is cut."""

    def __init__(self, process_id: int) -> None:
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "lifeline", str(process_id)], stdin=subprocess.PIPE, start_new_session=True
        )

    def cut(self) -> None:
        """Stop watching: the process has ended by itself, or may go on alone."""
        self._watcher.kill()
        self._watcher.communicate()
