"""Our own training data and its schema."""
