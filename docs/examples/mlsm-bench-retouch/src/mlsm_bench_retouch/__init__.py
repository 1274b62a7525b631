"""Example of a method for mlsm-bench outside its repository."""
