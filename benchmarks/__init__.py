"""Comparisons and measurements; each prints one JSON object as its last line (README.md)."""
