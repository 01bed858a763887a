"""The law of notices: addresses, paces, when to try again. Pure."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from app.actor import Actor
from app.refusal import Forbidden, Invalid
from app.text import Text

PACES: dict[str, Text] = {
    "at_once": Text("随时", "At once"),
    "hourly": Text("每小时汇总", "One each hour"),
    "daily": Text("每天汇总", "One each day"),
}


def next_mail(pace: str, at: datetime, zone: str, hour: int) -> datetime:
    """When what happened at `at` is mailed: now, at the next full hour, at the next `hour` o'clock there."""
    if pace == "hourly":
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if pace == "daily":
        local = at.astimezone(ZoneInfo(zone))
        then = local.replace(hour=hour, minute=0, second=0, microsecond=0)
        return then if then > local else then + timedelta(days=1)
    return at


MOST_TRIES = 9
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")


def pause(tries: int) -> timedelta:
    """After a minute, two, four, …, at most four hours."""
    return min(timedelta(minutes=2 ** (tries - 1)), timedelta(hours=4))


def domain_allowed(address: str, domains: Collection[str]) -> bool:
    """Whether notices may be mailed there."""
    domain = address.rpartition("@")[2].lower()
    return not domains or domain in {allowed.lower() for allowed in domains}


def check_address(said: str, domains: Collection[str]) -> str:
    """A mail address, trimmed; empty for none. Refuses `Invalid`."""
    address = said.strip()
    if not address:
        return ""
    text = None
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        text = Text("请填写邮件地址，如 name@example.com", "Give a mail address, like name@example.com")
    elif not domain_allowed(address, domains):
        allowed = "、".join(sorted(domains))
        text = Text(f"只能使用这些域名的地址：{allowed}", f"Only addresses of these domains: {allowed}")
    if text is not None:
        raise Invalid("notice.bad_address", zh=text.zh, en=text.en, fields={"mail": text})
    return address


def parts_of(url: str, *, private_allowed: bool) -> SplitResult | None:
    """A webhook's address in its parts; None for what is no plain https address."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    schemes = ("https", "http") if private_allowed else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password:
        return None
    if len(url) > 500 or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        return None
    return parts


def check_webhook(said: str, *, private_allowed: bool) -> str:
    """A webhook's address, trimmed; empty for none. Refuses `Invalid`. What the name stands for is checked each time
    that it is called."""
    url = said.strip()
    if url and parts_of(url, private_allowed=private_allowed) is None:
        text = Text(
            "请填写以 https:// 开头、不含用户名和密码的地址",
            "Give an address that begins with https:// and holds no name or password",
        )
        raise Invalid("notice.bad_webhook", zh=text.zh, en=text.en, fields={"webhook": text})
    return url


def check_may_run(by: Actor) -> None:
    """Refuses `Forbidden` for all but the system administrator."""
    if not by.has("system_administrator"):
        raise Forbidden(
            "notice.not_administrator",
            zh="通知的发送由系统管理员管理。",
            en="How notices are sent is the system administrator's to look after.",
        )
