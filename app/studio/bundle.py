"""A flow as one file to carry: a zip laid out as the folders of `workflows/` are. What comes in is nobody's friend:
bounded before it is unpacked, every name known, every text readable; what else is in it is refused by its name. Pure.

    seal_approval/seal_approval.bpmn   *.dmn   forms/*.json   scenarios/*.yaml
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from app.bpmn.reading import read, xpath
from app.flows.versions import Papers
from app.refusal import Invalid
from app.studio import rules

MOST_PACKED = 4 * 1024 * 1024
IGNORED = ("README.md",)


def packed(papers: Papers) -> bytes:
    """The zip. The same papers give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files_of(papers).items():
            archive.writestr(zipfile.ZipInfo(f"{papers.key}/{name}"), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def files_of(papers: Papers) -> dict[str, str]:
    """Path in the flow's folder → text."""
    forms = {
        f"forms/{name}.json": json.dumps(form, ensure_ascii=False, indent=2) + "\n"
        for name, form in papers.forms.items()
    }
    return {
        f"{papers.key}.bpmn": papers.bpmn,
        **{name: str(text) for name, text in papers.tables.items()},
        **forms,
        **{f"scenarios/{name}.yaml": str(text) for name, text in papers.stories.items()},
    }


@dataclass
class _Unpacked:
    diagrams: dict[str, str] = field(default_factory=dict[str, str])
    tables: dict[str, str] = field(default_factory=dict[str, str])
    forms: dict[str, Any] = field(default_factory=dict[str, Any])
    stories: dict[str, str] = field(default_factory=dict[str, str])


def unpacked(content: bytes) -> Papers:
    """The papers of a zip, or of a single diagram. Refuses `Invalid` with the name of what will not do."""
    if len(content) > MOST_PACKED:
        raise rules.too_large()
    found = _Unpacked()
    if content[:2] == b"PK":
        for path, text in _texts(content):
            _sort(found, path, text)
    else:
        found.diagrams["diagram.bpmn"] = _decoded("diagram.bpmn", content)
    if len(found.diagrams) != 1:
        raise _wrong(
            ", ".join(sorted(found.diagrams)) or "*.bpmn",
            "应当正好有一个流程图（.bpmn）",
            "there must be exactly one diagram (.bpmn)",
        )
    ((name, bpmn),) = found.diagrams.items()
    return Papers(_key(name, bpmn), bpmn, found.tables, found.forms, found.stories)


def _texts(content: bytes) -> Iterator[tuple[PurePosixPath, str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            if len(entries) > 3 * rules.MOST_FILES or sum(e.file_size for e in entries) > rules.MOST_BYTES:
                raise rules.too_large()
            for entry in entries:
                yield _safe(entry), _decoded(entry.filename, _bytes(archive, entry))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _wrong(
            "zip",
            "压缩包已损坏或无法读取",
            f"the archive is broken or cannot be read ({type(error).__name__})",
        ) from error


def _bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """No more than one file may have, whatever the archive says of its size."""
    with archive.open(entry) as opened:
        content = opened.read(rules.ONE_FILE + 1)
    if len(content) > rules.ONE_FILE:
        raise rules.too_large()
    return content


def _safe(entry: zipfile.ZipInfo) -> PurePosixPath:
    """The path below the flow's folder."""
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or entry.flag_bits & 1:
        raise _wrong(entry.filename, "路径不合适或已加密", "its path will not do, or it is encrypted")
    inner = (
        path.parts[1:] if len(path.parts) > 1 and path.parts[0] not in ("forms", "scenarios") else path.parts
    )
    return PurePosixPath(*inner)


def _sort(found: _Unpacked, path: PurePosixPath, text: str) -> None:
    place, kind = "/".join(path.parts[:-1]), path.suffix
    if place == "" and kind == ".bpmn":
        found.diagrams[path.name] = text
    elif place == "" and kind == ".dmn":
        found.tables[path.name] = text
    elif place == "forms" and kind == ".json":
        found.forms[path.stem] = _form(str(path), text)
    elif place == "scenarios" and kind == ".yaml":
        found.stories[path.stem] = text
    elif path.name not in IGNORED:
        raise _wrong(
            str(path),
            "不是流程的文件。只收流程图 .bpmn、规则表 .dmn、forms/*.json 和 scenarios/*.yaml；程序代码从不导入",
            "is no file of a flow. Taken are a diagram .bpmn, rule tables .dmn, forms/*.json and scenarios/*.yaml; "
            "code never is",
        )


def _form(name: str, text: str) -> dict[str, Any]:
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, "不是合法的 JSON", "is no JSON") from error
    if not isinstance(said, dict):
        raise _wrong(name, "不是表单", "is no form")
    return cast("dict[str, Any]", said)


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(name, "不是 UTF-8 文本", "is no text in UTF-8") from error


def _key(name: str, bpmn: str) -> str:
    """The flow that the diagram is of: the id of its process."""
    ids = [str(p.get("id") or "") for p in xpath(read(bpmn.encode()), "/bpmn:definitions/bpmn:process")]
    if len(ids) != 1 or not rules.KEY.fullmatch(ids[0]):
        raise _wrong(
            name,
            "应当正好有一个流程，其标识由小写字母、数字和 _ 组成",
            "must hold exactly one process, whose id is of lower-case letters, digits and _",
        )
    return ids[0]


def _wrong(name: str, zh: str, en: str) -> Invalid:
    shown = "".join(c if c.isprintable() else "?" for c in name)[:120]
    return Invalid("studio.bad_import", zh=f"「{shown}」：{zh}。", en=f"“{shown}” {en}.", file=shown)
