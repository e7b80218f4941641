"""Sign-in at the school's identity provider: OpenID Connect, code flow with PKCE, claims checked by Authlib.

Whoever comes from there is matched by a verified address to an account of ours; the first time binds the account to
the provider's own name for the person, so that an address that is given to somebody else later opens nothing.
"""

import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.config import Settings
from bot.errors import AccueilError
from bot.identity.addresses import is_email
from bot.identity.audit import record
from bot.identity.models import Role, Staff
from bot.identity.staff import create_staff

CALLBACK = "/staff/oidc/callback"
SCOPE = "openid email profile"
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "RS384", "RS512"]
"""Signed with a key of the provider; never with a shared secret, never unsigned."""
TIMEOUT = 10.0
LEEWAY = 60
"""Seconds by which two clocks may differ."""
METADATA_LIFE = 600.0
"""Seconds for which the provider's own description is not asked for again."""
STATE_LIFE = 600.0


class OidcRefused(AccueilError):
    """The provider's answer is not one we trust, or nobody of ours; `reason` is for the log, never a secret."""

    code = "oidc_refused"
    user_text = "The sign-in at the identity provider did not work."

    def __init__(self, reason: str) -> None:
        super().__init__(f"The sign-in at the identity provider did not work: {reason}.")
        self.reason = reason


@dataclass(frozen=True)
class Begun:
    """What the browser keeps between the way there and the way back."""

    state: str
    nonce: str
    verifier: str
    next: str
    at: float


@dataclass(frozen=True)
class Person:
    """Who the provider says it is."""

    subject: str
    email: str
    name: str


_descriptions: dict[str, tuple[float, dict[str, Any]]] = {}


def begin(settings: Settings, next_path: str, now: float) -> tuple[str, Begun]:
    """The address at the provider to send the browser to, and what it has to bring back.

    Raises:
        OidcRefused: the provider cannot be reached or describes itself as somebody else.
    """
    begun = Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), next_path, now)
    query = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": settings.address + CALLBACK,
        "scope": SCOPE,
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": create_s256_code_challenge(begun.verifier),  # type: ignore[no-untyped-call]
        "code_challenge_method": "S256",
    }
    endpoint = str(_description(settings)["authorization_endpoint"])
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", begun


def sealed(key: bytes, begun: Begun) -> str:
    """As it travels in the cookie: signed, so that nobody plants one."""
    content = json.dumps(asdict(begun)).encode().hex()
    return f"{content}.{hmac.digest(key, b'oidc ' + content.encode(), 'sha256').hex()}"


