"""Sealing and verifying in the browser: uploads, places, progress, downloads; verifying needs no login."""

import re
import secrets
from io import BytesIO
from pathlib import Path

import pytest
from flask import g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.actor import SYSTEM, Actor
from app.db import db
from app.flows import commands as flows
from app.people.guards import cookie_name
from app.people.models import LoginSession
from app.people.queries import token_hash
from app.signing import queries
from tests.cards.makers import World
from tests.pdf.makers import small_pdf
from tests.signing.makers import Ritual, ordered, sealed, usable_seal


def logged_in(world: World, actor: Actor) -> FlaskClient:
    """A browser in which this person is logged in."""
    for name in list(g):  # the test's own context outlives a request; what one noted must not reach the next
        g.pop(name)
    token = secrets.token_urlsafe(32)
    db.session.add(LoginSession(token_hash=token_hash(token), user_id=actor.id or 0))
    db.session.commit()
    client = world.app.test_client()
    client.set_cookie(cookie_name(), token)
    return client


def post(client: FlaskClient, address: str, shown_on: str | None = None, /, **fields: object) -> TestResponse:
    """Send a form as its page would, with the page's CSRF token."""
    text = client.get(shown_on or address).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found is not None
    return client.post(
        address, data={"csrf_token": found.group(1), **fields}, content_type="multipart/form-data"
    )


def as_file(pdf: bytes, name: str = "合同.pdf") -> tuple[BytesIO, str]:
    return BytesIO(pdf), name


def test_a_document_is_uploaded_placed_and_ordered(world: World) -> None:
    seal_id = usable_seal(world)
    client = logged_in(world, world.user)

    placed = post(client, "/sealing/new", document=as_file(small_pdf()))
    place = placed.headers["Location"]
    page = client.get(place).get_data(as_text=True)
    ordered_ = post(
        client, place, seal_id=seal_id, page=1, x_pt="300.5", y_pt="100", station_id=world.station.id
    )

    assert "<seal-placement" in page
    assert "[[595.0, 842.0]]" in page
    assert client.get(f"{place}/page/1.png").data[:4] == b"\x89PNG"
    assert client.get(f"/sealing/seals/{seal_id}.png").data[:4] == b"\x89PNG"
    assert ordered_.status_code == 303
    waiting = client.get(ordered_.headers["Location"]).get_data(as_text=True)
    assert "hx-trigger" in waiting
    assert "合同.pdf" in waiting


def test_one_form_is_enough_for_programs(world: World) -> None:
    seal_id = usable_seal(world)
    client = logged_in(world, world.user)
    token = re.search(r'value="([^"]+)"', client.get("/sealing/new").get_data(as_text=True))
    assert token is not None
    fields = {"seal_id": seal_id, "page": 1, "x_pt": 300, "y_pt": 100, "station_id": world.station.id}

    answer = client.post(
        "/sealing/new",
        data={"csrf_token": token.group(1), "document": as_file(small_pdf()), **fields},
        headers={"Accept": "application/json"},
    )

    assert answer.status_code == 201
    found = client.get(answer.json["address"], headers={"Accept": "application/json"}).json  # type: ignore[index]
    assert (found["state"], found["file_name"], found["sealed_pdf"]) == ("ordered", "合同.pdf", None)


def test_a_seal_across_the_edges_is_chosen_on_the_page(world: World) -> None:
    seal_id = usable_seal(world)
    client = logged_in(world, world.user)
    one = post(client, "/sealing/new", document=as_file(small_pdf())).headers["Location"]
    assert 'name="straddle"' not in client.get(one).get_data(as_text=True)
    place = post(client, "/sealing/new", document=as_file(small_pdf(pages=3))).headers["Location"]
    fields = {"seal_id": seal_id, "page": 1, "x_pt": 30, "y_pt": 100, "station_id": world.station.id}
    wrong = post(client, place, **fields, straddle="1", straddle_pt="800")
    assert wrong.status_code == 422 and 'id="error-straddle_pt"' in wrong.get_data(as_text=True)
    done = post(client, place, **fields, straddle="1", straddle_pt="300")
    assert "距下 300.0 磅" in client.get(done.headers["Location"]).get_data(as_text=True)


