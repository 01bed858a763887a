"""What makes a demo worth looking at after its story: work under way, so that no page is empty.

Everything goes through the pages, as people do it; what is there already is left alone. Gives the addresses of
what a picture should show, so a demo that has served for a while can be photographed too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.demo import pdf
from app.demo.browser import Browser, Page
from app.demo.cast import SEAL_NAME
from app.demo.scan import handwriting, press, scan, square_seal
from app.demo.waiting import until

T = TypeVar("T")
PATIENCE_S = 60


class NotFurnished(RuntimeError):
    """The pages did not show what they should after the story."""


@dataclass(frozen=True)
class Site:
    """A demo that serves. `agent_address`: of the station's own page, empty when it is not to be photographed."""

    address: str
    agent_address: str
    passwords: dict[str, str] = field(repr=False)


@dataclass
class Furnished:
    """`paths`: where each thing stands, by name. `papers`: files to be verified, by what they are."""

    paths: dict[str, str] = field(default_factory=dict[str, str])
    papers: dict[str, Path] = field(default_factory=dict[str, Path])
    scan: bytes = b""


class Hands:
    """The people of the demo, each with a browser of their own, opened when first needed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.browsers: dict[str, Browser] = {}

    def __getitem__(self, login: str) -> Browser:
        if login not in self.browsers:
            browser = Browser(self.site.address)
            page = browser.get("/login")
            browser.submit(page, "/login", {"login": login, "password": self.site.passwords[login]})
            self.browsers[login] = browser
        return self.browsers[login]


def furnish(site: Site, folder: Path) -> Furnished:
    """`folder`: for the papers. Only a demo is furnished: real work would be mixed with what is made up here."""
    found, people = Furnished(scan=scan(SEAL_NAME, "合同专用章", angle_deg=6.5, seed=11)), Hands(site)
    _work_under_way(found, people)
    _what_the_story_left(found, people)
    _documents(found, people, folder)
    _use_asked_for(found, people)
    _export(found, people["wangmin"])
    _draft(found, people["fengyuan"])
    return found


def _work_under_way(found: Furnished, people: Hands) -> None:
    """One application of each kind: a seal to be decided, a name seal sent back, a signature on its way to a card."""
    lihang, wangmin = people["lihang"], people["wangmin"]
    if _task(wangmin, "review") is None:
        _apply(lihang, "official", _renewal(lihang), found.scan, "scan.jpg")
    if _task(lihang, "correct") is None:
        picture = press(square_seal("李航之印"), width_mm=20, angle_deg=-4, seed=5)
        sent = _apply(
            lihang, "personal_name", {"size": "square-20", "reason": "审批文件用名章。"}, picture, "name.jpg"
        )
        _decide(wangmin, sent, "send_back", "印文第二字不清，请重新盖章扫描后提交。")
    if _task(people["liuke"], "assign_card") is None:
        sent = _apply(
            lihang,
            "personal_signature",
            {"size": "signature-40x15", "reason": "电子合同签字。"},
            handwriting(),
            "signature.png",
        )
        _decide(wangmin, sent, "approve", "")
    for name, login, node in (
        ("decide", "wangmin", "review"),
        ("correct", "lihang", "correct"),
        ("assign", "liuke", "assign_card"),
    ):
        row = _until(f"a task {node}", lambda login=login, node=node: _task(people[login], node))
        found.paths[name] = f"/inbox/{row['id']}"
        found.paths[f"{name}-application"] = "/applications/" + row["business_key"].split("/")[1]
        found.paths[f"{name}-flow"] = f"/inbox/flow/{row['instance_id']}"


def _renewal(lihang: Browser) -> dict[str, str]:
    """A seal of the same owner, kind and name as the story's: the decider is told what it would displace."""
    page = lihang.get("/applications/new/official")
    units = page.form("/applications/new/official").inputs["owner_unit_id"].value_options
    return {
        "owner_unit_id": next(u for u in units if u),
        "seal_name": SEAL_NAME,
        "seal_type": "contract",
        "keeping": "unit",
        "handler": "李航",
        "reason": "原合同专用章磨损，换刻后与实物章保持一致；本季度预计签署供应商框架合同 40 余份。",
        "size": "round-42",
    }


def _apply(browser: Browser, kind: str, values: dict[str, str], picture: bytes, name: str) -> str:
    """Submit it; gives the business key of the application."""
    address = f"/applications/new/{kind}"
    mime = "image/png" if name.endswith("png") else "image/jpeg"
    page = browser.get(address)
    done = browser.submit(page, address, values, files={"scan": (name, picture, mime)})
    return done.path.strip("/").replace("applications", "application", 1)


def _decide(browser: Browser, business_key: str, decision: str, opinion: str) -> None:
    def open_task() -> Page | None:
        row = _task(browser, "review", business_key)
        return browser.get(f"/inbox/{row['id']}") if row else None

    task = _until(f"the review of {business_key}", open_task)
    if any(form.action and form.action.endswith("/claim") for form in task.tree.forms):
        browser.submit(task, "/claim", {})
        task = browser.get(task.path)
    browser.submit(task, "/complete", {"opinion": opinion}, button=("decision", decision))


def _task(browser: Browser, node: str, business_key: str = "") -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = browser.json("/inbox")["tasks"]
    return next(
        (r for r in rows if r["node"] == node and (not business_key or r["business_key"] == business_key)),
        None,
    )


