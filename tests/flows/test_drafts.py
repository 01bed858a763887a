"""Nothing that somebody has typed or chosen is ever lost, and nobody else sees it (complaint 5)."""

import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app import store
from app.clock import now
from app.db import db
from app.flows import drafts, file_kinds, jobs, queries, uploads
from app.flows.drafts import Window
from app.flows.facts import FormFilesCleared
from app.flows.models import FlowDefinition
from app.people.queries import actor_of
from app.refusal import Invalid, NotFound
from tests.flows.test_views import apply, logged_in, people, settings  # noqa: F401
from tests.people.makers import Town as People

PDF = b"%PDF-1.7\nletter"
OPINIONS = {
    "title": {"zh": "审核", "en": "Review"},
    "fields": [
        {"name": "decision", "type": "choice", "label": {"zh": "结论", "en": "Decision"}, "required": True, "choices": [{"value": "approve", "label": {"zh": "同意", "en": "Approve"}, "tone": "primary"}]},
        {"name": "opinion", "type": "textarea", "label": {"zh": "审批意见", "en": "Opinion"}, "required": False},
        {"name": "amount", "type": "money", "label": {"zh": "金额", "en": "Amount"}, "required": True},
        {"name": "letter", "type": "file", "label": {"zh": "附件", "en": "File"}, "required": True},
    ],
}  # fmt: skip


@pytest.fixture
def task(app: Flask, people: People) -> int:  # noqa: F811
    """An open review, whose form asks for words, an amount and a file."""
    apply(people)
    office = actor_of(people.people["office"])
    task = queries.inbox(office)[0]
    for definition in db.session.query(FlowDefinition):
        if "review" in definition.forms:
            definition.forms = {**definition.forms, "review": OPINIONS}
    db.session.commit()
    for known in ("flow_forms", "flow_definitions"):
        app.extensions.pop(known, None)
    return task.id


def window(page: str) -> str:
    return page.split('name="draft_window" value="')[1].split('"', maxsplit=1)[0]


def test_the_newer_of_two_windows_wins_and_is_told() -> None:
    assert drafts.window_of("3-0123456789ab") == Window(3, "0123456789ab")
    assert drafts.window_of("'; drop") == drafts.window_of(None) == Window(0, "")


def test_what_was_filled_in_comes_back_until_it_is_sent(app: Flask, people: People, task: int) -> None:  # noqa: F811
    browser = logged_in(app, "office")
    page, other = browser.get(f"/inbox/{task}").text, browser.get(f"/inbox/{task}").text
    said: dict[str, Any] = {
        "opinion": "写到一半",
        "amount": "一百",
        "forged": "x",
        "draft_window": window(page),
    }

    assert "草稿已保存" in browser.post(f"/inbox/{task}/draft", said).text
    again = browser.post(f"/inbox/{task}/draft", said).text
    second = browser.post(
        f"/inbox/{task}/draft", {**said, "opinion": "另一处", "draft_window": window(other)}
    ).text
    third = browser.post(f"/inbox/{task}/draft", {**said, "opinion": "回到这里"}).text

    assert "另一个窗口" not in again
    assert "另一个窗口" in second and "另一个窗口" in third
    browser.post("/logout", {})
    back = logged_in(app, "office").get(f"/inbox/{task}").text
    assert "已恢复" in back and "回到这里" in back and 'value="一百"' in back
    kept = drafts.of(f"task-{task}", actor_of(people.people["office"]))
    assert kept is not None and set(kept.values) == {"opinion", "amount"}
    assert drafts.of(f"task-{task}", actor_of(people.people["clerk"])) is None


