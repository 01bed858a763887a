"""Files by content digest: uploads, documents, ciphertext of impressions. One door, so that another store can
take its place.

A digest is `sha256:` and 64 hexadecimal digits (D8: the algorithm is named). What is stored never changes; the
same content is stored once. A local folder by default.
"""

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from app.refusal import NotFound, Unavailable
from app.settings import current_settings

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Store(Protocol):
    """What any store must do."""

    def put(self, data: bytes) -> str: ...

    def get(self, digest: str) -> bytes: ...

    def has(self, digest: str) -> bool: ...

    def remove(self, digest: str) -> None: ...


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class FolderStore:
    """A folder with 256 sub-folders. A file appears whole or not at all, also when the power fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        digest = digest_of(data)
        path = self._path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).rename(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return digest

    def get(self, digest: str) -> bytes:
        """The content. Refuses when it is missing, and when the disk gives back something else."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(
                "store.missing",
                zh="文件不存在，请联系系统管理员从备份恢复",
                en="The file is not in the store; ask the system administrator to restore it",
                digest=digest,
            ) from error
        if digest_of(data) != digest:
            raise Unavailable(
                "store.damaged",
                zh="存储的文件已损坏，请联系系统管理员从备份恢复",
                en="The stored file is damaged; ask the system administrator to restore it",
                digest=digest,
            )
        return data

    def has(self, digest: str) -> bool:
        return self._path(digest).exists()

    def remove(self, digest: str) -> None:
        """For what nothing else names, such as a sealed file; gone already is as good."""
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NotFound(
                "store.bad_digest",
                zh="文件编号不正确",
                en="This is not the digest of a file",
                digest=digest[:80],
            )
        return self.folder / digest[7:9] / digest[9:]


def store() -> Store:
    """The store of the app whose context we are in."""
    folder = current_settings().object_store_dir
    assert folder is not None  # settings fill it in
    return FolderStore(folder)


def put(data: bytes) -> str:
    return store().put(data)


def get(digest: str) -> bytes:
    return store().get(digest)


def has(digest: str) -> bool:
    return store().has(digest)


def remove(digest: str) -> None:
    store().remove(digest)