@pytest.mark.parametrize(("data", "told"), [(b"no pdf", "不是 PDF"), (small_pdf()[:-150], "已损坏")])
def test_a_bad_upload_is_told_at_the_field(world: World, data: bytes, told: str) -> None:
    usable_seal(world)
    client = logged_in(world, world.user)

    answer = post(client, "/sealing/new", document=as_file(data))

    assert answer.status_code == 422
    assert 'id="error-document"' in answer.get_data(as_text=True)
    assert told in answer.get_data(as_text=True)


def test_a_seal_outside_the_page_keeps_what_was_filled_in(world: World) -> None:
    seal_id = usable_seal(world)
    client = logged_in(world, world.user)
    place = post(client, "/sealing/new", document=as_file(small_pdf())).headers["Location"]

    answer = post(client, place, seal_id=seal_id, page=1, x_pt="590", y_pt="100", station_id=world.station.id)

    assert answer.status_code == 422
    assert 'value="590"' in answer.get_data(as_text=True)


def test_the_sealed_document_is_shown_and_downloaded(world: World) -> None:
    ritual = sealed(world)
    client = logged_in(world, world.user)

    page = client.get(f"/sealing/{ritual.fact.sealing_id}").get_data(as_text=True)
    address = re.search(r'href="(/documents/[^"]+)"', page)

    assert 'data-verdict="genuine"' in page
    assert address is not None
    answer = client.get(address.group(1))
    assert answer.data == ritual.document()
    assert answer.headers["Content-Type"] == "application/pdf"
    assert logged_in(world, world.stranger).get(address.group(1)).status_code == 404


