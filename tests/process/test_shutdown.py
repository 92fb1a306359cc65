"""Shutdown by a signal, also while the main thread is blocked in a library."""

import signal
import subprocess
import sys
import textwrap

import pytest

from tests.support.patience import stretched

BLOCKED_IN_A_LIBRARY = """
    import ctypes
    from runtime.monitoring.health import Health
    from runtime.process.shutdown import stopping_on_signals

    with stopping_on_signals(Health(lambda: 0.0), stop_seconds=0.1):
        library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(128)
        library.pthread_mutex_lock(mutex)
        print("locked", flush=True)
        library.pthread_mutex_lock(mutex)
"""
STOPPED_IN_TIME = """
    import os, signal, sys, time
    from runtime.monitoring.health import Health
    from runtime.process.shutdown import stopping_on_signals

    with stopping_on_signals(Health(lambda: 0.0), stop_seconds=60) as is_stopping:
        os.kill(os.getpid(), signal.SIGTERM)
        while not is_stopping():
            time.sleep(0.01)
    sys.exit(7)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_blocked_in_a_library_exits(number: signal.Signals) -> None:
    command = [sys.executable, "-c", textwrap.dedent(BLOCKED_IN_A_LIBRARY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            process.send_signal(number)
            assert process.wait(stretched(20)) == 0
        finally:
            process.kill()


def test_process_that_stops_in_time_keeps_its_exit_code() -> None:
    command = [sys.executable, "-c", textwrap.dedent(STOPPED_IN_TIME)]
    assert subprocess.run(command, timeout=stretched(20), check=False).returncode == 7
