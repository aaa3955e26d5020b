"""What is to be known of the data that a model was made from, by licence, for the report and the model card."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tryon.evaluate.provenance import Facts, facts


@dataclass(frozen=True)
class DataCard:
    """One source of data: its name and the facts."""

    title: str
    facts: Facts


DRESS_CODE = DataCard(
    "Dress Code",
    facts(
        what="53,792 pairs of a person and a garment in three categories (upper body 15,363, lower body 8,951, dresses "
        "29,478; 1,800 of each are the test split), 1024x768 photographs with label maps, DensePose and key points",
        source="Morelli et al., Dress Code: High-Resolution Multi-Category Virtual Try-On, ECCV 2022 "
        "(arXiv 2204.08532); access by a form at the authors' institution",
        licence="academic, non-commercial: no image, mask, result or checkpoint made from it may be published; ids, "
        "hashes, counts and scores may",
        people="models of a shop's catalogue: mostly slim, standing, frontal, lit in a studio. Other people, poses and "
        "light have to be measured before the model is trusted with them",
        known_faults="label maps of 010560 (upper body) and 018112 (lower body) are wrong and set aside; 28.8 % of the "
        "lower-body test garments are skirts; heads are cropped by design",
    ),
)

TWIN = DataCard(
    "Synthetic twin",
    facts(
        what="drawn people in drawn garments, in Dress Code's format, any number of pairs from a seed",
        licence="MIT, like the code",
        good_for="testing the whole pipeline, comparing two settings of it, and errors that photographs cannot tell: "
        "the true image of every unpaired row is known",
        not_good_for="claims about photographs: a score here does not predict one on Dress Code",
    ),
)

_CARDS = {"synthetic": TWIN, "dresscode-academic": DRESS_CODE}


def cards_of(licences: Iterable[str | None]) -> list[DataCard]:
    """The cards of the licences that rows stand under, each once; none of licences of other data."""
    return [_CARDS[licence] for licence in dict.fromkeys(licences) if licence in _CARDS]
