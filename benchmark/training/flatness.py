"""When a training has learned what it can: the rule of the schedule `until_flat`.

The learning rate stays where it is while the validation curve rises. Once the curve is flat, the
rate falls linearly to 0 over a quarter of all steps, so that a training which is flat after t steps
ends after 4 t / 3. A curve that never becomes flat begins to fall at three quarters of the budget.

Source of the schedule: Haegele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed
Training Durations", NeurIPS 2024 (constant rate, then a cooldown). The rule is ours.
"""

from collections.abc import Sequence

FEWEST = 20
"""Validations before a curve can be called flat. With twelve, quarters of three, one dip of a GAN
ended its training."""
GAIN_DB = 0.05
"""What the last quarter of a curve is above the quarter before it, at most, in a flat one."""
VALIDATIONS = 96
"""Validations in a budget, about."""
MOST = 0.75
"""Share of the budget after which the rate falls in any case."""


def is_flat(curve: Sequence[float]) -> bool:
    """Return True if the last quarter of a validation curve gained next to nothing.

    Args:
        curve: Validation PSNR in dB, equally spaced from the start of the training.

    Example:
        >>> rising = [18.0 - 8.0 * 0.8**count for count in range(20)]
        >>> is_flat(rising)
        False
        >>> is_flat(rising + 20 * [18.0])
        True
    """
    quarter = len(curve) // 4
    if len(curve) < FEWEST:
        return False
    last, before = curve[-quarter:], curve[-2 * quarter : -quarter]
    return sum(last) / quarter - sum(before) / quarter < GAIN_DB


def end(fall_from: int) -> int:
    """Return the number of steps of a training whose rate begins to fall after `fall_from`."""
    return -(-fall_from * 4 // 3)
