"""The report: one HTML file that shows a profile's results, opens from disk and loads nothing.

`data` is what its tables, charts and comparisons are drawn from, `captions` the figures,
`training` the training record, `markdown` the pages that other commands wrote, `page` the whole.
"""
