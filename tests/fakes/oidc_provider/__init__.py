"""The npm package `oidc-provider`, an OpenID Connect provider that others wrote: started for tests."""

from tests.fakes.oidc_provider.server import NotHere, Provider, provider_at

__all__ = ["NotHere", "Provider", "provider_at"]
