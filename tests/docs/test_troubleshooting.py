"""What docs/troubleshooting.md quotes is what the code says, word for word."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^ *> (.+)$", DOCUMENT, re.MULTILINE)


@cache
def said() -> str:
    """Every text in the code, each apart from the others."""
    files = (path for package in ("bot", "handlers", "tgc") for path in (ROOT / package).rglob("*.py"))
    return "\0".join(text for file in files for text in _texts(ast.parse(file.read_text(encoding="utf-8"))))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_there_are_sentences() -> None:
    assert len(QUOTED) > 40


@pytest.mark.parametrize("sentence", QUOTED)
def test_the_sentence_is_the_codes(sentence: str) -> None:
    """… stands for what differs."""
    parts = [part.strip() for part in sentence.split("…")]
    assert [part for part in parts if part not in said()] == []
