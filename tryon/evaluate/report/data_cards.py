"""Select data cards by licence, for the report and the model card."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tryon.evaluate.evaluated_model import Facts, make_facts


@dataclass(frozen=True)
class DataCard:
    """A data source: title and facts."""

    title: str
    facts: Facts


DRESS_CODE = DataCard(
    "Dress Code",
    make_facts(
        contents="53,792 pairs of a person and a garment in three categories (upper body 15,363, lower body 8,951, "
        "dresses 29,478; 1,800 of each are the test split), 1024x768 photographs with label maps, DensePose and key "
        "points",
        source="Morelli et al., Dress Code: High-Resolution Multi-Category Virtual Try-On, ECCV 2022 "
        "(arXiv 2204.08532); access by a form of the authors' institution",
        licence="academic, non-commercial: no image, mask, result or checkpoint made from it may be published; ids, "
        "hashes, counts and scores may",
        people="models of a shop's catalogue: mostly slim, standing, frontal, in studio light. "
        "Measure other people, poses and light before relying on the model",
        known_faults="label maps of 010560 (upper body) and 018112 (lower body) are wrong and quarantined; 28.8 % of "
        "the lower-body test garments are skirts; heads are cropped by design",
    ),
)

SYNTHETIC = DataCard(
    "Synthetic Dress Code",
    make_facts(
        contents="rendered people and garments in Dress Code's format, any number of pairs from a seed",
        licence="MIT, like the code",
        good_for="testing the whole pipeline, comparing two configurations, and errors that photographs cannot show: "
        "unpaired rows have ground truth",
        not_good_for="claims about photographs: a score here does not predict one on Dress Code",
    ),
)

_CARDS = {"synthetic": SYNTHETIC, "dresscode-academic": DRESS_CODE}


def cards_for_licences(licences: Iterable[str | None]) -> list[DataCard]:
    """Return the data cards of the licences, each once; other data has no card."""
    return [_CARDS[licence] for licence in dict.fromkeys(licences) if licence in _CARDS]
