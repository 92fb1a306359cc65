from pathlib import Path

import pytest

from consumer.demo.failure import DemoFailed
from consumer.demo.worker_process import WorkerProcess, wait_until_sharing, worker_environment
from runtime.config.settings import Settings

UNREACHABLE = "127.0.0.1:1"


def settings(folder: Path) -> Settings:
    return Settings(bootstrap_servers=UNREACHABLE, instance_id="worker-1", state_dir=folder / "state")


def test_worker_gets_only_the_settings_of_the_demo(tmp_path: Path) -> None:
    environ = {"PATH": "/bin", "LINK_ACTIONS_DEDUPE_RETENTION": "1d", "LINK_ACTIONS_TOPIC_PREFIX": "live."}

    assert worker_environment(settings(tmp_path), environ) == {
        "PATH": "/bin",
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": UNREACHABLE,
        "LINK_ACTIONS_GROUP_ID": "link-actions",
        "LINK_ACTIONS_TOPIC_PREFIX": "",
        "LINK_ACTIONS_INSTANCE_ID": "worker-1",
        "LINK_ACTIONS_STATE_DIR": str(tmp_path / "state"),
        "LINK_ACTIONS_HTTP_PORT": "0",
        "LINK_ACTIONS_LOG_FORMAT": "json",
    }


def test_unexpected_exit_names_the_code_and_the_log(tmp_path: Path) -> None:
    log_path = tmp_path / "worker-1.log"
    worker = WorkerProcess(settings(tmp_path), log_path, {})
    worker.start()
    try:
        with pytest.raises(DemoFailed, match=f"worker-1 exited unexpectedly with code 3; see {log_path}"):
            wait_until_sharing([worker])
    finally:
        worker.kill()

    assert UNREACHABLE in log_path.read_text()


def test_worker_that_was_not_started_gets_no_signal(tmp_path: Path) -> None:
    worker = WorkerProcess(settings(tmp_path), tmp_path / "worker-1.log", {})

    worker.kill()
    with pytest.raises(DemoFailed, match="is not running"):
        worker.send_sigterm()
