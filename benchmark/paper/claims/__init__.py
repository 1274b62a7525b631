"""What the paper's text claims, as predicates over numbers, and whether they hold."""
