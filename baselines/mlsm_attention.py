"""MLSM with the mapping network that the end of Sec. III-D2 describes: attention, no branches."""

from baselines._mlsm_variants import declare

mlsm_attention = declare("mlsm_attention", "MLSM, attention", __name__, mapping="attention")
