"""An edge does not outlive a thread that it needs."""

import subprocess
import sys
import textwrap

from tests.support.patience import stretched


def test_failed_thread_ends_the_process() -> None:
    program = """
        import threading, time
        from edge.thread_failures import exiting_with_any_thread
        from runtime.monitoring.stray_errors import log_stray_errors

        log_stray_errors()
        with exiting_with_any_thread():
            threading.Thread(target=lambda: 1 / 0, name="publisher").start()
            time.sleep(60)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=stretched(50),
        check=False,
    )
    assert ended.returncode == 1
    assert "thread.failed" in ended.stdout + ended.stderr
    assert "publisher" in ended.stdout + ended.stderr
