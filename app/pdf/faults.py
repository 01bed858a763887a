"""Why a file cannot be sealed or read as a PDF. Pure."""

from app.refusal import Conflict, Invalid, TooMany
from app.text import Text


def _at_file(zh: str, en: str) -> dict[str, Text]:
    return {"document": Text(zh, en)}


class NotAPdf(Invalid):
    """The bytes are no PDF at all."""

    def __init__(self) -> None:
        zh, en = "这个文件不是 PDF，请选择 PDF 文件", "This file is not a PDF; choose a PDF file"
        super().__init__("pdf.not_a_pdf", zh=zh, en=en, fields=_at_file(zh, en))


class Broken(Invalid):
    """It begins like a PDF and cannot be read. `why`: for the log."""

    def __init__(self, why: str) -> None:
        zh = "这个 PDF 已损坏或结构不正确，请重新导出（另存为 PDF）后再上传"
        en = "This PDF is damaged or malformed; export it again as PDF and upload that"
        super().__init__("pdf.broken", zh=zh, en=en, fields=_at_file(zh, en), why=why[:300])


ENCRYPTED = "pdf.encrypted"


class Encrypted(Invalid):
    """Its content is encrypted."""

    def __init__(self) -> None:
        zh = "这个 PDF 有打开密码，或禁止签名；请用原软件去除限制后再上传"
        en = "This PDF needs a password, or forbids signing; lift that in the program that made it and upload again"
        super().__init__(ENCRYPTED, zh=zh, en=en, fields=_at_file(zh, en))


class Active(Invalid):
    """It can change its own look (XFA, scripts), so a signer cannot be sure what is sealed (B8)."""

    def __init__(self, what: str) -> None:
        zh = f"这个 PDF 含有{what}，显示内容可能变化，不能盖章；请打印为普通 PDF 后再上传"
        en = f"This PDF contains {what}, so what it shows can change; print it to a plain PDF and upload that"
        super().__init__("pdf.active", zh=zh, en=en, fields=_at_file(zh, en), what=what)


class TooLarge(TooMany):
    """More bytes, pages or paper than we take. `what` names the limit."""

    status = 422

    def __init__(self, zh: str, en: str) -> None:
        super().__init__("pdf.too_large", zh=zh, en=en, fields=_at_file(zh, en))


class Locked(Conflict):
    """Somebody's earlier signature forbids any further one."""

    def __init__(self) -> None:
        zh = "该文件的签发者已锁定文件，不允许再盖章；请取得未锁定的版本"
        en = "An earlier signature locks this document against any further one; obtain an unlocked version"
        super().__init__("pdf.locked", zh=zh, en=en, fields=_at_file(zh, en))


class AlteredBefore(Conflict):
    """It carries a signature that does not hold any more; a seal on it would lend it credit."""

    def __init__(self) -> None:
        zh = "该文件已有签章，且签章之后被改动，不能再盖章；请取得原始文件"
        en = "This document was signed before and has been altered since; obtain the original"
        super().__init__("pdf.altered_before", zh=zh, en=en, fields=_at_file(zh, en))


class OutsidePage(Invalid):
    """The seal would stand (partly) outside the page, or the page does not exist."""

    def __init__(self, field: str = "page") -> None:
        zh, en = "印章超出页面，请移到页面之内", "The seal lies outside the page; move it inside"
        super().__init__("pdf.outside_page", zh=zh, en=en, fields={field: Text(zh, en)})


class SinglePage(Invalid):
    """A seal across the edges of one page."""

    def __init__(self) -> None:
        zh, en = (
            "只有一页的文件不能加盖骑缝章，请去掉该选项",
            "A document of one page has no edges to seal across; leave that out",
        )
        super().__init__("pdf.single_page", zh=zh, en=en, fields={"straddle": Text(zh, en)})


class SignedBefore(Conflict):
    """Strips on the pages would be a change of what somebody signed."""

    def __init__(self) -> None:
        zh = "文件已有签章，再加骑缝章会使其失效；请去掉骑缝章，或在没有签章的原文件上先盖"
        en = "The document carries a signature, which strips on its pages would break; leave them out, or seal the unsigned original first"
        super().__init__("pdf.signed_before", zh=zh, en=en, fields={"straddle": Text(zh, en)})


class SignatureUnfit(Conflict):
    """The card's signature does not fit what was prepared."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "pdf.signature_unfit",
            zh="印章卡返回的签名与该文件不符，请重新盖章；若再次出现请联系印章管理部门",
            en="The card's signature does not fit this document; seal again, and tell the seal office "
            "if it happens twice",
            why=why,
        )


class Unanswered(TooMany):
    """Reading the file took more time or memory than it may."""

    status = 422

    def __init__(self) -> None:
        zh = "处理这个文件超出了时间或内存限制，请简化文件（例如重新打印为 PDF）后再试"
        en = "This file takes more time or memory than allowed; simplify it (print it to PDF again) and retry"
        super().__init__("pdf.unanswered", zh=zh, en=en, fields=_at_file(zh, en))
