"""An error tells the thing, the rule, the value and the remedy, and comes back whole from a worker process."""

import pickle

import pytest

from tryon.errors import ParameterError, SourceError, TryOnError, format_list, redact_urls


def test_message_names_thing_rule_value_and_remedy():
    error = TryOnError("image.size", expected="both sides are multiples of 16", found=(100, 75), hint="Use 96x64.")
    assert str(error) == "image.size: both sides are multiples of 16 (found: (100, 75)). Use 96x64."


def test_parts_that_are_not_given_leave_no_trace():
    assert str(TryOnError("no such file")) == "no such file"


@pytest.mark.parametrize("kind", [TryOnError, ParameterError, SourceError])
def test_errors_come_back_whole_from_a_worker_process(kind):
    error = kind("a", expected="b", found=3, hint="d")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.what, copy.rule, copy.value, copy.remedy) == ("a", "b", 3, "d")


def test_long_lists_are_cut_and_counted():
    assert format_list(["a", "b"]) == "a, b"
    assert format_list([str(n) for n in range(12)], max_names=2) == "0, 1 and 10 more"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pass@word@host/a.zip?key=1&b=2, then", "https://***@host/a.zip?***, then"),
        ("https://bob:hun/ter2@h/x", "https://***@h/x"),
        ("s3://KEY:SEC'RET?a#b@h/x", "s3://***@h/x"),
        ("(https://h/x#token=abc)", "(https://h/x?***)"),
        ("s3://key:secret@bucket/a", "s3://***@bucket/a"),
        ("see 'https://host/a?b' or http://host", "see 'https://host/a?***' or http://host"),
        ("what? a@b.c, data/raw: 1:2", "what? a@b.c, data/raw: 1:2"),
    ],
)
def test_secrets_in_addresses_are_not_told(text: str, shown: str) -> None:
    assert redact_urls(text) == shown
    assert str(TryOnError("it", expected=text)) == f"it: {shown}"
    assert "word" not in str(pickle.loads(pickle.dumps(TryOnError("it", found="https://me:pass@word@host"))))
