"""Two-party control: an acceptable seal needs the maker card's signature and the server's order, both."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from app.crypto.certificates import Trust
from app.crypto.seal_data import Picture, parse_seal
from app.crypto.seal_verdict import SealVerdict, verify_seal
from tests.crypto.pki import DAY, NOW, Authority
from tests.crypto.seal_maker import Parties

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def parties() -> Parties:
    return Parties()


def codes(verdict: SealVerdict) -> list[str]:
    return [p.code for p in verdict.problems]


def test_a_seal_that_both_parties_made_is_acceptable(parties: Parties) -> None:
    verdict = verify_seal(
        parties.seal(), parties.ca.trust(), at=NOW + DAY, signer_certificate=parties.card.der
    )

    assert verdict.acceptable and verdict.maker_signature == "good" and not verdict.warnings
    assert verdict.order is not None and verdict.order.operator.name == "王工"


def test_a_maker_without_the_servers_order_makes_no_acceptable_seal(parties: Parties) -> None:
    verdict = verify_seal(parties.seal(extensions=()), parties.ca.trust(), at=NOW)

    assert codes(verdict) == ["order_missing"]


def test_a_maker_who_signs_the_order_himself_makes_none_either(parties: Parties) -> None:
    verdict = verify_seal(parties.seal(ordered_by=parties.maker), parties.ca.trust(), at=NOW)

    assert codes(verdict) == ["order_untrusted"]


def test_a_server_without_the_maker_card_makes_no_acceptable_seal(parties: Parties) -> None:
    by_server = verify_seal(parties.seal(made_by=parties.server), parties.ca.trust(), at=NOW)
    stolen = parties.seal(made_by=parties.maker)
    forged = stolen[:-8] + bytes(8)

    assert codes(by_server) == ["maker_untrusted", "order_mismatch"]
    assert "maker_signature_bad" in codes(verify_seal(forged, parties.ca.trust(), at=NOW))


def test_the_seal_cards_own_key_is_no_maker(parties: Parties) -> None:
    verdict = verify_seal(parties.seal(made_by=parties.card), parties.ca.trust(), at=NOW)

    assert "maker_untrusted" in codes(verdict)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "某市公安局"},
        {"es_id": "another"},
        {"picture": Picture(format="PNG", data=b"another picture", width_mm=42, height_mm=42)},
        {"valid_until": NOW + 3000 * DAY},
    ],
)
def test_an_order_for_another_seal_serves_for_none(parties: Parties, change: dict[str, object]) -> None:
    """A recorded order in another seal: the maker's card would sign it, the verifier does not accept it."""
    recorded = parties.order(parties.content())

    verdict = verify_seal(
        parties.seal(content=parties.content(**change), order=recorded), parties.ca.trust(), at=NOW
    )

    assert codes(verdict) == ["order_mismatch"]


def test_a_seal_on_another_card_is_not_what_was_ordered(parties: Parties) -> None:
    other = parties.ca.issue("某市财政局", role="seal")
    recorded = parties.order(parties.content())

    verdict = verify_seal(
        parties.seal(content=parties.content(card_certificate=other.der), order=recorded),
        parties.ca.trust(),
        at=NOW,
    )

    assert codes(verdict) == ["order_mismatch"]


def test_a_signer_whose_certificate_the_seal_does_not_list_is_told(parties: Parties) -> None:
    other = parties.ca.issue("别人", role="seal")

    verdict = verify_seal(parties.seal(), parties.ca.trust(), at=NOW, signer_certificate=other.der)

    assert codes(verdict) == ["signer_not_listed"]


def test_parties_of_another_authority_are_not_trusted(parties: Parties) -> None:
    verdict = verify_seal(parties.seal(), Authority().trust(), at=NOW)

    assert codes(verdict) == ["maker_untrusted", "order_untrusted"]


def test_a_maker_revoked_before_the_making_makes_nothing(parties: Parties) -> None:
    trust = parties.ca.trust(parties.ca.crl(parties.maker, at=NOW - DAY))

    assert codes(verify_seal(parties.seal(), trust, at=NOW)) == ["maker_untrusted"]


def test_a_maker_revoked_since_is_a_warning_only(parties: Parties) -> None:
    """GM/T 0031-2025: what was good when the seal was made stays good."""
    trust = parties.ca.trust(parties.ca.crl(parties.maker, at=NOW + DAY))

    verdict = verify_seal(parties.seal(), trust, at=NOW + 2 * DAY)

    assert verdict.acceptable and [w.code for w in verdict.warnings] == ["maker_expired_since"]


def test_outside_its_validity_a_seal_is_not_acceptable(parties: Parties) -> None:
    verdict = verify_seal(parties.seal(), parties.ca.trust(), at=NOW - DAY)

    assert "outside_validity" in codes(verdict)


def test_any_changed_byte_makes_the_seal_unacceptable(parties: Parties) -> None:
    seal, trust = parties.seal(), parties.ca.trust()

    accepted = [
        place
        for place in range(0, len(seal), 3)
        if verify_seal(seal[:place] + bytes([seal[place] ^ 1]) + seal[place + 1 :], trust, at=NOW).acceptable
    ]

    assert accepted == []


def test_bytes_that_are_no_seal_get_a_verdict_too(parties: Parties) -> None:
    assert codes(verify_seal(b"\x30\x00", parties.ca.trust(), at=NOW)) == ["unreadable"]


def test_the_golden_seal_reads_as_it_did_when_it_was_made() -> None:
    """docs/seal-structure.md: these bytes were made once; the reader may never change its mind about them."""
    der = (GOLDEN / "seal-v4.der").read_bytes()
    expected = json.loads((GOLDEN / "seal-v4.json").read_text())
    trust = Trust(
        (x509.load_pem_x509_certificate((GOLDEN / "root.pem").read_bytes()),),
        (),
        (x509.load_der_x509_crl((GOLDEN / "root.crl").read_bytes()),),
    )

    verdict = verify_seal(der, trust, at=NOW)

    seal = parse_seal(der)
    assert verdict.acceptable and verdict.order is not None
    assert {
        "structure": seal.structure,
        "es_id": seal.info.es_id,
        "name": seal.info.name,
        "algorithm": seal.algorithm,
        "created_at": seal.info.created_at.isoformat(),
        "picture": seal.info.picture.data.hex(),
        "order_id": verdict.order.order_id,
        "content_sha256": verdict.order.content_sha256,
    } == expected


def test_the_page_on_the_structure_checks_the_golden_seal_with_openssl_alone(tmp_path: Path) -> None:
    """Every command of docs/seal-structure.md, as a reader would type them."""
    page = (Path(__file__).parents[2] / "docs" / "seal-structure.md").read_text()
    (tmp_path / "seal.der").write_bytes((GOLDEN / "seal-v4.der").read_bytes())
    lines = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))

    done = subprocess.run(["sh", "-euc", lines], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert lines.count("openssl ") == 6 and "某市财政局" in done.stdout
    assert done.stdout.splitlines()[-1] == "Verified OK"
