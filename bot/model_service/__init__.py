"""Her models for workers elsewhere: `ohlora worker --tasks …`."""
