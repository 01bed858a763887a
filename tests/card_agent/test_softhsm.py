"""Real tokens, real processes: the ritual on SoftHSM, cards pulled by renaming their folder, agents killed."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clock import now
from app.crypto.certificates import judge_certificate, trust_from
from app.demo.ca import SO_PIN
from app.demo.cards import SimulatedStation
from app.demo.pki import CardWish, Pki
from card_agent.card.pin_counter import PinCounter
from card_agent.card.seal_card import SealCard
from card_agent.card.session import Pkcs11Reader
from card_agent.drilled import open_sessions
from card_agent.fault import CardAbsent, CardRemoved, PinSpent, PinUnfit, Untrusted, WrongPin, WrongSoPin
from card_agent.logging_in import log_in, login_steps
from card_agent.loopback import HEADER, TOKEN
from card_agent.making import make_seal
from card_agent.pin import Pin
from card_agent.protocol import names
from card_agent.protocol.jobs import Begin, Job, Line, LoginBegun, Summary, Words
from card_agent.protocol.statements import LoginOrder, login_proof, payload
from card_agent.ritual import Progress
from card_agent.signing import sign_document
from card_agent.trust import Trust
from tests.card_agent import makers
from tests.card_agent.http_server import CODE, HttpServer
from tests.card_agent.makers import CARD_PIN, MAKER_PIN, World
from tests.card_agent.server import FakeServer, check, document

pytestmark = pytest.mark.softhsm
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


class Place:
    """A PKI of three parties on disk, cards in a drawer, a station without a person."""

    def __init__(self, folder: Path, key: Any = "p256") -> None:
        self.folder = folder
        self.pki = Pki(folder / "ca", folder / "trust", folder / "drawer")
        spki = makers.spki_of(ORDER_KEY)
        made = self.pki.create(
            [
                CardWish(
                    label="maker-01",
                    role="maker",
                    common_name="制章中心",
                    organisation="制章中心",
                    pin=MAKER_PIN,
                ),
                CardWish(
                    label="seal-01",
                    role="seal",
                    common_name="某局办公室",
                    organisation="某局",
                    pin=CARD_PIN,
                    key=key,
                ),
            ],
            spki,
        )
        self.maker, self.card = made.cards
        assert made.order_certificate is not None
        self.made = made
        self.station = SimulatedStation(folder / "drawer", folder / "station" / "tokens")
        self.world: Any = World(
            authority=makers.Root(made.root), order_key=ORDER_KEY, order_certificate=made.order_certificate,
            maker=self.maker, card=self.card,
        )  # type: ignore[arg-type]  # fmt: skip

    def insert_both(self) -> None:
        self.station.insert(self.maker.token)
        self.station.insert(self.card.token)

    def reader(self) -> Pkcs11Reader:
        return Pkcs11Reader(MODULE, PinCounter(self.folder / "pins.json"))


ORDER_KEY = makers.new_key()


@pytest.fixture(scope="module")
def p256(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("p256"))


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("rsa"), "rsa2048")


@pytest.fixture
def place(p256: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("SOFTHSM2_CONF", str(p256.station.conf))
    p256.insert_both()
    return p256


class Ritual:
    """A job on real tokens against the strict test server."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.server = FakeServer(place.world)
        self.reader = place.reader()
        self.job = makers.make_job(place.card.serial)
        self.server.jobs[41] = self.job
        self.server.seq = highest_seq(place)

    def make(self, press: Any = lambda _point: None) -> None:
        bench = makers.bench(self.folder, self.place.world, self.server, self.reader, press)  # type: ignore[arg-type]
        progress = makers.making(self.job)
        made = make_seal(self.job, bench, progress, maker_pin=Pin(MAKER_PIN), card_pin=Pin(CARD_PIN))
        self.server.outcome(41, makers.as_json(made))


def read_card(place: Place) -> tuple[Any, list[str]]:
    """What counts on the real card, and all labels on it."""
    reader = place.reader()
    with reader.session():
        card = reader.open(place.card.serial, Pin(CARD_PIN))
        return SealCard(card, Trust([place.made.root])).current(), card.labels()


