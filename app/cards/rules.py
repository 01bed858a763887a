"""The law of stations, cards and jobs. Pure."""

from datetime import datetime, timedelta
from typing import Literal

from app.refusal import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from app.text import Text
from card_agent.protocol.outcomes import Failed, Outcome

JobState = Literal["ordered", "begun", "authorised", "done", "failed", "cancelled"]

OPEN_STATES: tuple[JobState, ...] = ("ordered", "begun", "authorised")
ENDED_STATES: tuple[JobState, ...] = ("done", "failed", "cancelled")

TRANSITIONS: dict[str, frozenset[str]] = {
    "ordered": frozenset({"begun", "failed", "cancelled"}),
    "begun": frozenset({"begun", "authorised", "done", "failed", "cancelled"}),
    "authorised": frozenset({"authorised", "done", "failed"}),
    "done": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""What may follow what; everything else is refused. An authorised job is never cancelled: a seal may already
be on the card, so only the station's word ends it."""

REQUEST_SLACK = timedelta(seconds=120)
CODE_LIFE = timedelta(minutes=30)
LONGEST_REASON = 500
PRESENT_FOR = timedelta(seconds=30)
"""A station is shown as connected this long after its last heartbeat."""


def check_reason(code: str, reason: str) -> None:
    """Refuses with Invalid what cannot be undone while nobody says why, or says more than is kept."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        told = Text(
            f"请填写原因（不超过 {LONGEST_REASON} 字）", f"Say why (at most {LONGEST_REASON} characters)"
        )
        raise Invalid(code, zh=told.zh, en=told.en, fields={"reason": told})


def check_lost_since(since: datetime | None, now: datetime) -> None:
    if since is not None and since > now:
        told = Text("不能晚于现在", "This is still to come")
        raise Invalid("card.lost_in_future", zh=told.zh, en=told.en, fields={"since": told})


def check_step(state: str, wanted: JobState) -> None:
    """Refuses with Conflict a step the job's state does not allow."""
    if wanted not in TRANSITIONS[state]:
        raise Conflict(
            "card_job.wrong_state",
            zh=f"任务当前为“{STATE_ZH[state]}”，不能再进行此操作；请刷新任务列表",
            en=f"The job is {state}; this step is not possible any more. Refresh the list of jobs",
            state=state,
            wanted=wanted,
        )


def late_word(message: Outcome) -> Text:
    """What a station says of a job that was taken back, for whoever looks at the job."""
    if isinstance(message, Failed):
        changed = message.card_changed
        return Text(
            f"取消后工位回报：{message.zh}（{'卡已改动，请检查' if changed else '卡未改动'}）",
            f"Reported after it was cancelled: {message.en} ({'the card was changed; check it' if changed else 'the card is as it was'})",
        )
    return Text(
        "取消后工位回报已写卡或已签名，服务器不予采用；请收回该卡并联系印章管理部门核查",
        "Reported as done after it was cancelled; the server takes no account of it. Take the card in and tell the seal office",
    )


STATE_ZH = {
    "ordered": "待制作",
    "begun": "进行中",
    "authorised": "已授权",
    "done": "已完成",
    "failed": "未成功",
    "cancelled": "已取消",
}


def check_fresh(sent_at: datetime, now: datetime) -> None:
    """A station's request is taken for two minutes around its own time."""
    if abs(now - sent_at) > REQUEST_SLACK:
        raise Unauthenticated(
            "station.stale_request",
            zh="请求的时间与服务器相差超过两分钟，请校准工位电脑的时钟",
            en="The request's time is more than two minutes off; set the clock of the station's computer",
            sent_at=sent_at.isoformat(),
        )


def check_own_job(job_station_id: int, station_id: int) -> None:
    if job_station_id != station_id:
        raise Forbidden(
            "card_job.other_station",
            zh="该任务已分派给另一工位，请到指定的工位办理",
            en="This job belongs to another station; do it there",
        )


def check_code(expires_at: datetime, used_at: datetime | None, now: datetime) -> None:
    """A code works once and for half an hour."""
    if used_at is not None or now > expires_at:
        raise Forbidden(
            "station.code_spent",
            zh="登记码已使用或已过期，请系统管理员重新生成",
            en="The enrolment code has been used or has expired; ask the system administrator for a new one",
        )


def check_card_present(*, expected: str, presented: str) -> None:
    """The card in the reader must be the one the job was given for."""
    if expected != presented:
        raise Conflict(
            "card.wrong_card",
            zh=f"插入的卡（{presented}）不是任务指定的卡（{expected}），请换卡",
            en=f"The card in the reader ({presented}) is not the one of this job ({expected}); change cards",
            expected=expected,
            presented=presented,
        )


def check_station_name(name: str) -> None:
    if not 1 <= len(name.strip()) <= 100:
        raise Invalid(
            "station.name_needed",
            zh="请填写工位名称（不超过 100 字）",
            en="Give the station a name (at most 100 characters)",
            fields={"name": Text("请填写名称", "Give it a name")},
        )


def check_known(serial: str, card: object | None) -> None:
    if card is None:
        raise NotFound(
            "card.unknown",
            zh=f"卡 {serial} 没有登记，请先在“卡管理”中登记",
            en=f"Card {serial} is not registered; register it first under “Cards”",
            serial=serial,
        )


def check_role(actual: str, wanted: Literal["maker", "seal"], serial: str) -> None:
    if actual == wanted:
        return
    if wanted == "maker":
        raise Conflict(
            "card.not_a_maker_card",
            zh=f"卡 {serial} 不是制章授权卡，请插入制章授权卡",
            en=f"Card {serial} is no maker card; insert the maker card",
            serial=serial,
        )
    raise Conflict(
        "card.not_a_seal_card",
        zh=f"卡 {serial} 不是印章卡，请插入印章卡",
        en=f"Card {serial} is no seal card; insert the seal card",
        serial=serial,
    )


def check_no_open_job(busy: bool, serial: str) -> None:
    if busy:
        raise Conflict(
            "card.has_open_job",
            zh=f"卡 {serial} 还有未完成的任务，请先完成或取消该任务",
            en=f"Card {serial} is in a job that has not ended; finish or cancel that first",
            serial=serial,
        )


def check_same_certificate(registered: str, presented: str, serial: str) -> None:
    """`registered`, `presented`: SHA-256 of the DER, hex. A card with another certificate is another card."""
    if registered != presented:
        raise Conflict(
            "card.other_certificate",
            zh=f"卡 {serial} 内的证书与登记的不一致，请停止使用并联系印章管理部门",
            en=f"Card {serial} carries another certificate than the one registered; "
            "stop using it and tell the seal office",
            serial=serial,
        )


def check_owner(owner_unit_id: int | None, owner_user_id: int | None, role: str, keeping: str) -> None:
    """A maker card is an institution's (D2); a personal card is a person's; a unit card a unit's."""
    if role == "maker" and (owner_unit_id is None or owner_user_id is not None):
        raise Invalid(
            "card.maker_needs_unit",
            zh="制章授权卡属于机构，请选择所属单位",
            en="A maker card belongs to an institution; choose its unit",
        )
    if keeping == "personal" and owner_user_id is None:
        raise Invalid(
            "card.personal_needs_person",
            zh="个人保管的卡需要指定持卡人",
            en="A card in personal keeping needs its holder",
        )
    if keeping == "unit" and owner_unit_id is None:
        raise Invalid(
            "card.unit_needed", zh="单位保管的卡需要指定单位", en="A card in a unit's keeping needs its unit"
        )


def is_present(seen_at: datetime | None, now: datetime) -> bool:
    return seen_at is not None and now - seen_at <= PRESENT_FOR
