"""A packed data set with random augmentation.

Random values depend only on seed, epoch and the row's position, not on the order of rows or the process, so a resumed
run sees the samples that an uninterrupted one would.
"""

from __future__ import annotations

from dataclasses import replace

from tryon.config.augmentation import AugmentSettings
from tryon.loading.augmentations import (
    AffineParams,
    AffineTransform,
    apply_color_matrix,
    color_matrix,
    dilate_mask,
    random_scene,
    replace_background,
)
from tryon.loading.epoch_order import epoch_random
from tryon.loading.packed_dataset import PackedDataset, Sample

_STREAMS = (
    "mirror", "background", "scene", "jitter", "brightness", "contrast", "saturation", "hue", "move", "move garment",
    "grow", "radius",
    *(f"{subject} {name}" for subject in ("person", "garment") for name in ("right", "down", "turn", "scale")),
)  # fmt: skip
"""Names of the random streams. Renaming one changes its values."""


class AugmentedDataset:
    """The rows of one epoch, augmented.

    Args:
        rows: with the column `background` where backgrounds are replaced.
        flip_prob: probability of mirroring a row.
        settings: of all other augmentations.
        seed, epoch: determine the random values.
    """

    def __init__(self, rows: PackedDataset, flip_prob: float, settings: AugmentSettings, seed: int, epoch: int) -> None:
        self._rows, self._settings, self._flip_prob = rows, settings, flip_prob
        self._random = {name: epoch_random(len(rows), seed, epoch, name) for name in _STREAMS}

    def sample(self, index: int) -> Sample:
        """Decode and augment row `index`. Mirroring is only marked: the device does it."""
        settings = self._settings
        sample = replace(self._rows.sample(index), mirrored=self._uniform("mirror", index) < self._flip_prob)
        for stream, probability, augment in (
            ("background", settings.background_prob, self._replace_background),
            ("jitter", settings.color_jitter_prob, self._jitter_colors),
            ("move", settings.person_affine_prob, self._transform_person),
            ("move garment", settings.garment_affine_prob, self._transform_garment),
            ("grow", settings.mask_dilate_prob, self._dilate_mask),
        ):
            if self._uniform(stream, index) < probability:
                sample = augment(sample, index)
        return sample

    def _replace_background(self, sample: Sample, index: int) -> Sample:
        scene = random_scene(self._rows.size, int(self._uniform("scene", index) * 2**53))
        background = self._rows.mask("background", index)
        return replace(sample, person=replace_background(sample.person, background, sample.mask, scene))

    def _jitter_colors(self, sample: Sample, index: int) -> Sample:
        settings = self._settings
        matrix = color_matrix(
            1 + self._symmetric("brightness", index, settings.brightness),
            1 + self._symmetric("contrast", index, settings.contrast),
            1 + self._symmetric("saturation", index, settings.saturation),
            self._symmetric("hue", index, settings.hue),
        )
        person, garment = (apply_color_matrix(image, matrix) for image in (sample.person, sample.garment))
        return replace(sample, person=person, garment=garment)

    def _transform_person(self, sample: Sample, index: int) -> Sample:
        transform = self._affine_transform("person", index)
        mask, garment_mask = transform.masks(sample.mask, sample.garment_mask)
        person, keypoints = transform.image(sample.person), transform.keypoints(sample.keypoints)
        return replace(sample, person=person, mask=mask, garment_mask=garment_mask, keypoints=keypoints)

    def _transform_garment(self, sample: Sample, index: int) -> Sample:
        return replace(sample, garment=self._affine_transform("garment", index).image(sample.garment))

    def _dilate_mask(self, sample: Sample, index: int) -> Sample:
        max_radius = self._settings.mask_dilate_max * self._rows.size[0]
        return replace(sample, mask=dilate_mask(sample.mask, self._uniform("radius", index) * max_radius))

    def _affine_transform(self, subject: str, index: int) -> AffineTransform:
        settings, (height, width) = self._settings, self._rows.size
        params = AffineParams(
            translate_x=self._symmetric(f"{subject} right", index, settings.max_translate) * width,
            translate_y=self._symmetric(f"{subject} down", index, settings.max_translate) * height,
            rotate_deg=self._symmetric(f"{subject} turn", index, settings.max_rotate_deg),
            scale=1 + self._symmetric(f"{subject} scale", index, settings.max_scale),
        )
        return AffineTransform(params, (height, width))

    def _symmetric(self, stream: str, index: int, limit: float) -> float:
        """Return the row's random value in [-limit, limit)."""
        return (2 * self._uniform(stream, index) - 1) * limit

    def _uniform(self, stream: str, index: int) -> float:
        """Return the row's random value in [0, 1)."""
        return float(self._random[stream][index])
