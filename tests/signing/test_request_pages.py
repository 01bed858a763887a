"""用印申请 in the browser (A22): asked for on a page, seen by who decides, found in the register; the decision for programs."""

import pytest

from app.actor import SYSTEM, Actor
from app.flows import commands as flows
from app.flows import queries as inbox
from app.signing import commands, requests
from tests.cards.makers import World
from tests.pdf.makers import small_pdf
from tests.signing.makers import Ritual, usable_seal
from tests.signing.test_pages import as_file, logged_in, post


@pytest.fixture
def clerk(world: World) -> Actor:
    flows.load_files(by=SYSTEM)
    return world.person("ban", "经办", world.finance, "applicant", unit=world.finance)


def form(seal_id: int, **changes: object) -> dict[str, object]:
    return {
        "document": as_file(small_pdf(), "标书.pdf"),
        "seal_ids": str(seal_id),
        "document_class": "other",
        "purpose": "投标",
        "presser": "self",
        "uses": "1",
        **changes,
    }


def test_asked_for_decided_on_pressed_and_registered(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    at = post(logged_in(world, clerk), "/uses/new", **form(seal_id)).headers["Location"]
    asked = logged_in(world, clerk).get(at).get_data(as_text=True)
    assert "标书.pdf" in asked and "投标" in asked and "待审批" in asked

    [task] = inbox.inbox(world.manager)
    seen = logged_in(world, world.manager).get(f"/inbox/{task.id}").get_data(as_text=True)
    assert "标书.pdf" in seen and "投标" in seen
    flows.complete(task.id, {"decision": "approve", "opinion": ""}, by=world.manager)
    row = requests.requests_of(clerk)[0].request
    place = logged_in(world, clerk).get(f"/sealing/new/{row.document_id}").get_data(as_text=True)
    assert "预算处" in place
    ritual = Ritual(
        world,
        commands.order(
            row.document_id, seal_id, page=1, x_pt=9.0, y_pt=9.0, station_id=world.station.id, by=clerk
        ),
    )
    ritual.report(ritual.signed(ritual.begin()))

    register = logged_in(world, world.manager).get("/uses?q=标书").get_data(as_text=True)
    assert "标书-已盖章.pdf" in register and "经办" in register and at in register
    assert "标书-已盖章" not in logged_in(world, world.manager).get("/uses?q=别的").get_data(as_text=True)
    assert "标书-已盖章" not in logged_in(world, world.stranger).get("/uses").get_data(as_text=True)


def test_a_request_without_what_it_needs_says_so_and_keeps_what_was_typed(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    told = post(logged_in(world, clerk), "/uses/new", **form(seal_id, purpose=" ", uses="3"))
    text = told.get_data(as_text=True)
    assert told.status_code == 422
    assert "请填写用印事由" in text and 'value="3"' in text and "checked" in text
    no_file = post(logged_in(world, clerk), "/uses/new", seal_ids=str(seal_id))
    assert no_file.status_code == 422 and "请选择一个 PDF 文件" in no_file.get_data(as_text=True)


def test_only_who_may_ask_gets_the_page(world: World) -> None:
    assert logged_in(world, world.operator).get("/uses/new").status_code == 403


def test_the_decision_explains_itself_to_programs(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    ask = f"/api/v1/seals/{seal_id}/may-use"
    may = logged_in(world, world.user).get(ask).get_json()
    assert (may["allowed"], may["code"]) == (True, "granted") and may["because"]["zh"].startswith("因为")
    may_not = logged_in(world, world.manager).get(ask).get_json()
    assert may_not["allowed"] is False and may_not["code"] == "not_authorized"


def test_limits_and_asking_first_are_set_on_the_seals_page(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    at = f"/seals/{seal_id}"
    client = logged_in(world, world.manager)
    said = {"user_id": str(clerk.id), "functions": "pdf", "uses_allowed": "0", "because": "代办"}
    refused = post(client, f"{at}/grants", at, **said)
    assert refused.status_code == 422 and "使用次数须在" in refused.get_data(as_text=True)
    given = post(client, f"{at}/grants", at, **{**said, "uses_allowed": "2", "document_classes": "contract"})
    assert given.status_code == 302
    text = client.get(at).get_data(as_text=True)
    assert "限 2 次，已用 0 次" in text and "只限合同协议" in text

    post(client, f"{at}/by-request", at, on="1")
    assert "每次用印须先提交用印申请" in client.get(at).get_data(as_text=True)
    ask = f"/api/v1/seals/{seal_id}/may-use"
    assert logged_in(world, world.user).get(ask).get_json()["code"] == "request_needed"
    not_theirs = logged_in(world, world.user)
    assert post(not_theirs, f"{at}/by-request", "/account", on="").status_code == 403
