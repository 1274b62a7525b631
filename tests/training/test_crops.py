"""Which pixels the training loop sees."""

import numpy as np
import pytest
import torch

from benchmark.core.errors import InputError
from benchmark.core.images import read_uint8, write
from benchmark.data.inputs import TrainingImage
from benchmark.training import Whole, crops
from benchmark.training.crops import CropSampler

HEIGHT, WIDTH = 40, 56


def coordinates(height=HEIGHT, width=WIDTH, mark=0):
    """An image whose pixels say where they are: red is the row, green the column."""
    pixels = np.full((height, width, 3), mark, np.uint8)
    pixels[..., 0], pixels[..., 1] = np.mgrid[:height, :width]
    return pixels


def make_item(folder, name="a", qfs=(90, 60), size=(HEIGHT, WIDTH)):
    """An image whose inputs say in blue which quality factor they have."""
    inputs = {qf: folder / f"{name}_{qf}.png" for qf in qfs}
    for qf, path in inputs.items():
        write(path, coordinates(*size, mark=qf))
    write(folder / f"{name}.png", coordinates(*size))
    return TrainingImage(inputs, folder / f"{name}.png")


@pytest.fixture
def item(tmp_path):
    return make_item(tmp_path)


def levels(tensor):
    """(N, 3, c, c) in [0, 1] -> integers (N, 3, c, c)."""
    return (tensor * 255).round().to(torch.int64)


def test_a_batch_has_its_shape_type_and_range(item):
    batch = CropSampler([item], crop=16, batch=3, seed=0).draw(0, 0)
    assert batch.input.shape == batch.target.shape == (3, 3, 16, 16)
    assert batch.input.dtype == torch.float32
    assert batch.input.max() <= 1
    assert batch.qf.dtype == torch.int64


def test_input_and_target_are_cut_at_the_same_place_with_the_same_symmetry(item):
    batch = CropSampler([item], crop=16, batch=32, seed=0).draw(0, 0)
    assert torch.equal(batch.input[:, :2], batch.target[:, :2])


def test_the_quality_factor_is_that_of_the_input(item):
    batch = CropSampler([item], crop=8, batch=32, seed=0).draw(0, 0)
    assert set(batch.qf.tolist()) == {60, 90}
    assert torch.equal(levels(batch.input)[:, 2, 0, 0], batch.qf)


def test_a_crop_holds_a_whole_square_of_neighbours(item):
    for crop in levels(CropSampler([item], crop=16, batch=16, seed=0).draw(0, 0).target):
        rows, columns = crop[0].unique(), crop[1].unique()
        assert rows.tolist() == list(range(int(rows[0]), int(rows[0]) + 16))
        assert columns.tolist() == list(range(int(columns[0]), int(columns[0]) + 16))


def test_crops_start_anywhere_on_the_jpeg_grid_and_reach_every_border(item):
    found = levels(CropSampler([item], crop=32, batch=600, seed=0).draw(0, 0).target)
    tops, lefts = found[:, 0].amin((1, 2)), found[:, 1].amin((1, 2))
    assert set(tops.tolist()) == set(range(HEIGHT - 32 + 1))
    assert set(lefts.tolist()) == set(range(WIDTH - 32 + 1))


def test_all_eight_symmetries_occur(item):
    found = levels(CropSampler([item], crop=16, batch=200, seed=0).draw(0, 0).target)
    corners = found[:, :2, [0, 0], [0, -1]]  # rows and columns of the two upper corners
    origin = found[:, :2].amin((2, 3), keepdim=True)[..., 0]
    seen = {tuple(corner.flatten().tolist()) for corner in corners - origin}
    assert len(seen) == 8


def test_a_batch_follows_from_seed_step_and_process(item):
    def draw(seed, step, process):
        return CropSampler([item], crop=16, batch=4, seed=seed).draw(step, process).target

    assert torch.equal(draw(1, 5, 0), draw(1, 5, 0))
    assert not torch.equal(draw(1, 5, 0), draw(2, 5, 0))
    assert not torch.equal(draw(1, 5, 0), draw(1, 6, 0))
    assert not torch.equal(draw(1, 5, 0), draw(1, 5, 1))


