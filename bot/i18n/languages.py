"""The languages of Accueil, in one list."""

from dataclasses import dataclass
from typing import Literal

from babel import Locale, UnknownLocaleError, negotiate_locale


@dataclass(frozen=True)
class Language:
    code: str
    name: str
    """Its own name for itself."""
    direction: Literal["ltr", "rtl"] = "ltr"
    has_content: bool = False
    """Whether knowledge/ is complete in it; elsewhere the answer comes in English and says so."""
    region: str = ""
    """Country whose words and formats we write, where the CLDR would take another one."""

    @property
    def locale(self) -> str:
        """As Babel names it: "pt_PT"."""
        return f"{self.code}_{self.region}" if self.region else self.code


LANGUAGES = (
    Language("en", "English", has_content=True, region="GB"),
    Language("fr", "Français", has_content=True),
    Language("es", "Español"),
    Language("pt", "Português", region="PT"),
    Language("uk", "Українська"),
    Language("ar", "العربية", "rtl"),
    Language("zh", "中文"),
)
BY_CODE = {language.code: language for language in LANGUAGES}
CODES = tuple(BY_CODE)
CONTENT_CODES = tuple(language.code for language in LANGUAGES if language.has_content)
DEFAULT = "en"


def is_supported(code: str) -> bool:
    return code in BY_CODE


def locale_of(code: str) -> str:
    """In which Babel writes for us: by themselves its "en" is American and its "pt" Brazilian."""
    return BY_CODE[code].locale if code in BY_CODE else code


def locales_of(code: str) -> tuple[str, ...]:
    """In which a reader of the language may write names, ours first: Vietname and Vietnã are one country."""
    return tuple(dict.fromkeys((locale_of(code), code)))


def negotiate(wanted: str | None) -> str:
    """The best of our languages for a tag or an `Accept-Language` header; English when there is none."""
    if not wanted:
        return DEFAULT
    preferences: list[tuple[float, str]] = []
    for position, part in enumerate(wanted.split(",")[:20]):
        tag, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            weight = 0.0
        preferences.append((-weight + position / 1000, tag.strip().replace("-", "_")))
    ordered = [tag for _, tag in sorted(preferences) if tag]
    return negotiate_locale([tag.split("_")[0].lower() for tag in ordered], CODES) or DEFAULT


def language_name(code: str, in_language: str) -> str:
    """`language_name("uk", "fr")` is "ukrainien"."""
    try:
        return Locale.parse(code).get_language_name(locale_of(in_language)) or code
    except (UnknownLocaleError, ValueError):
        return code
