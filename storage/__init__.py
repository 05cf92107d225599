"""What is kept."""

from storage.record import Record

__all__ = ["Record"]
