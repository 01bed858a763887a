"""The ASN.1 of electronic seals (GB/T 38540-2020, GM/T 0031-2014 and -2025) in asn1crypto's words. Pure.

Only shapes stand here; `seal_data.py` is the typed door to them. asn1crypto ships no types, hence the comment
below: nothing outside `seal_data.py` may import this module.
"""

# pyright: basic

from asn1crypto import core, parser

__all__ = ["core", "parser"]


class Header(core.Sequence):
    _fields = [("id", core.IA5String), ("version", core.Integer), ("vid", core.IA5String)]


class CertDigest(core.Sequence):
    _fields = [("type", core.PrintableString), ("value", core.OctetString)]


class Certs(core.SequenceOf):
    _child_spec = core.OctetString


class CertDigests(core.SequenceOf):
    _child_spec = CertDigest


class PropertyInfo(core.Sequence):
    """v4 and v5: GeneralizedTime, and certListType chooses what certList is."""

    _fields = [
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("cert_list_type", core.Integer),
        ("cert_list", core.Any),
        ("create_date", core.GeneralizedTime),
        ("valid_start", core.GeneralizedTime),
        ("valid_end", core.GeneralizedTime),
    ]


class PropertyInfoV1(core.Sequence):
    """v1: no certListType, UTCTime."""

    _fields = [
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("cert_list", Certs),
        ("create_date", core.UTCTime),
        ("valid_start", core.UTCTime),
        ("valid_end", core.UTCTime),
    ]


class PictureInfo(core.Sequence):
    _fields = [
        ("type", core.IA5String),
        ("data", core.OctetString),
        ("width", core.Integer),
        ("height", core.Integer),
    ]


class ExtData(core.Sequence):
    """DER leaves `critical` out when it is FALSE."""

    _fields = [
        ("extn_id", core.ObjectIdentifier),
        ("critical", core.Boolean, {"default": False}),
        ("extn_value", core.OctetString),
    ]


class ExtDatas(core.SequenceOf):
    _child_spec = ExtData


class SealInfo(core.Sequence):
    _fields = [
        ("header", Header),
        ("es_id", core.IA5String),
        ("property", PropertyInfo),
        ("picture", PictureInfo),
        ("ext_datas", ExtDatas, {"optional": True}),
    ]


class SealInfoV1(core.Sequence):
    _fields = [
        ("header", Header),
        ("es_id", core.IA5String),
        ("property", PropertyInfoV1),
        ("picture", PictureInfo),
        ("ext_datas", ExtDatas, {"optional": True}),
    ]


class Seal(core.Sequence):
    """v4 without, v5 perhaps with the time stamp. `seal_info` stays as it came: `Any` keeps its bytes."""

    _fields = [
        ("seal_info", core.Any),
        ("cert", core.OctetString),
        ("sign_alg", core.ObjectIdentifier),
        ("signed_value", core.BitString),
        ("time_stamp", core.BitString, {"explicit": 0, "optional": True}),
    ]


class SignInfoV1(core.Sequence):
    _fields = [
        ("cert", core.OctetString),
        ("sign_alg", core.ObjectIdentifier),
        ("sign_data", core.BitString),
    ]


class SealV1(core.Sequence):
    _fields = [("seal_info", core.Any), ("sign_info", SignInfoV1)]


class SignedV1(core.Sequence):
    """What a v1 maker signs: the info, the certificate and the algorithm together."""

    _fields = [
        ("seal_info", core.Any),
        ("cert", core.OctetString),
        ("sign_alg", core.ObjectIdentifier),
    ]
