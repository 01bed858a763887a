"""The law of the keys' keeping: how many custodians, and what is wrong with a share, in words. Pure."""

from collections.abc import Sequence

from app.refusal import Conflict, Invalid
from app.text import Text

FEWEST_NEEDED, MOST_CUSTODIANS = 2, 16


def check_custodians(names: Sequence[str], needed: int) -> list[str]:
    """Refuses Invalid unless 2 ≤ `needed` ≤ custodians ≤ 16, each a person of a name of their own."""
    told = [name.strip() for name in names]
    if not all(told) or len(set(told)) != len(told):
        raise Invalid(
            "keys.custodians",
            zh="每位保管人须各有姓名且互不相同：一人持两份即少一人",
            en="Every custodian needs a name of their own: one person with two shares is one person less",
        )
    if not FEWEST_NEEDED <= needed <= len(told) <= MOST_CUSTODIANS:
        raise Invalid(
            "keys.how_many",
            zh=f"保管人至多 {MOST_CUSTODIANS} 位，恢复所需份数至少 {FEWEST_NEEDED} 份且不多于保管人数",
            en=f"At most {MOST_CUSTODIANS} custodians, of whom at least {FEWEST_NEEDED} and not more than all are needed",
        )
    return told


def check_one_is_left(needed: int, custodians: int) -> None:
    """Refuses Conflict when the loss of one share would lose the keys."""
    if needed == custodians:
        raise Conflict(
            "keys.none_spare",
            zh="恢复需要全部保管人到场：任何一份遗失，备份即作废；请增加保管人",
            en="Every custodian would be needed: one lost share loses the backup; name more custodians",
        )


WRONG: dict[str, Text] = {
    "misspelt": Text(
        "有词写错或缺漏，请对照原件逐词核对", "a word is wrong or missing; compare it word by word"
    ),
    "foreign": Text("不是本系统主密钥的份额", "is no share of this system's keys"),
    "another_set": Text(
        "属于另一次分持仪式，请取最近一次的份额", "belongs to another ceremony; bring the share of the latest"
    ),
    "twice": Text("与另一份相同，请换另一位保管人", "is another's again; ask another custodian"),
    "altered": Text("被改动过，请移开它再试", "was altered; leave it out and try again"),
}


def share_refused(code: str, where: str, *, given: int, needed: int) -> Invalid:
    """What is wrong with the shares. `where`: the share's file or place, empty when none can be named."""
    if code == "too_few":
        return Invalid(
            "keys.too_few_shares",
            zh=f"只有 {given} 份，需要 {needed} 份；少于此数什么也打不开，请再请保管人到场",
            en=f"{given} of the {needed} shares that are needed; fewer open nothing, ask more custodians",
        )
    if code == "altered" and not where:
        return Invalid(
            "keys.share_altered",
            zh="其中有份额被改动过；请多请一位保管人到场，即可指出是哪一份",
            en="One of the shares was altered; with one custodian more it can be said which",
        )
    told = WRONG[code]
    return Invalid(
        f"keys.share_{code}", zh=f"份额“{where}”{told.zh}", en=f"The share “{where}” {told.en}", share=where
    )


def nothing_backed_up() -> Conflict:
    return Conflict(
        "keys.no_backup",
        zh="没有主密钥备份：从未举行分持仪式，或数据库与备份文件不是本系统的",
        en="There is no backup of master keys: no ceremony was held, or database or file are not this system's",
    )


def backup_of_others() -> Conflict:
    return Conflict(
        "keys.backup_of_others",
        zh="这些份额彼此相合，但打不开此备份；请核对备份文件或数据库是否为同一系统、同一次仪式",
        en="The shares fit each other, but not this backup; is it of the same system and the same ceremony?",
    )


def other_shares_needed(missing: Sequence[str]) -> Conflict:
    named = ", ".join(missing)
    return Conflict(
        "keys.other_shares_needed",
        zh=f"数据由 {named} 保护，而这些份额不含它，未做任何改动；请取最近一次分持仪式的份额，或恢复与份额同期的数据库",
        en=f"The data is under {named}, which these shares do not open; nothing was changed. Bring the shares of the "
        "latest ceremony, or restore the database of the time of these",
    )


def token_of_others(label: str) -> Conflict:
    return Conflict(
        "keys.other_key_there",
        zh=f"令牌中已有另一把 {label}，未做任何改动；请恢复到空令牌（更换 YINXU_VAR_DIR 或令牌标签）",
        en=f"The token holds another {label}; nothing was changed. Restore into an empty token "
        "(another YINXU_VAR_DIR, or another token label)",
    )


def restore_first() -> Conflict:
    return Conflict(
        "keys.restore_first",
        zh="令牌不在，而主密钥有备份：请执行 yinxu keys restore 恢复；新造的密钥打不开已有数据",
        en="The token is gone and its keys are backed up: restore them with `yinxu keys restore`; "
        "new keys would open nothing of what is stored",
    )
