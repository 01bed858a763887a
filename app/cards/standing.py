"""How a card stands in the inventory, and the only ways from one standing to another. Pure.

A seal card: enrolled → in production → active. A maker card: enrolled ↔ assigned (in somebody's hands). Either can be
suspended and taken up again, be returned to the office and given out again, be lost, and in the end be destroyed.
"""

from typing import Literal

from app.refusal import Conflict
from app.text import Text

Standing = Literal[
    "enrolled", "assigned", "in_production", "active", "suspended", "lost", "returned", "destroyed"
]

WORDS: dict[str, Text] = {
    "enrolled": Text("已登记", "Enrolled"),
    "assigned": Text("已交付", "Handed out"),
    "in_production": Text("制作中", "In production"),
    "active": Text("在用", "In use"),
    "suspended": Text("停用", "Suspended"),
    "lost": Text("已挂失", "Lost"),
    "returned": Text("已交回", "Returned"),
    "destroyed": Text("已销毁", "Destroyed"),
}

MOVES: dict[str, frozenset[str]] = {
    "enrolled": frozenset({"assigned", "in_production", "suspended", "lost", "returned", "destroyed"}),
    "assigned": frozenset({"in_production", "suspended", "lost", "returned"}),
    "in_production": frozenset({"enrolled", "assigned", "active", "lost"}),
    "active": frozenset({"in_production", "suspended", "lost", "returned"}),
    "suspended": frozenset({"enrolled", "assigned", "active", "lost", "returned"}),
    "returned": frozenset({"enrolled", "assigned", "active", "lost", "destroyed"}),
    "lost": frozenset({"destroyed"}),
    "destroyed": frozenset(),
}
"""What may follow what. A lost card never comes back into use: it may be found, and is destroyed then."""

USABLE = frozenset({"enrolled", "assigned", "in_production", "active"})
BY_HAND = ("suspended", "returned", "destroyed")
"""What people decide on the card's page, besides 挂失 and taking it up again; the rest follows from what is done."""

WHY_NOT: dict[str, Text] = {
    "suspended": Text(
        "卡 {serial} 已停用，请先由印章管理部门恢复使用",
        "Card {serial} is suspended; have the seal office take it up again first",
    ),
    "returned": Text(
        "卡 {serial} 已交回，请先由印章管理部门重新发出",
        "Card {serial} has been returned; have the seal office give it out again first",
    ),
    "lost": Text(
        "卡 {serial} 已挂失，不能使用；请上交该卡",
        "Card {serial} has been reported lost and cannot be used; hand it in",
    ),
    "destroyed": Text(
        "卡 {serial} 已销毁，不能使用；请换卡", "Card {serial} has been destroyed; take another card"
    ),
}


def check_usable(now: str, serial: str) -> None:
    """Refuses with Conflict a card that nothing may be done with, and says what would help."""
    if now in USABLE:
        return
    text = WHY_NOT[now]
    raise Conflict(
        f"card.{now}", zh=text.zh.format(serial=serial), en=text.en.format(serial=serial), serial=serial
    )


def check_move(now: str, to: str, serial: str) -> None:
    """Refuses with Conflict what does not lead from here to there; once more the same, with what that standing says."""
    if to in MOVES[now]:
        return
    if to == now:
        check_usable(now, serial)
    possible = [word for state, word in WORDS.items() if state in MOVES[now]]
    raise Conflict(
        "card.no_such_move",
        zh=f"卡 {serial} 现为“{WORDS[now].zh}”，不能改为“{WORDS[to].zh}”"
        + (f"；可以改为：{'、'.join(w.zh for w in possible)}" if possible else "；该状态不能再改变"),
        en=f"Card {serial} is “{WORDS[now].en}” and cannot become “{WORDS[to].en}”"
        + (f"; it can become: {', '.join(w.en for w in possible)}" if possible else "; nothing follows that"),
        serial=serial,
        now=now,
        to=to,
    )
