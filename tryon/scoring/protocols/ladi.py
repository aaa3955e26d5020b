"""The protocol of LaDI-VTON (Morelli et al. 2023), which OOTDiffusion took over.

Pairs are compared with both pictures resized to 512x384. FID and KID are clean-fid's, of the results as they are
against the original 1024x768 photos of the test people. Its code also prints SSIM and LPIPS for the unpaired setting,
against the person in other clothes; those numbers mean nothing and are not made here.
"""

from __future__ import annotations

from PIL import Image

from tryon.metrics import METRICS
from tryon.scoring.protocols.pictures import resized
from tryon.scoring.protocols.protocol import Number, Picture, Protocol, Treated

SIZE = (512, 384)


def _treated(picture: Picture, *_: object) -> Treated:
    return Treated(resized(picture, SIZE, Image.Resampling.BILINEAR), picture)


PROTOCOL = Protocol(
    name="ladi",
    origin="LaDI-VTON, OOTDiffusion",
    size=SIZE,
    reference="original",
    sizes="any",
    format=None,
    result=_treated,
    true_picture=_treated,
    numbers=(
        Number("ssim", METRICS["ssim"]),
        Number("lpips", METRICS["lpips"]),
        Number("fid", METRICS["fid_clean"]),
        Number("kid", METRICS["kid_clean"]),
    ),
    handling={
        "pairs": "both pictures resized to 512x384 by Pillow, bilinear, antialiased",
        "sets": "results as they are, original photos",
    },
)
