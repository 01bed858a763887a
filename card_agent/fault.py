"""What can go wrong at a station, said so that a person can act. Pure.

Each sentence says what happened and what to do. Whether the card was changed is added by whoever held the
card.
"""


class Fault(Exception):
    """`code`: dotted, stable. `zh`, `en`: for people. `step`: filled in by the ritual. `card_changed`:
    whether anything was written to or deleted from the seal card. `reported`: whether the server should log
    it (A26)."""

    reported = True

    def __init__(self, code: str, *, zh: str, en: str, card_serial: str | None = None) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.zh = zh
        self.en = en
        self.card_serial = card_serial
        self.card_changed = False
        self.step = ""


class CannotStart(RuntimeError):
    """The program cannot begin its work here; the message says why, and the remedy."""


# --- cards ---


class CardRemoved(Fault):
    """A pulled card, noticed after an operation; nothing the operation said is believed."""

    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.removed",
            zh=f"卡 {serial} 在操作过程中被拔出。请重新插入同一张卡，点击“继续”，将从中断处继续",
            en=f"Card {serial} was pulled out while working. Insert the same card and start again; "
            "the work goes on where it stopped",
            card_serial=serial,
        )


class CardAbsent(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.absent",
            zh=f"读卡器中没有卡 {serial}，请插入该卡后重试",
            en=f"Card {serial} is not in a reader; insert it and try again",
            card_serial=serial,
        )


class NoMakerCard(Fault):
    def __init__(self) -> None:
        super().__init__(
            "card.no_maker_card",
            zh="没有检测到制章授权卡。请先插入制章授权卡，再插入印章卡",
            en="There is no maker card in a reader. Insert the maker card first, then the seal card",
        )


class SeveralMakerCards(Fault):
    def __init__(self) -> None:
        super().__init__(
            "card.several_maker_cards",
            zh="检测到多张制章授权卡，请只保留一张",
            en="There is more than one maker card in the readers; leave only one",
        )


class WrongCard(Fault):
    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            "card.wrong_card",
            zh=f"插入的卡（{found}）不是任务指定的卡（{expected}），请更换为指定的卡",
            en=f"The card in the reader ({found}) is not the one of this job ({expected}); change cards",
            card_serial=found,
        )


class WrongPin(Fault):
    """`left`: how often one may still try here, before this station refuses."""

    def __init__(self, serial: str, left: int) -> None:
        super().__init__(
            "card.wrong_pin",
            zh=f"卡 {serial} 的 PIN 不正确，还可以尝试 {left} 次。请核对后重新输入",
            en=f"The PIN of card {serial} is wrong; {left} tries are left. Check it and enter it again",
            card_serial=serial,
        )
        self.left = left


class PinSpent(Fault):
    """Refused before the card is asked: one more wrong PIN could lock it."""

    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.pin_spent",
            zh=f"卡 {serial} 的 PIN 已多次输错，为防止锁卡，本机不再尝试。请由管理员核实后解锁",
            en=f"The PIN of card {serial} was wrong too often. So that the card does not lock, this station tries no "
            "more; an administrator checks it and resets the count",
            card_serial=serial,
        )


class PinLocked(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.pin_locked",
            zh=f"卡 {serial} 已锁定，请联系管理员用管理 PIN 解锁",
            en=f"Card {serial} is locked; an administrator unlocks it with its SO PIN",
            card_serial=serial,
        )


class WrongSoPin(Fault):
    """`left`: how often one may still try here, before this station refuses."""

    def __init__(self, serial: str, left: int) -> None:
        super().__init__(
            "card.wrong_so_pin",
            zh=f"卡 {serial} 的管理 PIN（SO PIN）不正确，还可以尝试 {left} 次。请核对后重新输入",
            en=f"The SO PIN of card {serial} is wrong; {left} tries are left. Check it and enter it again",
            card_serial=serial,
        )
        self.left = left


class SoPinSpent(Fault):
    """Refused before the card is asked: a card whose SO PIN locks is lost for good."""

    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.so_pin_spent",
            zh=f"卡 {serial} 的管理 PIN 已多次输错，再错卡将永久锁死，本机不再尝试。请换卡补办，或由发卡机构处理",
            en=f"The SO PIN of card {serial} was wrong too often; one more could lock the card for good, so this station "
            "tries no more. Have the seal made again on another card, or ask whoever issued the card",
            card_serial=serial,
        )


class PinUnfit(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.pin_unfit",
            zh=f"卡 {serial} 不接受这个新 PIN（长度或字符不合要求）。PIN 未更改，请另设一个",
            en=f"Card {serial} does not take this new PIN (its length or characters). Nothing was changed; choose another",
            card_serial=serial,
        )


