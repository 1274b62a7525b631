"""MLSM trained on one quality factor, 80: see `mlsm_qf90`."""

from baselines._mlsm_variants import declare

mlsm_qf80 = declare("mlsm_qf80", "MLSM trained at QF 80", __name__)
