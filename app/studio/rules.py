"""The law of drafts: who may change one, what it may hold, and that nobody overwrites what they have not seen. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.actor import Actor
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.text import Text

OWNER = "process_owner"
MOST_FILES = 50
"""Of one kind in one flow."""
ONE_FILE = 2 * 1024 * 1024
MOST_BYTES = 8 * 1024 * 1024
"""All texts of a draft together."""
TABLE_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}\.dmn")
PAPER_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
KEY = re.compile(r"[a-z][a-z0-9_]{0,79}")


class Stale(Conflict):
    """Somebody else has saved since this was read; `revision`, `by`, `at` say what is there now."""

    def __init__(self, revision: int, by: str, at: datetime) -> None:
        super().__init__(
            "studio.stale",
            zh=f"{by} 已在此期间保存了这份草稿。您的修改没有覆盖任何内容，请载入最新内容后再改。",
            en=f"{by} has saved this draft meanwhile. Nothing was overwritten; load what is there now and change that.",
            revision=revision,
            saved_by=by,
            saved_at=at.isoformat(),
        )
        self.revision, self.by, self.at = revision, by, at


def check_may_own(by: Actor) -> None:
    """Refuses `Forbidden`."""
    if by.kind != "system" and not by.has(OWNER):
        raise Forbidden(
            "studio.not_yours",
            zh="只有流程管理员可以查看和修改流程设计。",
            en="Only a process owner may see and change how flows are drawn.",
        )


def no_such_draft(draft_id: int) -> NotFound:
    return NotFound(
        "studio.no_such_draft",
        zh="没有这份草稿。",
        en="There is no such draft.",
        draft_id=draft_id,
    )


def check_open(state: str) -> None:
    """Refuses `Conflict`: it was published or discarded, so it is a record now."""
    if state == "published":
        raise Conflict(
            "studio.published",
            zh="这份草稿已经发布，不能再改。请从已发布的版本新建草稿。",
            en="This draft was published and can no longer be changed. Start another from the published version.",
        )
    if state != "open":
        raise Conflict(
            "studio.discarded",
            zh="这份草稿已经放弃，不能再改。请新建草稿。",
            en="This draft was discarded and can no longer be changed. Start another.",
        )


def check_fresh(revision: int, present: int, by: str, at: datetime) -> None:
    """Refuses `Stale` unless whoever saves has seen what is there."""
    if revision != present:
        raise Stale(present, by, at)


def check_names(tables: Mapping[str, Any], forms: Mapping[str, Any], stories: Mapping[str, Any]) -> None:
    """Refuses `Invalid`: names that are no names of files, or too many."""
    for names, pattern in ((tables, TABLE_NAME), (forms, PAPER_NAME), (stories, PAPER_NAME)):
        wrong = next((name for name in names if not pattern.fullmatch(name)), None)
        if wrong is not None:
            raise Invalid(
                "studio.bad_name",
                zh=f"文件名「{wrong[:60]}」不合适：只用字母、数字、_ 和 -，规则表以 .dmn 结尾。",
                en=f"The file name “{wrong[:60]}” will not do: letters, digits, _ and - only; a rule table ends in .dmn.",
                file=wrong[:60],
            )
        if len(names) > MOST_FILES:
            raise too_large()


def check_kinds(
    bpmn: Any, tables: Mapping[str, Any], forms: Mapping[str, Any], stories: Mapping[str, Any]
) -> None:
    """Refuses `Invalid`: a diagram, table or story that is no text, a form that is no object."""
    texts = {"diagram": bpmn, **tables, **stories}
    wrong = [name for name, text in texts.items() if not isinstance(text, str)]
    wrong += [name for name, form in forms.items() if not isinstance(form, dict)]
    if wrong:
        raise Invalid(
            "studio.bad_kind",
            zh=f"「{wrong[0]}」不是这里能保存的内容。",
            en=f"“{wrong[0]}” is nothing that can be kept here.",
            file=wrong[0],
        )


def as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def check_size(*texts: str) -> None:
    """Refuses `Invalid`: more than anybody draws."""
    sizes = [len(text.encode()) for text in texts]
    if max(sizes, default=0) > ONE_FILE or sum(sizes) > MOST_BYTES:
        raise too_large()


def too_large() -> Invalid:
    return Invalid(
        "studio.too_large",
        zh=f"内容太大：每个文件不超过 {ONE_FILE // 1024} KB，每类不超过 {MOST_FILES} 个，合计不超过 {MOST_BYTES // 1024 // 1024} MB。",
        en=f"Too large: at most {ONE_FILE // 1024} KB a file, {MOST_FILES} files of a kind, "
        f"{MOST_BYTES // 1024 // 1024} MB in all.",
    )


LATEST = timedelta(days=366)


def check_may_publish_alone(second_person: bool | None) -> None:
    """Refuses `Forbidden`: the setting asks for four eyes."""
    if second_person:
        raise Forbidden(
            "studio.second_person",
            zh="发布须由另一位流程管理员同意。请先提请发布。",
            en="Another process owner must agree before this is published. Propose it first.",
        )


def check_is_another(by: Actor, proposed_by_id: int | None) -> None:
    """Refuses `Forbidden`: nobody agrees with themselves."""
    if proposed_by_id is not None and by.id == proposed_by_id:
        raise Forbidden(
            "studio.own_proposal",
            zh="这是您自己提请的，须由另一位流程管理员同意。",
            en="You proposed this yourself; another process owner must agree.",
        )


def nothing_proposed() -> Conflict:
    return Conflict(
        "studio.nothing_proposed",
        zh="这份草稿没有提请发布，或提请之后又有改动。请重新提请。",
        en="Nothing is proposed, or the draft was changed since. Propose it again.",
    )


def check_is_made(follows: int | None) -> None:
    """Refuses `Conflict`: a version that only follows another's goes and comes with that."""
    if follows is not None:
        raise Conflict(
            "studio.follows",
            zh="这个版本只是随被调用的流程更新，请撤销被调用流程的版本。",
            en="This version only follows a flow that it calls; call off that flow's version.",
        )