class CardUnusable(Fault):
    """The card's own word, in its library's name for it."""

    def __init__(self, serial: str, why: str) -> None:
        super().__init__(
            "card.unusable",
            zh=f"卡 {serial} 没有正确响应（{why}）。请重新插卡再试；若仍失败，请换卡并联系管理员",
            en=f"Card {serial} did not answer properly ({why}). Insert it anew and try again; if it fails again, take "
            "another card and tell the administrator",
            card_serial=serial,
        )


class NoCertificate(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.no_certificate",
            zh=f"卡 {serial} 内没有可用的数字证书和密钥，不能制章。请先由 CA 为该卡签发证书",
            en=f"Card {serial} holds no usable certificate and key, so no seal can be made on it. Have a CA issue "
            "one first",
            card_serial=serial,
        )


class CardFull(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.full",
            zh=f"卡 {serial} 的空间不足，请清理该卡或换用容量更大的卡",
            en=f"Card {serial} has no room left; clear it or take a larger one",
            card_serial=serial,
        )


class ReadBackDiffers(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.read_back_differs",
            zh=f"从卡 {serial} 回读的数据与写入的不一致，本次写入无效。请重试；若仍失败，请换卡",
            en=f"What was read back from card {serial} is not what was written, so it does not count. Try again; if it "
            "fails again, take another card",
            card_serial=serial,
        )


class NewerSealOnCard(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.newer_seal",
            zh=f"卡 {serial} 上已有更新的印章，旧的授权不能再写入。请刷新任务列表",
            en=f"Card {serial} already carries a newer seal; an old authorisation is not written over it. "
            "Refresh the list of jobs",
            card_serial=serial,
        )


class NoSuchSealOnCard(Fault):
    def __init__(self, serial: str) -> None:
        super().__init__(
            "card.no_such_seal",
            zh=f"卡 {serial} 内没有此任务所用的电子印章，请插入存有该印章的卡",
            en=f"Card {serial} does not carry the seal of this job; insert the card that does",
            card_serial=serial,
        )


# --- the server ---


class Untrusted(Fault):
    """Something that should be the server's word is not; nothing is done with it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "server.untrusted",
            zh=f"服务器的指令未通过校验（{why}），已拒绝执行。请立即联系系统管理员",
            en=f"The server's instruction failed its check ({why}) and was refused. "
            "Tell the system administrator at once",
        )


class ServerRefused(Fault):
    """The server said no; its own sentence is shown. It has logged it itself."""

    reported = False

    def __init__(self, status: int, code: str, zh: str, en: str) -> None:
        super().__init__(code, zh=zh, en=en)
        self.status = status


class ServerSilent(Fault):
    """No answer, or none that can be read; trying again is safe."""

    reported = False

    def __init__(self, why: str) -> None:
        super().__init__(
            "server.silent",
            zh=f"无法连接服务器（{why}）。请检查网络后重试，重试不会重复制章",
            en=f"The server does not answer ({why}). Check the network and try again; "
            "trying again never makes a second seal",
        )


class NotAccepted(Fault):
    """The outcome was heard, but the server does not let the job count (a certificate revoked meanwhile)."""

    reported = False

    def __init__(self) -> None:
        super().__init__(
            "job.not_accepted",
            zh="本机已完成操作，但服务器没有认可结果（例如证书刚被吊销）。请在系统中查看原因，不要使用该印章",
            en="This station has done its part, but the server does not accept the outcome (a certificate revoked "
            "meanwhile, for example). Look up the reason in the system, and do not use the seal",
        )


class JobGone(Fault):
    reported = False

    def __init__(self) -> None:
        super().__init__(
            "job.gone",
            zh="任务已不在列表中，可能已完成或取消，请刷新",
            en="The job is not in the list any more; it may be done or cancelled. Refresh the page",
        )


class UnknownKind(Fault):
    reported = False

    def __init__(self, kind: str) -> None:
        super().__init__(
            "job.unknown_kind",
            zh=f"本机程序版本不支持“{kind}”类任务，请升级制章程序",
            en=f"This version of the station's program knows no job called “{kind}”; upgrade it",
        )


class Busy(Fault):
    reported = False

    def __init__(self) -> None:
        super().__init__(
            "station.busy",
            zh="正在处理另一个任务，请等它完成",
            en="Another job is being done; wait until it has ended",
        )


class Unexpected(Fault):
    """A mistake of this program; its log says where."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            "station.unexpected",
            zh=f"制章程序出现意外错误（{kind}）。请重试；若仍失败，请把日志交给管理员。重试不会重复制章",
            en=f"The station's program met an unexpected error ({kind}). Try again; if it fails again, give its log to "
            "the administrator. Trying again never makes a second seal",
        )
