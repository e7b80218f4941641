"""The columns of an import: their headers, and the words that a cell may hold, in French and English."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from babel import Locale

from bot.i18n.languages import CODES, LANGUAGES, language_name
from bot.students.facts import COUNTRIES, DATE_FACTS, Facts
from bot.students.people import PERSON_FIELDS

IDENTITY = ("source_id", *PERSON_FIELDS)
IMPORTED_FACTS: tuple[str, ...] = tuple(
    name for name in Facts.model_fields if name not in ("steps_done", "earlier_stays")
)
"""Steps and earlier stays are lists: they have no cell."""
COLUMNS = (*IDENTITY, *IMPORTED_FACTS)
REQUIRED = ("email", "given_name", "family_name")

HEADERS: Mapping[str, tuple[str, ...]] = {
    "source_id": ("student number", "student id", "numéro étudiant", "n° étudiant", "matricule", "code apprenant"),
    "email": ("e-mail", "school e-mail", "mail", "courriel", "adresse e-mail", "adresse mail", "email école"),
    "given_name": ("first name", "forename", "prénom", "prénoms"),
    "family_name": ("last name", "surname", "nom", "nom de famille", "nom patronymique"),
    "language": ("preferred language", "langue", "langue de correspondance"),
    "nationality": ("nationalities", "citizenship", "nationalité", "nationalités", "code nationalité"),
    "nationality_group": ("group of nationality", "groupe de nationalité"),
    "country_of_residence": ("country of residence", "residence", "pays de résidence"),
    "programme_type": ("programme", "program", "program type", "type of programme", "type de programme"),
    "pays_tuition_to_junia": ("pays tuition", "paie des frais de scolarité", "paie des frais de scolarité à JUNIA"),
    "grant": ("scholarship", "bourse", "type de bourse"),
    "campus": ("site", "ville du campus"),
    "school": ("école", "ecole"),
    "semester": ("term", "semestre", "période"),
    "programme_start": ("start of programme", "start date", "début de programme", "début des cours", "date de début"),
    "programme_end": ("end of programme", "end date", "fin de programme", "fin des cours", "date de fin"),
    "enrolment_date": ("enrolment", "enrollment date", "date d'inscription", "date d'inscription administrative"),
    "leaving_date": ("departure date", "date de départ"),
    "results_date": ("date of results", "date des résultats", "date du jury"),
    "internship_start": ("start of internship", "début de stage"),
    "birth_date": ("date of birth", "birthday", "date de naissance", "né le", "née le", "né(e) le"),
    "document_held": ("residence document", "visa", "visa type", "titre de séjour", "type de visa"),
    "visa_granted_on": ("visa granted", "visa accordé le", "date de délivrance du visa"),
    "visa_start": ("visa valid from", "début du visa", "visa valable du"),
    "visa_expiry": ("visa valid until", "fin du visa", "expiration du visa", "visa valable jusqu'au"),
    "card_expiry": ("card valid until", "fin du titre de séjour", "expiration du titre de séjour"),
    "date_of_entry": ("arrival", "arrival date", "entry in France", "date d'arrivée", "date d'entrée en France"),
    "date_of_entry_kind": ("arrival kind", "arrivée prévue ou réelle"),
    "housing_status": ("housing", "logement"),
    "lease_signed_on": ("lease signed", "bail signé le"),
    "lease_start": ("start of lease", "début du bail"),
    "guarantor": ("garant", "garantie"),
    "bank_account": ("bank", "compte bancaire", "banque"),
    "health_cover": ("health insurance", "couverture santé", "assurance maladie"),
    "birth_certificate_language": ("language of birth certificate", "langue de l'acte de naissance"),
    "work_status": ("work", "travail", "emploi"),
    "job_start": ("start of job", "début d'emploi", "début de contrat"),
    "hours_this_permit_year": ("hours worked", "heures travaillées"),
    "cvec_paid_by_mistake": ("cvec paid by mistake", "cvec payée par erreur"),
    "wants_buddy": ("buddy", "souhaite un parrain", "parrainage"),
    "special_needs_declared": ("special needs", "besoins particuliers", "handicap déclaré"),
    "diploma_obtained_on": ("diploma obtained", "date du diplôme", "diplôme obtenu le"),
    "plan_after": ("plan after studies", "projet après les études"),
}
"""Headers that are recognised beside a column's own name; case, accents and punctuation do not count."""

