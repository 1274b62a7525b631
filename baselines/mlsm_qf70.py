"""MLSM trained on one quality factor, 70: see `mlsm_qf90`."""

from baselines._mlsm_variants import declare

mlsm_qf70 = declare("mlsm_qf70", "MLSM trained at QF 70", __name__)
