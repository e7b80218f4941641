"""Telegram: the Bot API on one side, our inbox and outbox on the other."""