def highest_seq(place: Place) -> int:
    current, _ = read_card(place)
    return current.token.seq if current else 0


def check_one_seal(ritual: Ritual) -> None:
    current, labels = read_card(ritual.place)
    assert ritual.server.made == {current.token.es_id: current.envelope_sha256}
    assert sorted(labels) == sorted([current.slot, current.manifest_label])


@pytest.mark.parametrize("which", ["p256", "rsa"])
def test_a_real_card_takes_a_seal(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place: Place = request.getfixturevalue(which)
    monkeypatch.setenv("SOFTHSM2_CONF", str(place.station.conf))
    place.insert_both()
    ritual = Ritual(place, tmp_path)

    ritual.make()

    check_one_seal(ritual)


@pytest.mark.parametrize("card", ["maker", "card"])
@pytest.mark.parametrize(
    "point",
    ["begun", "authorised", "before slot", "written slot", "before manifest", "written manifest", "written"],
)
def test_a_real_card_pulled_at_any_point_ends_in_one_seal(
    place: Place, tmp_path: Path, point: str, card: str
) -> None:
    pulled = getattr(place, card)
    ritual = Ritual(place, tmp_path)

    def press(reached: str) -> None:
        kind = reached.replace("ESEAL.A", "slot").replace("ESEAL.B", "slot")
        kind = kind.split("ESEAL.M")[0] + "manifest" if "ESEAL.M" in kind else kind
        if kind == point:
            place.station.pull(pulled.token)

    with pytest.raises(CardRemoved) as fault:
        ritual.make(press)
    assert fault.value.card_serial == pulled.serial
    place.station.insert(pulled.token)
    ritual.make()

    check_one_seal(ritual)


def test_a_document_is_signed_with_a_real_card(place: Place, tmp_path: Path) -> None:
    ritual = Ritual(place, tmp_path)
    ritual.make()
    job = makers.sign_job(place.card.serial, document())
    ritual.server.jobs[42] = job
    bench = makers.bench(tmp_path, place.world, ritual.server, ritual.reader)  # type: ignore[arg-type]

    signed = sign_document(job, bench, makers.signing(job), card_pin=Pin(CARD_PIN))

    ritual.server.outcome(42, makers.as_json(signed))
    assert ritual.server.signed[42].signature == signed.signature


def test_a_wrong_pin_leaves_a_usable_library(place: Place) -> None:
    reader = place.reader()
    with reader.session():
        with pytest.raises(WrongPin):
            reader.open(place.card.serial, Pin("wrong"))
        with pytest.raises(WrongPin):
            reader.open(place.card.serial, Pin(""))
        card = reader.open(place.card.serial, Pin(CARD_PIN))
        assert card.sign(b"x").alg == "ecdsa-sha256"


def test_a_pulled_card_is_never_taken_for_a_blank_one(place: Place) -> None:
    reader = place.reader()
    with reader.session():
        card = reader.open(place.card.serial, Pin(CARD_PIN))
        place.station.pull(place.card.token)
        for operation in (card.labels, lambda: card.read("ESEAL.A"), lambda: card.sign(b"x"),
                          lambda: card.write("ESEAL.A", b"x"), lambda: card.delete("ESEAL.A")):  # fmt: skip
            with pytest.raises(CardRemoved):
                operation()
        with pytest.raises(CardAbsent):
            reader.open(place.card.serial, Pin(CARD_PIN))


def test_the_library_is_for_one_thread(place: Place) -> None:
    reader = place.reader()
    with pytest.raises(RuntimeError):
        reader.cards()
    with reader.session(), pytest.raises(RuntimeError), reader.session():
        pass


def test_revocation_and_expiry_are_published(place: Place) -> None:
    from datetime import timedelta

    from cryptography import x509

    moment = now()
    (expired, other) = place.pki.make_cards(
        [
            CardWish(label="old", role="seal", common_name="旧", organisation="旧", pin=CARD_PIN,
                     not_before=moment - timedelta(days=400), not_after=moment - timedelta(days=1)),
            CardWish(label="gone", role="seal", common_name="失", organisation="失", pin=CARD_PIN),
        ]
    )  # fmt: skip
    place.pki.revoke(other.certificate)

    trust = trust_from(place.folder / "trust", crl_required=True)
    problems = [
        judge_certificate(c.certificate, trust, at=now(), usage="seal").problem
        for c in (place.card, expired, other)
    ]
    assert problems == [None, "expired", "revoked"]
    assert x509.load_der_x509_certificate(place.card.certificate).issuer.rfc4514_string()


# --- the program as a process ---


class Running:
    """`python -m card_agent run`, with its page."""

    def __init__(self, place: Place, folder: Path, server: HttpServer) -> None:
        self.folder, self.place, self.server = folder, place, server
        self.environment = {
            **os.environ,
            "SOFTHSM2_CONF": str(place.station.conf),
            "YINXU_AGENT_STATE_DIR": str(folder),
            "YINXU_AGENT_LISTEN": "127.0.0.1:0",
            "YINXU_AGENT_WAIT_S": "2",
            "YINXU_AGENT_HEARTBEAT_S": "1",
        }
        self.process: subprocess.Popen[str] | None = None

    def command(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "card_agent", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=120, check=False, **more,
        )  # fmt: skip

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "card_agent", "run"], env=self.environment, stdout=subprocess.PIPE, text=True,
            stderr=(self.folder.parent / "agent.log").open("a"),
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, (self.folder.parent / "agent.log").read_text()
        self.address = line.split()[-1]

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def state(self) -> Any:
        return httpx.get(f"{self.address}/state", trust_env=False).json()

    def run_job(self, job_id: int, **body: Any) -> httpx.Response:
        said = json.loads((self.folder / "loopback.json").read_text())
        return httpx.post(
            f"{said['address']}/jobs/{job_id}/run", json={"wait_s": 20, **body}, timeout=120, trust_env=False,
            headers={HEADER: "1", TOKEN: said["token"]},
        )  # fmt: skip


