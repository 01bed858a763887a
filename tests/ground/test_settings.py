"""Settings are checked at start, all faults at once, and every one is documented."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
NAMED_BY_THE_WORLD = {"database_url", "database_url_file", "redis_url"}


def test_every_setting_stands_on_the_page_and_nothing_else_does() -> None:
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)`", PAGE.read_text(), re.MULTILINE))

    known = {n.upper() if n in NAMED_BY_THE_WORLD else f"YINXU_{n.upper()}" for n in Settings.model_fields}

    assert documented == known


def test_production_names_all_that_is_missing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "http://elsewhere")

    with pytest.raises(ValidationError) as refused:
        Settings()

    for fault in ("YINXU_SECRET_KEY", "YINXU_SERVER_TOKEN_PIN", "REDIS_URL"):
        assert fault in str(refused.value)


def test_software_keys_are_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINXU_KEY_BACKEND", "software")

    with pytest.raises(ValidationError, match="only pkcs11 in production"):
        Settings()


def test_secrets_come_from_files_and_stay_out_of_the_repr(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    (tmp_path / "pin").write_text("271828\n")
    (tmp_path / "url").write_text("postgresql://u:topsecret@h/d\n")

    settings = Settings(
        secret_key_file=tmp_path / "key",
        server_token_pin_file=tmp_path / "pin",
        DATABASE_URL_FILE=tmp_path / "url",  # type: ignore[call-arg]
    )

    assert settings.secret_key.get_secret_value() == "k" * 40
    assert settings.database_url.endswith("@h/d")
    for secret in ("k" * 40, "271828", "topsecret"):
        assert secret not in repr(settings)