def test_the_page_that_waits_is_told_to_look_again_when_it_ends(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    client = logged_in(world, world.user)
    address = f"/sealing/{ritual.fact.sealing_id}/progress"

    assert "HX-Refresh" not in client.get(address).headers
    ritual.run()

    assert client.get(address).headers["HX-Refresh"] == "true"


def test_a_seal_is_withdrawn_from_its_page(world: World) -> None:
    flows.load_files(by=SYSTEM)
    ritual = sealed(world)
    client = logged_in(world, world.user)
    page = f"/sealing/{ritual.fact.sealing_id}"

    answer = post(client, f"{page}/withdraw", page, reason="有误")

    assert answer.status_code == 303
    assert 'data-verdict="withdrawn"' in client.get(page).get_data(as_text=True)


def test_somebody_elses_sealing_does_not_exist(world: World) -> None:
    fact = ordered(world, usable_seal(world))

    answer = logged_in(world, world.stranger).get(f"/sealing/{fact.sealing_id}")

    assert answer.status_code == 404


def test_pages_of_sealing_ask_for_the_login(client: FlaskClient) -> None:
    assert client.get("/sealing").status_code == 302
    assert client.get("/documents/sha256:00.pdf").status_code == 302


# --- verifying ---


def verdict(answer: TestResponse) -> str:
    found = re.search(r'data-verdict="(\w+)"', answer.get_data(as_text=True))
    assert found is not None
    return found.group(1)


def test_anybody_may_verify(world: World) -> None:
    document = sealed(world).document()
    stranger = world.app.test_client()

    answer = post(stranger, "/verify", document=as_file(document))

    assert verdict(answer) == "genuine"
    text = answer.get_data(as_text=True)
    assert "真实有效" in text
    assert "data:image/png;base64," in text
    assert (
        verdict(post(stranger, "/verify", document=as_file(document.replace(b"1000", b"9000")))) == "altered"
    )


@pytest.mark.parametrize(
    ("data", "said"), [(small_pdf(), "unsigned"), (b"\0" * 40, "unreadable"), (b"%PDF-1.7", "unreadable")]
)
def test_any_file_gets_a_verdict(client: FlaskClient, data: bytes, said: str) -> None:
    assert verdict(post(client, "/verify", document=as_file(data))) == said


def test_the_verdict_is_told_in_english_too(client: FlaskClient) -> None:
    client.get("/language/en")

    answer = post(client, "/verify", document=as_file(small_pdf()))

    assert "Not sealed" in answer.get_data(as_text=True)


def test_programs_get_the_verdict_as_json(client: FlaskClient) -> None:
    text = client.get("/verify").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert token is not None

    answer = client.post(
        "/verify",
        data={"csrf_token": token.group(1), "document": as_file(small_pdf())},
        headers={"Accept": "application/json"},
    )

    assert (answer.json["verdict"], answer.json["format"]) == ("unsigned", "pdf")  # type: ignore[index]


def test_no_file_is_told_at_the_field(client: FlaskClient) -> None:
    answer = post(client, "/verify")

    assert answer.status_code == 422
    assert 'id="error-document"' in answer.get_data(as_text=True)


def test_programs_verify_without_login_or_token(world: World) -> None:
    """B13: as a form, as the body, and whatever the body is."""
    ritual = sealed(world)
    stranger = world.app.test_client()
    as_form = stranger.post("/api/v1/verify", data={"document": as_file(ritual.document())})
    as_body = stranger.post(
        "/api/v1/verify?name=a.pdf", data=ritual.document(), content_type="application/pdf"
    )
    for answer in (as_form, as_body):
        assert answer.status_code == 200
        told = answer.get_json()
        assert (told["schema"], told["verdict"]) == ("yinxu-verify/1", "genuine")
    for rubbish in (b"", b"\0" * 99, small_pdf()):
        told = stranger.post("/api/v1/verify", data=rubbish, content_type="application/octet-stream")
        assert told.status_code == 200 and told.get_json()["verdict"] in ("unreadable", "unsigned")
    nothing = stranger.post("/api/v1/verify", data={"x": "y"}, content_type="multipart/form-data")
    assert nothing.status_code == 422 and nothing.get_json()["error"]["code"] == "signing.no_file"


def test_the_verify_page_shows_what_was_changed(world: World) -> None:
    client = world.app.test_client()
    added = (Path(__file__).parents[2] / "docs/examples/verify/added-after.pdf").read_bytes()
    page = post(client, "/verify", document=as_file(added)).get_data(as_text=True)
    assert "盖章之后改动了什么" in page and page.count('class="leaf-seen"') == 2
    untouched = post(client, "/verify", document=as_file(sealed(world).document())).get_data(as_text=True)
    assert "盖章之后改动了什么" not in untouched


@pytest.mark.parametrize("verdict", ["genuine", "added-after", "unsigned"])
def test_whoever_verified_takes_a_signed_report_along(world: World, verdict: str) -> None:
    """B13: its numbers are those of the page, and it is signed by a certificate that is believed here."""
    client = world.app.test_client()
    document = (
        sealed(world).document()
        if verdict == "genuine"
        else (Path(__file__).parents[2] / f"docs/examples/verify/{verdict}.pdf").read_bytes()
    )
    page = post(client, "/verify", document=as_file(document)).get_data(as_text=True)
    found = re.search(r'name="found" value="([^"]+)"', page)
    assert found is not None
    paper = post(client, "/verify/report.pdf", "/verify", found=found.group(1))
    assert paper.status_code == 200 and paper.mimetype == "application/pdf"
    report = queries.report_on(paper.data)
    assert (report.verdict, len(report.signatures)) == ("genuine", 1), report.problems

    forged = post(client, "/verify/report.pdf", "/verify", found=found.group(1)[:-3] + "xyz")
    assert forged.status_code == 422 and "重新上传" in forged.get_data(as_text=True)
