"""What 오로라 is."""

from core.conversation import Conversation, Models, Policy

__all__ = ["Conversation", "Models", "Policy"]
