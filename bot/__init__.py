"""The service: what runs, what talks to platforms."""
