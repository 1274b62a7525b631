"""Run a network over a large image strip by strip, with the result of running it at once.

Tiles cannot do that to a network that looks at the whole image, as instance norm does: a tile has
other statistics than the image. Here the image stays whole and time is cut instead: `planes` are
feature maps whose rows are computed when they are asked for, `graph` writes down what a network
does, and `schedule` decides which feature maps to keep.
"""
