"""A mail of notices, in the person's language: plain text, and the same as simple HTML. Pure.

No header can be broken open: control characters become spaces, and the library refuses what is left of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from app.text import Text

LONGEST_SUBJECT = 150
ONE_LINE = {ord(c): " " for c in map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029])}


@dataclass(frozen=True)
class Entry:
    """One notice: what happened, of what, when, the words that came with it, and where to look."""

    told: Text
    title: str
    who: str
    said: Text
    at: str
    href: str


GREETING = Text("{name}，您好：", "Dear {name},")
FOOT = Text("在“通知设置”中可更改接收方式：{href}", "Choose what reaches you under “Notice settings”: {href}")
MANY = Text("印序：{n} 条通知", "Yinxu: {n} notices")


def letter(
    entries: Sequence[Entry],
    *,
    name: str,
    to: str,
    sender: str,
    language: str,
    key: str,
    at: datetime,
    settings_href: str,
) -> EmailMessage:
    """`key` names the mail: sent twice it would carry the same Message-ID. Raises `ValueError` for a bad address."""
    first = entries[0]
    subject = f"{first.told.in_(language)} · {first.title}"
    if len(entries) > 1:
        subject = MANY.in_(language).format(n=len(entries))
    message = EmailMessage(policy=SMTP)
    message["Subject"] = one_line(subject)[:LONGEST_SUBJECT]
    message["From"] = Address("印序 Yinxu", addr_spec=sender)
    message["To"] = Address(one_line(name), addr_spec=to)
    message["Date"] = at
    message["Message-ID"] = f"<{key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    greeting = GREETING.in_(language).replace("{name}", one_line(name))
    foot = FOOT.in_(language).replace("{href}", settings_href)
    message.set_content(_plain(entries, greeting, foot, language))
    message.add_alternative(_html(entries, greeting, foot, language), subtype="html")
    return message


def one_line(said: str) -> str:
    """Without anything that could begin another header."""
    return " ".join(said.translate(ONE_LINE).split())


def _plain(entries: Sequence[Entry], greeting: str, foot: str, language: str) -> str:
    parts = [greeting, ""]
    for entry in entries:
        about = " · ".join(filter(None, (entry.title, entry.who, entry.at)))
        parts += [entry.told.in_(language), about, *filter(None, [entry.said.in_(language)]), entry.href, ""]
    return "\n".join([*parts, "--", foot]) + "\n"


def _html(entries: Sequence[Entry], greeting: str, foot: str, language: str) -> str:
    items = "".join(
        f'<li style="margin:0 0 16px"><a href="{escape(entry.href)}"><strong>{escape(entry.told.in_(language))}'
        f"</strong></a><br>{escape(' · '.join(filter(None, (entry.title, entry.who, entry.at))))}"
        + (f"<br><em>{escape(said)}</em>" if (said := entry.said.in_(language)) else "")
        + "</li>"
        for entry in entries
    )
    lang = "en" if language == "en" else "zh-CN"
    return (
        f'<!doctype html><html lang="{lang}"><body style="font-family:sans-serif;line-height:1.6">'
        f'<p>{escape(greeting)}</p><ul style="padding-left:18px">{items}</ul>'
        f'<p style="color:#666;font-size:13px">{escape(foot)}</p></body></html>'
    )
