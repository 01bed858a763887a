"""The security headers of every answer, the two preferences a stranger may set, and the templates' own rules."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/healthz", "/static/app.css", "/inbox"])
def test_every_answer_is_hardened(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert ("no-store" in headers.get("Cache-Control", "")) is not path.startswith("/static/")


def test_each_answer_has_its_own_nonce_and_every_script_carries_it(app: Flask) -> None:
    seen: set[str] = set()
    for _ in range(2):
        with app.test_client() as client:
            from flask import g

            for name in list(g):
                g.pop(name)
            answer = client.get("/login")
        nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert nonce is not None
        assert re.findall(r"<script[^>]*>", answer.text) == re.findall(
            rf'<script[^>]*nonce="{re.escape(nonce[1])}"[^>]*>', answer.text
        )
        seen.add(nonce[1])
    assert len(seen) == 2


def test_language_follows_the_browser_until_it_is_chosen(client: FlaskClient) -> None:
    assert "Log in" in client.get("/login", headers={"Accept-Language": "en-GB"}).text
    answer = client.get("/language/zh?next=/login")
    assert answer.location == "/login"
    cookie = client.get_cookie("language")
    assert cookie is not None and cookie.value == "zh"


@pytest.mark.parametrize("what", ["language/en", "theme/dark"])
@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_a_preference_leads_to_no_other_site(client: FlaskClient, what: str, target: str) -> None:
    assert client.get(f"/{what}", query_string={"next": target}).location == "/"


def test_the_chosen_theme_is_in_the_page_itself(client: FlaskClient) -> None:
    assert "data-theme" not in client.get("/login").text.split("<head>")[0]
    client.get("/theme/dark")
    assert 'data-theme="dark"' in client.get("/login").text
    client.get("/theme/nonsense")
    assert "data-theme" not in client.get("/login").text.split("<head>")[0]


def test_templates_are_complete_in_both_languages() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/check-templates")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
