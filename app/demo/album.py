"""Every page that is photographed: whose it is, where it stands, what is done before the picture."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from app.demo.furnish import Furnished

Act = Callable[[Page], object]


@dataclass(frozen=True)
class Shot:
    """`login`: whose page it is, empty for a stranger. `status`: what the page must answer at last. `dark`: also in
    the dark. `act`: what is done on the page before the picture. `sizes`: all when empty."""

    name: str
    path: str
    login: str = ""
    status: int = 200
    dark: bool = False
    act: Act | None = None
    sizes: tuple[str, ...] = ()


def album(found: Furnished, agent_address: str) -> list[Shot]:
    """In the order of a seal's life."""
    shots = [
        *_doors(),
        *_inbox(found.paths),
        *_applications(found),
        *_library(found.paths),
        *_stations(found.paths),
        *_ledger(found.paths),
        *_sealing(found.paths),
        *_verifying(found),
        *_oversight(found.paths),
        *_studio(found.paths),
    ]
    if agent_address:
        shots.append(Shot("station-own-page", agent_address + "/", dark=True, act=_station_ready))
    return shots


def _doors() -> list[Shot]:
    return [
        Shot("login", "/login", dark=True),
        Shot("login-card", "/login/card", dark=True),
        Shot("login-card-none", "/login/card", status=409, act=_name_somebody),
        Shot("login-failed", "/login", status=401, act=_fail_to_log_in),
        Shot("no-such-page", "/nowhere", status=404),
        Shot("no-such-page-inside", "/nowhere", "lihang", status=404),
        Shot("refused", "/people", "lihang", status=403),
        Shot("account", "/account", "wangmin"),
        Shot("account-second-factor", "/account", "zhouning", act=_set_up_second_factor),
        Shot("notices", "/notices", "wangmin", dark=True),
        Shot("notice-settings", "/notices/settings", "wangmin"),
        Shot("notice-sending", "/notices/ways", "sysadmin"),
        Shot("people-administrator", "/people", "sysadmin"),
        Shot("units", "/units", "sysadmin", dark=True),
        Shot("unit", "/units/1/change", "sysadmin"),
        Shot("unit-faults", "/units/1/change", "sysadmin", status=422, act=_close_without_reason),
        Shot("flows-stopped", "/flows/incidents", "sysadmin"),
        Shot("people", "/people", "secofficer", dark=True),
        Shot("menu", "/seals", "wangmin", dark=True, act=_open_menu, sizes=("phone",)),
    ]


def _inbox(p: dict[str, str]) -> list[Shot]:
    return [
        Shot("inbox", "/inbox", "wangmin", dark=True),
        Shot("inbox-empty", "/inbox", "zhouning"),
        Shot("inbox-started", "/inbox/started", "lihang"),
        Shot("inbox-started-empty", "/inbox/started", "zhouning"),
        Shot("inbox-done", "/inbox/done", "wangmin"),
        Shot("inbox-copied", "/inbox/copied", "wangmin"),
        Shot("inbox-batch", p["decide"].replace("/inbox/", "/inbox/batch?task="), "wangmin", status=422),
        Shot("away", "/away", "wangmin", dark=True),
        Shot("calendar", "/calendar", "sysadmin", dark=True),
        Shot("task-decide", p["decide"], "wangmin", dark=True),
        Shot("task-decide-refused", p["decide"], "wangmin", status=422, act=_send_back_without_reason),
        Shot("task-correct", p["correct"], "lihang"),
        Shot("task-assign-card", p["assign"], "liuke"),
        Shot("flow", p["assign-flow"], "lihang"),
    ]


def _applications(found: Furnished) -> list[Shot]:
    p = found.paths
    new = "/applications/new"
    return [
        Shot("applications", "/applications", "lihang"),
        Shot("application-choose", new, "lihang"),
        Shot("application-official", f"{new}/official", "lihang", dark=True, act=_loaded),
        Shot("application-name", f"{new}/personal_name", "lihang", act=_loaded),
        Shot("application-signature", f"{new}/personal_signature", "lihang", act=_loaded),
        Shot("application-faults", f"{new}/personal_name", "lihang", status=422, act=_submit_empty),
        Shot("application-preview", f"{new}/official", "lihang", dark=True, act=_preview(found.scan)),
        Shot("application-correct", f"{p['correct-application']}/correct", "lihang", act=_loaded),
        Shot("application", p["application"], "lihang"),
        Shot("application-sent-back", p["correct-application"], "lihang"),
    ]


def _library(p: dict[str, str]) -> list[Shot]:
    return [
        Shot("impressions", "/impressions", "wangmin", dark=True),
        Shot("impressions-none", "/impressions?q=none", "wangmin"),
        Shot("impression", p["impression"], "wangmin"),
        Shot("impression-suspend", p["impression"], "wangmin", act=_open_dialog("suspend")),
    ]


def _stations(p: dict[str, str]) -> list[Shot]:
    return [
        Shot("stations", "/stations", "liuke"),
        Shot("stations-administrator", "/stations", "sysadmin"),
        Shot("station", p["station"], "liuke", dark=True),
        Shot("cards", "/cards", "liuke"),
        Shot("card", p["card"], "liuke"),
        Shot("card-destruction", p["card"] + "/destruction", "wangmin"),
        Shot("card-new", "/cards/new", "liuke"),
        Shot("card-new-faults", "/cards/new", "liuke", status=422, act=_submit_empty),
    ]


def _ledger(p: dict[str, str]) -> list[Shot]:
    return [
        Shot("ledger", "/seals", "wangmin", dark=True),
        Shot("ledger-none", "/seals?q=none", "wangmin"),
        Shot("seal", p["seal"], "wangmin", dark=True),
        Shot("seal-of-user", p["seal"], "zhouning"),
    ]


