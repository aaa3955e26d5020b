"""Messages of errors: problem, found, expected and hint; pickling; redaction of URLs."""

import pickle

import pytest

from tryon.errors import ParameterError, SourceError, TryOnError, format_list, redact_urls


def test_message_contains_problem_found_expected_and_hint():
    error = TryOnError("bad image.size", found=(100, 75), expected="multiples of 16", hint="Use 96x64.")
    assert str(error) == "bad image.size: found (100, 75), expected multiples of 16. Use 96x64."


def test_omitted_parts_are_not_rendered():
    assert str(TryOnError("no such file")) == "no such file"
    assert str(TryOnError("a", found=0)) == "a: found 0"
    assert str(TryOnError("a", expected="b")) == "a: expected b"
    assert str(TryOnError("a", hint="Do it.")) == "a. Do it."
    assert str(TryOnError("a:\n  b", hint="Do it.")) == "a:\n  b\nDo it."


@pytest.mark.parametrize("kind", [TryOnError, ParameterError, SourceError])
def test_errors_survive_pickling(kind):
    error = kind("a", expected="b", found=3, hint="d")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.problem, copy.expected, copy.found, copy.hint) == ("a", "b", 3, "d")


def test_long_lists_are_truncated():
    assert format_list(["a", "b"]) == "a, b"
    assert format_list([str(n) for n in range(12)], max_names=2) == "0, 1 and 10 more"


@pytest.mark.parametrize(
    ("text", "redacted"),
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
def test_credentials_in_urls_are_redacted(text: str, redacted: str) -> None:
    assert redact_urls(text) == redacted
    assert str(TryOnError("it", expected=text)) == f"it: expected {redacted}"
    assert "word" not in str(pickle.loads(pickle.dumps(TryOnError("it", found="https://me:pass@word@host"))))