CHOICE_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "nationality_group": {
        "eu_eea_ch": ("UE", "EU", "UE/EEE/Suisse", "EU/EEA/Switzerland"),
        "uk": ("Royaume-Uni", "United Kingdom"),
        "algeria": ("Algérie",),
        "quebec": ("Québec",),
        "turkey": ("Turquie", "Türkiye"),
        "other_non_eu": ("autre hors UE", "hors UE", "non-EU"),
        "refugee_or_protected": ("réfugié", "protection", "refugee", "protégé"),
    },
    "programme_type": {
        "exchange": ("échange", "étudiant en échange", "exchange student"),
        "degree": ("diplôme", "diplômant", "cursus diplômant", "degree-seeking"),
        "double_degree": ("double diplôme", "double-diplôme"),
        "ka131": ("Erasmus+ KA131", "Erasmus KA131"),
        "ka171": ("Erasmus+ KA171", "Erasmus KA171"),
        "bip": ("programme intensif hybride", "blended intensive programme"),
        "summer": ("été", "école d'été", "université d'été", "summer school"),
    },
    "grant": {
        "none": ("aucune", "sans", "sans bourse", "non", "no"),
        "social_criteria": ("critères sociaux", "bourse sur critères sociaux", "BCS"),
        "erasmus": ("Erasmus+", "bourse Erasmus"),
        "ka171": ("Erasmus+ KA171", "Erasmus KA171"),
        "french_government": ("gouvernement français", "bourse du gouvernement français", "BGF"),
        "other": ("autre", "autre bourse"),
    },
    "campus": {"lille": ("JUNIA Lille",), "bordeaux": ("JUNIA Bordeaux",), "chateauroux": ("JUNIA Châteauroux",)},
    "school": {"hei": ("JUNIA HEI",), "isa": ("JUNIA ISA",), "isen": ("JUNIA ISEN",)},
    "semester": {
        "autumn": ("automne", "semestre d'automne", "fall", "autumn semester", "fall semester"),
        "spring": ("printemps", "semestre de printemps", "spring semester"),
        "year": ("année", "annuel", "année entière", "année complète", "full year"),
    },
    "document_held": {
        "none_needed": ("aucun", "aucun visa", "dispensé", "none", "no visa"),
        "vls_ts": ("VLS-TS étudiant",),
        "vls_t": ("VLS-T étudiant", "VLS temporaire"),
        "vls_to_exchange": ("visa carte de séjour à solliciter", "carte de séjour à solliciter"),
        "visa_minor_pupil": ("visa mineur scolarisé", "mineur scolarisé"),
        "student_card": ("carte étudiant", "carte de séjour étudiant", "titre de séjour étudiant"),
        "algerian_certificate": ("certificat de résidence algérien", "CRA"),
        "eu_mobility_permit": ("mobilité UE", "permis d'un autre pays de l'UE"),
        "exemption": ("dispense temporaire",),
        "temporary_protection": ("protection temporaire",),
        "refugee_card": ("carte de réfugié",),
    },
    "date_of_entry_kind": {"planned": ("prévu", "prévue"), "real": ("réel", "réelle", "arrivé", "arrivée", "arrived")},
    "housing_status": {
        "searching": ("cherche", "recherche", "en recherche", "looking"),
        "all": ("ALL", "résidence ALL"),
        "crous": ("CROUS", "résidence CROUS"),
        "private_furnished": ("privé meublé", "meublé", "furnished"),
        "private_unfurnished": ("privé vide", "non meublé", "unfurnished"),
        "shared": ("colocation", "flatshare", "shared flat"),
        "hosted": ("hébergé", "hébergée", "chez l'habitant"),
    },
    "guarantor": {
        "none": ("aucun", "sans", "non", "no"),
        "person": ("personne", "personne physique"),
        "visale": ("garantie Visale",),
        "other": ("autre",),
    },
    "bank_account": {
        "none": ("aucun", "non", "no"),
        "french": ("français", "France", "compte français"),
        "sepa": ("compte SEPA", "zone SEPA"),
        "other": ("autre", "étranger", "hors SEPA"),
    },
    "health_cover": {
        "none": ("aucune", "sans", "no"),
        "ehic": ("CEAM", "carte européenne"),
        "s1": ("formulaire S1",),
        "ghic_student": ("GHIC",),
        "quebec_form": ("formulaire Québec", "formulaire du Québec"),
        "private": ("privée", "assurance privée"),
        "french": ("française", "sécurité sociale", "assurance maladie", "CPAM"),
    },
    "work_status": {
        "none": ("aucun", "sans", "non", "no"),
        "job_offer": ("promesse d'embauche", "offre d'emploi", "offer"),
        "job": ("emploi", "salarié", "salariée", "travaille"),
        "apprenticeship": ("apprentissage", "alternance", "apprenti", "apprentie"),
    },
    "plan_after": {
        "job_search": ("recherche d'emploi", "emploi"),
        "leave": ("départ", "retour", "quitte la France"),
        "study": ("études", "poursuite d'études"),
    },
}
"""Words for a value beside its code, by fact; case, accents and punctuation do not count."""

