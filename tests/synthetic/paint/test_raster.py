from __future__ import annotations

import numpy as np
import pytest

from tryon.synthetic.paint.raster import STEP, RasterizedMesh, interpolate, nearest_ids, rasterize, upsample

SIZE = (256, 320)


def rasterize_one(points: np.ndarray) -> RasterizedMesh | None:
    return rasterize([points], SIZE)[0]


def grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    row, column = np.mgrid[0:rows, 0:columns].astype(float)
    return row, column


def bent_mesh(seed: int, rows: int = 9, columns: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    row, column = grid(rows, columns)
    points = np.stack([40 + 30 * column + 9 * np.sin(row), 30 + 22 * row + 6 * column], axis=-1)
    return points + rng.normal(0, 4, points.shape)


def rasterize_by_brute_force(points: np.ndarray) -> np.ndarray:
    """Places (H / 4, W / 4, 2) of all pixels, triangle by triangle, turned ones first; -1 outside."""
    coarse = (points - (STEP - 1) / 2) / STEP
    y, x = np.mgrid[0 : SIZE[0] // STEP, 0 : SIZE[1] // STEP].astype(float)
    coordinates = np.full((*x.shape, 2), -1.0)
    triangles: list[tuple[float, np.ndarray, np.ndarray]] = []
    for row in range(points.shape[0] - 1):
        for column in range(points.shape[1] - 1):
            for corners in (((0, 0), (0, 1), (1, 0)), ((1, 1), (1, 0), (0, 1))):
                at = [np.array([column + right, row + down], float) for down, right in corners]
                p0, p1, p2 = (coarse[row + down, column + right] for down, right in corners)
                area = float((p1[0] - p0[0]) * (p2[1] - p0[1]) - (p1[1] - p0[1]) * (p2[0] - p0[0]))
                along = ((x - p0[0]) * (p2[1] - p0[1]) - (y - p0[1]) * (p2[0] - p0[0])) / area
                down = ((y - p0[1]) * (p1[0] - p0[0]) - (x - p0[0]) * (p1[1] - p0[1])) / area
                inside = (along >= 0) & (down >= 0) & (along + down <= 1)
                coordinate = at[0] + along[..., None] * (at[1] - at[0]) + down[..., None] * (at[2] - at[0])
                triangles.append((area, inside, coordinate))
    total = sum(area for area, *_ in triangles)
    for turned in (True, False):
        for area, inside, coordinate in triangles:
            if (area * total < 0) == turned:
                coordinates[inside] = coordinate[inside]
    return coordinates


@pytest.mark.parametrize("seed", range(6))
def test_matches_a_loop_over_triangles(seed):
    points = bent_mesh(seed)
    if seed > 3:
        points[4] = points[2] - (0, 5)  # a fold: some cells are turned over
    mesh, expected = rasterize_one(points), rasterize_by_brute_force(points)
    assert mesh is not None
    actual = np.full(expected.shape, -1.0)
    top, left = mesh.window.top // STEP, mesh.window.left // STEP
    actual[top : top + mesh.grid_coordinates.shape[0], left : left + mesh.grid_coordinates.shape[1]] = (
        mesh.grid_coordinates
    )
    assert np.allclose(actual, expected, atol=1e-4)
    assert mesh.covered.sum() == (expected[..., 0] >= 0).sum()


def test_inverts_a_mesh():
    """The pixel of a mesh point has the grid coordinates of that point."""
    rows, columns = np.mgrid[0:9, 0:7].astype(float)
    points = np.stack([100 + 30 * columns + 8 * np.sin(rows), 60 + 40 * rows + 5 * columns], axis=-1)
    (mesh,) = rasterize([points], (512, 512))
    assert mesh is not None
    coordinates = upsample(mesh.grid_coordinates, mesh.window)
    for row, column in ((2, 3), (4, 1), (6, 5)):
        x, y = points[row, column] - (mesh.window.left, mesh.window.top)
        assert np.allclose(coordinates[round(y), round(x)], (column, row), atol=0.05)
    covered = mesh.covered.sum() * STEP**2
    outline = np.concatenate([points[0], points[1:, -1], points[-1, -2::-1], points[-2:0:-1, 0]])
    following = np.roll(outline, -1, axis=0)
    area = abs((outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]).sum()) / 2
    assert covered == pytest.approx(area, rel=0.02)


def test_later_rows_cover_earlier_rows_of_a_folded_mesh():
    row, column = grid(3, 2)
    y = np.array([100.0, 160, 120])[row.astype(int)]  # the second row of cells goes back over the first
    points = np.stack([60 + 80 * column + 0 * row, y], axis=-1)
    points[2, :, 0] = points[2, ::-1, 0]  # turned round, so that both have the same side up
    mesh = rasterize_one(points)
    assert mesh is not None
    coordinates = upsample(mesh.grid_coordinates, mesh.window)
    assert coordinates[140 - mesh.window.top, 100 - mesh.window.left, 1] > 1
    assert coordinates[108 - mesh.window.top, 100 - mesh.window.left, 1] < 1


def test_meshes_outside_the_image_give_none():
    for x, y in ((900, 10), (-80, 10), (10, 900), (10, -80)):
        assert rasterize_one(np.stack(np.meshgrid([x, x + 50.0], [y, y + 40.0]), axis=-1)) is None
    assert rasterize_one(np.full((3, 3, 2), 100.0)) is None


def test_meshes_are_rasterized_independently():
    meshes = [bent_mesh(0), bent_mesh(1, 4, 11), np.full((2, 2, 2), 900.0), bent_mesh(2, 2, 2)]
    for points, batched in zip(meshes, rasterize(meshes, SIZE), strict=True):
        single = rasterize_one(points)
        if single is None or batched is None:
            assert single is batched
            continue
        assert single.window == batched.window
        assert np.array_equal(single.grid_coordinates, batched.grid_coordinates)
        assert np.array_equal(single.covered, batched.covered)


def test_clipped_meshes_match_a_larger_image():
    points = bent_mesh(1)
    (full,), (part,) = rasterize([points + 64], (512, 512)), rasterize([points - 64], (128, 128))
    assert full is not None
    assert part is not None
    assert (part.window.top, part.window.left) == (0, 0)
    rows, columns = part.grid_coordinates.shape[:2]
    top, left = (128 - full.window.top) // STEP, (128 - full.window.left) // STEP
    assert np.allclose(part.grid_coordinates, full.grid_coordinates[top : top + rows, left : left + columns], atol=1e-4)


def test_interpolates_linear_values_exactly():
    points = bent_mesh(2)
    row, column = grid(*points.shape[:2])
    mesh = rasterize_one(points)
    assert mesh is not None
    sums, rows = interpolate(mesh, 2 * row + 3 * column, row)
    expected = 2 * mesh.grid_coordinates[..., 1] + 3 * mesh.grid_coordinates[..., 0]
    assert np.allclose(sums[mesh.covered], expected[mesh.covered], atol=1e-4)
    assert np.allclose(rows[mesh.covered], mesh.grid_coordinates[mesh.covered, 1], atol=1e-4)


def test_nearest_ids_are_those_of_the_nearest_points():
    points = bent_mesh(2)
    row, column = grid(*points.shape[:2])
    ids = (row * 10 + column).astype(np.uint8)
    mesh = rasterize_one(points)
    assert mesh is not None
    actual = nearest_ids(mesh, ids)
    assert actual.shape == (mesh.window.height, mesh.window.width)
    for r, c in ((2, 2), (4, 3), (7, 1)):
        x, y = np.rint(points[r, c]).astype(int) - (mesh.window.left, mesh.window.top)
        assert actual[y, x] == ids[r, c]
    inside = upsample(mesh.covered.astype(np.float32), mesh.window) == 1
    assert set(np.unique(actual[inside])) <= set(ids.ravel())


def test_nearest_ids_match_a_lookup_per_pixel():
    points = bent_mesh(2)
    mesh = rasterize_one(points)
    assert mesh is not None
    ids = np.full(points.shape[:2], 3, np.uint8)
    ids[3:], ids[3:, 2:], ids[5:, 4:] = 7, 12, 1
    column, row = np.rint(upsample(mesh.grid_coordinates, mesh.window)).astype(int).transpose(2, 0, 1)
    expected = ids[row.clip(0, len(ids) - 1), column.clip(0, points.shape[1] - 1)]
    assert np.array_equal(nearest_ids(mesh, ids), expected)
