"""docker-compose.yml keeps what it promises, as far as that can be seen without a container engine."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "yinxu"}


def test_the_file_follows_the_compose_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]

    done = subprocess.run([*check, ROOT / "docker-compose.yml"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_every_service_of_the_house_is_there() -> None:
    assert set(SERVICES) == {
        "migrate", "web", "worker-audit", "worker-reports", "worker-mail", "worker-flows",
        "scheduler", "card-agent", "postgres", "redis",
    }  # fmt: skip


def test_there_is_a_worker_for_each_queue_and_for_one_only() -> None:
    from app.jobs import QUEUES

    commands = [s["command"] for name, s in SERVICES.items() if name.startswith("worker-")]

    assert sorted(c[2] for c in commands) == sorted(QUEUES)
    assert all(len(c) == 3 for c in commands)


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_as_nobody_special(name: str) -> None:
    service = OURS[name]

    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_no_secret_has_a_value_in_the_file() -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search("SECRET|PIN|PASSWORD|DATABASE_URL", variable):
                assert variable.endswith("_FILE"), variable
                assert str(value).startswith("/run/secrets/")
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())


def test_without_its_secrets_a_service_does_not_start(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "YINXU_ENVIRONMENT": "production", "YINXU_VAR_DIR": str(tmp_path)}
    yinxu = Path(sys.executable).with_name("yinxu")

    done = subprocess.run(
        [yinxu, "worker", "audit"], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "YINXU_SECRET_KEY" in done.stderr
    assert "YINXU_SERVER_TOKEN_PIN" in done.stderr


def test_every_program_that_a_service_runs_is_one_the_image_installs() -> None:
    installed = {"yinxu", "python"}
    for service in OURS.values():
        for line in (service.get("command", []), service.get("healthcheck", {}).get("test", [])[1:]):
            assert not line or line[0] in installed
    assert shutil.which("yinxu", path=str(Path(sys.executable).parent))