TRUE_WORDS = ("oui", "yes", "vrai", "true", "1")
FALSE_WORDS = ("non", "no", "faux", "false", "0")

COUNTRY_WORDS: Mapping[str, tuple[str, ...]] = {
    "BO": ("Bolivia", "Bolivie"),
    "CD": ("RDC", "République démocratique du Congo", "Democratic Republic of the Congo"),
    "CG": ("République du Congo", "Republic of the Congo", "Congo"),
    "CI": ("Ivory Coast",),
    "CN": ("République populaire de Chine", "People's Republic of China"),
    "CZ": ("République tchèque", "Czech Republic"),
    "GB": ("UK", "Grande-Bretagne", "Great Britain"),
    "HK": ("Hong Kong", "Hong-Kong"),
    "IR": ("République islamique d'Iran", "Islamic Republic of Iran"),
    "KR": ("République de Corée", "Republic of Korea"),
    "MM": ("Birmanie", "Burma"),
    "MO": ("Macao", "Macau"),
    "NL": ("Hollande", "Holland"),
    "PS": ("Palestine", "State of Palestine", "État de Palestine"),
    "RU": ("Fédération de Russie", "Russian Federation"),
    "SY": ("République arabe syrienne", "Syrian Arab Republic"),
    "TR": ("Turkey",),
    "US": ("USA", "États-Unis d'Amérique", "United States of America"),
    "VN": ("Viet Nam",),
}
"""Names that people write beside those of the Unicode territory lists."""

Kind = Literal["text", "date", "yes_no", "number", "choice", "countries", "country", "language", "language_tag"]


def plain(text: str) -> str:
    """What two spellings of one word share: no case, accents, punctuation, double spaces; € and + are punctuation."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    kept = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[\W_]+", " ", kept).split())


@cache
def kind_of(column: str) -> Kind:
    """How the cells of a column are read."""
    if column == "language":
        return "language"
    if column in IDENTITY:
        return "text"
    if column in DATE_FACTS:
        return "date"
    if column == "nationality":
        return "countries"
    if column == "country_of_residence":
        return "country"
    if column == "birth_certificate_language":
        return "language_tag"
    if choices_of(column):
        return "choice"
    return "yes_no" if bool in _types_in(Facts.model_fields[column].annotation) else "number"


@cache
def choices_of(fact: str) -> tuple[str, ...]:
    """The codes of a fact that has a list of them; empty for others."""
    if fact not in Facts.model_fields:
        return ()
    return tuple(str(value) for value in _literals_in(Facts.model_fields[fact].annotation))


@cache
def words_of(column: str) -> Mapping[str, str]:
    """Plain word → code, for a column whose cells come from a list."""
    match kind_of(column):
        case "choice":
            words = CHOICE_WORDS[column]
            return _plain_words((code, (code, *words.get(code, ()))) for code in choices_of(column))
        case "countries" | "country":
            return _plain_words((code, _country_names(code)) for code in sorted(COUNTRIES))
        case "language":
            own = {language.code: language.name for language in LANGUAGES}
            return _plain_words((code, (code, own[code], *_language_names(code))) for code in CODES)
        case "language_tag":
            tags = [tag for tag in map(str, Locale("en").languages) if len(tag) in (2, 3)]
            return _plain_words((code, (code, *_language_names(code))) for code in tags)
        case _:
            return {}


def _plain_words(spellings: Iterable[tuple[str, tuple[str, ...]]]) -> Mapping[str, str]:
    """The first code keeps a word that two would claim."""
    found: dict[str, str] = {}
    for code, words in spellings:
        for word in words:
            found.setdefault(plain(word), code)
    return found


def _country_names(code: str) -> tuple[str, ...]:
    names = (Locale(language).territories.get(code, code) for language in ("en", "fr"))
    return (code, *COUNTRY_WORDS.get(code, ()), *names)


def _language_names(code: str) -> tuple[str, ...]:
    return (language_name(code, "en"), language_name(code, "fr"))


def _literals_in(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _literals_in(part)


def _types_in(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, UnionType, Annotated):
        for part in get_args(annotation):
            yield from _types_in(part)
    else:
        yield annotation
