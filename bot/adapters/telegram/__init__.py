"""Telegram: python-telegram-bot's client under an inbox of our own."""

from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.webhook import Webhook

__all__ = ["TelegramAdapter", "Webhook"]
