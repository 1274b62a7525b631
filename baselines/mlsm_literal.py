"""MLSM word for word: see `mlsm.config.LITERAL`. The width, which the paper lacks, stays free."""

from baselines._mlsm_variants import declare

mlsm_literal = declare("mlsm_literal", "MLSM as printed", __name__, preset="literal")
