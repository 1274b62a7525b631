"""RetinexNet's second part on a decomposition that is filled too."""

from baselines import retinexnet
from tests.parity.golden import Case, Outcome, batch, by_terms, filled


def on_a_decomposition(case: Case) -> Outcome:
    """Run the recipe of the second part."""
    first = retinexnet.recipe("decomposition", {}, **case.settings).network
    trained = {"decomposition": first.state_dict()}
    recipe = retinexnet.recipe("model", trained, **case.settings)
    return by_terms(filled(recipe, case.seed, case.gain), batch(case))