def test_a_step_does_not_depend_on_the_steps_before(item):
    source = CropSampler([item], crop=16, batch=4, seed=0)
    for step in range(3):
        source.draw(step, 0)
    fresh = CropSampler([item], crop=16, batch=4, seed=0)
    assert torch.equal(source.draw(3, 0).input, fresh.draw(3, 0).input)


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (20, 7)])
def test_small_images_are_extended_by_reflection(tmp_path, size):
    item = make_item(tmp_path, size=size)
    batch = CropSampler([item], crop=16, batch=4, seed=0).draw(0, 0)
    assert batch.target.shape == (4, 3, 16, 16)
    assert torch.equal(batch.input[:, :2], batch.target[:, :2])
    assert levels(batch.target)[:, 0].max() < size[0]
    assert levels(batch.target)[:, 1].max() < size[1]


@pytest.fixture
def reads(monkeypatch):
    """The paths that were read from disk."""
    paths = []

    def read(path):
        paths.append(path)
        return read_uint8(path)

    monkeypatch.setattr(crops, "read_uint8", read)
    return paths


def test_images_within_the_budget_are_decoded_once(item, reads):
    source = CropSampler([item], crop=16, batch=8, seed=0)
    for step in range(4):
        source.draw(step, 0)
    assert sorted(reads) == sorted([*item.inputs.values(), item.target])


def test_images_beyond_the_budget_are_read_each_time(item, reads):
    CropSampler([item], crop=16, batch=8, seed=0, budget_bytes=0).draw(0, 0)
    assert len(reads) == 16


def test_the_budget_is_never_exceeded(tmp_path, reads):
    items = [make_item(tmp_path, name) for name in "abc"]
    image = HEIGHT * WIDTH * 3
    source = CropSampler(items, crop=16, batch=64, seed=0, budget_bytes=2 * image + 1)
    source.draw(0, 0)
    assert len(source.cache.kept) == 2
    assert source.cache.left == 1


def test_the_budget_does_not_change_what_is_drawn(item):
    large, none = (
        CropSampler([item], 16, 4, seed=0, budget_bytes=budget) for budget in (1 << 20, 0)
    )
    assert torch.equal(large.draw(0, 0).input, none.draw(0, 0).input)


def test_no_images_are_an_error():
    with pytest.raises(InputError, match="There are no training images"):
        CropSampler([], crop=16, batch=1, seed=0)


def test_validation_images_are_cut_at_the_centre_to_the_grid_and_unturned(tmp_path):
    (batch,) = crops.validation([make_item(tmp_path, size=(200, 100))])
    target = levels(batch.target)[0]
    assert target.shape == (3, 192, 64)
    assert (int(target[0, 0, 0]), int(target[1, 0, 0])) == (4, 18)
    assert (int(target[0, -1, -1]), int(target[1, -1, -1])) == (195, 81)
    assert torch.equal(batch.input[:, :2], batch.target[:, :2])


def test_validation_images_below_the_grid_stay_whole(item):
    (batch,) = crops.validation([item])
    assert batch.target.shape == (1, 3, HEIGHT, WIDTH)


def test_validation_images_have_a_largest_side(item, monkeypatch):
    monkeypatch.setattr(crops, "VALIDATION_GRID", 8)
    monkeypatch.setattr(crops, "VALIDATION_MOST", 24)
    (batch,) = crops.validation([item])
    assert batch.target.shape == (1, 3, 24, 24)


def test_quality_factors_alternate_over_validation_images(tmp_path):
    items = [make_item(tmp_path, name) for name in "abcd"]
    assert [int(batch.qf) for batch in crops.validation(items)] == [60, 90, 60, 90]


def test_validation_images_are_evenly_chosen(tmp_path):
    items = [make_item(tmp_path, name, size=(8 + number, 30)) for number, name in enumerate("abcd")]
    sides = [batch.target.shape[-2] for batch in crops.validation(items, limit=2)]
    assert sides == [8, 10]


