"""What people are told of, in which words, and where unless they choose otherwise. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.text import Text

CHANNELS: dict[str, Text] = {
    "page": Text("站内", "In the product"),
    "mail": Text("邮件", "Mail"),
    "hook": Text("Webhook", "Webhook"),
}


@dataclass(frozen=True)
class Kind:
    """`name`: as settings list it. `told`: the sentence, of `{step}`. `asks`: over once its task is over."""

    name: Text
    told: Text
    asks: bool = False
    tone: str = "neutral"
    usual: tuple[str, ...] = ("page",)


KINDS: dict[str, Kind] = {
    "task": Kind(
        Text("有新待办", "A task for me"),
        Text("「{step}」待您办理", "“{step}” is for you to do"),
        asks=True,
        usual=("page", "mail"),
    ),
    "due": Kind(
        Text("待办将到期", "My task is due soon"),
        Text("「{step}」即将到期", "“{step}” is due soon"),
        asks=True,
        tone="warn",
    ),
    "late": Kind(
        Text("待办已超时", "My task is overdue"),
        Text("「{step}」已超时，请尽快办理", "“{step}” is overdue; please see to it soon"),
        asks=True,
        tone="bad",
        usual=("page", "mail"),
    ),
    "urged": Kind(
        Text("催办与提醒", "Somebody waits, or a reminder"),
        Text("请尽快处理「{step}」", "Please see to “{step}” soon"),
        asks=True,
        tone="warn",
        usual=("page", "mail"),
    ),
    "handed": Kind(
        Text("转办、委派给我", "Handed on to me, or I am asked"),
        Text("「{step}」转交您办理", "“{step}” was passed to you"),
        asks=True,
        usual=("page", "mail"),
    ),
    "answered": Kind(
        Text("委派有了答复", "My question is answered"),
        Text("「{step}」的委派已答复", "Your question at “{step}” is answered"),
    ),
    "substitute": Kind(
        Text("我成为代理人", "I stand in for somebody"),
        Text("您被设为代理人", "You stand in for somebody"),
    ),
    "returned": Kind(
        Text("我的申请被退回", "My application is sent back"),
        Text("在「{step}」被退回", "Sent back at “{step}”"),
        tone="bad",
        usual=("page", "mail"),
    ),
    "finished": Kind(
        Text("我的申请已办结", "My application is finished"),
        Text("已办结", "It is finished"),
        tone="good",
        usual=("page", "mail"),
    ),
    "cancelled": Kind(
        Text("我的申请被撤销", "My application is cancelled"),
        Text("已撤销", "It was cancelled"),
        tone="bad",
        usual=("page", "mail"),
    ),
    "copied": Kind(
        Text("抄送给我", "Copied to me"),
        Text("抄送您知悉：{step}", "For you to know: {step}"),
    ),
    "incident": Kind(
        Text("流程受阻（管理员）", "A flow has stopped (administrators)"),
        Text("流程在「{step}」受阻", "The flow has stopped at “{step}”"),
        tone="bad",
        usual=("page", "mail"),
    ),
}

ASKING = tuple(name for name, kind in KINDS.items() if kind.asks)


def sentence(kind: str, step: Text) -> Text:
    """What happened, in both languages."""
    told = KINDS[kind].told if kind in KINDS else Text("{step}", "{step}")
    return Text(told.zh.replace("{step}", step.zh), told.en.replace("{step}", step.en))


def channels(kind: str, choices: Mapping[str, Any] | None) -> frozenset[str]:
    """Where somebody with these choices is told of it."""
    chosen = (choices or {}).get(kind)
    return frozenset(chosen if isinstance(chosen, list) else KINDS[kind].usual) & CHANNELS.keys()  # pyright: ignore[reportUnknownArgumentType]
