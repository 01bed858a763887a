"""The log's pages: each reader finds what is theirs, and that they looked stands in the log."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import queries as audit
from app.audit.proof import check_proof
from app.audit.sequencer import sequence, witness
from app.refusal import Conflict
from tests.audit.makers import forge, stamp
from tests.oversight.makers import Organisation, forget, organisation


@pytest.fixture
def org(app: Flask) -> Organisation:
    return organisation()


def get(client: FlaskClient, address: str, language: str = "en") -> str:
    client.set_cookie("language", language)
    forget()
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def number_of(action: str) -> int:
    sequence()
    return next(row.number for row in audit.search(audit.Filter(), limit=200) if row.action == action)


def test_the_overseer_finds_who_sealed_a_file_on_a_computer(client: FlaskClient, org: Organisation) -> None:
    stamp(3, by=org.actor("clerk"), file_name="合同.pdf")
    stamp(4, by=org.actor("clerk"), file_name="other.pdf")
    sequence()
    org.enter(client, "overseer")

    page = get(client, "/log?file_name=合同.pdf&host=finance-pc")

    assert "1 match" in page and "合同.pdf" in page and "某clerk" in page and "other.pdf" not in page
    assert "0 match" not in get(client, "/log?mac=02:00:5E:00:53:07&person=clerk&log_class=sealing")
    assert "No entry meets these conditions" in get(client, "/log?seal=99")


def test_an_entry_opens_to_its_bytes_and_its_proof(
    client: FlaskClient, org: Organisation, tmp_path: Path
) -> None:
    stamp(3, by=org.actor("clerk"), file_name="合同.pdf")
    number = number_of("test.document_stamped")
    org.enter(client, "overseer")

    page = get(client, f"/log/{number}")
    assert "Proven" in page and "合同.pdf" in page and "reported and signed by the card agent" in page
    assert audit.entry(number).header.hex() in page
    chinese = get(client, f"/log/{number}", "zh")
    assert "证明成立" in chinese and "由读卡代理上报并签名" in chinese

    sequence()
    answer = client.get(f"/log/{number}/proof")
    assert "attachment" in answer.headers["Content-Disposition"]
    trusted = client.get("/log/checkpoint").text
    assert check_proof(answer.text, trusted, witness().keys()) == number


def test_a_changed_entry_is_shown_as_changed(client: FlaskClient, org: Organisation) -> None:
    stamp(3, by=org.actor("clerk"))
    number = number_of("test.document_stamped")
    org.enter(client, "overseer")
    forge(
        f"UPDATE log_entry SET ciphertext = :x WHERE id = (SELECT entry_id FROM log_leaf WHERE seq = {number})",
        x=b"x" * 80,
    )
    page = get(client, f"/log/{number}")
    assert "Not proven" in page and "cannot be opened" in page


def test_reading_stands_in_the_log(client: FlaskClient, org: Organisation) -> None:
    stamp(3, by=org.actor("clerk"))
    number = number_of("test.document_stamped")
    org.enter(client, "overseer")
    get(client, f"/log/{number}")
    get(client, "/log?seal=3")
    sequence()
    read, searched = (audit.entry(number_of(action)) for action in ("log.entry_read", "log.searched"))
    assert read.fact == {"number": number} and read.log_class == "log_reading"
    assert searched.fact == {"wanted": {"seal": "3"}, "matched": 1}
    assert searched.actor["name"] == "某overseer"


@pytest.mark.parametrize(
    ("login", "sees"),
    [
        ("overseer", {"test.document_stamped"}),
        ("branchseer", set()),
        ("officer", {"test.document_stamped"}),
        ("auditor", {"unit.registered"}),
    ],
)
def test_each_reader_sees_their_part_only(
    client: FlaskClient, org: Organisation, login: str, sees: set[str]
) -> None:
    from app.people import commands

    stamp(3, by=org.actor("clerk"))
    commands.register_unit("新单位", by=org.actor("admin"))
    sequence()
    of_clerk = number_of("test.document_stamped")
    of_admin = number_of("unit.registered")
    org.enter(client, login)

    for number, action in ((of_clerk, "test.document_stamped"), (of_admin, "unit.registered")):
        assert client.get(f"/log/{number}").status_code == (200 if action in sees else 404)


@pytest.mark.parametrize("address", ["/log", "/log/0", "/log/0/proof", "/log/checkpoint"])
def test_nobody_else_comes_in(client: FlaskClient, org: Organisation, address: str) -> None:
    assert client.get(address).status_code in (302, 401)
    for login in ("clerk", "admin"):
        org.enter(client, login)
        assert client.get(address).status_code == 403


def test_conditions_that_cannot_be_used_are_named_at_their_field(
    client: FlaskClient, org: Organisation
) -> None:
    org.enter(client, "overseer")
    answer = client.get("/log?person=nobody&since=gestern&log_class=login")
    assert answer.status_code == 422
    for field in ("person", "since", "log_class"):
        assert f'href="#field-{field}"' in answer.text
    assert 'value="nobody"' in answer.text


def test_the_empty_log_says_what_will_be_here(client: FlaskClient, org: Organisation) -> None:
    org.enter(client, "branchseer")
    page = get(client, "/log", "zh")
    assert "日志还是空的" in page


def test_refusals_are_found_by_result(client: FlaskClient, org: Organisation) -> None:
    with pytest.raises(Conflict):
        stamp(-1, by=org.actor("clerk"))
    sequence()
    org.enter(client, "overseer")
    page = get(client, "/log?result=refused")
    assert "No such seal; choose another" in page
    assert "1 match" in page


def test_long_results_are_paged_by_permanent_addresses(client: FlaskClient, org: Organisation) -> None:
    for number in range(55):
        stamp(number, by=org.actor("clerk"), file_name=f"file-{number:02}.pdf")
    sequence()
    org.enter(client, "overseer")
    first = get(client, "/log?log_class=sealing")
    assert "file-54.pdf" in first and "file-04.pdf" not in first
    before = min(row.number for row in audit.search(audit.Filter(classes=frozenset({"sealing"}))))
    assert f"before={before}" in first
    second = get(client, f"/log?log_class=sealing&before={before}")
    assert "file-04.pdf" in second and "file-54.pdf" not in second
