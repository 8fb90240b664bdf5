"""The network of the paper (Lin et al., arXiv:2512.23449)."""
