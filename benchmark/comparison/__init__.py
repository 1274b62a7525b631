"""How methods stand to each other: paired differences, average ranks, and their figures."""
