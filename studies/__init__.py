"""Experiments on the paper's own doubts: small, repeatable, each with a table of what was found."""
