"""When a signature is proved to have existed: by a time-stamp of its value (RFC 3161, PAdES B-T) from an authority that is
believed. Pure. What a signer says of the time proves nothing; this does."""

import hashlib
from datetime import datetime
from typing import Any

from app.pdf.algorithms import certificate_of, check_signer
from app.pdf.cms import DIGEST, STAMP, is_plain_token
from app.pdf.foreign import asn1_cms as asn1
from app.pdf.foreign import asn1_parser, asn1_tsp
from app.pdf.trusting import Trust, judge_trust

TIME_STAMPING = "time_stamping"


def stamped_at(container: bytes, trust: Trust, *, at: datetime) -> datetime | None:
    """The time in the stamp on the container's first signature, if it holds and its authority is believed at `at`; else
    None. Never raises."""
    try:
        signer: Any = asn1.ContentInfo.load(container)["content"]["signer_infos"][0]
        value: bytes = signer["signature"].native
        tokens = [
            token
            for attribute in signer["unsigned_attrs"]
            if attribute["type"].native == STAMP
            for token in attribute["values"]
        ]
    except Exception:  # no container, or none with a place for stamps
        return None
    times = [time for token in tokens if (time := token_time(token, value, trust, at=at)) is not None]
    return min(times) if times else None


def document_stamp_at(container: bytes, trust: Trust, *, at: datetime) -> datetime | None:
    """The same of a document time-stamp, whose container is itself the token; the caller has checked that it holds."""
    try:
        length = asn1_parser.peek(container)
        return _time_of(asn1.ContentInfo.load(container[:length])["content"], trust, at)
    except Exception:  # whatever it is, it proves no time
        return None


def token_time(token: Any, stamped: bytes, trust: Trust, *, at: datetime) -> datetime | None:
    """The time of one token over these bytes, if it holds and is believed."""
    try:
        content: Any = token["content"]
        signer: Any = content["signer_infos"][0]
        certificate = certificate_of(content["signer_infos"][0], content)
        intact, valid = check_signer(
            signer, certificate, content, lambda name: hashlib.new(name, stamped).digest()
        )
        return _time_of(content, trust, at) if intact and valid else None
    except Exception:  # what cannot be read proves nothing
        return None


def _time_of(content: Any, trust: Trust, at: datetime) -> datetime | None:
    certificate = certificate_of(content["signer_infos"][0], content)
    usage = certificate.extended_key_usage_value
    if usage is None or TIME_STAMPING not in usage.native:
        return None
    others = tuple(one.chosen.dump() for one in content["certificates"])
    if judge_trust(certificate.dump(), others, trust, at=at) is not None:
        return None
    info: Any = content["encap_content_info"]["content"].parsed
    moment = info["gen_time"].native
    return moment if isinstance(moment, datetime) and moment.tzinfo is not None and moment <= at else None


class NoStamp(ValueError):
    """What an authority answered is no time-stamp of what it was asked about."""


def query(digest: bytes, nonce: int) -> bytes:
    """The request (RFC 3161, 2.4.1) for a stamp over this SHA-256, with the authority's certificate. DER."""
    asked = asn1_tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {"hash_algorithm": {"algorithm": DIGEST}, "hashed_message": digest},
            "nonce": nonce,
            "cert_req": True,
        }
    )
    made: bytes = asked.dump()
    return made


def token_in(response: bytes, *, digest: bytes, nonce: int) -> bytes:
    """The token (DER) of an authority's answer. Raises NoStamp unless it was granted, answers this very request, holds under
    the certificate that it brings, and is plain (`cms.is_plain_token`)."""
    try:
        answer = asn1_tsp.TimeStampResp.load(response, strict=True)
        status = answer["status"]["status"].native
        if status not in ("granted", "granted_with_mods"):
            raise NoStamp(f"the authority answered {status}")
        token: bytes = answer["time_stamp_token"].dump()
        content: Any = answer["time_stamp_token"]["content"]
        info = content["encap_content_info"]["content"].parsed
        if info["nonce"].native != nonce:
            raise NoStamp("it answers another request")
        imprint = info["message_imprint"]
        if (imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native) != (
            DIGEST,
            digest,
        ):
            raise NoStamp("it stamps something else")
        if not _holds(content, digest):
            raise NoStamp("its signature does not hold")
        if not is_plain_token(token):
            raise NoStamp("its form is not that of RFC 3161")
    except NoStamp:
        raise
    except Exception as error:  # foreign bytes make the library raise nearly anything
        raise NoStamp(f"it cannot be read: {type(error).__name__}") from error
    return token


def _holds(content: Any, digest: bytes) -> bool:
    signer = content["signer_infos"][0]
    return all(check_signer(signer, certificate_of(signer, content), content, lambda name: digest))


def certificates_in(token: bytes) -> tuple[bytes, ...]:
    """The certificates that a token brings, DER."""
    content: Any = asn1.ContentInfo.load(token)["content"]
    return tuple(one.chosen.dump() for one in content["certificates"] if one.name == "certificate")
