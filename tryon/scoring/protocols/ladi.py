"""Protocol of LaDI-VTON (Morelli et al. 2023), also used by OOTDiffusion.

Pairs are compared after resizing both images to 512x384. FID and KID are clean-fid's, between the results and the
original 1024x768 photos of the test persons. Its code also prints SSIM and LPIPS for the unpaired setting, against
the person in other clothes; these are meaningless and not computed here.
"""

from __future__ import annotations

from PIL import Image

from tryon.metrics import METRICS
from tryon.scoring.protocols.preprocessing import resized
from tryon.scoring.protocols.protocol import ImageArray, PreprocessedImage, Protocol, ProtocolMetric

SIZE = (512, 384)


def _resize_pair(image: ImageArray, *_: object) -> PreprocessedImage:
    return PreprocessedImage(resized(image, SIZE, Image.Resampling.BILINEAR), image)


PROTOCOL = Protocol(
    name="ladi",
    origin="LaDI-VTON, OOTDiffusion",
    size=SIZE,
    reference="original",
    sizes="any",
    format=None,
    result=_resize_pair,
    true_image=_resize_pair,
    metrics=(
        ProtocolMetric("ssim", METRICS["ssim"]),
        ProtocolMetric("lpips", METRICS["lpips"]),
        ProtocolMetric("fid", METRICS["fid_clean"]),
        ProtocolMetric("kid", METRICS["kid_clean"]),
    ),
    handling={
        "pairs": "both images resized to 512x384 by Pillow, bilinear, antialiased",
        "sets": "results as they are, original photos",
    },
)
