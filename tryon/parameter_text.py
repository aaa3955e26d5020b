"""Writing single keys into the text of `params.yaml`: comments, order and layout stay as they are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter


class _Representer(RoundTripRepresenter):
    """Writes the word null, which ruamel leaves out otherwise."""

    def represent_none(self, data: Any) -> Any:
        """As the files have it."""
        del data
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(type(None), _Representer.represent_none)


def with_values(text: str, wanted: Mapping[str, Any]) -> str:
    """The text with some keys ("finetune.lr") set.

    Args:
        text: a well-formed mapping.
        wanted: values by key; a section that is not there yet is added.
    """
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 4096
    content = yaml.load(text)
    for key, value in wanted.items():
        *path, last = key.split(".")
        section = content
        for part in path:
            section = section.setdefault(part, {})
        section[last] = _written(value)
    out = io.StringIO()
    yaml.dump(content, out)
    return out.getvalue()


def _written(value: Any) -> Any:
    """Lists in one line, as the files have them."""
    if not isinstance(value, list):
        return value
    line = CommentedSeq(value)
    line.fa.set_flow_style()
    return line
