"""Tools for authors of a method: the contract suite and the scaffold of a new file."""
