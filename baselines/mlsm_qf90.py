"""MLSM trained on one quality factor, 90: `training.mlsm_qf90.qfs` of the profile says so.

Nothing in the paper says whether one model serves all quality factors; jumps of 0.3 to 0.7 dB from
one factor to the next in its rows look like one model each.
"""

from baselines._mlsm_variants import declare

mlsm_qf90 = declare("mlsm_qf90", "MLSM trained at QF 90", __name__)
