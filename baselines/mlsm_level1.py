"""MLSM with one level: a row of Table VI, its VAEs trained with one level too.

Not in the paper: what becomes of the levels that are not mapped. Here the VAEs do not have them.
"""

from baselines._mlsm_variants import declare

mlsm_level1 = declare("mlsm_level1", "MLSM, one level", __name__, levels=1)
