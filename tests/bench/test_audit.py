"""The bench of the log: what it leaves out is the log alone, and what it verifies is whole."""

import pytest

from app.bench import audit


@pytest.mark.softhsm
def test_it_measures_with_and_without_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "WRITERS", {1: 0.7})
    monkeypatch.setattr(audit, "ROUNDS", 1)
    monkeypatch.setattr(audit, "SECONDS", 0.3)
    monkeypatch.setattr(audit, "LOOKS", 1)

    found = {measure.name: measure for measure in audit.measures()}

    assert list(found) == ["audit.sqlite.writers_1", "audit.sqlite.signed_after", "audit.sqlite.verify"]
    assert all(measure.ours > 0 and measure.baseline > 0 for measure in found.values())
