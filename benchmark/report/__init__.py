"""The report: one HTML file that shows a profile's results, opens from disk and loads nothing.

`payload` is what its tables, charts and comparisons are drawn from, `captions` the figures,
`trainings` the training record, `prose` the pages that other commands wrote, `page` the whole.
"""
