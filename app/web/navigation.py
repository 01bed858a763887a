"""The links on the left: which pages there are, for which roles. One list, so that no page is forgotten."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for

from app.actor import Actor
from app.text import Text


@dataclass(frozen=True)
class Link:
    """`roles`: who sees it; empty means everybody who is logged in. `icon`: a character in the seal script's place."""

    endpoint: str
    text: Text
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Section:
    text: Text
    links: tuple[Link, ...]


def _roles(*names: str) -> frozenset[str]:
    return frozenset(names)


SECTIONS = (
    Section(
        Text("办理", "Work"),
        (
            Link("flows.inbox", Text("待我办理", "Inbox")),
            Link("flows.hands.away", Text("代理", "While I am away")),
            Link("applications.index", Text("我的申请", "My applications"), _roles("applicant")),
        ),
    ),
    Section(
        Text("印章", "Seals"),
        (
            Link(
                "signing.index",
                Text("用印", "Use a seal"),
                _roles("seal_user", "applicant", "seal_manager", "unit_head"),
            ),
            Link(
                "signing.uses.register",
                Text("用印登记", "Register of uses"),
                _roles("seal_office", "seal_office_head", "seal_manager", "unit_head", "overseer"),
            ),
            Link(
                "seals.ledger",
                Text("印章台帐", "Seal ledger"),
                _roles(
                    "seal_office",
                    "seal_office_head",
                    "seal_manager",
                    "overseer",
                    "seal_user",
                    "applicant",
                    "station_operator",
                ),
            ),
            Link(
                "impressions.library",
                Text("印模库", "Impressions"),
                _roles("seal_office", "seal_office_head", "seal_manager", "overseer"),
            ),
            Link(
                "cards.stations",
                Text("制章工位", "Stations"),
                _roles("station_operator", "seal_manager", "system_administrator"),
            ),
            Link("cards.cards", Text("印章卡", "Cards"), _roles("station_operator", "seal_manager")),
            Link("signing.verify", Text("验章", "Verify")),
        ),
    ),
    Section(
        Text("管理", "Manage"),
        (
            Link(
                "people.index",
                Text("人员与角色", "People and roles"),
                _roles("system_administrator", "security_officer"),
            ),
            Link(
                "people.units.index",
                Text("单位", "Units"),
                _roles("system_administrator", "security_officer"),
            ),
            Link("studio.index", Text("流程设计", "Flow studio"), _roles("process_owner")),
            Link(
                "flows.steering.incidents",
                Text("受阻流程", "Stopped flows"),
                _roles("process_owner", "system_administrator"),
            ),
            Link("notices.ways", Text("通知发送", "Sending of notices"), _roles("system_administrator")),
            Link(
                "flows.hands.calendar",
                Text("工作日历", "Working calendar"),
                _roles("system_administrator"),
            ),
            Link(
                "oversight.index",
                Text("审计日志", "Audit log"),
                _roles("overseer", "security_officer", "security_auditor"),
            ),
            Link(
                "reports.index",
                Text("统计报表", "Reports"),
                _roles("seal_office", "seal_office_head", "seal_manager", "overseer"),
            ),
        ),
    ),
)


def sections_for(actor: Actor | None) -> list[tuple[Text, list[tuple[Text, str, bool]]]]:
    """What this person may see: for each section its links as (text, address, is this the present page)."""
    if actor is None:
        return []
    there = {
        link.endpoint: url_for(link.endpoint)
        for section in SECTIONS
        for link in section.links
        if link.endpoint in current_app.view_functions
    }
    here = _here(there)
    found: list[tuple[Text, list[tuple[Text, str, bool]]]] = []
    for section in SECTIONS:
        links = [
            (link.text, there[link.endpoint], link.endpoint == here)
            for link in section.links
            if (not link.roles or actor.roles & link.roles) and link.endpoint in there
        ]
        if links:
            found.append((section.text, links))
    return found


def _here(there: dict[str, str]) -> str | None:
    """The link of this page, of what lies above its address, or else of its blueprint: the first such."""
    above = [e for e, address in there.items() if f"{request.path}/".startswith(f"{address.rstrip('/')}/")]
    if above:
        return max(above, key=lambda endpoint: len(there[endpoint]))
    return next((e for e in there if e.split(".")[0] == request.blueprint), None)


def init_app(app: Flask) -> None:
    def offer() -> dict[str, Any]:
        return {"sections_for": sections_for}

    app.context_processor(offer)
