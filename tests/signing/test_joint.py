"""Ten departments seal one document at the same time (B11): ten valid signatures, whatever the order."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from app.actor import SYSTEM, Actor
from app.db import db
from app.demo.pdfsig import pdfsig_verdict, trust_database
from app.flows import commands as flows
from app.flows import queries as inbox
from app.refusal import Refusal
from app.seals import commands as seals
from app.signing import commands, queries, requesting
from app.signing.models import Document, UseRequest
from card_agent.protocol.names import MOVED_ON
from tests.cards.makers import World
from tests.crypto.pki import Holder
from tests.pdf.makers import small_pdf
from tests.seals.makers import Ritual as Making
from tests.seals.makers import impression_of
from tests.signing.makers import Ritual

DEPARTMENTS = 10


@dataclass
class Department:
    """A unit with a manager and a head who agree, a person who presses, and a seal of its own on a card of its own, of
    which each use is asked for."""

    name: str
    serial: str
    manager: Actor
    head: Actor
    user: Actor
    card: Holder
    seal_id: int


def department(world: World, n: int) -> Department:
    unit, serial = world._unit(f"第{n}处", world.bureau), f"J{n}"  # pyright: ignore[reportPrivateUsage]
    manager = world.person(f"m{n}", f"管{n}", unit, "seal_manager", unit=unit)
    user = world.person(f"u{n}", f"用{n}", unit, "seal_user", unit=unit)
    head = world.person(f"h{n}", f"长{n}", unit, "unit_head", unit=unit)
    card = world.ca.issue(f"第{n}处", role="seal")
    world.register(serial, card, owner_unit_id=unit)
    impression = impression_of(world, owner_unit_id=unit, name=f"第{n}处")
    job = seals.order_making(impression, serial, world.station.id, by=world.operator)
    making = Making(world, job.job_id)
    making.card = card
    begun = making.begin(card_serial=serial)
    making.report(making.made(begun, making.authorise(begun)))
    seal_id = seals.record_made(job.job_id, by=world.operator).seal_id
    seals.issue(seal_id, "领用人", "工作证", f"第{n}处", by=world.office)
    seals.authorize_by_keeping(seal_id, by=world.office)
    seals.require_requests(seal_id, True, by=manager)
    return Department(f"第{n}处", serial, manager, head, user, card, seal_id)


def press(world: World, one: Department, document_id: int, n: int) -> int:
    """As the station's agent does: signed anew when another came first. So often it took."""
    with world.app.app_context():
        place = {"page": 1, "x_pt": 20.0 + 100 * (n % 3), "y_pt": 20.0 + 60 * (n // 3)}
        fact = commands.order(
            document_id, one.seal_id, **place, station_id=world.station.id, by=one.user  # type: ignore[arg-type]
        )  # fmt: skip
        ritual = Ritual(world, fact)
        ritual.card = one.card
        for times in range(1, 31):
            signed = ritual.signed(ritual.begin(card_serial=one.serial))
            try:
                assert ritual.report(signed) == "done"
                return times
            except Refusal as refusal:
                if refusal.code != MOVED_ON:
                    raise
            finally:
                db.session.remove()
        raise AssertionError("thirty times another came first")


@pytest.mark.skipif(
    not (shutil.which("pdfsig") and shutil.which("certutil")), reason="needs poppler-utils and libnss3-tools"
)
def test_ten_departments_seal_one_document_at_the_same_time(world: World, tmp_path: Path) -> None:
    flows.load_files(by=SYSTEM)
    departments = [department(world, n) for n in range(DEPARTMENTS)]
    clerk = world.person("ban", "经办", world.finance, "applicant", unit=world.finance)
    asked = requesting.ask(
        small_pdf(),
        "联合发文.pdf",
        [one.seal_id for one in departments],
        document_class="other",
        purpose="联合发文",
        presser="keeper",
        by=clerk,
    )
    for one in departments:
        for who in (one.manager, one.head):
            [task] = inbox.inbox(who)
            flows.complete(task.id, {"decision": "approve", "opinion": ""}, by=who)
    db.session.remove()

    with ThreadPoolExecutor(DEPARTMENTS) as pool:
        jobs = [pool.submit(press, world, one, asked.document_id, n) for n, one in enumerate(departments)]
        times = [job.result() for job in jobs]

    document = db.session.get_one(Document, asked.document_id)
    assert document.sealed_digest is not None
    assert {db.session.get_one(UseRequest, r).state for r in asked.request_ids} == {"used"}
    name, sealed = queries.permitted_file(document.sealed_digest, clerk)
    assert name == "联合发文-已盖章.pdf"
    report = queries.report_on(sealed)
    assert (report.verdict, len(report.signatures)) == ("genuine", DEPARTMENTS)
    assert {s.examined.holder.name for s in report.signatures if s.examined.holder} == {
        one.name for one in departments
    }
    root = world.ca.certificate.public_bytes(Encoding.PEM)
    (tmp_path / "root.pem").write_bytes(root)
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    other = pdfsig_verdict(tmp_path / "sealed.pdf", trust_database(tmp_path / "nss", [tmp_path / "root.pem"]))
    assert other.good, other.said
    assert len(other.signatures) == DEPARTMENTS
    print("signed so often:", times)
