"""What can be wrong with a signed file, in words for people. Pure. Codes are append-only (docs/verify.md)."""

from dataclasses import dataclass
from typing import Literal

from app.text import Text

Weight = Literal["altered", "indeterminate"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`weight`: the verdict it leads to by itself. `field`: the signature's field, None for the whole file or
    a signature without one. `detail`: for experts and logs."""

    code: str
    text: Text
    weight: Weight
    field: str | None = None
    detail: str = ""


_ALTERED: dict[str, Text] = {
    "content_altered": Text(
        "签章之后内容被改动，请向来文单位索取原始文件",
        "The content was changed after it was sealed; ask the sender for the original",
    ),
    "signature_invalid": Text(
        "签名不成立，签名数据与签章者的证书不符", "The signature does not hold under the signer's certificate"
    ),
    "signature_damaged": Text(
        "签名数据被损坏或被移动，无法证明内容未被改动",
        "The signature's data is damaged or was moved; nothing proves that the content is as sealed",
    ),
    "container_rewritten": Text(
        "签名容器在签章之后被改写", "The signature's container was rewritten after sealing"
    ),
    "added_after": Text(
        "签章之后文件中又增加了内容", "Something was added to the document after it was sealed"
    ),
    "signature_hidden": Text(
        "文件中有一个签名已被从文件结构中移除或遮盖",
        "A signature in this file was removed from the document's structure or hidden",
    ),
    "seal_forged": Text(
        "电子印章本身不成立，可能是伪造的", "The electronic seal itself does not hold; it may be forged"
    ),
    "seal_not_signers": Text(
        "电子印章不属于签章者的印章卡", "The electronic seal does not belong to the card that signed"
    ),
    "seal_picture_differs": Text(
        "页面上显示的印章图像与电子印章中的图像不同",
        "The picture shown on the page is not the picture in the electronic seal",
    ),
}
_UNREADABLE: dict[str, Text] = {
    "empty_file": Text("文件是空的", "The file is empty"),
    "not_a_pdf": Text("这个文件不是 PDF", "This file is not a PDF"),
    "pdf_broken": Text(
        "这个 PDF 已损坏，无法读取；请索取完好的文件",
        "This PDF is damaged and cannot be read; ask for a sound copy",
    ),
    "encrypted": Text(
        "这个 PDF 有密码保护，无法读取；请索取无密码的文件",
        "This PDF is protected by a password and cannot be read; ask for a copy without one",
    ),
}
_INDETERMINATE: dict[str, Text] = {
    "no_roots": Text(
        "没有指定受信任的根证书，无法判断来源；请用 --trust 指定",
        "No trusted roots were given, so the source cannot be judged; name them with --trust",
    ),
    "untrusted": Text(
        "签章者证书不是由受信任的机构颁发", "The signer's certificate comes from no trusted authority"
    ),
    "expired": Text(
        "在验证时刻，签章者证书已过期", "The signer's certificate had expired at the moment of verification"
    ),
    "not_yet_valid": Text(
        "在验证时刻，签章者证书尚未生效",
        "The signer's certificate was not valid yet at the moment of verification",
    ),
    "revoked": Text("签章者证书已被吊销", "The signer's certificate has been revoked"),
    "wrong_usage": Text("签章者证书不可用于签名", "The signer's certificate is not meant for signing"),
    "certificate_unreadable": Text("签章者证书无法读取", "The signer's certificate cannot be read"),
    "unsupported": Text(
        "签名使用了本系统不支持的算法或结构",
        "The signature uses an algorithm or structure not supported here",
    ),
    "structure_unreadable": Text(
        "文件结构无法完整读取，不能确认全部内容",
        "The file's structure cannot be read completely, so not everything can be confirmed",
    ),
    "too_many_signatures": Text("文件中的签名过多", "The file holds too many signatures"),
    "seal_undecided": Text(
        "电子印章的真实性无法判断", "Whether the electronic seal is genuine cannot be told"
    ),
    "seal_outside_validity": Text(
        "签章时不在电子印章的有效期内", "The document was sealed outside the seal's period of validity"
    ),
    "register_unavailable": Text(
        "撤章登记簿暂时无法查询，不能确认是否已撤章",
        "The register of withdrawals cannot be asked, so a withdrawal cannot be ruled out",
    ),
    "register_incomplete": Text(
        "撤章登记簿为空或不完整，不能确认是否已撤章；请重新获取登记簿",
        "The register of withdrawals is empty or was cut short, so a withdrawal cannot be ruled out; obtain it anew",
    ),
    "unanswered": Text(
        "验证超出了时间或内存限制", "Verifying this file takes more time or memory than allowed"
    ),
}

TEXTS: dict[str, tuple[Weight, Text]] = {
    **{code: ("altered", text) for code, text in _ALTERED.items()},
    **{code: ("indeterminate", text) for code, text in (_INDETERMINATE | _UNREADABLE).items()},
}


def problem(code: str, *, field: str | None = None, detail: str = "") -> Problem:
    weight, text = TEXTS[code]
    return Problem(code=code, text=text, weight=weight, field=field, detail=detail)