def _sealing(p: dict[str, str]) -> list[Shot]:
    return [
        Shot("sealing", "/sealing", "zhouning"),
        Shot("sealing-none", "/sealing", "lihang"),
        Shot("sealing-new", "/sealing/new", "zhouning"),
        Shot("sealing-place", p["place"], "zhouning", dark=True, act=_placed),
        Shot("sealing-waiting", p["sealing-open"], "zhouning"),
        Shot("sealing-done", p["sealing-done"], "zhouning"),
        Shot("batch-new", "/sealing/batch", "zhouning"),
        Shot("batch", p["batch"], "zhouning", dark=True),
        Shot("use-ask", "/uses/new", "lihang", dark=True),
        Shot("use-ask-faults", "/uses/new", "lihang", status=422, act=_hand_in_without_purpose),
        Shot("use-asked", p["use"], "lihang"),
        Shot("use-decide", p["use-task"], "wangmin", dark=True),
        Shot("uses", "/uses", "wangmin", dark=True),
        Shot("uses-none", "/uses?q=none", "wangmin"),
    ]


def _verifying(found: Furnished) -> list[Shot]:
    def verify(name: str) -> Act:
        def act(page: Page) -> None:
            page.set_input_files("input[name=document]", found.papers[name])
            _send(page, "form[action='/verify'] button")

        return act

    return [
        Shot("verify", "/verify", dark=True),
        Shot("verify-genuine", "/verify", dark=True, act=verify("genuine")),
        Shot("verify-altered", "/verify", act=verify("altered")),
        Shot("verify-unsigned", "/verify", act=verify("unsigned")),
        Shot("verify-unreadable", "/verify", act=verify("unreadable")),
        Shot("verify-as-user", "/verify", "zhouning"),
    ]


def _oversight(p: dict[str, str]) -> list[Shot]:
    return [
        Shot("log", "/log", "heqing", dark=True),
        Shot("log-none", "/log?file_name=none.pdf", "heqing"),
        Shot("log-entry", p["log-entry"], "heqing"),
        Shot("log-refused", p["log-refused"], "heqing"),
        Shot("log-of-officer", "/log", "secofficer"),
        Shot("reports", "/reports", "wangmin"),
        Shot("report-ready", p["export"], "wangmin"),
    ]


def _studio(p: dict[str, str]) -> list[Shot]:
    flow = "/studio/flows/seal_approval"
    return [
        Shot("studio", "/studio/", "fengyuan", dark=True),
        Shot("studio-flow", flow, "fengyuan", dark=True),
        Shot("studio-running", f"{flow}/running?version=1", "fengyuan", dark=True),
        Shot("studio-version", f"{flow}/1", "fengyuan"),
        Shot("studio-compare", f"{flow}/compare?from=1&to=1", "fengyuan"),
        Shot("studio-editor", p["gate"].replace("/publish", ""), "fengyuan", dark=True),
        Shot("studio-steps", p["gate"].replace("/publish", "/steps?step=review"), "fengyuan", dark=True),
        Shot("studio-table", p["gate"].replace("/publish", "/tables/routing.dmn"), "fengyuan", dark=True),
        Shot("studio-gate", p["gate"], "fengyuan", dark=True),
        Shot("studio-import", "/studio/import", "fengyuan"),
    ]


# --- what is done before a picture ---


def _send(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.click(button)


def _fail_to_log_in(page: Page) -> None:
    page.fill("[name=login]", "nobody")
    page.fill("[name=password]", "not the password")
    _send(page, "form[action='/login'] button")


def _name_somebody(page: Page) -> None:
    page.fill("[name=login]", "nobody")
    _send(page, "form[action='/login/card'] button.primary")


def _set_up_second_factor(page: Page) -> None:
    if page.locator("form[action='/account/second-factor']").count():
        _send(page, "form[action='/account/second-factor'] button")


def _open_menu(page: Page) -> None:
    page.click(".menu-button")
    page.wait_for_selector("#menu:popover-open")


def _hand_in_without_purpose(page: Page) -> None:
    page.eval_on_selector("#ask", "form => { form.noValidate = true; }")
    _send(page, "button[form=ask]")


def _close_without_reason(page: Page) -> None:
    page.eval_on_selector("form[action$='/rename']", "form => { form.noValidate = true; }")
    _send(page, "form[action$='/rename'] button.danger")


def _open_dialog(ident: str) -> Act:
    def act(page: Page) -> None:
        page.click(f"[data-opens='{ident}']")
        page.wait_for_selector(f"dialog#{ident}[open]")

    return act


def _send_back_without_reason(page: Page) -> None:
    _send(page, "button[name=decision][value=send_back]")


def _submit_empty(page: Page) -> None:
    """As somebody does who presses the button first; the browser's own hints do not stand in the way."""
    page.evaluate("document.querySelector('main form').noValidate = true")
    _send(page, "main form[method=post] button.primary")


def _loaded(page: Page) -> None:
    """The fragments that the form asks for have come."""
    page.wait_for_selector("form#application")
    page.wait_for_selector(".htmx-request", state="detached")


def _preview(scan: bytes) -> Act:
    def act(page: Page) -> None:
        picture = {"name": "scan.jpg", "mimeType": "image/jpeg", "buffer": scan}
        page.set_input_files("#field-scan", picture)  # type: ignore[arg-type]
        page.wait_for_selector("#preview .impression")

    return act


def _placed(page: Page) -> None:
    page.wait_for_selector("seal-placement .stamp:not([hidden])")


def _station_ready(page: Page) -> None:
    page.wait_for_selector("#slot-seal *")
