"""MLSM with two levels: a row of Table VI, its VAEs trained with two levels too.

Not in the paper: what becomes of the levels that are not mapped. Here the VAEs do not have them.
"""

from baselines._mlsm_variants import declare

mlsm_level2 = declare("mlsm_level2", "MLSM, two levels", __name__, levels=2)
