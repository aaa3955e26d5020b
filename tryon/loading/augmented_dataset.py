"""Packed rows changed at random: mirrored, moved, in other colors, before another background, hidden more generously.

What is drawn for a row depends on seed, epoch and the row's position alone, not on the order of the rows, on the
process or on what came before; so a run that is taken up again sees what it would have seen.
"""

from __future__ import annotations

from dataclasses import replace

from tryon.config.augmentation import AugmentSettings
from tryon.loading.augmentations import (
    AffineParams,
    AffineTransform,
    color_matrix,
    dilate_mask,
    jitter,
    random_scene,
    replace_background,
)
from tryon.loading.epoch_order import epoch_random
from tryon.loading.packed_dataset import PackedDataset, Sample

_MOTIONS = tuple(f"{what} {how}" for what in ("person", "garment") for how in ("right", "down", "turn", "scale"))
_DRAWN = (
    "mirror", "background", "scene", "jitter", "brightness", "contrast", "saturation", "hue",
    "move", "move garment", *_MOTIONS, "grow", "radius",
)  # fmt: skip


class AugmentedDataset:
    """The rows of one epoch.

    Args:
        rows: as they are; where backgrounds are replaced, with the column `background`.
        flip: probability of mirroring a row.
        settings: of all other changes.
        seed, epoch: what is drawn depends on these.
    """

    def __init__(self, rows: PackedDataset, flip: float, settings: AugmentSettings, seed: int, epoch: int) -> None:
        self._rows, self._settings = rows, settings
        self._chances = {name: epoch_random(len(rows), seed, epoch, name) for name in _DRAWN}
        self._flip = flip

    def sample(self, index: int) -> Sample:
        """Decode row `index` and change it. Mirroring is left to the device.

        Raises:
            TryOnError: a image of the row is damaged, or its background is unknown.
        """
        settings = self._settings
        example = replace(self._rows.sample(index), mirrored=self._draw("mirror", index) < self._flip)
        for name, probability, change in (
            ("background", settings.background_prob, self._replace_background),
            ("jitter", settings.color_jitter_prob, self._jitter_colors),
            ("move", settings.person_affine_prob, self._transform_person),
            ("move garment", settings.garment_affine_prob, self._transform_garment),
            ("grow", settings.mask_dilate_prob, self._dilate_mask),
        ):
            if self._draw(name, index) < probability:
                example = change(example, index)
        return example

    def _replace_background(self, example: Sample, index: int) -> Sample:
        scene = random_scene(self._rows.size, int(self._draw("scene", index) * 2**53))
        background = self._rows.mask("background", index)
        return replace(example, person=replace_background(example.person, background, example.mask, scene))

    def _jitter_colors(self, example: Sample, index: int) -> Sample:
        settings = self._settings
        colors = color_matrix(
            1 + self._sample_amount("brightness", index, settings.brightness),
            1 + self._sample_amount("contrast", index, settings.contrast),
            1 + self._sample_amount("saturation", index, settings.saturation),
            self._sample_amount("hue", index, settings.hue),
        )
        return replace(example, person=jitter(example.person, colors), garment=jitter(example.garment, colors))

    def _transform_person(self, example: Sample, index: int) -> Sample:
        mover = self._affine_transform("person", index)
        mask, garment_mask = mover.masks(example.mask, example.garment_mask)
        person, keypoints = mover.image(example.person), mover.keypoints(example.keypoints)
        return replace(example, person=person, mask=mask, garment_mask=garment_mask, keypoints=keypoints)

    def _transform_garment(self, example: Sample, index: int) -> Sample:
        return replace(example, garment=self._affine_transform("garment", index).image(example.garment))

    def _dilate_mask(self, example: Sample, index: int) -> Sample:
        most = self._settings.mask_dilate_max * self._rows.size[0]
        return replace(example, mask=dilate_mask(example.mask, self._draw("radius", index) * most))

    def _affine_transform(self, what: str, index: int) -> AffineTransform:
        settings, (height, width) = self._settings, self._rows.size
        motion = AffineParams(
            right=self._sample_amount(f"{what} right", index, settings.max_translate) * width,
            down=self._sample_amount(f"{what} down", index, settings.max_translate) * height,
            turn=self._sample_amount(f"{what} turn", index, settings.max_rotate_deg),
            scale=1 + self._sample_amount(f"{what} scale", index, settings.max_scale),
        )
        return AffineTransform(motion, (height, width))

    def _sample_amount(self, name: str, index: int, most: float) -> float:
        """A number between -most and most."""
        return (2 * self._draw(name, index) - 1) * most

    def _draw(self, name: str, index: int) -> float:
        """A number in [0, 1)."""
        return float(self._chances[name][index])
