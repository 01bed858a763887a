"""A proof is checked by a script of the standard library and openssl, told in the docs (`docs/examples/check_proof.py`)."""

import ast
import base64
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from app.audit import checkpoint as notes
from app.audit import queries, sequencer
from app.audit.proof import Proof, parse
from tests.audit.makers import write

SCRIPT = Path(__file__).parents[2] / "docs/examples/check_proof.py"


@pytest.fixture
def given(log: Flask, tmp_path: Path) -> Path:
    """A folder with the proof of entry 11 of 23, the checkpoint and the keys."""
    write(23, batch=10)
    (tmp_path / "proof").write_text(queries.proof(11))
    (tmp_path / "checkpoint").write_text(sequencer.witness().latest() or "")
    (tmp_path / "keys").write_text("\n".join(sequencer.witness().keys()))
    return tmp_path


def asked(folder: Path) -> tuple[int, str]:
    """Without anything that is installed beside the standard library."""
    words = [sys.executable, "-I", "-S", SCRIPT, "proof", "--checkpoint", "checkpoint", "--keys", "keys"]
    answer = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    return answer.returncode, answer.stdout


def test_it_proves_what_is_so_and_nothing_else(given: Path) -> None:
    assert asked(given)[0] == 0
    assert asked(given)[1].startswith("proven: entry 11 stands under this checkpoint: ")
    assert "sealing test.document_stamped unit 7 fact" in asked(given)[1]
    proof, note = (given / "proof").read_text(), (given / "checkpoint").read_text()
    found, checkpoint = parse(proof), notes.parse(note)

    (given / "proof").write_text(Proof(12, found.leaf, found.path, note).pack())
    assert asked(given) == (1, "not proven: the path does not lead to the checkpoint's root\n")
    (given / "proof").write_text(Proof(11, found.leaf[:-1] + b"x", found.path, note).pack())
    assert asked(given)[0] == 1
    (given / "proof").write_text(Proof(11, found.leaf, found.path[:-1], note).pack())
    assert asked(given) == (1, "not proven: the path is too short\n")
    (given / "proof").write_text(proof)
    root = base64.b64encode(checkpoint.checkpoint.root).decode()
    (given / "checkpoint").write_text(note.replace(root, base64.b64encode(bytes(32)).decode()))
    assert asked(given) == (1, "not proven: the checkpoint's signature is wrong\n")
    (given / "checkpoint").write_text("nothing of the kind")
    assert asked(given)[0] == 1


def test_it_needs_the_standard_library_alone() -> None:
    tree = ast.parse(SCRIPT.read_text())
    named = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom)
            else []
        )
    }  # fmt: skip

    assert named <= sys.stdlib_module_names
