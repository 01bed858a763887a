"""Many documents at once (A23): one seal, one place; what cannot be sealed is left out by name; how far it is."""

import io
import zipfile

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.seals import commands as seals
from app.signing import queries
from app.signing.models import Sealing
from tests.cards.makers import World
from tests.pdf.makers import small_pdf
from tests.seals.conftest import refused
from tests.seals.makers import ordered as making_ordered
from tests.signing.makers import Ritual, ordered, usable_seal
from tests.signing.test_pages import as_file, logged_in, post


def send(client: FlaskClient, world: World, seal_id: int, *files: tuple[io.BytesIO, str]) -> TestResponse:
    return post(
        client,
        "/sealing/batch",
        documents=list(files),
        seal_id=str(seal_id),
        station_id=str(world.station.id),
        document_class="other",
        page="last",
        right_mm="20",
        bottom_mm="50",
    )


def finish(world: World, row: Sealing) -> None:
    class Fact:
        job_id, seal_id, sealing_id = row.job_id, row.seal_id, row.id

    ritual = Ritual(world, Fact())  # type: ignore[arg-type]
    assert ritual.report(ritual.signed(ritual.begin())) == "done"


def test_a_batch_is_ordered_signed_and_taken_away_in_one_file(world: World) -> None:
    seal_id = usable_seal(world)
    client = logged_in(world, world.user)
    files = [as_file(small_pdf(pages=n % 3 + 1), f"合同{n}.pdf") for n in range(7)]

    at = send(client, world, seal_id, *files).headers["Location"]
    rows = queries.batch(at.rsplit("/", 1)[1], world.user)

    assert [(r.document.file_name, r.sealing.page) for r in rows] == [
        (f"合同{n}.pdf", n % 3 + 1) for n in range(7)
    ]
    assert "0 / 7 份已盖章" in client.get(at).get_data(as_text=True)
    for row in rows[:5]:
        finish(world, row.sealing)
    fragment = client.get(f"{at}/progress")
    assert "5 / 7 份已盖章" in fragment.get_data(as_text=True) and "HX-Refresh" not in fragment.headers
    for row in rows[5:]:
        finish(world, row.sealing)
    assert client.get(f"{at}/progress").headers["HX-Refresh"] == "true"
    with zipfile.ZipFile(io.BytesIO(client.get(f"{at}.zip").data)) as packed:
        assert packed.namelist() == [f"{n + 1:03} 合同{n}-已盖章.pdf" for n in range(7)]
        assert queries.report_on(packed.read(packed.namelist()[3])).verdict == "genuine"
    assert logged_in(world, world.stranger).get(at).status_code == 404


def test_what_cannot_be_sealed_is_named_and_the_others_go_on(world: World) -> None:
    seal_id = usable_seal(world)
    client = logged_in(world, world.user)
    told = send(client, world, seal_id, as_file(small_pdf(), "好.pdf"), as_file(b"no pdf", "坏.pdf"))
    text = told.get_data(as_text=True)
    assert told.status_code == 200 and "坏.pdf" in text and "0 / 1 份已盖章" in text
    none = send(client, world, seal_id, as_file(b"no pdf", "坏.pdf"))
    assert none.status_code == 422 and "坏.pdf" in none.get_data(as_text=True)
    empty = post(client, "/sealing/batch", seal_id=str(seal_id))
    assert empty.status_code == 422 and "请选择 1 到" in empty.get_data(as_text=True)


def test_a_seal_that_one_may_not_use_seals_no_batch(world: World) -> None:
    seal_id = usable_seal(world)
    seals.suspend(seal_id, "核查", by=world.office)
    said = {"seal_id": str(seal_id), "station_id": str(world.station.id), "right_mm": "9", "bottom_mm": "9"}
    told = post(
        logged_in(world, world.user), "/sealing/batch", "/account", documents=as_file(small_pdf()), **said
    )
    assert told.status_code == 422 and not queries.sealings_of(world.user)


def test_documents_wait_side_by_side_but_whatever_changes_a_card_waits_alone(world: World) -> None:
    seal_id = usable_seal(world)
    first = ordered(world, seal_id)
    with refused("signing.ordered_already"):
        from app.signing import commands

        row = queries.sealing(first.sealing_id, world.user)
        commands.order(
            row.document.id, seal_id, page=1, x_pt=9.0, y_pt=9.0, station_id=world.station.id, by=world.user
        )
    ordered(world, seal_id, document=small_pdf(pages=2))
    seals.cancel(seal_id, "换新", by=world.office)
    with refused("card.busy"):
        making_ordered(world)