def test_validation_of_no_images_is_empty():
    assert crops.validation([]) == []


def test_unpaired_targets_are_cut_from_other_images_on_their_own(item, tmp_path):
    write(tmp_path / "other.png", coordinates(mark=200))
    source = CropSampler([item], 8, 6, seed=1, others=[tmp_path / "other.png"])
    batch = source.draw(0, 0)
    assert (batch.target[:, 2] == 200 / 255).all()
    assert (batch.target[:, :2] != batch.input[:, :2]).any()
    paired = CropSampler([item], 8, 1, seed=1).draw(0, 0)
    assert (
        CropSampler([item], 8, 1, 1, others=[tmp_path / "other.png"]).draw(0, 0).input
        == paired.input
    ).all()


def spread(pixels):
    """Stretch rows and columns of a whole image to [0, 1]; a crop alone would give other values."""
    return (pixels / pixels.max((0, 1)).clip(1)).astype(np.float32)


def doubled(pixels):
    """Append the image upside down as three more channels."""
    return np.concatenate([pixels, pixels[::-1]], axis=2)


def test_whole_images_of_both_sides_are_changed_before_crops_are_cut(item):
    batch = CropSampler([item], 16, 8, seed=0, whole=Whole(spread, spread)).draw(0, 0)
    plain = CropSampler([item], 16, 8, seed=0).draw(0, 0)
    most = torch.tensor([HEIGHT - 1, WIDTH - 1]).view(1, 2, 1, 1)
    for changed, image in ((batch.input, plain.input), (batch.target, plain.target)):
        torch.testing.assert_close(changed[:, :2], levels(image)[:, :2] / most)
        assert changed.dtype == torch.float32


def test_one_side_may_be_changed_alone_and_have_more_channels(item):
    batch = CropSampler([item], 16, 8, seed=0, whole=Whole(input=doubled)).draw(0, 0)
    plain = CropSampler([item], 16, 8, seed=0).draw(0, 0)
    assert torch.equal(batch.target, plain.target)
    assert torch.equal(batch.input[:, :3], plain.input)
    rows = levels(batch.input)
    assert torch.equal(rows[:, 3], HEIGHT - 1 - rows[:, 0])  # cut at the same place of both


def test_a_whole_image_is_changed_once_while_it_is_kept(item):
    changed = []

    def record(pixels):
        changed.append(pixels.shape)
        return pixels

    source = CropSampler([item], 16, 8, seed=0, whole=Whole(record, record))
    for step in range(4):
        source.draw(step, 0)
    assert changed == [(HEIGHT, WIDTH, 3)] * 3  # two quality factors and the target


def test_kept_images_count_as_large_as_they_are_after_the_change(item):
    bytes_changed = HEIGHT * WIDTH * 3 * 4
    source = CropSampler(
        [item], 16, 64, seed=0, budget_bytes=2 * bytes_changed, whole=Whole(spread, spread)
    )
    source.draw(0, 0)
    assert len(source.cache.kept) == 2
    assert source.cache.left == 0


def test_validation_images_are_changed_as_a_whole_too(item):
    (batch,) = crops.validation([item], whole=Whole(spread, doubled))
    (plain,) = crops.validation([item])
    most = torch.tensor([HEIGHT - 1, WIDTH - 1]).view(1, 2, 1, 1)
    torch.testing.assert_close(batch.input[:, :2], levels(plain.input)[:, :2] / most)
    assert batch.target.shape == (1, 6, HEIGHT, WIDTH)


def test_a_batch_of_whole_images_is_changed_as_its_recipe_says():
    pixels = coordinates(8, 8)
    seen = crops.batch([(pixels, pixels, 80)], Whole(input=doubled))
    assert seen.input.shape == (1, 6, 8, 8)
    assert torch.equal(levels(seen.target)[0, 0], torch.arange(8).view(8, 1).expand(8, 8))
    assert seen.qf.tolist() == [80]
