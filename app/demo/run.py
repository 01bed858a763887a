"""The demo from first to last: stage, people, keys, cards, station, story, verdicts."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.demo import leftover
from app.demo import stage as staging
from app.demo.browser import Browser
from app.demo.ca import SO_PIN
from app.demo.cards import InDrawer, SimulatedStation
from app.demo.cast import DEPARTMENT, HEADQUARTERS, PEOPLE, SEAL_NAME
from app.demo.pdfsig import PdfsigVerdict, pdfsig_verdict, trust_database
from app.demo.pki import Pki
from app.demo.stage import Stage, StageBroken
from app.demo.story import Step, Story, Told
from app.glossary import ROLES

Say = Callable[[str], None]
MAKER_PIN, CARD_PIN = "271828", "314159"
YINXU = Path(sys.executable).with_name("yinxu")


@dataclass
class Result:
    """What came of the story. `own`: the JSON of `yinxu verify`; `audit`: of `yinxu audit verify`."""

    told: Told
    own: dict[str, Any]
    poppler: PdfsigVerdict
    audit: dict[str, Any]
    problems: list[str] = field(default_factory=list[str])

    @property
    def held(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return {
            "steps": [{"name": s.name, "actor": s.actor, "ms": s.ms} for s in self.told.steps],
            "sealed_pdf": str(self.told.sealed_pdf),
            "verdicts": {"own": self.own["verdict"], "pdfsig": self.poppler.word},
            "audit": {"entries": self.audit["entries"], "intact": self.audit["intact"]},
            "problems": self.problems,
        }


@dataclass
class Playing:
    """A stage with everything on it that the story needs."""

    stage: Stage
    station: SimulatedStation
    station_id: str
    maker: InDrawer
    seal_card: InDrawer


@contextlib.contextmanager
def staged(folder: Path, port: int, agent_port: int, say: Say) -> Generator[Playing]:
    """Everything runs inside; nothing runs after."""
    stage = staging.prepare(folder, port, agent_port, say)
    with stage.supervisor:
        staging.start_redis(stage)
        leftover.keep(folder, stage.environment)
        pki, cards = _install(stage)
        staging.start_time_stamps(stage)
        staging.start_server(stage)
        station = SimulatedStation(pki.drawer, folder / "station" / "tokens")
        station_id = _start_agent(stage, station)
        yield Playing(stage, station, station_id, cards[0], cards[1])


def _yinxu(stage: Stage, *arguments: str, check: bool = True) -> str:
    """One of our own commands, run to its end; gives its standard output."""
    done = subprocess.run(  # noqa: S603
        [YINXU, *arguments], env=stage.environment, capture_output=True, text=True, check=False, timeout=300
    )
    if check and done.returncode != 0:
        raise StageBroken(f"yinxu {' '.join(arguments)} failed: {done.stderr.strip()[-800:]}")
    return done.stdout


def _install(stage: Stage) -> tuple[Pki, list[InDrawer]]:
    """Keys, a PKI of three parties, tables, people; in a process of its own, so that this one never opens the
    server's token. The cards lie in the drawer afterwards."""
    folders = [stage.folder / name for name in ("ca", "trust", "drawer")]
    wishes = [
        {
            "label": "maker",
            "role": "maker",
            "common_name": f"{HEADQUARTERS}印章管理办公室",
            "organisation": HEADQUARTERS,
            "pin": MAKER_PIN,
        },
        {
            "label": "seal-1",
            "role": "seal",
            "common_name": SEAL_NAME,
            "organisation": HEADQUARTERS,
            "pin": CARD_PIN,
        },
    ]
    done = subprocess.run(
        [sys.executable, "-m", "app.demo.seed"],
        input=json.dumps({"folders": [str(f) for f in folders], "wishes": wishes}),
        env=stage.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    if done.returncode != 0:
        raise StageBroken(f"the installation could not be prepared: {done.stderr.strip()[-800:]}")
    made = json.loads(done.stdout)
    stage.passwords.update(made["passwords"])
    return Pki(*folders), [InDrawer(*card) for card in made["cards"]]


def _start_agent(stage: Stage, station: SimulatedStation) -> str:
    """The administrator enrols a station on its page; the agent redeems the code and runs. Gives its id."""
    administrator = Browser(stage.address)
    page = administrator.get("/login")
    administrator.submit(page, "/login", {"login": "sysadmin", "password": stage.passwords["sysadmin"]})
    page = administrator.get("/stations")
    unit = next(
        o.get("value")
        for o in page.form("/stations").inputs["unit_id"].iter("option")
        if (o.text or "") == "印章管理办公室"
    )
    enrolled = administrator.submit(page, "/stations", {"name": "三楼制章室 1 号", "unit_id": unit})
    code = enrolled.tree.xpath("//*[@id='enrolment-code']")[0].text_content().strip()
    environment = {
        **os.environ,
        "SOFTHSM2_CONF": str(station.conf),
        "YINXU_AGENT_SERVER": stage.address,
        "YINXU_AGENT_STATE_DIR": str(stage.agent_state),
        "YINXU_AGENT_LISTEN": f"127.0.0.1:{stage.agent_port}",
        "YINXU_AGENT_HEARTBEAT_S": "2",
        "YINXU_AGENT_WAIT_S": "2",
    }
    done = subprocess.run(
        [sys.executable, "-m", "card_agent", "enrol", "--code", "-"],
        input=code + "\n", env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode != 0:
        raise StageBroken(f"the station could not be enrolled: {done.stderr.strip()[-800:]}")
    stage.supervisor.add("card-agent", [sys.executable, "-m", "card_agent", "run"], environment)
    staging.wait_for(f"{stage.agent_address}/state", stage, "card-agent")
    return str(json.loads(done.stdout)["station_id"])


def story(playing: Playing, say: Say) -> Result:
    """Walk the story, then ask both verifiers and the log."""
    stage = playing.stage

    def tell(step: Step) -> None:
        say(f"{step.ms:>6} ms  {step.actor:<8} {step.name}" + (f"  ({step.told})" if step.told else ""))

    told = Story(
        address=stage.address,
        agent_address=stage.agent_address,
        agent_token=lambda: json.loads((stage.agent_state / "loopback.json").read_text())["token"],
        station=playing.station,
        maker=playing.maker,
        seal_card=playing.seal_card,
        pins=(MAKER_PIN, CARD_PIN),
        passwords=stage.passwords,
        out=stage.folder / "out",
        say=tell,
        station_id=playing.station_id,
    ).run()
    return _judge(stage, told, tell)


def _judge(stage: Stage, told: Told, tell: Callable[[Step], None]) -> Result:
    started = time.monotonic()
    own = json.loads(_yinxu(stage, "verify", "--json", str(told.sealed_pdf), check=False))
    _add(told, tell, "verify it with our own verifier", started, own["verdict"])
    started = time.monotonic()
    nss = trust_database(stage.folder / "nss", sorted((stage.folder / "trust").glob("*.pem")))
    poppler = pdfsig_verdict(told.sealed_pdf, nss)
    _add(told, tell, "verify it with poppler's pdfsig", started, _in_words(poppler))
    started = time.monotonic()
    audit = _proved_log(stage)
    _add(told, tell, "prove the log", started, f"{audit['entries']} entries, intact: {audit['intact']}")
    problems: list[str] = []
    if own["verdict"] != "genuine":
        problems.append(f"our verifier says {own['verdict']}: {own['problems']}")
    if not poppler.good:
        problems.append(f"pdfsig says {poppler.word}: {poppler.said[-600:]}")
    if any(s.signer != SEAL_NAME for s in poppler.signatures):
        problems.append(f"sealed by somebody else: {', '.join(s.signer for s in poppler.signatures)}")
    if not told.sealed_pdf.read_bytes().startswith(told.contract):
        problems.append("what was sealed is not the contract that was uploaded")
    if not audit["intact"]:
        problems.append(f"the log is broken: {audit['breaks']}")
    return Result(told, own, poppler, audit, problems)


def _in_words(poppler: PdfsigVerdict) -> str:
    """What poppler found of each signature: trusted root included."""
    said = [
        f"{s.signer}: {'valid' if s.valid else 'NOT valid'}, {'trusted' if s.trusted else 'NOT trusted'}, "
        f"{'total document' if s.total else 'NOT the total document'}"
        for s in poppler.signatures
    ]
    return f"{poppler.word} ({'; '.join(said)})" if said else poppler.word


def _proved_log(stage: Stage, seconds: float = 40) -> dict[str, Any]:
    """What `yinxu audit verify` says once the worker, nudged each second, has given every entry its place."""
    end = time.monotonic() + seconds
    while True:
        report = json.loads(_yinxu(stage, "audit", "verify", "--json", check=False))
        if report["entries"] == report["tree_size"] or time.monotonic() > end:
            return report


def _add(told: Told, tell: Callable[[Step], None], name: str, started: float, said: str) -> None:
    step = Step(name, "anyone", round((time.monotonic() - started) * 1000), said)
    told.steps.append(step)
    tell(step)


def tell_end(result: Result, say: Say) -> None:
    """Where the sealed document lies and what both verifiers and the log say."""
    say("")
    say(f"sealed document  {result.told.sealed_pdf}")
    say(f"our verifier     {result.own['verdict']}")
    say(f"pdfsig           {_in_words(result.poppler)}")
    say(f"audit log        {result.audit['entries']} entries, intact: {result.audit['intact']}")
    for problem in result.problems:
        say(f"PROBLEM          {problem}")
    if result.told.sealed_pdf.is_relative_to(leftover.DEFAULT_FOLDER.resolve()):
        say("ask again        yinxu verify FILE, yinxu audit verify: here, without any settings")


def tell_logins(playing: Playing, say: Say) -> None:
    """The address and a login for each role; then the demo serves until Ctrl-C."""
    stage = playing.stage
    say("")
    say(f"pages            {stage.address}")
    say(
        f"station's page   {stage.agent_address}   (PINs: maker card {MAKER_PIN}, seal card {CARD_PIN}, SO PIN of both {SO_PIN})"
    )
    for person in PEOPLE:
        roles = ", ".join(ROLES[role].en for role, _ in person.roles) or f"no role ({DEPARTMENT})"
        say(
            f"  {person.login:<11} {stage.passwords[person.login]:<14} {person.name} {person.english}: {roles}"
        )
    say("Ctrl-C stops everything.")
