"""A token is made without telling its PINs to whoever lists the processes."""

import contextlib
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from app.crypto import token_keys
from app.crypto.key_backend import TokenSilent
from app.crypto.softhsm import create_token, keep_tokens
from app.crypto.token_keys import TokenKeys

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
pytestmark = pytest.mark.softhsm


def configured(folder: Path) -> Path:
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    return conf


def test_the_token_opens_with_its_pin_and_with_no_other(tmp_path: Path) -> None:
    conf = configured(tmp_path)

    create_token(conf, "made", pin="271828", so_pin="31415926")

    with pytest.raises(TokenSilent):
        TokenKeys(MODULE, "made", "271829", conf).labels()
    assert TokenKeys(MODULE, "made", "271828", conf).labels() == []


def test_no_pin_is_an_argument_of_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf, seen = configured(tmp_path), tmp_path / "arguments"
    spy = tmp_path / "softhsm2-util"
    spy.write_text(f'#!/bin/sh\necho "$@" >> {seen}\nexec /usr/bin/softhsm2-util "$@"\n')
    spy.chmod(spy.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    create_token(conf, "made", pin="271828", so_pin="31415926")

    assert "--init-token" in seen.read_text()
    assert "271828" not in seen.read_text()
    assert "31415926" not in seen.read_text()


def test_a_pin_that_is_too_short_is_refused_in_the_tools_words(tmp_path: Path) -> None:
    with pytest.raises(TokenSilent, match="PIN"):
        create_token(configured(tmp_path), "made", pin="1", so_pin="31415926")


def test_a_token_whose_login_was_cut_off_is_put_back_and_keeps_its_keys(tmp_path: Path) -> None:
    """SoftHSM empties `token.object` at each login and writes it anew; a process was killed in between."""
    conf = configured(tmp_path)
    create_token(conf, "made", pin="271828", so_pin="31415926")
    keys = TokenKeys(MODULE, "made", "271828", conf)
    keys.generate("order-v1")
    (file,) = (tmp_path / "tokens").glob("*/token.object")
    assert keep_tokens(tmp_path / "tokens") == [], "a sound token is left alone"

    file.write_bytes(b"")

    assert not TokenKeys(MODULE, "another", "271828", conf).exists(), "this closes the session that was open"
    assert keys.labels() == ["order-v1"]
    assert stat.S_IMODE(file.with_name("token.kept").stat().st_mode) == 0o600
    file.write_bytes(b"")
    assert keep_tokens(tmp_path / "tokens") == [file.parent.name]


def test_workers_that_start_at_the_same_moment_all_find_their_keys(tmp_path: Path) -> None:
    """Without a lock one login in five met a token that another login had emptied for a moment."""
    conf = configured(tmp_path)
    create_token(conf, "made", pin="271828", so_pin="31415926")
    keys = TokenKeys(MODULE, "made", "271828", conf)
    keys.generate("order-v1")
    processes, logins = 6, 15
    context = multiprocessing.get_context("fork")
    together, told = context.Barrier(processes), context.Queue()

    def worker() -> None:
        found = 0
        for _ in range(logins):
            together.wait(60)
            with contextlib.suppress(TokenSilent):
                found += "order-v1" in keys.labels()
            token_keys._forget(keys._key())
        told.put(found)

    workers = [context.Process(target=worker) for _ in range(processes)]
    for one in workers:
        one.start()
    assert [told.get(timeout=60) for _ in workers] == [logins] * processes
    for one in workers:
        one.join()
