"""MLSM trained on one quality factor, 60: see `mlsm_qf90`."""

from baselines._mlsm_variants import declare

mlsm_qf60 = declare("mlsm_qf60", "MLSM trained at QF 60", __name__)
