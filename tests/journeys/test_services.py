"""The services of docker-compose.yml, started natively with its environment, commands and health checks.

Production settings on the loopback: secrets from files, keys in a PKCS#11 token, an https address behind a proxy.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509 import Name, NameAttribute
from cryptography.x509.oid import NameOID

from app import clock, servers
from tests.conftest import DATABASES, _create_database, _drop_database
from tests.crypto.pki import DAY, Authority
from tests.journeys.played import processes, told

pytestmark = [
    pytest.mark.journey,
    pytest.mark.softhsm,
    pytest.mark.slow,
    pytest.mark.skipif("postgresql" not in DATABASES, reason="needs PostgreSQL"),
]
ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IMAGE = dict(re.findall(r"(YINXU_\w+)=(\S+)", DOCKERFILE))
PUBLIC_URL = "https://seals.example"
STARTED = ("web", "worker-audit", "scheduler", "card-agent")
SECRETS = ("YINXU_SECRET_KEY", "YINXU_SERVER_TOKEN_PIN", "DATABASE_URL")


@dataclass
class Installation:
    """A machine with what the compose file mounts: `secrets/`, `var/`, `agent/`."""

    folder: Path
    database_url: str
    redis_url: str
    port: int = field(default_factory=servers.free_port)
    agent_port: int = field(default_factory=servers.free_port)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def native(self, value: object) -> str:
        """A value of the compose file, for this machine."""
        text = re.sub(r"\$\{YINXU_PUBLIC_URL:\?[^}]*\}", PUBLIC_URL, str(value))
        text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
        for there, here in {
            "/run/secrets/": f"{self.folder}/secrets/",
            "/var/lib/yinxu/": f"{self.folder}/",
            "/etc/yinxu/": f"{self.folder}/etc/",
            "redis://redis:6379/0": self.redis_url,
            "0.0.0.0:8080": f"127.0.0.1:{self.port}",
            "127.0.0.1:9443": f"127.0.0.1:{self.agent_port}",
        }.items():
            text = text.replace(there, here)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """The image's variables and the service's own, and nothing else but how to reach this web."""
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        listen = {"YINXU_LISTEN": f"127.0.0.1:{self.port}"}  # the image listens where the default says
        given = {**IMAGE, **SERVICES[service]["environment"]}
        mine = {name: self.native(value) for name, value in given.items()}
        if service == "card-agent":
            mine["YINXU_AGENT_SERVER"] = f"http://127.0.0.1:{self.port}"  # what the proxy would pass on
        return {"PATH": path, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **listen, **mine}

    def run(
        self, service: str, *words: str, said: str = "", **more: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            words, env={**self.environment(service), **more}, cwd=self.folder, input=said,
            capture_output=True, text=True, check=False, timeout=240, start_new_session=True,
        )  # fmt: skip

    def start(self, service: str) -> None:
        command = [self.native(word) for word in SERVICES[service]["command"]]
        with (self.folder / f"{service}.log").open("ab") as log:
            self.running[service] = subprocess.Popen(
                command, env=self.environment(service), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def health(self, service: str) -> "subprocess.CompletedProcess[str]":
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(service, *words)

    def becomes_healthy(self, service: str, seconds: float = 90) -> bool:
        end = time.monotonic() + seconds
        while self.health(service).returncode != 0:
            assert self.running[service].poll() is None, self.log(service)
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()[-2000:]

    def stop(self, service: str) -> int:
        process = self.running.pop(service)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(timeout=120)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def good(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Set up as README.md and the head of the compose file say, then everything started."""
    folder = tmp_path_factory.mktemp("installation")
    for name in ("secrets", "var", "agent", "agent/tokens", "etc"):
        (folder / name).mkdir(mode=0o700)
    database = f"services_{secrets.token_hex(6)}"
    redis_url = f"{os.environ['YINXU_TEST_REDIS_URL'].rsplit('/', 1)[0]}/10"
    made = Installation(folder, _create_database(database), redis_url)
    (folder / "secrets" / "database_url").write_text(made.database_url)
    for name in ("secret_key", "server_token_pin"):
        (folder / "secrets" / name).write_text(secrets.token_hex(32) + "\n")
    for text, file in re.findall(r"printf '(.*)' > /etc/yinxu/(\S+)", DOCKERFILE):
        (folder / "etc" / file).write_text(made.native(text).replace("\\n", "\n"))
    try:
        prepare(made)
        for service in ("web", "worker-audit", "scheduler"):
            made.start(service)
        assert made.becomes_healthy("web"), made.log("web")
        enrol(made)
        made.start("card-agent")
        yield made
    finally:
        for service in list(made.running):
            made.stop(service)
        redis.Redis.from_url(redis_url).flushdb()
        _drop_database(database)


