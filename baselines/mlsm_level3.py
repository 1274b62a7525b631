"""MLSM with three levels: a row of Table VI, its VAEs trained with three levels too.

Not in the paper: what becomes of the levels that are not mapped. Here the VAEs do not have them.
"""

from baselines._mlsm_variants import declare

mlsm_level3 = declare("mlsm_level3", "MLSM, three levels", __name__, levels=3)
