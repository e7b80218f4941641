"""All deeds of all features, and how those of a turn are done."""

from collections.abc import Iterable
from functools import partial

from bot.answers.variants import may_be_told
from bot.answers.words import HELP, person_button
from bot.bookings.deeds import bookings_deeds
from bot.bootstrap import Services
from bot.buddies.deeds import buddy_deeds
from bot.buddies.interests import load_interests
from bot.buddies.matching import load_weights
from bot.calendars.deeds import calendar_deeds
from bot.conversations.deeds import Context, Deeds, Values
from bot.conversations.messages import Answer, Button, Effect, Understanding
from bot.conversations.service import set_language
from bot.conversations.words import greeting
from bot.courses.certificates import certificate_deeds
from bot.courses.deeds import placement_deeds
from bot.courses.levels import level_of
from bot.courses.statements import load_statements
from bot.handoff.desks import Office, desk_of_question
from bot.handoff.models import Reason
from bot.handoff.service import WEB, can_be_mailed, request_person
from bot.handoff.tending import expected_wait
from bot.handoff.words import come_back, mail_follows, usual_wait_words
from bot.housing.deeds import housing_deeds
from bot.i18n.languages import LANGUAGES, is_supported
from bot.i18n.translate import say
from bot.identity.deeds import identity_deeds
from bot.paperwork.deeds import paperwork_deeds
from bot.paperwork.deeds_facts import fact_deeds
from bot.privacy.deeds import privacy_deeds
from bot.reminders.deeds import reminder_deeds

CHATTED = Understanding(intent="button", confidence=1.0, action="chat", group="small_talk")


def deeds_of(services: Services) -> Deeds:
    """What buttons and prompts of this installation can do."""
    buddies = services.knowledge.folder / "buddies.yml"
    return (
        talk_deeds(services.office)
        | reminder_deeds(services.procedures)
        | identity_deeds(services.knowledge.school.mail_domains)
        | paperwork_deeds(services.procedures, services.knowledge)
        | fact_deeds(services.procedures)
        | calendar_deeds(services.settings.address)
        | placement_deeds(load_statements(services.knowledge.folder / "placement.yml"))
        | housing_deeds(services.knowledge, services.procedures)
        | privacy_deeds(services.settings)
        | bookings_deeds(level_of)
        | certificate_deeds()
        | buddy_deeds(load_interests(buddies), load_weights(buddies), services.procedures)
    )


def do_all(context: Context, deeds: Deeds, effects: Iterable[Effect]) -> Answer | None:
    """Do them in order; the last answer that one gives replaces the reply.

    Raises:
        UnknownDeed: there is no deed of this name (an old button asks for one that no longer exists).
    """
    replacement: Answer | None = None
    for effect in effects:
        if (function := deeds.effects.get(effect.name)) is None:
            raise UnknownDeed(effect.name)
        replacement = function(context, effect.values) or replacement
    return replacement


class UnknownDeed(LookupError):
    """A button of an earlier version asks for something that is no longer done."""


def _request_person(office: Office, context: Context, values: Values) -> Answer | None:
    session, conversation = context.session, context.conversation
    was_with = conversation.control
    desk = desk_of_question(session, office, conversation)
    reason = Reason(values.get("reason", Reason.ASKED))
    request_person(session, conversation, reason, context.now, desk=desk)
    # Nothing may draw attention away from the words that help in danger.
    if was_with != conversation.control and reason != Reason.URGENT:
        if (wait := expected_wait(session, office, desk)) is not None:
            context.said.append(usual_wait_words(context.language, wait))
        if can_be_mailed(session, conversation):
            context.said.append(mail_follows(context.language))
        elif conversation.channel == WEB:
            context.said.append(come_back(context.language))
    return None


def _greet(context: Context, _values: Values) -> Answer | None:
    return Answer(greeting(context.language), CHATTED)


def _show_help(context: Context, _values: Values) -> Answer | None:
    return Answer(say(context.language, HELP), CHATTED, buttons=(person_button(context.language),))


def _choose_language(context: Context, _values: Values) -> Answer | None:
    buttons = tuple(Button(language.name, {"language": language.code}) for language in LANGUAGES)
    return Answer(say(context.language, "In which language shall I answer?"), CHATTED, buttons=buttons)


def _set_language(context: Context, values: Values) -> Answer | None:
    code = str(values.get("language", ""))
    if is_supported(code):
        set_language(context.conversation, code, context.now)
    return None


def _remember(context: Context, values: Values) -> Answer | None:
    told = {family: str(choice) for family, choice in values.items() if may_be_told(family, str(choice))}
    # A new dict: the column sees assignments only. A question asked again never wipes out its answer.
    kept = context.conversation.told
    context.conversation.told = {**kept, **{family: choice or kept.get(family, "") for family, choice in told.items()}}
    return None


def talk_deeds(office: Office) -> Deeds:
    """What the talk itself needs: greetings, languages, the way to a person."""
    return Deeds(
        effects={
            "request_person": partial(_request_person, office),
            "set_language": _set_language,
            "remember": _remember,
            "greet": _greet,
            "show_help": _show_help,
            "choose_language": _choose_language,
        }
    )
