"""Chains run on test inputs and measured: jobs, metrics, result rows, costs."""