@pytest.fixture
def running(place: Place, tmp_path: Path) -> Iterator[Running]:
    fake = FakeServer(place.world)
    fake.seq = highest_seq(place)
    server = HttpServer(fake)
    agent = Running(place, tmp_path / "state", server)
    yield agent
    if agent.process is not None and agent.process.poll() is None:
        agent.kill()
    server.stop()


def test_an_agent_enrols_once_and_keeps_its_key_to_itself(running: Running) -> None:
    server = running.server.address
    refused = running.command("enrol", "--server", server, "--code", "BAD")
    assert refused.returncode == 1 and "登记码" in refused.stderr

    done = running.command("enrol", "--server", server, "--code", "-", input=f"{CODE}\n")

    assert json.loads(done.stdout)["station_id"] == 7, done.stderr
    assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700
    for path in running.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert running.command("run", "--listen", "0.0.0.0:1").returncode == 64


def test_a_foreign_root_brought_by_hand_refuses_the_server(running: Running, tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(makers.pem(makers.Authority().root))

    refused = running.command(
        "enrol", "--server", running.server.address, "--code", CODE, "--root", str(root)
    )

    assert refused.returncode == 1 and "no pinned root" in refused.stderr
    assert "enrol" in running.command("run").stderr


def test_an_agent_sees_cards_makes_a_seal_and_ends_at_once(running: Running) -> None:
    server, place = running.server, running.place
    running.command("enrol", "--server", server.address, "--code", CODE)
    place.station.pull(place.card.token)
    running.start()
    server.wait_for(lambda: any(len(b.cards) == 1 for b in server.beats))
    place.station.insert(place.card.token)
    server.wait_for(lambda: len(server.beats[-1].cards) == 2)
    assert running.command("run").returncode == 1, "one agent for one state folder"

    server.give(makers.make_job(place.card.serial))
    server.wait_for(lambda: any(j["job_id"] == 41 for j in running.state()["jobs"]))
    answer = running.run_job(41, maker_pin=MAKER_PIN, card_pin=CARD_PIN)

    assert answer.json()["job"]["state"] == "done", answer.text
    current, _ = read_card(place)
    assert server.fake.made == {current.token.es_id: current.envelope_sha256}
    assert json.loads(running.command("status").stdout)["heartbeat"]["ok"]
    assert running.kill(signal.SIGTERM) == 0
    assert not (running.folder / "loopback.json").exists()
    assert running.command("status").returncode == 1


@pytest.mark.parametrize("stop_in", ["authorise", "outcome"])  # `yinxu drill cards` plays all points
def test_an_agent_killed_in_the_middle_ends_in_one_seal(running: Running, stop_in: str) -> None:
    server, place = running.server, running.place
    running.command("enrol", "--server", server.address, "--code", CODE)
    running.start()
    server.give(makers.make_job(place.card.serial))
    server.wait_for(lambda: any(j["job_id"] == 41 for j in running.state()["jobs"]))
    serve, killed = server.fake.serve, []

    def killing(path: str, body: bytes) -> object:
        answer = serve(path, body)
        if path.endswith(stop_in) and not killed:
            killed.append(running.kill())
        return answer

    server.fake.serve = killing  # type: ignore[method-assign]
    with pytest.raises(httpx.HTTPError):
        running.run_job(41, maker_pin=MAKER_PIN, card_pin=CARD_PIN)
    running.start()
    if stop_in == "outcome":
        # nobody needs to come back: what was journalled is sent again
        server.wait_for(lambda: server.fake.calls.count("outcome") >= 2)
    else:
        server.wait_for(lambda: any(j["job_id"] == 41 for j in running.state()["jobs"]))
        running.run_job(41, maker_pin=MAKER_PIN, card_pin=CARD_PIN)

    current, labels = read_card(place)
    assert server.fake.made == {current.token.es_id: current.envelope_sha256}
    assert len(labels) == 2 and len(server.fake.envelopes) == 1


def test_an_agent_outlives_a_server_that_is_away(running: Running) -> None:
    server, place = running.server, running.place
    running.command("enrol", "--server", server.address, "--code", CODE)
    server.down.set()
    running.start()
    server.wait_for(lambda: running.state()["heartbeat"]["fault"] is not None)
    server.down.clear()
    server.give(makers.make_job(place.card.serial))

    server.wait_for(lambda: any(j["job_id"] == 41 for j in running.state()["jobs"]), 40)
    wrong = running.run_job(41, maker_pin=MAKER_PIN, card_pin="00000000").json()

    assert wrong["job"]["fault"]["code"] == "card.wrong_pin"
    (incident,) = server.fake.incidents
    assert incident.code == "card.wrong_pin"
    for log in (running.folder.parent / "agent.log").read_text(), json.dumps(wrong):
        assert MAKER_PIN not in log and "00000000" not in log


def test_the_package_installs_alone(tmp_path: Path) -> None:
    """What `pip install ./card_agent` would bring, by its own account."""
    import tomllib

    root = Path(__file__).parents[2] / "card_agent"
    project = tomllib.loads((root / "pyproject.toml").read_text())
    names = {d.split("=")[0].split(">")[0] for d in project["project"]["dependencies"]}
    assert names == {"python-pkcs11", "cryptography", "asn1crypto", "httpx", "werkzeug"}
    code = (
        "import sys, card_agent.__main__, card_agent.card.watcher\n"
        "print([m for m in ('flask','sqlalchemy','rq','redis','SpiffWorkflow','app') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_ritual_that_a_pull_ended_leaves_no_session_open(place: Place) -> None:
    """The card went while it was opened: its session was begun, its login failed, and nobody holds it."""
    reader = place.reader()

    with pytest.raises(CardRemoved), reader.session():
        next(iter(reader._lib().get_slots(token_present=True))).get_token().open()
        assert open_sessions(MODULE) == 1
        raise CardRemoved(place.card.serial)

    assert open_sessions(MODULE) == 0


def test_a_cards_pin_is_given_anew_by_its_so_pin_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    monkeypatch.setenv("SOFTHSM2_CONF", str(place.station.conf))
    place.insert_both()
    reader, serial = place.reader(), place.card.serial

    def opens(pin: str) -> bool:
        with reader.session():
            try:
                return bool(reader.open(serial, Pin(pin)).certificate)
            except WrongPin:
                return False

    assert opens(CARD_PIN)
    while True:
        with reader.session(), pytest.raises((WrongPin, PinSpent)) as fault:
            reader.open(serial, Pin("999999"))
        if fault.type is PinSpent:
            break
    with reader.session(), pytest.raises(WrongSoPin):
        reader.renew_pin(serial, Pin("not-it-at-all"), Pin("a-new-one"))
    with reader.session(), pytest.raises(PinUnfit):
        reader.renew_pin(serial, Pin(SO_PIN), Pin("x"))
    with reader.session():
        reader.renew_pin(serial, Pin(SO_PIN), Pin("a-new-one"))
        assert reader.open(serial, Pin("a-new-one")).sign(b"x").value
    assert not opens(CARD_PIN) and opens("a-new-one")
    with reader.session():
        assert open_sessions(MODULE) == 0


def test_a_person_is_logged_in_with_a_real_card(place: Place, tmp_path: Path) -> None:
    """The card signs the challenge for this address and this code; with a wrong PIN, or another code, nothing (A21, A23)."""
    server = LoginServer(FakeServer(place.world), place.card)
    bench = makers.bench(tmp_path, place.world, server, place.reader())  # type: ignore[arg-type]
    place.station.insert(place.card.token)

    with pytest.raises(WrongPin):
        log_in(server.job(), bench, Progress(job=server.job(), steps=login_steps()), card_pin=Pin("000000"))
    with pytest.raises(Untrusted, match="shown"):
        other = server.job(code="9999")
        log_in(other, bench, Progress(job=other, steps=login_steps()), card_pin=Pin(CARD_PIN))
    proved = log_in(
        server.job(), bench, Progress(job=server.job(), steps=login_steps()), card_pin=Pin(CARD_PIN)
    )

    assert proved.order_id == server.order.order_id
    check(proved.certificate, proved.proof, payload(login_proof(server.order, alg=proved.proof.alg)))


class LoginServer:
    """Answers `begin` with an order to log somebody in."""

    CODE, ORIGIN = "4827", "https://seals.example.cn"

    def __init__(self, fake: FakeServer, card: Any) -> None:
        moment = now().replace(microsecond=0)
        self.fake = fake
        self.order = LoginOrder(
            domain=LoginOrder.DOMAIN, alg=names.ECDSA_SHA256, kid="order-v1", order_id="ab" * 8, job_id=44, nonce="5a" * 32,
            origin=self.ORIGIN, code=self.CODE, card_serial=card.serial, card_cert_sha256=card.cert_sha256,
            operator=makers.sign_job(card.serial, document()).operator, station_id=7,
            issued_at=moment, expires_at=moment + timedelta(seconds=120),
        )  # fmt: skip

    def job(self, code: str = CODE) -> Job:
        lines = (
            Line(zh="核对码", en="Code", value=code),
            Line(zh="登录到", en="Log in to", value=self.ORIGIN),
        )
        return Job(
            job_id=44, kind=names.LOG_IN, card_serial=self.order.card_serial, state="ordered", operator=self.order.operator,
            created_at=now(), summary=Summary(title=Words(zh="登录", en="Log in"), lines=lines),
        )  # fmt: skip

    def post(self, path: str, message: object, answer: type[Any]) -> Any:
        assert path.endswith("/begin") and isinstance(message, Begin)
        return LoginBegun(order=self.fake.sign(self.order))
