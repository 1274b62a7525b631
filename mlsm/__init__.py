"""Multiple latent space mapping (arXiv:2403.07622): the paper's method."""