def test_a_refused_form_loses_neither_words_nor_files(app: Flask, people: People, task: int) -> None:  # noqa: F811
    browser = logged_in(app, "office")
    page = browser.get(f"/inbox/{task}").text
    form: dict[str, Any] = {
        "decision": "approve",
        "opinion": "附上合同",
        "amount": "1.234",
        "draft_window": window(page),
    }

    refused = browser.post(
        f"/inbox/{task}/complete", {**form, "letter__file": (io.BytesIO(PDF), "授权书.pdf")}
    )

    assert refused.status_code == 422
    assert "最多两位小数" in refused.text and "附上合同" in refused.text and 'value="1.234"' in refused.text
    assert "授权书.pdf" in refused.text and "请填写附件" not in refused.text
    handle = refused.text.split('name="letter" value="')[1].split('"')[0]
    browser.post(f"/inbox/{task}/draft", {**form, "letter": handle})

    done = browser.post(f"/inbox/{task}/complete", {**form, "amount": "1234.50", "letter": handle})

    assert done.status_code == 302
    office = actor_of(people.people["office"])
    assert drafts.of(f"task-{task}", office) is None
    assert browser.get(f"/inbox/files/{handle}").data == PDF
    with pytest.raises(Invalid):  # it belongs to that flow now
        uploads.send(b"", "x.pdf", field="letter", by=office)
    assert uploads.known([handle], office) == {}


def test_a_file_is_its_senders_until_the_form_is_sent(app: Flask, people: People, task: int) -> None:  # noqa: F811
    office, clerk = (actor_of(people.people[name]) for name in ("office", "clerk"))
    browser = logged_in(app, "office")
    browser.get(f"/inbox/{task}")

    kept = browser.post(f"/inbox/{task}/files/letter", {"letter__file": (io.BytesIO(PDF), "../../信.pdf")})
    bad = browser.post(f"/inbox/{task}/files/letter", {"letter__file": (io.BytesIO(b"<html>"), "x.pdf")})

    assert kept.status_code == 200 and "信.pdf" in kept.text and ".." not in kept.text
    assert bad.status_code == 422 and "扩展名不符" in bad.text
    handle = kept.text.split('name="letter" value="')[1].split('"')[0]
    assert handle in browser.get(f"/inbox/{task}").text  # part of the draft at once
    assert uploads.known([handle], clerk) == {} and list(uploads.known([handle], office)) == [handle]
    with pytest.raises(NotFound):
        uploads.view(handle, by=clerk)
    assert browser.post(f"/inbox/{task}/files/opinion", {}).status_code == 404
    stranger = logged_in(app, "nobody")
    stranger.get("/account")
    assert stranger.post(f"/inbox/{task}/draft", {"opinion": "x"}).status_code == 403


def test_files_of_forms_that_were_never_sent_are_cleared_in_time(
    app: Flask,
    people: People,  # noqa: F811
    task: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = actor_of(people.people["office"])
    lost, drafted, handed = (
        uploads.send(PDF, f"{n}.pdf", field="letter", by=office).handle for n in range(3)
    )
    sealed = uploads._row(lost).envelope  # pyright: ignore[reportPrivateUsage]
    uploads.hand_in({handed: {}}, queries.instance_of_task(task))
    db.session.commit()
    assert uploads.orphans() == []  # as yet they may be wanted

    monkeypatch.setattr(uploads, "now", lambda: now() + timedelta(days=31))
    monkeypatch.setattr(drafts, "now", lambda: now() + timedelta(days=2))
    drafts.keep(f"task-{task}", {"letter": drafted}, window=Window(0, ""), by=office)
    told: list[FormFilesCleared] = []
    clear = uploads.clear
    monkeypatch.setattr(uploads, "clear", lambda ids, *, by: told.append(clear(ids, by=by)))
    app.extensions.pop("flows_tidied", None)
    jobs.sweep()

    assert not store.has(sealed) and uploads.known([lost, drafted], office).keys() == {drafted}
    assert uploads.opened(handed)[0] == uploads.opened(drafted)[0] == PDF
    assert [fact.handles for fact in told] == [[lost]]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.pdf"),
        (PDF, "a.exe"),
        (PDF, "a.png"),
        (b"<svg/>", "a.svg"),
        (b"PK\x03\x04", "a.docm"),
        (PDF, "pdf"),
    ],
)
def test_what_a_file_claims_to_be_it_is(data: bytes, name: str) -> None:
    if name == "pdf":
        assert file_kinds.type_of(data, name, field="f") == "application/pdf"
        return
    with pytest.raises(Invalid) as refused:
        file_kinds.type_of(data, name, field="f")
    assert refused.value.fields["f"].zh
