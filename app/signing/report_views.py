"""The report on a verified file as a PDF of its own, signed by this server (B13).

The file itself is not kept: the page carries what was found, sealed by this server for an hour, and brings it back for the paper.
"""

import io
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, request, send_file
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.clock import now
from app.crypto.keys import keyring
from app.pdf.paper import form
from app.pdf.sealing import attest
from app.pdf.verifying import Report, as_json
from app.refusal import Invalid
from app.signing import words
from app.text import Text
from app.web.language import local, t
from app.web.limits import limiter

blueprint = Blueprint("report", __name__)

KEPT_S = 3600
RATE = "30 per minute"


def carried(report: Report, file_name: str) -> str:
    """What the page brings back for the paper."""
    return _serializer().dumps({"file_name": file_name, "found": as_json(report)})


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="verify-report/1")


@blueprint.post("/verify/report.pdf")
@limiter.limit(RATE)
def paper() -> Response:
    try:
        brought: dict[str, Any] = _serializer().loads(request.form.get("found", ""), max_age=KEPT_S)
    except BadSignature as error:
        raise Invalid(
            "signing.report_over",
            zh="验证结果已过期，请重新上传文件验证后再下载报告",
            en="This finding is too old; verify the file again and take the report then",
        ) from error
    drawn = form(t("电子签章验证报告", "Report on a sealed document"), lines(brought), (), _foot())
    ring = keyring()
    signed = attest(
        drawn,
        certificate=ring.certificate("order"),
        sign=lambda data: ring.sign("order", data)[2],
        at=now(),
        name="Yinxu",
        reason=t("验证报告", "Verification report"),
    )
    return send_file(
        io.BytesIO(signed),
        "application/pdf",
        as_attachment=True,
        download_name=f"{brought['file_name'].removesuffix('.pdf')}-{t('验证报告', 'report')}.pdf",
    )


def _foot() -> str:
    return t(
        "本报告由验证服务器签名；它说明所述文件当时的验证结果，不代替原文件。",
        "Signed by the verifying server: it says what was found on the file named, and does not stand for it.",
    )


def lines(brought: dict[str, Any]) -> list[tuple[str, str]]:
    """What the paper says, in the reader's language."""
    found = brought["found"]
    name, _tone, meaning = words.VERDICTS[found["verdict"]]
    told = [
        (t("文件", "File"), brought["file_name"]),
        (t("文件摘要 SHA-256", "SHA-256 of the file"), found["sha256"]),
        (t("验证时间", "Verified"), _moment(found["at"])),
        (t("结论", "Verdict"), t(name)),
        (t("说明", "What it means"), t(meaning)),
    ]
    if found["signatures"]:
        told += [
            (t(title), t(answers[found["aspects"][aspect]]))
            for aspect, (title, answers) in words.ASPECTS.items()
        ]
    for number, one in enumerate(found["signatures"], 1):
        told += _signature(number, one)
    told += [
        (t("发现的问题", "What was found"), t(Text(problem["zh"], problem["en"])))
        for problem in found["problems"]
    ]
    return told


def _signature(number: int, one: dict[str, Any]) -> list[tuple[str, str]]:
    certificate, withdrawn = one["certificate"], one["withdrawn"]
    return [
        (
            t("签章 {n}", "Signature {n}", n=number),
            one["seal"]["name"] if one["seal"] else t("没有电子印章", "no electronic seal"),
        ),
        (t("签章者", "Signer"), one["signer"] or t("不能确定", "cannot be told")),
        (t("证书颁发者", "Certificate issued by"), certificate["issuer"] if certificate else "—"),
        (t("签章时间（签章者所称）", "Time (as the signer says)"), _moment(one["time"])),
        (t("时间戳证明的时间", "Time proved by a time-stamp"), _moment(one["stamped_at"])),
        (t("签名范围", "Signed range"), t(words.COVERAGE[one["coverage"]])),
        (t("签章之后的更新", "Updates after it"), t(words.MODIFICATION[one["modification"]])),
        (
            t("撤章", "Withdrawn"),
            f"{_moment(withdrawn['at'])} {withdrawn['reason']}" if withdrawn else t("没有", "no"),
        ),
    ]


def _moment(said: str | None) -> str:
    return local(datetime.fromisoformat(said), "%Y-%m-%d %H:%M:%S") if said else "—"
