"""Turns over several processes: gateways hand messages to workers through a queue, and get replies back."""
