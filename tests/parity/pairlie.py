"""PairLIE with a second exposure that is given, where training makes one at random."""

from unittest import mock

from baselines import pairlie
from tests.parity.golden import Case, Outcome, by_recipe, images


def given_exposures(case: Case) -> Outcome:
    """Run the recipe; the other exposure are the images of the next seed, up to 0.8."""
    other = images(case.seed + 1, case.shape, brightest=0.8)
    with mock.patch.object(pairlie, "another_exposure", return_value=other):
        return by_recipe("pairlie", case)
