"""Error messages state the problem, not the violated rule, and how to fix it."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tryon.errors import TryOnError

ROOT = Path(__file__).parents[1]


def load_site_hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["site_hooks"] = module
    spec.loader.exec_module(module)
    return module


MESSAGES = load_site_hooks().collect_messages()

PLACEHOLDER = re.compile(r"\{[^{}]*\}")
"""A value in braces, as the collector writes it."""

RULE_AS_FACT = re.compile(r"^[^ ]+ ?[^ ]*: (is|are|has|have|exists?|can|may|lies|names|holds|takes|was|stays|goes)\b")
"""The violated rule stated as a fact: "x.zip: exists" for a file that does not exist."""

VERB_FIRST = re.compile(r"^(is|are|has|have|exists?|lies?|holds?|names?|can|may|takes|was|stays|fits|begins|ends)\b")
"""A predicate ("is a multiple of 16") where `expected` should be a noun phrase ("a multiple of 16")."""

UNUSUAL_WORDS = re.compile(
    r"\b(told|heard|whoever|somebody|nobody|astray|beside|anew|set aside|noted|twin(?!:)|mend|lies in|stands in)\b",
    re.I,
)
"""Words that manuals of the field do not use."""


def location(message) -> str:
    return f"{message.file}:{message.line}"


def test_messages_are_collected() -> None:
    assert len(MESSAGES) > 150
    assert {"problem", "found", "expected", "hint"} == {name for message in MESSAGES for name in message.parts}


@pytest.mark.parametrize("message", MESSAGES, ids=location)
def test_problem_is_not_the_violated_rule(message) -> None:
    problem = PLACEHOLDER.sub("X", message.parts["problem"])
    assert not RULE_AS_FACT.search(problem)
    assert not problem.endswith(".")
    assert problem == problem.strip()


@pytest.mark.parametrize("message", MESSAGES, ids=location)
def test_expected_is_a_noun_phrase(message) -> None:
    assert not VERB_FIRST.search(PLACEHOLDER.sub("X", message.parts.get("expected", "")))


@pytest.mark.parametrize("message", MESSAGES, ids=location)
def test_hint_is_a_sentence(message) -> None:
    hint = message.parts.get("hint", "")
    if hint and not PLACEHOLDER.fullmatch(hint):
        assert hint[0].isupper() or hint[0] in "`{"
        assert hint[-1] in ".}`"


@pytest.mark.parametrize("message", MESSAGES, ids=location)
def test_messages_use_standard_terms(message) -> None:
    assert not UNUSUAL_WORDS.search(PLACEHOLDER.sub("X", message.text))


def test_parts_are_rendered_in_order() -> None:
    error = TryOnError("a.zip is truncated", found=10, expected="20 bytes", hint="Download it again.")
    assert str(error) == "a.zip is truncated: found 10, expected 20 bytes. Download it again."
    assert str(TryOnError("a.zip not found")) == "a.zip not found"
