"""Run a network over a large image strip by strip, with the result of running it at once.

Tiles cannot do this for a network that uses statistics of the whole image, as instance norm does: a
tile has different statistics. Here the image stays whole and the computation is split instead:
`feature_maps` are feature maps whose rows are computed on demand, `trace` records what a network
does, and `schedule` decides which feature maps to keep.
"""
