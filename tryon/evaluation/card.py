"""The model card: what the checkpoint is, how good, where it is weak, and what it may be used for, in markdown.

It lies beside the report and not beside the checkpoint: that folder is what `finetune` made, and a stage never writes
into another one's.
"""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from tryon.evaluation.course import title_of
from tryon.evaluation.data_cards import cards_of
from tryon.evaluation.headline import headline_table
from tryon.evaluation.report import Report, dimension_title, number, percent, signed, times


def model_card(report: Report) -> str:
    """The card; equal reports give equal text."""
    environment = Environment(
        loader=PackageLoader("tryon.evaluation"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # markdown: nothing is escaped, and nothing in it comes from outside but names of licences
    environment.filters |= {
        "number": number, "times": times, "title_of": title_of, "dimension": dimension_title, "signed": signed,
        "percent": percent,
    }  # fmt: skip
    return environment.get_template("model_card.md.j2").render(
        report=report,
        content=report.content,
        headline=headline_table(report.content),
        cards=cards_of(report.licences),
    )
