"""What a host sees of a running service: metrics, health, readiness."""
