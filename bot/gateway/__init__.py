"""The one ASGI app: public API, staff console, pages."""

from bot.gateway.app import build_app, import_the_rest

__all__ = ["build_app", "import_the_rest"]
