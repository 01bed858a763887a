"""A filled signature field as the document's structure has it: where it stands, what came after it. Pure.

pyHanko's own class reads the container as well and gives up when it finds there what it does not expect; the container is
the business of `claims` alone.
"""

from typing import Any

from app.pdf.foreign import (
    DEFAULT_DIFF_POLICY,
    EmbeddedPdfSignature,
    FormUpdatingRule,
    GenericFieldModificationRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
    enumerate_sig_fields,
    extract_contents,
    generic,
)


class Located(EmbeddedPdfSignature):  # type: ignore[misc]  # pyHanko's classes are untyped at our door
    """pyHanko's knowledge of revisions and changes, without a look into the container."""

    def __init__(self, reader: Any, sig_field: Any, name: str) -> None:
        entry = sig_field.raw_get("/V")
        self.reader = reader
        self.sig_field = sig_field
        self.sig_object: Any = entry.get_object()
        self.byte_range: Any = self.sig_object["/ByteRange"]
        self.pkcs7_content: bytes = bytes(extract_contents(self.sig_object))
        self.signed_revision: int = reader.xrefs.get_last_change(entry.reference)
        self.fq_name = name
        self.coverage: Any = None
        self._docmdp: Any = None
        self._fieldmdp: Any = None
        self._docmdp_queried = self._fieldmdp_queried = False


def located(reader: Any) -> tuple[list[Located], int]:
    """The filled signature fields in the order of revisions, and how many could not be read: one that cannot
    be read hides no other, and its raw claim remains."""
    found: list[Located] = []
    unread = 0
    for name, _value, field in enumerate_sig_fields(reader, filled_status=True):
        try:
            found.append(Located(reader, field.get_object(), name))
        except Exception:  # foreign bytes make the library raise nearly anything
            unread += 1
    return sorted(found, key=lambda one: one.signed_revision), unread


class _Policy(StandardDiffPolicy):  # type: ignore[misc]  # pyHanko's classes are untyped at our door
    """pyHanko's rules, except where they refuse what sound programs write: a number that nothing ever used is declared free
    (iText), a visible signature is added to a document that was certified for further signing (Acrobat, iText)."""

    def __init__(self) -> None:
        fields = [
            SigFieldCreationRule(allow_new_visible_after_certify=True),
            SigFieldModificationRule(),
            GenericFieldModificationRule(),
        ]
        super().__init__(
            DEFAULT_DIFF_POLICY.global_rules,
            FormUpdatingRule(field_rules=fields),
            reject_object_freeing=False,
        )

    def apply(self, old: Any, new: Any, *args: Any, **kwargs: Any) -> Any:
        for freed in new.refs_freed_in_revision():
            if not isinstance(old(generic.Reference(freed.idnum, 0)), generic.NullObject):
                raise SuspiciousModification(f"{freed} was taken away")
        apply: Any = StandardDiffPolicy.apply
        return apply(self, old, new, *args, **kwargs)


CHANGES: Any = _Policy()
"""What may come after a signature: validation data, further signatures, filled forms."""
