"""The station's page, on this computer only: PINs are entered here and go no further than the card.

Any web page a person has open may try to reach it, so: bound to the loopback; the Host must be ours to the
letter (DNS rebinding, 421); a foreign Origin or site is refused (403); every POST needs JSON (415), our
header and the token of this process (403); no CORS header is ever sent; nothing is framed, cached or sniffed.
"""

import hmac
import logging
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from card_agent.fault import Busy, Fault, JobGone, UnknownKind
from card_agent.pin import Pin
from card_agent.protocol.codec import Malformed, canonical, parse
from card_agent.state import Shown, state_of
from card_agent.unlocking import NEW_PIN_LEAST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

HEADER = "X-Yinxu-Agent"
TOKEN = "X-Yinxu-Agent-Token"  # noqa: S105
BODY_LIMIT_BYTES = 4096
PIN_LIMIT = 64
BATCH_LIMIT = 200
WAIT_LIMIT_S = 60
_JOB = re.compile("[0-9]{1,18}")
PAGE_DIR = Path(__file__).parent / "station_page"
FILES = {"/page.js": "text/javascript", "/page.css": "text/css", "/seal.svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Denied(Exception):
    """Not answered further than this."""

    def __init__(self, status: int, code: str, zh: str, en: str) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en = status, code, zh, en


class _Handler(WSGIRequestHandler):
    """Quiet, and impatient with slow clients."""

    timeout = 10

    def log(self, type: str, message: str, *args: object) -> None:
        log.debug(message, *args)

    def log_error(self, format: str, *args: object) -> None:
        """What never became a request: one that is too slow, or cannot be read."""
        slow = any(isinstance(a, TimeoutError) for a in args)
        log.warning("denied %s", "too slow a request" if slow else "what is no request")


class Loopback:
    def __init__(self, listen: tuple[str, int], agent: Shown, token: str) -> None:
        self._agent = agent
        self._token = token
        self._server: BaseWSGIServer = make_server(*listen, self, threaded=True, request_handler=_Handler)
        host = f"[{listen[0]}]" if ":" in listen[0] else listen[0]
        self._hosts = {f"{host}:{self._server.port}", f"localhost:{self._server.port}"}
        self.address = f"http://{host}:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="loopback", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        try:
            self._check_origin(request)
            response = self._answer(request)
        except Denied as denied:
            log.warning("denied %s %s: %s", request.method, request.path, denied.code)
            response = _error(denied.status, denied.code, denied.zh, denied.en)
        except Fault as fault:
            response = _error(409, fault.code, fault.zh, fault.en)
        response.headers.update(HEADERS)
        return response(environ, start_response)

    def _check_origin(self, request: Request) -> None:
        """The Host to the letter, and no word from a page that is not ours."""
        if request.headers.get("Host", "") not in self._hosts:
            raise Denied(
                421, "host", "地址不正确，请从本机页面访问", "Wrong address; open this computer's own page"
            )
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        # following a link from elsewhere to the page itself is harmless, anything else from elsewhere is not
        visiting = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if (origin is not None and origin not in {f"http://{h}" for h in self._hosts}) or (
            site not in ("same-origin", "none") and not visiting
        ):
            raise Denied(
                403, "origin", "请求来自其他网页，已拒绝", "The request comes from another page; refused"
            )

    def _answer(self, request: Request) -> Response:
        path = request.path
        if request.method == "GET":
            return self._get(path)
        if request.method != "POST":
            raise Denied(405, "method", "不支持的请求", "This request is not supported")
        self._check_post(request)
        match path.strip("/").split("/"):
            case ["jobs", job_id, "run"] if _JOB.fullmatch(job_id):
                return self._run(int(job_id), _body(request))
            case ["jobs", job_id, "give-back"] if _JOB.fullmatch(job_id):
                return self._give_back(int(job_id), _body(request))
            case _:
                raise _not_found()

    def _check_post(self, request: Request) -> None:
        if request.mimetype != "application/json":
            raise Denied(415, "json", "只接受 JSON 请求", "Only JSON is accepted")
        given = request.headers.get(TOKEN, "").encode()
        if request.headers.get(HEADER) != "1" or not hmac.compare_digest(given, self._token.encode()):
            raise Denied(403, "token", "页面已失效，请刷新后重试", "This page has expired; load it again")

    def _get(self, path: str) -> Response:
        if path == "/":
            page = (PAGE_DIR / "page.html").read_text().replace("%TOKEN%", self._token)
            return Response(page, mimetype="text/html")
        if path in FILES:
            return Response((PAGE_DIR / path[1:]).read_bytes(), mimetype=FILES[path])
        if path == "/state":
            return _json(state_of(self._agent))
        progress = self._agent.desk.progress
        if progress and progress.picture and path == f"/jobs/{progress.job.job_id}/picture":
            return Response(progress.picture, mimetype="image/png")
        raise _not_found()

    def _run(self, job_id: int, body: dict[str, Any]) -> Response:
        """{maker_pin?, card_pin, wait_s?, also?}, or {so_pin, new_pin, new_pin_again, wait_s?}: begins the job; 202, or after
        `wait_s` the state as it is then. `also`: the numbers of further documents for the same card."""
        wait_s = body.get("wait_s", 0)
        if not isinstance(wait_s, int) or not 0 <= wait_s <= WAIT_LIMIT_S:
            raise Denied(422, "wait_s", "等待时间不正确", f"wait_s: 0 to {WAIT_LIMIT_S}")
        also = _also(body)
        given = {name: _pin(body, name) for name in ("maker_pin", "card_pin", "so_pin")}
        given["new_pin"] = _new_pin(body)
        try:
            self._agent.desk.run(job_id, also=also, **given)
        except (Busy, JobGone, UnknownKind) as fault:
            return _error(404 if isinstance(fault, JobGone) else 409, fault.code, fault.zh, fault.en)
        self._agent.desk.wait(wait_s)
        return _json(state_of(self._agent), 202)

    def _give_back(self, job_id: int, body: dict[str, Any]) -> Response:
        """{reason?}: the job goes back to whoever ordered it."""
        reason = body.get("reason", "")
        reason = reason.strip()[:300] if isinstance(reason, str) else ""
        self._agent.desk.give_back(
            job_id,
            zh=f"制章操作员退回任务：{reason}" if reason else "制章操作员退回任务",
            en=f"The operator gave the job back: {reason}" if reason else "The operator gave the job back",
        )
        self._agent.desk.wait(5)
        return _json(state_of(self._agent), 202)


def _body(request: Request) -> dict[str, Any]:
    if request.content_length is None or request.content_length > BODY_LIMIT_BYTES:
        raise Denied(413, "size", "请求过大", "The request is too large")
    try:
        value = parse(request.get_data(cache=False))
    except ClientDisconnected as error:
        raise Denied(
            408, "slow", "请求发送过慢，已放弃", "The request came too slowly and was given up"
        ) from error
    except Malformed as error:
        raise Denied(422, "json", "请求内容无法读取", "The request cannot be read") from error
    if not isinstance(value, dict):
        raise Denied(422, "json", "请求内容无法读取", "The request cannot be read")
    return cast("dict[str, Any]", value)


def _also(body: dict[str, Any]) -> list[int]:
    value = body.get("also", [])
    numbers: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [None]
    if len(numbers) > BATCH_LIMIT or not all(type(n) is int for n in numbers):
        raise Denied(
            422,
            "also",
            f"一次最多 {BATCH_LIMIT} 份文件",
            f"At most {BATCH_LIMIT} documents at once, by number",
        )
    return numbers


def _pin(body: dict[str, Any], name: str) -> Pin | None:
    value = body.pop(name, None)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > PIN_LIMIT:
        raise Denied(422, name, "PIN 格式不正确", "This cannot be a PIN")
    return Pin(value)


def _new_pin(body: dict[str, Any]) -> Pin | None:
    """Typed twice, alike, and long enough."""
    first, again = body.get("new_pin"), body.pop("new_pin_again", None)
    pin = _pin(body, "new_pin")
    if pin is None:
        return None
    if first != again:
        raise Denied(
            422,
            "new_pin_again",
            "两次输入的新 PIN 不一致，请重新输入",
            "The new PIN differs the second time; enter it again",
        )
    if len(pin.secret()) < NEW_PIN_LEAST:
        raise Denied(
            422,
            "new_pin",
            f"新 PIN 至少 {NEW_PIN_LEAST} 位",
            f"A new PIN has at least {NEW_PIN_LEAST} characters",
        )
    return pin


def _json(value: object, status: int = 200) -> Response:
    return Response(canonical(value), status, mimetype="application/json")


def _error(status: int, code: str, zh: str, en: str) -> Response:
    return _json({"error": {"code": code, "zh": zh, "en": en, "fields": {}}}, status)


def _not_found() -> Denied:
    return Denied(404, "not_found", "没有这个页面", "There is no such page")
