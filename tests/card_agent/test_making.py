"""The making of a seal: one job, one seal, whatever happens on the way."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from card_agent.card.interface import nothing
from card_agent.card.seal_card import SealCard
from card_agent.fault import (
    CardAbsent,
    CardFull,
    CardRemoved,
    Fault,
    NewerSealOnCard,
    NoMakerCard,
    PinSpent,
    ServerRefused,
    ServerSilent,
    SeveralMakerCards,
    Untrusted,
    WrongCard,
    WrongPin,
)
from card_agent.making import make_seal
from card_agent.pin import Pin
from card_agent.protocol import on_card
from card_agent.protocol.codec import from_json
from card_agent.protocol.jobs import Authorised, Begin, MakeBegun
from card_agent.protocol.names import MAKER_EKU
from card_agent.protocol.outcomes import Accepted, Made
from card_agent.protocol.statements import Order, hex_digest
from tests.card_agent import makers
from tests.card_agent.makers import CARD_PIN, MAKER_PIN, RSA_KEY, Authority, World
from tests.card_agent.server import FakeServer


class PowerCut(BaseException):
    """The process is gone; only disks and cards remember."""


class Story:
    """A station, a server and two cards, through as many starts of the program as it takes."""

    def __init__(self, folder: Path, world: World | None = None) -> None:
        self.folder = folder
        self.world = world or makers.world()
        self.server = FakeServer(self.world)
        self.reader = makers.reader(folder, self.world.maker, self.world.card)
        self.job = makers.make_job(self.world.card.serial)
        self.server.jobs[self.job.job_id] = self.job
        self.progress = makers.making(self.job)

    def bench(self, press: Any = nothing) -> Any:
        return makers.bench(self.folder, self.world, self.server, self.reader, press)

    def make(self, press: Any = nothing, maker_pin: str = MAKER_PIN, card_pin: str = CARD_PIN) -> Made:
        """A start of the program, the person begins the job, the outcome is sent."""
        self.progress = makers.making(self.job)
        bench = self.bench(press)
        if bench.journal.read(self.job.job_id).unreported is None:
            make_seal(self.job, bench, self.progress, maker_pin=Pin(maker_pin), card_pin=Pin(card_pin))
        made = from_json(Made, bench.journal.read(self.job.job_id).unreported)
        bench.server.post(f"/agent/v1/jobs/{self.job.job_id}/outcome", made, Accepted)
        return made

    def on_card(self) -> Any:
        """What counts on the card, read as a new program would."""
        self.reader.insert(self.world.card)
        self.reader.on = nothing
        bench = self.bench()
        return SealCard(self.reader.open(self.world.card.serial, Pin(CARD_PIN)), bench.trust).current()

    def check_one_seal(self) -> None:
        assert len(self.server.made) == 1
        assert len(self.server.envelopes) == 1
        seal = self.on_card()
        assert self.server.made == {seal.token.es_id: seal.envelope_sha256}
        labels = sorted(label for label, _ in self.world.card.objects)
        assert labels == sorted([seal.slot, seal.manifest_label])


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_two_cards_and_two_parties_make_one_seal(story: Story) -> None:
    made = story.make()

    assert made.mac == makers.MAC
    assert [s.state for s in story.progress.steps] == ["done"] * 5
    story.check_one_seal()


def test_an_rsa_card_takes_a_seal_as_well(tmp_path: Path) -> None:
    story = Story(tmp_path, makers.world(key=RSA_KEY))

    story.make()

    story.check_one_seal()


def test_a_second_production_replaces_the_first_on_the_card(story: Story) -> None:
    story.make()
    first = story.on_card()
    story.job = makers.make_job(story.world.card.serial, job_id=43)
    story.server.jobs[43] = story.job

    story.progress = makers.making(story.job)
    make_seal(story.job, story.bench(), story.progress, maker_pin=Pin(MAKER_PIN), card_pin=Pin(CARD_PIN))

    second = story.on_card()
    assert second.token.seq == first.token.seq + 1
    assert second.slot != first.slot
    assert len(story.world.card.objects) == 2


POINTS = [
    "begun", "maker signed", "authorised", "before ESEAL.A", "written ESEAL.A", "read back ESEAL.A",
    "before ESEAL.M1", "written ESEAL.M1", "read back ESEAL.M1", "written", "journalled",
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_a_power_cut_at_any_point_ends_in_one_seal(story: Story, point: str) -> None:
    def press(reached: str) -> None:
        if reached == point:
            raise PowerCut

    with pytest.raises(PowerCut):
        story.make(press)
    story.make()

    story.check_one_seal()


@pytest.mark.parametrize("card", ["maker", "card"])
@pytest.mark.parametrize("point", POINTS[:-1])
def test_a_card_pulled_at_any_point_is_noticed_and_ends_in_one_seal(
    story: Story, point: str, card: str
) -> None:
    pulled = getattr(story.world, card)

    def press(reached: str) -> None:
        if reached == point:
            story.reader.pull(pulled.serial)

    with pytest.raises(CardRemoved) as fault:
        story.make(press)
    assert fault.value.card_serial == pulled.serial
    assert fault.value.step in {s.name for s in story.progress.steps if s.state == "failed"}
    story.reader.insert(pulled)
    story.make()

    story.check_one_seal()


@pytest.mark.parametrize("act", ["begin", "authorise", "outcome"])
@pytest.mark.parametrize("when", ["fail_before", "fail_after"])
def test_a_lost_line_at_any_request_ends_in_one_seal(story: Story, act: str, when: str) -> None:
    getattr(story.server, when).append(act)

    with pytest.raises(ServerSilent):
        story.make()
    story.make()

    story.check_one_seal()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_row_of_interruptions_ends_in_one_seal(tmp_path_factory: Any, data: st.DataObject) -> None:
    """Each start of the program is stopped at some operation of a card, by a cut or a pull, until one runs through."""
    story = Story(tmp_path_factory.mktemp("story"))
    for _ in range(data.draw(st.integers(1, 4), label="interruptions")):
        left = data.draw(st.integers(0, 70), label="operation")
        kind = data.draw(st.sampled_from(["cut", "pull card", "pull maker", "tear"]), label="kind")
        story.reader.on = _interrupter(story, left, kind)
        with contextlib.suppress(PowerCut, CardRemoved, CardAbsent, NoMakerCard):
            story.make()
        story.reader.on = nothing
        story.reader.insert(story.world.maker)
        story.reader.insert(story.world.card)
        if story.server.made:
            break
    if not story.server.made:
        story.make()

    story.check_one_seal()


def _interrupter(story: Story, left: int, kind: str) -> Any:
    remaining = [left]

    def interrupt(operation: str) -> None:
        remaining[0] -= 1
        if remaining[0] != -1:
            return
        if kind == "cut":
            raise PowerCut
        if kind == "tear":
            # what a killed write leaves behind on a real token: an object without label or value
            if operation.startswith("before write"):
                story.world.card.objects.append(("", b""))
            raise PowerCut
        story.reader.pull((story.world.card if kind == "pull card" else story.world.maker).serial)

    return interrupt


def test_the_maker_card_signs_an_order_once(story: Story) -> None:
    story.server.fail_after.append("authorise")
    with pytest.raises(ServerSilent):
        story.make()
    signature = story.bench().journal.read(41).steps["maker_signed"]["signature"]

    story.make()

    assert story.bench().journal.read(41).steps["maker_signed"]["signature"] == signature


def test_a_full_card_keeps_its_old_seal(story: Story) -> None:
    story.make()
    before = story.on_card()
    story.job = makers.make_job(story.world.card.serial, job_id=43)
    story.server.jobs[43] = story.job
    story.world.card.room = sum(len(v) for _, v in story.world.card.objects) + 10

    with pytest.raises(CardFull):
        story.make()

    assert story.on_card() == before


def test_a_wrong_pin_is_told_and_changes_nothing(story: Story) -> None:
    with pytest.raises(WrongPin) as fault:
        story.make(card_pin="00000000")

    assert fault.value.left == 3
    assert not fault.value.card_changed
    assert story.server.calls == []
    assert story.world.card.objects == []


def test_the_station_stops_one_short_of_locking_a_card(story: Story) -> None:
    for left in (3, 2, 1, 0):
        with pytest.raises(WrongPin) as fault:
            story.make(maker_pin="nonsense")
        assert fault.value.left == left

    with pytest.raises(PinSpent):
        story.make()


def test_a_right_pin_forgives_the_wrong_ones(story: Story) -> None:
    for _ in range(3):
        with pytest.raises(WrongPin):
            story.make(card_pin="nonsense")

    story.make()

    assert story.reader._pins.left(story.world.card.serial) == 4


def test_without_a_maker_card_nothing_begins(story: Story) -> None:
    story.reader.pull(story.world.maker.serial)

    with pytest.raises(NoMakerCard):
        story.make()


def test_two_maker_cards_are_one_too_many(story: Story) -> None:
    story.reader.insert(makers.card(story.world.authority, "maker-2", "另一", "1", eku=MAKER_EKU))

    with pytest.raises(SeveralMakerCards):
        story.make()


def test_a_wrong_card_is_named(story: Story) -> None:
    story.reader.pull(story.world.card.serial)
    story.reader.insert(makers.card(story.world.authority, "seal-9999", "别人", CARD_PIN))

    with pytest.raises(WrongCard) as fault:
        story.make()

    assert "seal-9999" in fault.value.zh and story.world.card.serial in fault.value.zh


def test_the_servers_refusal_reaches_people_as_it_was_said(story: Story) -> None:
    story.server.refuse["begin"] = ServerRefused(409, "impression.suspended", "印模已停用", "suspended")

    with pytest.raises(ServerRefused) as fault:
        story.make()

    assert fault.value.zh == "印模已停用"
    assert not fault.value.card_changed


# --- forgeries ---


def _begin(story: Story) -> Begin:
    maker, card = story.world.maker, story.world.card
    return Begin(
        card_serial=card.serial,
        card_certificate=card.certificate or b"",
        maker_serial=maker.serial,
        maker_certificate=maker.certificate,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"job_id": 40}, {"station_id": 8}, {"card_serial": "seal-2"}, {"card_cert_sha256": "0" * 64},
        {"maker_serial": "maker-2"}, {"maker_cert_sha256": "0" * 64}, {"impression_sha256": "0" * 64},
        {"content_sha256": "0" * 64}, {"alg": "rsa-pkcs1-sha256"},
    ],
    ids=lambda c: next(iter(c)),
)  # fmt: skip
def test_an_order_for_something_else_is_not_followed(story: Story, changes: dict[str, Any]) -> None:
    story.server.orders[41] = story.server.order(41, _begin(story), **changes)

    with pytest.raises(Untrusted):
        story.make()

    assert "maker_signed" not in story.bench().journal.read(41).steps
    assert story.world.card.objects == []


def test_an_expired_order_is_not_followed(story: Story) -> None:
    story.server.order_life_s = -1000
    story.server._expired_unused = lambda _job: False  # type: ignore[method-assign]

    with pytest.raises(Untrusted, match="expired"):
        story.make()


def test_an_order_signed_by_a_card_of_the_same_ca_is_not_followed(story: Story) -> None:
    story.server.world.order_key = story.world.card.key  # type: ignore[assignment]
    story.server.world.order_certificate = story.world.card.certificate or b""

    with pytest.raises(Untrusted, match="not one for orders"):
        story.make()


def test_an_order_under_another_root_is_not_followed(story: Story) -> None:
    from card_agent.protocol.names import ORDER_EKU

    stranger = Authority("Test root")
    story.world.order_certificate = stranger.issue(story.world.order_key.public_key(), "server", ORDER_EKU)

    with pytest.raises(Untrusted, match="no pinned root"):
        story.make()


def test_a_changed_order_is_not_followed(story: Story) -> None:
    begun = story.server.begin_make(41, _begin(story))
    begun.order.statement["operator"]["name"] = "别人"

    with pytest.raises(Untrusted, match="signature"):
        story.make()


def test_a_structure_that_carries_another_order_is_not_signed(story: Story) -> None:
    one, other = (story.server.order(41, _begin(story)) for _ in range(2))
    story.server.orders[41] = MakeBegun(order=one.order, seal_info=other.seal_info)

    with pytest.raises(Untrusted, match="another order inside"):
        story.make()


def test_a_structure_with_another_name_is_not_signed(story: Story) -> None:
    """The order covers all of the structure, not its picture alone."""
    begun = story.server.begin_make(41, _begin(story))
    changed = begun.seal_info.replace("某局办公室".encode(), "某局财务室".encode())
    story.server.orders[41] = MakeBegun(order=begun.order, seal_info=changed)

    with pytest.raises(Untrusted, match="content"):
        story.make()


def _with_token(story: Story, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    real = story.server.authorise

    def forged(job_id: int, message: Any) -> Authorised:
        given = real(job_id, message)
        order = from_json(Order, story.server.orders[job_id].order.statement)
        token = story.server.token(order, b"seal", given.envelope, **changes)
        return Authorised(token=story.server.sign(token), envelope=given.envelope)

    monkeypatch.setattr(story.server, "authorise", forged)


@pytest.mark.parametrize(
    "changes",
    [{"order_id": "x"}, {"card_serial": "y"}, {"envelope_sha256": "0" * 64}, {"es_id": "z"}, {"seq": 0}],
    ids=lambda c: next(iter(c)),
)
def test_a_token_for_something_else_writes_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    _with_token(story, monkeypatch, **changes)

    with pytest.raises(Untrusted, match="write token"):
        story.make()

    assert story.world.card.objects == []


def test_a_recorded_conversation_cannot_be_replayed(story: Story) -> None:
    """The old order and token come again after a newer seal was made: nothing is written, the newer seal stays."""
    story.make()
    recorded = (story.server.orders[41], dict(story.server.envelopes))
    story.job = makers.make_job(story.world.card.serial, job_id=43)
    story.server.jobs[43] = story.job
    make_seal(
        story.job, story.bench(), makers.making(story.job), maker_pin=Pin(MAKER_PIN), card_pin=Pin(CARD_PIN)
    )
    newer = story.on_card()

    story.job = makers.make_job(story.world.card.serial)
    story.server.jobs[41], story.server.orders[41], story.server.envelopes = story.job, *recorded
    with pytest.raises(NewerSealOnCard):
        make_seal(
            story.job,
            story.bench(),
            makers.making(story.job),
            maker_pin=Pin(MAKER_PIN),
            card_pin=Pin(CARD_PIN),
        )

    assert story.on_card() == newer


def test_a_manifest_nobody_authorised_does_not_count(story: Story) -> None:
    """Someone with card and PIN, but no token, writes what looks like a later seal."""
    story.make()
    real = story.on_card()
    manifest = on_card.read_manifest(dict(story.world.card.objects)[real.manifest_label])
    manifest.token.statement["seq"] = 9
    manifest.token.statement["envelope_sha256"] = hex_digest(b"forged")
    free = next(s for s in on_card.SLOTS if s != real.slot)
    forged = on_card.Manifest(slot=free, token=manifest.token)
    story.world.card.objects += [(free, b"forged"), ("ESEAL.M9", on_card.encode_manifest(forged))]

    assert story.on_card() == real


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(objects=st.lists(st.tuples(st.sampled_from(["ESEAL.A", "ESEAL.B", "ESEAL.M1", "ESEAL.M7", "", "other"]),
                                  st.binary(max_size=60)), max_size=6))  # fmt: skip
def test_whatever_lies_on_a_card_a_seal_can_be_made(tmp_path_factory: Any, objects: Any) -> None:
    story = Story(tmp_path_factory.mktemp("story"))
    story.world.card.objects = list(objects)

    story.make()

    assert story.on_card() is not None
    others = [o for o in story.world.card.objects if not o[0].startswith("ESEAL")]
    assert others == [o for o in objects if o[0] == "other"], "what is not ours is left alone"


def test_every_fault_says_what_to_do_in_both_languages() -> None:
    from card_agent import fault as module

    for thing in vars(module).values():
        if isinstance(thing, type) and issubclass(thing, Fault) and thing is not Fault:
            count = thing.__init__.__code__.co_argcount - 1
            made = thing(*(["x"] * count))
            assert any("一" <= c <= "鿿" for c in made.zh) or thing is ServerRefused
            assert made.en
