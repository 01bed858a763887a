"""The object store gives back exactly what was put in, or refuses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.refusal import NotFound, Unavailable
from app.store import FolderStore


@given(data=st.binary(max_size=2000))
def test_what_was_put_comes_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    store = FolderStore(tmp_path_factory.mktemp("store"))

    digest = store.put(data)

    assert store.put(data) == digest
    assert store.has(digest)
    assert store.get(digest) == data


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put(b"the true content")
    (file,) = [p for p in tmp_path.rglob("*") if p.is_file()]
    file.write_bytes(b"the true c0ntent")

    with pytest.raises(Unavailable):
        store.get(digest)


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "../../etc/passwd", "md5:00", ""])
def test_what_is_not_there_is_refused(tmp_path: Path, digest: str) -> None:
    with pytest.raises(NotFound):
        FolderStore(tmp_path).get(digest)