def check_start(start: datetime | None, at: datetime) -> None:
    """Refuses `Invalid`: a version is in force from now on, or from a day of the coming year."""
    if start is not None and not at < start <= at + LATEST:
        text = Text(
            "生效日期应在明天至一年之内；要立即生效，请留空",
            "The day lies between tomorrow and a year from now; leave it empty for at once",
        )
        raise Invalid("studio.bad_start", zh=text.zh, en=text.en, fields={"effective_from": text})


def check_seen(seen: int | None, newest: int | None) -> None:
    """Refuses `Conflict`: another version was published since the publisher last looked."""
    if seen != newest:
        raise Conflict(
            "studio.newer_version",
            zh=f"在此期间已有人发布了第 {newest} 版。请先查看它与草稿的区别，再决定是否发布。",
            en=f"Version {newest} was published meanwhile. See how the draft differs from it before publishing.",
            newest=newest,
        )


def check_no_errors(errors: Sequence[Text]) -> None:
    """Refuses `Invalid`: the first mistake in its sentence."""
    if errors:
        raise Invalid(
            "studio.problems",
            zh=f"还有 {len(errors)} 处问题，不能发布：{errors[0].zh}",
            en=f"{len(errors)} problems keep it from being published: {errors[0].en}",
            problems=[{"zh": e.zh, "en": e.en} for e in errors[:20]],
        )


def check_differs(differs: bool) -> None:
    """Refuses `Conflict`: there is nothing to publish."""
    if not differs:
        raise Conflict(
            "studio.nothing_changed",
            zh="草稿与届时生效的版本没有区别，无需发布。",
            en="The draft is no different from the version that is in force then; there is nothing to publish.",
        )
