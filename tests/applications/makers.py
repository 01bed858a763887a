"""Applicants, the seal office, and applications as their forms send them."""

import io
from functools import lru_cache
from typing import Any

from PIL import Image
from werkzeug.test import TestResponse

from app.actor import Actor
from app.applications import commands
from app.applications.facts import ApplicationSubmitted
from app.demo.scan import clean_seal, press
from app.flows import commands as flows
from app.flows import queries as tasks
from app.people.rules import credit_check_character
from tests.impressions.makers import Bureau

CODE_BODY = "91110108MA00DEMA0"
CREDIT_CODE = CODE_BODY + credit_check_character(CODE_BODY)


@lru_cache
def scan() -> bytes:
    """Small, to be quick: a seal of 42 mm at 100 dpi."""
    return press(clean_seal("预算处合同专用章"), width_mm=42, dpi=100, print_lines=False, angle_deg=3)


@lru_cache
def blank() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (250, 248, 240)).save(out, "PNG")
    return out.getvalue()


class Desk(Bureau):
    """`clerk` may apply for `finance`; `office` and `head` decide for all units."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.head = self.person("周负责", self.top, "seal_office_head")

    def form(self, **changes: str) -> dict[str, str]:
        """The form of an official seal, complete."""
        return {
            "owner_unit_id": str(self.finance),
            "seal_name": "预算处合同专用章",
            "seal_type": "contract",
            "credit_code": "",
            "keeping": "unit",
            "handler": "钱某",
            "reason": "原章磨损，换刻",
            "size": "round-42",
            **changes,
        }

    def upload(self, data: bytes | None = None, *, by: Actor | None = None) -> str:
        return commands.upload_scan(data or scan(), "scan.jpg", by=by or self.clerk).reference

    def apply(
        self, *, by: Actor | None = None, kind: str = "official", **changes: str
    ) -> ApplicationSubmitted:
        who = by or self.clerk
        return commands.submit(
            kind, self.form(**changes), scan=self.upload(by=who), scan_name="scan.jpg", by=who
        )

    def decide(self, by: Actor, node: str = "review", **said: str) -> Any:
        """Do the one open task of that name in this person's inbox."""
        row = next(row for row in tasks.inbox(by) if row.node == node)
        return flows.complete(row.id, said, by=by)

    def send_back(self, reason: str = "名称须与印文一致") -> None:
        self.decide(self.office, decision="send_back", opinion=reason)

    def post(self, who: Actor, path: str, data: bytes | None = None, **said: str) -> TestResponse:
        """Send a form as a browser does, with a scan when one is given."""
        form: dict[str, object] = dict(said)
        if data is not None:
            form["scan"] = (io.BytesIO(data), "扫描.jpg")
        return self.browser(who).post(path, data=form, content_type="multipart/form-data")