def unsealed(key: bytes, cookie: str, now: float) -> Begun:
    """Raises OidcRefused when it is not ours or older than ten minutes."""
    content, _, signature = cookie.partition(".")
    expected = hmac.digest(key, b"oidc " + content.encode(errors="replace"), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        raise OidcRefused("no sign-in was begun in this browser")
    begun = Begun(**json.loads(bytes.fromhex(content)))
    if not 0 <= now - begun.at < STATE_LIFE:
        raise OidcRefused("it took too long")
    return begun


def person_behind(settings: Settings, begun: Begun, query: Mapping[str, str], now: float) -> Person:
    """Redeem the code that the browser brought and check everything that is said with it.

    Raises:
        OidcRefused: another state, issuer, audience, nonce, signature; no code; no verified address.
    """
    if not hmac.compare_digest(query.get("state", "").encode(), begun.state.encode()):
        raise OidcRefused("the state is another one")
    if "error" in query or not query.get("code"):
        raise OidcRefused("the provider gave no code")
    if query.get("iss", settings.oidc_issuer) != settings.oidc_issuer:
        raise OidcRefused("the issuer is another one")
    description = _description(settings)
    tokens = _redeem(settings, description, query["code"], begun.verifier)
    claims = _checked(settings, description, tokens, begun.nonce, now)
    if "email" not in claims:
        claims = {**claims, **_more_about(description, tokens, claims["sub"])}
    email = str(claims.get("email", "")).strip().lower()
    if claims.get("email_verified") is not True or not is_email(email):
        raise OidcRefused("the address is not verified")
    return Person(f"{settings.oidc_issuer} {claims['sub']}"[:300], email, str(claims.get("name") or email)[:120])


def account_of(session: Session, settings: Settings, person: Person, now: Any) -> Staff:
    """Our account of this person; made only where a setting says with which role.

    Raises:
        OidcRefused: there is none, it is disabled, or it belongs to another person there.
    """
    staff = session.scalar(select(Staff).where(Staff.email == person.email).with_for_update())
    if staff is None:
        if not settings.oidc_new_role:
            raise OidcRefused("there is no account with this address")
        staff = create_staff(session, person.email, person.name, Role(settings.oidc_new_role), now)
    if staff.disabled:
        raise OidcRefused("the account is disabled")
    if staff.oidc_subject is None:
        staff.oidc_subject = person.subject
        record(session, "provider_bound", staff_id=staff.id, now=now)
    if staff.oidc_subject != person.subject:
        raise OidcRefused("the account belongs to another person at the provider")
    return staff


def _description(settings: Settings) -> dict[str, Any]:
    issuer = settings.oidc_issuer
    at, known = _descriptions.get(issuer, (0.0, None))
    if known is not None and time.monotonic() - at < METADATA_LIFE:
        return known
    found = _json_of("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise OidcRefused("the provider says it is another issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(name), str):
            raise OidcRefused(f"the provider does not say its {name}")
    _descriptions[issuer] = (time.monotonic(), found)
    return found


def _redeem(settings: Settings, description: Mapping[str, Any], code: str, verifier: str) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.address + CALLBACK,
        "code_verifier": verifier,
    }
    auth = httpx.BasicAuth(settings.oidc_client_id, settings.oidc_client_secret.get_secret_value())
    return _json_of("POST", str(description["token_endpoint"]), data=form, auth=auth)


def _checked(
    settings: Settings, description: Mapping[str, Any], tokens: Mapping[str, Any], nonce: str, now: float
) -> dict[str, Any]:
    try:
        keys = KeySet.import_key_set(_json_of("GET", str(description["jwks_uri"])))  # type: ignore[arg-type]
        token = jwt.decode(str(tokens.get("id_token", "")), keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": settings.oidc_issuer},
                "aud": {"essential": True, "value": settings.oidc_client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            params={
                "nonce": nonce,
                "client_id": settings.oidc_client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(now=int(now), leeway=LEEWAY)  # type: ignore[no-untyped-call]
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise OidcRefused(f"what it said cannot be trusted ({type(error).__name__}: {_claim_of(error)})") from error
    return dict(token.claims)


def _claim_of(error: Exception) -> str:
    """Which claim or step it was; never its value."""
    return str(getattr(error, "claim", None) or getattr(error, "error", None) or "malformed")


def _more_about(description: Mapping[str, Any], tokens: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """The address, where the provider tells it apart from the token. Only of the same person."""
    if not isinstance(description.get("userinfo_endpoint"), str):
        return {}
    headers = {"Authorization": f"Bearer {tokens.get('access_token')}"}
    told = _json_of("GET", str(description["userinfo_endpoint"]), headers=headers)
    if told.get("sub") != subject:
        raise OidcRefused("it told of another person")
    return {name: told[name] for name in ("email", "email_verified", "name") if name in told}


def _json_of(method: str, url: str, **options: Any) -> dict[str, Any]:
    try:
        response = httpx.request(method, url, timeout=TIMEOUT, follow_redirects=False, **options)
        found = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise OidcRefused(f"the provider cannot be reached ({type(error).__name__})") from error
    if response.status_code != 200 or not isinstance(found, dict):
        raise OidcRefused(f"the provider refused ({response.status_code})")
    return found