def prepare(made: Installation) -> None:
    """Keys, the order key's certificate, tables, the first people."""
    good(made.run("web", "yinxu", "keys", "init"))
    now = clock.now()
    ca = Authority(start=now - DAY, end=now + 365 * DAY)
    public = load_pem_public_key(good(made.run("web", "yinxu", "keys", "public", "order")).encode())
    server = Name([NameAttribute(NameOID.COMMON_NAME, "seals.example")])
    certificate = made.folder / "order.pem"
    certificate.write_bytes(ca.certify(server, public, role="order").public_bytes(Encoding.PEM))
    good(made.run("web", "yinxu", "keys", "certificate", "order", str(certificate)))
    ca.publish(made.folder / "var" / "trust", at=now - DAY / 24, fresh_until=now + DAY)
    good(made.run("migrate", *SERVICES["migrate"]["command"]))
    password = secrets.token_urlsafe(16)
    officers = (
        *("--person", "wu", "吴桐", "system_administrator"),
        *("--person", "zheng", "郑安", "security_officer"),
        *("--person", "qian", "钱正", "security_auditor"),
    )
    good(made.run("web", "yinxu", "people", "init", "示例公司", *officers, said=f"{password}\n" * 6))


def enrol(made: Installation) -> None:
    """A station beside its reader, by a one-time code of the server."""
    announced = good(made.run("web", "yinxu", "stations", "enrol", "一号", "--unit", "示例公司", "--json"))
    code = json.loads(announced)["code"]
    good(made.run("card-agent", "python", "-m", "card_agent", "enrol", "--code", "-", said=f"{code}\n"))


@pytest.mark.parametrize("service", STARTED)
def test_a_started_service_is_healthy_by_its_own_check(installation: Installation, service: str) -> None:
    assert installation.becomes_healthy(service), installation.health(service).stderr + installation.log(
        service
    )
    assert installation.running[service].poll() is None


def test_the_web_speaks_as_one_does_behind_https(installation: Installation) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{installation.port}/login",
        headers={"Host": "seals.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"},
    )

    assert answer.status_code == 200
    cookies = answer.headers.get_list("set-cookie")
    assert cookies and all("; Secure" in c and c.startswith("__Host-") for c in cookies)
    assert "max-age" in answer.headers["strict-transport-security"]


def test_what_is_written_gets_its_place_in_the_log(installation: Installation) -> None:
    """Scheduler and worker do what they are there for, with the keys of the token."""
    end = time.monotonic() + 60
    while True:
        report = json.loads(installation.run("web", "yinxu", "audit", "verify", "--json").stdout)
        if report["entries"] == report["tree_size"] or time.monotonic() > end:
            break

    assert report["intact"] and report["tree_size"] == report["entries"] > 0


def test_health_checks_tell_what_is_not_there(installation: Installation) -> None:
    nowhere = f"redis://127.0.0.1:{servers.free_port()}/0"

    worker = installation.run("worker-audit", "yinxu", "worker", "--check", REDIS_URL=nowhere)
    web = installation.run(
        "web", "yinxu", "serve", "--check", YINXU_LISTEN=f"127.0.0.1:{servers.free_port()}"
    )

    assert worker.returncode == 1 and "Redis does not answer" in worker.stderr
    assert web.returncode == 1 and "no answer on port" in web.stderr


def test_every_service_ends_when_it_is_told_to(installation: Installation) -> None:
    assert {service: installation.stop(service) for service in STARTED[::-1]} == dict.fromkeys(STARTED, 0)
    mark = str(installation.folder).encode()
    assert [p for p in processes() if mark in told(p / "environ")] == []


@pytest.mark.parametrize("service", ["migrate", "web", "worker-flows", "scheduler"])
def test_without_its_secret_files_a_service_refuses_and_says_which(tmp_path: Path, service: str) -> None:
    bare = Installation(tmp_path, "", "redis://127.0.0.1:1/0")

    done = bare.run(service, *(bare.native(word) for word in SERVICES[service]["command"]))

    assert done.returncode == 78, done.stderr
    for name in SECRETS:
        assert f"{name.removeprefix('YINXU_')}_FILE" in done.stderr
    assert not (tmp_path / "var").exists()
