"""Moderators and appeals, the same on every platform: what they may ask for, see and decide, and who hears of it."""
