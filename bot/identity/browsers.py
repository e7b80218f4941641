"""Browsers of colleagues: what they are called in a list, and the cookie by which one is known again."""

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from datetime import datetime, timedelta

DEVICE_LIFE = timedelta(days=365)
MOST_ACCOUNTS = 5
"""Of one browser: a desk in an office is shared."""
FAMILIES = (
    ("Edge", "Edg"),
    ("Opera", "OPR"),
    ("Samsung Internet", "SamsungBrowser"),
    ("Firefox", "Firefox"),
    ("Firefox", "FxiOS"),
    ("Chrome", "CriOS"),
    ("Chrome", "(?:Headless)?Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Macintosh"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)


def browser_family(user_agent: str) -> str:
    """ "Firefox, Windows" of a User-Agent header; empty where neither is known."""
    family = next((name for name, sign in FAMILIES if re.search(rf"\b{sign}/", user_agent)), None)
    system = next((name for name, sign in SYSTEMS if sign in user_agent), None)
    return ", ".join(part for part in (family, system) if part)


def short_address(address: str) -> str:
    """Enough of an address to know a place again, not enough to know a household: 192.0.2.*, 2001:db8:1:*."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    if known.version == 4:
        return str(known).rpartition(".")[0] + ".*"
    return ":".join(part.lstrip("0") or "0" for part in known.exploded.split(":")[:3]) + ":*"


def device_cookie(key: bytes, staff_id: int, now: datetime) -> str:
    """For a browser that has just signed in to an account: its failures are counted apart from those of strangers."""
    content = f"{staff_id}.{int(now.timestamp())}.{secrets.token_urlsafe(12)}"
    return f"{content}.{_signature(key, content)}"


def with_device(cookie: str, made: str) -> str:
    """The cookie of a browser where several colleagues sign in, one after the other."""
    kept = [each for each in cookie.split("~") if each and each.partition(".")[0] != made.partition(".")[0]]
    return "~".join([made, *kept][:MOST_ACCOUNTS])


def device_of(key: bytes, cookie: str, staff_id: int, now: datetime) -> str | None:
    """A name for the browser when its cookie is ours, of this account and not too old."""
    names = (_name_of(key, each, staff_id, now) for each in cookie.split("~")[:MOST_ACCOUNTS])
    return next((name for name in names if name is not None), None) if key else None


def _name_of(key: bytes, cookie: str, staff_id: int, now: datetime) -> str | None:
    content, _, signature = cookie.rpartition(".")
    if not hmac.compare_digest(_signature(key, content).encode(), signature.encode(errors="replace")):
        return None
    owner, made_at, _rest = content.split(".", 2)
    is_young = now - datetime.fromtimestamp(int(made_at), now.tzinfo) < DEVICE_LIFE
    return hashlib.sha256(content.encode()).hexdigest()[:32] if owner == str(staff_id) and is_young else None


def _signature(key: bytes, content: str) -> str:
    digest = hmac.digest(key, f"device\n{content}".encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
