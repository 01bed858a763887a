"""The sequencer is woken after the commit, a few times a second at most; and it works with keys in a token."""

from pathlib import Path

import pytest
import redis
from click.testing import CliRunner
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from app import jobs
from app.audit import jobs as audit_jobs
from app.audit import queries
from app.audit.verify import walk
from app.cli import keys as keys_cli
from app.settings import Settings
from tests.audit.makers import CLERK, log_alone, stamp, verified, write


def waiting() -> list[str]:
    queue = Queue("audit", connection=jobs.connection(), serializer=JSONSerializer)
    return [job.func_name for job in queue.get_jobs() if job.func_name]


def test_a_burst_of_acts_wakes_the_sequencer_once(log: Flask) -> None:
    jobs.connection().flushdb()
    for number in range(5):
        stamp(number, by=CLERK)
    assert waiting() == ["app.audit.jobs.sequence"]

    audit_jobs.sequence()
    assert queries.size() == (5, 0)


def test_a_silent_redis_loses_no_entry(log: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> redis.Redis:
        return redis.Redis(port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0))

    monkeypatch.setattr(jobs, "connection", silent)
    stamp(1, by=CLERK)
    audit_jobs.sequence()
    assert queries.size() == (1, 0)


@pytest.mark.softhsm
def test_the_log_works_with_keys_in_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "YINXU_ENVIRONMENT": "test",
        "YINXU_VAR_DIR": str(tmp_path),
        "YINXU_SECRET_KEY": "x" * 40,
        "YINXU_SERVER_TOKEN_PIN": "739154",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite'}",
    }.items():
        monkeypatch.setenv(name, value)
    assert CliRunner().invoke(keys_cli.command, ["init"]).exit_code == 0
    with log_alone(Settings()) as app:
        write(5, batch=2)
        from app.crypto.keys import keyring

        keyring().make("checkpoint", 2)
        write(3)
        assert verified().as_json()["breaks"] == []
        app.extensions.pop("keyring")
        assert walk((tmp_path / "witness/000000000004.checkpoint").read_text()).intact
        assert len((tmp_path / "witness/log.vkey").read_text().split()) == 2
