"""The stage of the demo: folders, keys, a PKI of three parties, processes. Nothing here is a private path:
every process is one of the product's own commands.
"""

import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app import servers
from app.demo import place
from app.jobs import QUEUES
from app.supervisor import Supervisor


class StageBroken(RuntimeError):
    """Something did not start; the message says what, and where its log lies."""


@dataclass
class Stage:
    """Where everything is. `environment` is what each of our processes is started with."""

    folder: Path
    port: int
    agent_port: int
    environment: dict[str, str]
    supervisor: Supervisor
    passwords: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def agent_address(self) -> str:
        return f"http://127.0.0.1:{self.agent_port}"

    @property
    def agent_state(self) -> Path:
        return self.folder / "agent"


def prepare(folder: Path, port: int, agent_port: int, say: Callable[[str], None]) -> Stage:
    """An empty stage of our own, with secrets; nothing runs yet. Refuses what it did not make (`place`)."""
    place.check_port("127.0.0.1", port, "--port")
    place.check_port("127.0.0.1", agent_port, "--agent-port")
    database_url = place.named_database(os.environ)
    if database_url:
        place.clean_database(database_url)
    place.clean_folder(folder)
    if not database_url:
        place.clean_database(f"sqlite:///{folder}/yinxu.sqlite")
    pin_file = place.write_secret(folder / "secrets" / "pin", secrets.token_hex(8))
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("YINXU_") and k != "DATABASE_URL_FILE"},
        **({"DATABASE_URL": database_url} if database_url else {}),
        "YINXU_ENVIRONMENT": "demo",
        "YINXU_VAR_DIR": str(folder),
        "YINXU_LISTEN": f"127.0.0.1:{port}",
        "YINXU_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "YINXU_SECRET_KEY_FILE": str(place.write_secret(folder / "secrets" / "secret_key")),
        "YINXU_SERVER_TOKEN_PIN_FILE": str(pin_file),
        "YINXU_LOGIN_RATE": "200 per minute",
        "YINXU_STATION_PAGE_URL": f"http://127.0.0.1:{agent_port}/",
        "YINXU_AGENT_POLL_S": "2",
        "PYTHONUNBUFFERED": "1",
    }
    return Stage(folder, port, agent_port, environment, Supervisor(folder / "logs", say=say))


def start_redis(stage: Stage) -> None:
    """The Redis of REDIS_URL, else an embedded one in our folder."""
    if "REDIS_URL" in os.environ:
        return
    port = servers.free_port()
    command = servers.redis_command(stage.folder / "redis", port)
    child = stage.supervisor.add("redis", command, os.environ)
    assert child.process is not None
    servers.wait_for_port(port, child.process)
    stage.environment["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"


def start_time_stamps(stage: Stage) -> None:
    """A time-stamping authority, which sealings ask from now on."""
    port = servers.free_port()
    command = [sys.executable, "-m", "app.demo.time_stamps", str(stage.folder / "ca"), str(port)]
    child = stage.supervisor.add("time-stamps", command, os.environ)
    assert child.process is not None
    servers.wait_for_port(port, child.process)
    stage.environment |= {"YINXU_TSA_URL": f"http://127.0.0.1:{port}/", "YINXU_SEAL_LEVEL": "B-T"}


def start_server(stage: Stage) -> None:
    """Web, a worker for each queue, and the scheduler; returns when the web answers."""
    yinxu = str(Path(sys.executable).with_name("yinxu"))
    stage.supervisor.add("web", [yinxu, "serve"], stage.environment)
    for queue in QUEUES:
        stage.supervisor.add(f"worker-{queue}", [yinxu, "worker", queue], stage.environment)
    stage.supervisor.add("scheduler", [yinxu, "scheduler"], stage.environment)
    wait_for(f"{stage.address}/healthz", stage, "web")


def wait_for(address: str, stage: Stage, name: str, seconds: float = 60) -> None:
    """Until the address answers 200; says where the log lies if it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise StageBroken(f"{name} does not answer at {address}; see {stage.supervisor.log_dir / name}.log")