def _what_the_story_left(found: Furnished, people: Hands) -> None:
    wangmin = people["wangmin"]
    seals = [s for s in wangmin.json("/seals")["seals"] if s["name"] == SEAL_NAME]
    found.paths["seal"] = f"/seals/{seals[0]['seal_id']}"
    found.paths["card"] = f"/cards/{seals[0]['card_serial']}"
    impressions = wangmin.json("/impressions")["impressions"]
    of_seal = next(i for i in impressions if i["name"] == SEAL_NAME)
    found.paths["impression"] = f"/impressions/{of_seal['impression_id']}"
    found.paths["application"] = "/applications/1"
    found.paths["station"] = people["liuke"].get("/stations").links("/stations/")[0]
    people["lihang"].client.get("/people")  # refused, and kept in the log
    for name, query in (("log-entry", "log_class=sealing"), ("log-refused", "result=refused")):
        found.paths[name] = _until(
            f"a log entry of {query}", lambda query=query: _entry(people["heqing"], query)
        )


def _entry(heqing: Browser, query: str) -> str | None:
    """The oldest entry on the page that this search shows: entries stand there once they have their place."""
    links = heqing.get(f"/log?{query}").links("/log/")
    return next((link for link in reversed(links) if link.rsplit("/", 1)[1].isdigit()), None)


def _documents(found: Furnished, people: Hands, folder: Path) -> None:
    """A document to be placed, one that waits for its card, and the story's, also altered and unsigned."""
    zhouning = people["zhouning"]
    sealings: list[dict[str, Any]] = zhouning.json("/sealing")["sealings"]
    sealed = next(s for s in sealings if s["sealed_pdf"])
    found.paths["sealing-done"] = f"/sealing/{sealed['sealing_id']}"
    contract = ("采购订单 2026-118.pdf", pdf.contract(), "application/pdf")
    placed = zhouning.submit(zhouning.get("/sealing/new"), "/sealing/new", {}, files={"document": contract})
    found.paths["place"] = placed.path
    waiting = next((s for s in sealings if s["state"] in ("ordered", "prepared")), None)
    if waiting:
        found.paths["sealing-open"] = f"/sealing/{waiting['sealing_id']}"
    else:
        found.paths["sealing-open"] = zhouning.submit(placed, placed.path, {}).path
    found.paths["batch"] = _batch(zhouning, sealings)
    data = zhouning.client.get(sealed["sealed_pdf"]).content
    at = data.index(b"stream") + 20
    altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    papers = {"genuine": data, "altered": altered, "unsigned": pdf.contract(), "unreadable": bytes(4096)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in papers.items():
        found.papers[name] = folder / f"{name}.pdf"
        found.papers[name].write_bytes(content)


def _batch(zhouning: Browser, sealings: list[dict[str, Any]]) -> str:
    """Two orders that wait for the card together; its address."""
    page = zhouning.get("/sealing/batch")
    form = page.form("/sealing/batch")
    offers = [
        ("documents", (f"采购订单 2026-{n}.pdf", pdf.contract(), "application/pdf")) for n in (131, 132)
    ]
    said = {**form.fields, "page": "last"}
    answer = zhouning.client.post("/sealing/batch", data=said, files=offers)
    return answer.url.path


def _use_asked_for(found: Furnished, people: Hands) -> None:
    """A document handed in for the story's seal, which waits for the seal manager's word."""
    lihang, wangmin = people["lihang"], people["wangmin"]

    def waiting() -> dict[str, Any] | None:
        rows: list[dict[str, Any]] = wangmin.json("/inbox")["tasks"]
        return next((r for r in rows if r["business_key"].startswith("use_request/")), None)

    if waiting() is None:
        page = lihang.get("/uses/new")
        offer = ("供货合同 2026-121.pdf", pdf.contract(), "application/pdf")
        said = {
            "purpose": "与供应商签订年度供货合同，一式一份。",
            "document_class": "contract",
            "presser": "keeper",
            "uses": "1",
            "seal_ids": found.paths["seal"].rsplit("/", 1)[1],
        }
        lihang.submit(page, "/uses/new", said, files={"document": offer})
    row = _until("the use asked for", waiting)
    found.paths["use-task"] = f"/inbox/{row['id']}"
    found.paths["use"] = "/uses/" + row["business_key"].split("/")[1]


def _export(found: Furnished, wangmin: Browser) -> None:
    page = wangmin.get("/reports")
    form = next(f for f in page.tree.forms if (f.action or "").startswith("/reports/"))
    done = wangmin.submit(page, form.action, {})
    found.paths["export"] = done.path
    _until("the export", lambda: wangmin.json(done.path)["state"] != "waiting")


def _draft(found: Furnished, fengyuan: Browser) -> None:
    """A draft of the approval: three working days for the office instead of two days."""
    flow = "/studio/flows/seal_approval"
    page = fengyuan.get(flow)
    begun = page.links("/studio/drafts/")
    draft = begun[0] if begun else fengyuan.submit(page, "/drafts", {}).path
    model = fengyuan.json(f"{draft}/model")
    changed = {"revision": model["revision"], "bpmn": model["bpmn"].replace('value="P2D"', 'value="P3WD"', 1)}
    token = page.form("/drafts").fields["csrf_token"]
    fengyuan.client.put(f"{draft}/model", json=changed, headers={"X-CSRFToken": token}).raise_for_status()
    found.paths["draft"], found.paths["gate"] = draft, f"{draft}/publish"


def _until(what: str, find: Callable[[], T | None]) -> T:
    return until(what, find, seconds=PATIENCE_S, broken=NotFurnished)
