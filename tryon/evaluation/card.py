"""The model card: what the checkpoint is, how good, where it is weak, and what it may be used for, in markdown.

It lies beside the report and not beside the checkpoint: that folder is what `finetune` made, and a stage never writes
into another one's.
"""

from __future__ import annotations

from tryon.evaluation.availability import NO_FLOW
from tryon.evaluation.data_cards import cards_of
from tryon.evaluation.headline import headline_table
from tryon.evaluation.report import Report, templates


def model_card(report: Report) -> str:
    """The card; equal reports give equal text."""
    # Markdown: nothing is escaped, and nothing in it comes from outside but names of licences.
    markdown = templates().overlay(autoescape=False, keep_trailing_newline=True)
    return markdown.get_template("model_card.md.j2").render(
        report=report,
        content=report.content,
        headline=headline_table(report.content),
        no_flow=NO_FLOW,
        cards=cards_of(report.licences),
    )
