"""One platform each; they translate only and decide nothing."""
