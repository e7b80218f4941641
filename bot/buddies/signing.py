"""The sign-up: consent, six short questions, a summary, and only then a row. A dialogue of buttons; some answers may be
typed.

What was answered so far travels in the buttons and in the pending prompt, so that nothing is kept of somebody who stops
half-way. Each button holds the whole draft: an older one leads back to what was answered then.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from bot.buddies.answer import Said, buddy_answer, profile_buttons
from bot.buddies.interests import Interests
from bot.buddies.models import BuddyRole, ProfileState
from bot.buddies.pairing import hold_pairs, places_taken
from bot.buddies.profiles import (
    FIELDS_OF,
    GENDERS,
    LONGEST_CONTACT,
    LONGEST_FIELD,
    LONGEST_WORDS,
    MOST_CAPACITY,
    MOST_LANGUAGES,
    STEPS,
    Draft,
    Step,
    change,
    draft_from,
    draft_of,
    draft_of_record,
    profile_of,
    role_of,
    sign_up,
    steps_for,
    words_in,
)
from bot.buddies.queries import position_of
from bot.buddies.typed import campus_in, capacity_in, days_of, is_answer, languages_in, own_words_of
from bot.buddies.wording import languages_words, show_button
from bot.conversations.deeds import Context, Values, deed_button, expect_answer, expect_nothing
from bot.conversations.messages import Answer, Button, Understanding
from bot.i18n.formats import date_words
from bot.i18n.languages import CODES, language_name
from bot.i18n.translate import mark, say, say_n
from bot.reminders.wording import one_line
from bot.students.models import Student
from bot.students.records import CAMPUS_CITIES

AGREE, REFUSE = "buddy_agree", "buddy_refuse"
ASK, TAKE, SUMMARY, PICK, SIGN = "buddy_ask", "buddy_take", "buddy_summary", "buddy_pick", "buddy_sign"
PROMPT = "buddy_sign_up"
LASTS = timedelta(minutes=30)
"""How long a question waits for a typed answer."""
DRAFT_LASTS = timedelta(days=7)
"""After that the consent of a sign-up that was never finished is asked again."""

Mode = Literal["tour", "edit", "saved"]
"""tour: one question after the other; edit: one of them again, before signing up; saved: a change of the row."""
Ask = Literal["", "arrives_on", "leaves_on", "gender", "field"]
"""Which part of a step a typed answer is for; "": the step itself."""

OFFERED_LANGUAGES = (*CODES, "de", "it", "hi")
STEP_NAMES: Mapping[Step, str] = {
    "languages": mark("Languages"),
    "campus": mark("Campus"),
    "stay": mark("Arrival and departure"),
    "interests": mark("Interests"),
    "wishes": mark("Wishes"),
    "capacity": mark("Number of newcomers"),
    "contact": mark("Contact"),
}
GENDER_LABELS: Mapping[str, str] = {"woman": mark("Woman"), "man": mark("Man"), "other": mark("Neither")}


@dataclass(frozen=True)
class Sheet:
    """A sign-up under way."""

    draft: Draft
    mode: Mode
    agreed_at: datetime
    student_id: int

    def values(self, step: Step | None = None, **more: Any) -> dict[str, Any]:
        """For a button or a prompt; `sheet_from` reads it."""
        common = {"draft": self.draft.as_json(), "mode": self.mode, "agreed": self.agreed_at.isoformat()}
        return {**common, "who": self.student_id, **({"step": step} if step else {}), **more}

    def changed(self, **answers: Any) -> "Sheet":
        return replace(self, draft=replace(self.draft, **answers))


class SignUp:
    """The deeds with the list of interests. `after`: what else the sign-up of a newcomer means."""

    def __init__(self, interests: Interests, after: Callable[[Context, Student], None]) -> None:
        self._label_of = interests.label
        self._interests = interests.codes
        self._after = after

    # Consent

    def start(self, context: Context, _values: Values) -> Answer:
        student, language = context.student, context.language
        if student is None:
            return link_first(language)
        if (profile := profile_of(context.session, student.id)) and profile.state != ProfileState.WITHDRAWN:
            return said(buddy_answer(context.session, student, language, context.now))
        return answer(consent_words(role_of(student), language), *_consent_buttons(language))

    def refuse(self, context: Context, _values: Values) -> Answer:
        stop_asking(context)
        text = say(context.language, "All right, nothing is kept. Tell me whenever you would like a buddy after all.")
        return answer(text)

    def agree(self, context: Context, _values: Values) -> Answer:
        student = context.student
        if student is None:
            return link_first(context.language)
        if (profile := profile_of(context.session, student.id)) and profile.state != ProfileState.WITHDRAWN:
            return said(buddy_answer(context.session, student, context.language, context.now))
        return self._ask(context, Sheet(draft_of_record(student), "tour", context.now, student.id), STEPS[0])

    # Questions

    def ask(self, context: Context, values: Values) -> Answer:
        found = self._sheet(context, values)
        if isinstance(found, Answer):
            return found
        return self._ask(context, found, values["step"], values.get("ask", ""))

    def take(self, context: Context, values: Values) -> Answer:
        found = self._sheet(context, values)
        if isinstance(found, Answer):
            return found
        return self._go_on(context, found, values["step"])

    def summary(self, context: Context, values: Values) -> Answer:
        found = self._sheet(context, values)
        return found if isinstance(found, Answer) else self._summary(context, found)

    def pick(self, context: Context, values: Values) -> Answer:
        found = self._sheet(context, values)
        return found if isinstance(found, Answer) else self._pick(context, found)

    def change(self, context: Context, _values: Values) -> Answer:
        """What somebody on the list answered, each answer to be changed."""
        stop_asking(context)
        student = context.student
        if student is None:
            return link_first(context.language)
        profile = profile_of(context.session, student.id)
        if profile is None or profile.state == ProfileState.WITHDRAWN:
            return said(buddy_answer(context.session, student, context.language, context.now))
        return self._pick(context, Sheet(draft_of(profile), "saved", profile.consented_at, student.id))

    def sign(self, context: Context, values: Values) -> Answer:
        """The last tap: from now on there is a row."""
        found = self._sheet(context, values)
        if isinstance(found, Answer):
            return found
        student, language = context.student, context.language
        if found.draft.missing or student is None:
            return self._summary(context, found)
        hold_pairs(context.session)
        stop_asking(context)
        kept = tuple(code for code in found.draft.interests if code in self._interests)
        profile = sign_up(context.session, student, replace(found.draft, interests=kept), found.agreed_at, context.now)
        if profile.role == BuddyRole.BUDDY:
            text = say(language, "Thank you, you are on the list of buddies.")
        else:
            self._after(context, student)
            place = position_of(context.session, student.id, context.now)
            text = say(language, "You are on the list, place {position}.", position=place)
        more = say(language, "I write to you as soon as somebody fits, and ask you both before anything is exchanged.")
        return answer(f"{text} {more}", *profile_buttons(profile, language))

    def typed(self, context: Context, prompt: Values, text: str) -> Answer | None:
        """A typed answer to the question that is open; a wrong one gets the fix."""
        if not is_answer(text, context.language):
            return None
        found = self._sheet(context, prompt)
        if isinstance(found, Answer):
            return None
        step, ask = prompt["step"], prompt.get("ask", "")
        read: dict[str, Callable[[], Sheet | str | None]] = {
            "languages": lambda: _typed_languages(context, found, text),
            "campus": lambda: _typed_campus(context, found, text),
            "stay": lambda: _typed_stay(context, found, text, ask),
            "interests": lambda: self._typed_interests(context, found, text),
            "wishes": lambda: _typed_field(context, found, text) if ask == "field" else None,
            "capacity": lambda: _typed_capacity(context, found, text),
            "contact": lambda: _typed_contact(context, found, text),
        }
        result = read[step]()
        if result is None:
            return None
        if isinstance(result, str):
            again = self._ask(context, found, step, ask)
            return answer(f"{result}\n\n{again.text}", *again.buttons)
        # A list goes on by its own button: there may be more to say.
        return (
            self._ask(context, result, step) if step in ("interests", "wishes") else self._go_on(context, result, step)
        )

    # How it goes on

    def _sheet(self, context: Context, values: Values) -> Sheet | Answer:
        """The sign-up of a button or a prompt, if it still holds; else what is said instead."""
        student, language = context.student, context.language
        if student is None:
            return link_first(language)
        step, mode = values.get("step", STEPS[0]), values["mode"]
        if values.get("who") != student.id or step not in steps_for(role_of(student)):
            return _start_again(context, student)
        agreed_at = datetime.fromisoformat(values["agreed"])
        profile = profile_of(context.session, student.id)
        is_on_list = profile is not None and profile.state != ProfileState.WITHDRAWN
        draft = draft_from(values["draft"])
        if mode == "saved":
            if profile is None or not is_on_list:
                return _start_again(context, student)
            # Only the answer that is being changed is of the button: the others may have changed since.
            own = {name: getattr(draft, name) for name in FIELDS_OF[step]} if "step" in values else {}
            return Sheet(replace(draft_of(profile), **own), "saved", profile.consented_at, student.id)
        if is_on_list:
            return said(buddy_answer(context.session, student, language, context.now))
        withdrew_since = profile is not None and profile.updated_at > agreed_at
        if withdrew_since or agreed_at + DRAFT_LASTS < context.now:
            return _start_again(context, student)
        return Sheet(draft, mode, agreed_at, student.id)

    def _go_on(self, context: Context, sheet: Sheet, step: Step) -> Answer:
        if sheet.mode == "saved":
            return self._save(context, sheet, step)
        stop_asking(context)
        student = context.student
        steps = steps_for(role_of(student)) if student is not None else STEPS
        following = steps[steps.index(step) + 1 :]
        if sheet.mode == "tour" and following:
            return self._ask(context, sheet, following[0])
        return self._summary(context, sheet)

    def _save(self, context: Context, sheet: Sheet, step: Step) -> Answer:
        language = context.language
        hold_pairs(context.session)
        profile = profile_of(context.session, sheet.student_id)
        if profile is None:
            return link_first(language)
        taken = places_taken(context.session, sheet.student_id)
        if profile.role == BuddyRole.BUDDY and sheet.draft.capacity < taken:
            text = say_n(
                language,
                "You have {number} newcomer now, or a proposal of one, so the number cannot be lower than that.",
                "You have {number} newcomers now, or proposals of them, so the number cannot be lower than that.",
                taken,
            )
            again = self._ask(context, sheet.changed(capacity=taken), step)
            return answer(f"{text}\n\n{again.text}", *again.buttons)
        if sheet.draft.missing:
            return self._ask(context, sheet, sheet.draft.missing[0])
        stop_asking(context)
        change(profile, sheet.draft, context.now)
        context.session.flush()
        picked = self._pick(context, sheet)
        saved = say(language, "Your change is saved.")
        return answer(f"{saved}\n\n{picked.text}", *picked.buttons)

    def _summary(self, context: Context, sheet: Sheet) -> Answer:
        stop_asking(context)
        language = context.language
        sheet = replace(sheet, mode="edit")
        head = say(language, "This is what I would keep:")
        lines = self._lines(context, sheet)
        if sheet.draft.missing:
            step = sheet.draft.missing[0]
            text = say(
                language,
                "Without this nobody can be found for you: {what}.",
                what=say(language, STEP_NAMES[step]),
            )
            buttons = [deed_button(say(language, STEP_NAMES[step]), ASK, **sheet.values(step))]
        else:
            text = say(language, "Nothing is kept before you press the button.")
            buttons = [deed_button(say(language, "Sign me up"), SIGN, **sheet.values())]
        buttons.append(deed_button(say(language, "Change …"), PICK, **sheet.values()))
        buttons.append(deed_button(say(language, "No thanks"), REFUSE))
        return answer("\n\n".join((head, lines, text)), *buttons)

    def _pick(self, context: Context, sheet: Sheet) -> Answer:
        language = context.language
        if sheet.mode != "saved":
            sheet = replace(sheet, mode="edit")
        student = context.student
        steps = steps_for(role_of(student)) if student is not None else STEPS
        buttons = [deed_button(say(language, STEP_NAMES[step]), ASK, **sheet.values(step)) for step in steps]
        if sheet.mode == "saved":
            buttons.append(show_button(language))
        else:
            buttons.append(deed_button(say(language, "Back to the summary"), SUMMARY, **sheet.values()))
        which = say(language, "Which answer do you want to change?")
        return answer(f"{self._lines(context, sheet)}\n\n{which}", *buttons)

    def _lines(self, context: Context, sheet: Sheet) -> str:
        student = context.student
        steps = steps_for(role_of(student)) if student is not None else STEPS
        language = context.language
        told = {say(language, STEP_NAMES[step]): self._told(sheet.draft, step, language) for step in steps}
        return "\n".join(f"- {name}: {words}" for name, words in told.items())

    def _told(self, draft: Draft, step: Step, language: str) -> str:
        """One answer in words."""
        match step:
            case "languages":
                told = languages_words(draft.languages, language)
            case "campus":
                told = CAMPUS_CITIES.get(draft.campus, "")
            case "stay":
                told = stay_words(draft, language)
            case "interests":
                labels = [self._label_of(code, language) for code in draft.interests if code in self._interests]
                told = ", ".join([*labels, *words_in(draft.own_words)])
            case "wishes":
                told = ", ".join(_wishes(draft, language))
            case "capacity":
                return str(draft.capacity)
            case "contact":
                told = ", ".join(_ways(draft, language))
                return told or say(language, "none; the other cannot write to you first")
        return told or say(language, "not told")

    # One question each

    def _ask(self, context: Context, sheet: Sheet, step: Step, ask: Ask = "") -> Answer:
        made = {
            "languages": _languages,
            "campus": _campus,
            "stay": _stay,
            "interests": self._interests_of,
            "wishes": _wish,
            "capacity": _capacity,
            "contact": _contact,
        }[step](context, sheet, ask)
        expect_answer(context, PROMPT, LASTS, **sheet.values(step, ask=ask))
        return made

    def _interests_of(self, context: Context, sheet: Sheet, _ask: Ask) -> Answer:
        language, chosen = context.language, sheet.draft.interests
        buttons = [
            _toggle(
                self._label_of(code, language),
                code in chosen,
                sheet.changed(interests=_toggled(chosen, code)),
                "interests",
            )
            for code in self._interests
        ]
        text = say(language, "What do you like to do? Tap all that fit, or write other things, separated by commas.")
        if sheet.draft.own_words:
            written = say(language, "In your own words: {words}", words=sheet.draft.own_words)
            text = f"{text}\n\n{written}"
            clear = say(language, "Clear my own words")
            buttons.append(deed_button(clear, ASK, **sheet.changed(own_words="").values("interests")))
        return answer(
            text, *buttons, *_onward(sheet, "interests", language, is_told=bool(chosen or sheet.draft.own_words))
        )

    def _typed_interests(self, context: Context, sheet: Sheet, text: str) -> Sheet | str | None:
        labels = {code: self._label_of(code, context.language) for code in self._interests}
        room = LONGEST_WORDS - len(sheet.draft.own_words) - 2
        codes, words = own_words_of(one_line(text), labels, max(room, 0))
        if not codes and not words:
            return say(context.language, "That is too long to keep. Name your interests in fewer words, please.")
        own = ", ".join(dict.fromkeys([*words_in(sheet.draft.own_words), *words_in(words)]))
        return sheet.changed(interests=tuple(dict.fromkeys([*sheet.draft.interests, *codes])), own_words=own)


def consent_words(role: BuddyRole, language: str) -> str:
    """What is used, for what, for how long."""
    if role is BuddyRole.BUDDY:
        first = say(language, "A buddy shows somebody new around and answers questions in the first weeks.")
    else:
        first = say(
            language, "A buddy studies here already, shows you around and answers questions in the first weeks."
        )
    return "\n\n".join(
        (
            first,
            say(
                language,
                "To find somebody who fits, I would use your languages, campus, dates, interests and wishes: only to "
                "match buddies, seen by the international office, and kept until you withdraw or your record is "
                "deleted. You can skip, change and withdraw everything.",
            ),
            say(
                language,
                "The other person reads your given name and what you two share. Contact details are exchanged after "
                "you both said yes, and only those that you allow. Do you agree?",
            ),
        )
    )


def _consent_buttons(language: str) -> tuple[Button, ...]:
    return (deed_button(say(language, "I agree"), AGREE), deed_button(say(language, "No thanks"), REFUSE))


def _languages(context: Context, sheet: Sheet, _ask: Ask) -> Answer:
    language, chosen = context.language, sheet.draft.languages
    offered = dict.fromkeys([*chosen, *OFFERED_LANGUAGES])
    buttons = [
        _toggle(
            language_name(tag, language),
            tag in chosen,
            sheet.changed(languages=_toggled(chosen, tag)[:MOST_LANGUAGES]),
            "languages",
        )
        for tag in offered
    ]
    text = say(
        language,
        "Which languages do you speak well enough to talk with a buddy? Tap them, the best first, or write them: "
        "Spanish and English, for example.",
    )
    return answer(text, *buttons, *_onward(sheet, "languages", language, is_told=bool(chosen)))


def _typed_languages(context: Context, sheet: Sheet, text: str) -> Sheet | str | None:
    tags = languages_in(text, context.language)
    if tags:
        return sheet.changed(languages=tags)
    if len(text.split()) > 2:
        return None
    return say(
        context.language,
        "I know no language of this name. Write its usual name, for example Spanish, or tap one of these.",
    )


def _campus(context: Context, sheet: Sheet, _ask: Ask) -> Answer:
    language, city = context.language, CAMPUS_CITIES.get(sheet.draft.campus)
    buttons = [
        deed_button(name, TAKE, **sheet.changed(campus=campus).values("campus"))
        for campus, name in CAMPUS_CITIES.items()
        if campus != sheet.draft.campus
    ]
    if city is None:
        text = say(language, "At which campus are you, or will you be?")
        return answer(text, *buttons, *_onward(sheet, "campus", language, is_told=False))
    text = say(language, "Your campus is in {city}: right?", city=city)
    yes = deed_button(say(language, "Yes"), TAKE, **sheet.values("campus"))
    return answer(text, yes, *buttons, *_onward(sheet, "campus", language, is_told=False))


def _typed_campus(context: Context, sheet: Sheet, text: str) -> Sheet | str | None:
    campus = campus_in(text)
    if campus is not None:
        return sheet.changed(campus=campus)
    if len(text.split()) > 2:
        return None
    cities = ", ".join(CAMPUS_CITIES.values())
    return say(context.language, "That is none of our campuses. Write one of these: {cities}.", cities=cities)


def _stay(context: Context, sheet: Sheet, ask: Ask) -> Answer:
    language, draft = context.language, sheet.draft
    if ask == "arrives_on":
        text = say(language, "When do you arrive? Write the day: 12 January 2027, for example.")
        return answer(text, *_stay_skip(sheet, language))
    if ask == "leaves_on":
        text = say(language, "Until when do you stay? Write the day: 30 June 2027, for example.")
        return answer(text, *_stay_skip(sheet, language))
    arrival = deed_button(say(language, "Another arrival"), ASK, **sheet.values("stay", ask="arrives_on"))
    departure = deed_button(say(language, "Another departure"), ASK, **sheet.values("stay", ask="leaves_on"))
    if draft.arrives_on is None and draft.leaves_on is None:
        text = say(
            language,
            "When do you arrive and until when do you stay? Write both days, 12 January 2027 to 30 June 2027 for "
            "example, or only the last one if you are here already.",
        )
        return answer(text, *_onward(sheet, "stay", language, is_told=False))
    text = say(language, "{stay}: right?", stay=stay_words(draft, language))
    yes = deed_button(say(language, "Yes"), TAKE, **sheet.values("stay"))
    return answer(text, yes, arrival, departure, *_onward(sheet, "stay", language, is_told=False))


def _stay_skip(sheet: Sheet, language: str) -> tuple[Button, ...]:
    return (deed_button(say(language, "Leave it as it is"), TAKE, **sheet.values("stay")),)


def stay_words(draft: Draft, language: str) -> str:
    arrives = date_words(draft.arrives_on, language) if draft.arrives_on else None
    leaves = date_words(draft.leaves_on, language) if draft.leaves_on else None
    if arrives and leaves:
        return say(language, "from {arrival} to {departure}", arrival=arrives, departure=leaves)
    if arrives:
        return say(language, "from {arrival} on", arrival=arrives)
    return say(language, "until {departure}", departure=leaves) if leaves else ""


def _typed_stay(context: Context, sheet: Sheet, text: str, ask: Ask) -> Sheet | str | None:
    language, draft = context.language, sheet.draft
    recorded: Sequence[date | None] = (draft.leaves_on,) if ask == "leaves_on" else (draft.arrives_on, draft.leaves_on)
    days = days_of(text, language, context.today, recorded)
    if not days:
        if not any(sign.isdigit() for sign in text):
            return None
        return say(language, "I cannot read a day of the calendar there. Write it like this: 12 January 2027.")
    if ask and len(days) == 1:
        changed = sheet.changed(**{ask: days[0]})
    elif len(days) == 1:
        # One day alone is the last one of somebody who is here already.
        changed = sheet.changed(leaves_on=days[0])
    elif len(days) == 2:
        changed = sheet.changed(arrives_on=days[0], leaves_on=days[1])
    else:
        return say(language, "These are more than two days. Write the day of arrival and the last day.")
    arrives, leaves = changed.draft.arrives_on, changed.draft.leaves_on
    if arrives is not None and leaves is not None and leaves < arrives:
        return say(
            language,
            "That would be a departure on {departure} before an arrival on {arrival}. Write both days, the "
            "arrival first.",
            departure=date_words(leaves, language),
            arrival=date_words(arrives, language),
        )
    if leaves is not None and leaves < context.today:
        return say(language, "{date} is over already. Write a day to come.", date=date_words(leaves, language))
    return changed


def _wish(context: Context, sheet: Sheet, ask: Ask) -> Answer:
    language, draft = context.language, sheet.draft
    if ask == "field":
        text = say(language, "Which field do you study? Write it in a few words: computer science, for example.")
        back = sheet.changed(same_field=False).values("wishes")
        return answer(text, deed_button(say(language, "Without this wish"), ASK, **back))
    if ask == "gender":
        text = say(
            language,
            "For this wish I have to know your own gender. It is used for this alone, and only the office can see it.",
        )
        known = [
            deed_button(
                say(language, GENDER_LABELS[each]), ASK, **sheet.changed(gender=each, same_gender=True).values("wishes")
            )
            for each in GENDERS
        ]
        back = sheet.changed(same_gender=False, gender="").values("wishes")
        return answer(text, *known, deed_button(say(language, "Without this wish"), ASK, **back))
    field = _field_button(sheet, language)
    gender = _gender_button(sheet, language)
    text = say(
        language,
        "Do you have wishes? Both are optional. With “same gender” only people who told theirs can be found, which are "
        "fewer.",
    )
    if draft.same_field and draft.field:
        told = say(language, "Your field: {field}", field=draft.field)
        text = f"{text}\n\n{told}"
    return answer(
        text, field, gender, *_onward(sheet, "wishes", language, is_told=draft.same_field or draft.same_gender)
    )


def _field_button(sheet: Sheet, language: str) -> Button:
    label, draft = say(language, "Same field of study"), sheet.draft
    if not draft.same_field and not draft.field:
        return deed_button(label, ASK, **sheet.changed(same_field=True).values("wishes", ask="field"))
    return _toggle(label, draft.same_field, sheet.changed(same_field=not draft.same_field), "wishes")


def _gender_button(sheet: Sheet, language: str) -> Button:
    label, draft = say(language, "Same gender"), sheet.draft
    if draft.same_gender:
        # Given for this wish alone, it goes with it.
        return _toggle(label, True, sheet.changed(same_gender=False, gender=""), "wishes")
    return deed_button(label, ASK, **sheet.values("wishes", ask="gender"))


def _typed_field(context: Context, sheet: Sheet, text: str) -> Sheet | str | None:
    field = one_line(text)
    if len(field) > LONGEST_FIELD:
        return say(
            context.language,
            "That is too long. Write it in at most {most} characters.",
            most=LONGEST_FIELD,
        )
    return sheet.changed(field=field, same_field=True)


def _wishes(draft: Draft, language: str) -> list[str]:
    wishes = []
    if draft.same_field:
        wishes.append(say(language, "Same field of study"))
    if draft.same_gender:
        wishes.append(say(language, "Same gender"))
    return wishes


def _capacity(context: Context, sheet: Sheet, _ask: Ask) -> Answer:
    language = context.language
    buttons = [
        _toggle(str(number), number == sheet.draft.capacity, sheet.changed(capacity=number), "capacity", effect=TAKE)
        for number in range(1, MOST_CAPACITY + 1)
    ]
    text = say(language, "How many newcomers would you look after at the same time?")
    return answer(text, *buttons, *_onward(sheet, "capacity", language, is_told=False))


def _typed_capacity(context: Context, sheet: Sheet, text: str) -> Sheet | str | None:
    number = capacity_in(text)
    if number is None:
        return None
    if not 1 <= number <= MOST_CAPACITY:
        return say(context.language, "Between 1 and {most} are possible. Write such a number.", most=MOST_CAPACITY)
    return sheet.changed(capacity=number)


def _contact(context: Context, sheet: Sheet, _ask: Ask) -> Answer:
    language, draft = context.language, sheet.draft
    mail = say(language, "My school mail address")
    buttons = [_toggle(mail, draft.contact_mail, sheet.changed(contact_mail=not draft.contact_mail), "contact")]
    if draft.contact_other:
        remove = say(language, "Remove {contact}", contact=draft.contact_other)
        buttons.append(deed_button(remove, ASK, **sheet.changed(contact_other="").values("contact")))
    text = say(
        language,
        "How may the other reach you, once you both said yes? You can also write a telephone number or the name of an "
        "account.",
    )
    is_told = draft.contact_mail or bool(draft.contact_other)
    return answer(text, *buttons, *_onward(sheet, "contact", language, is_told=is_told))


def _typed_contact(context: Context, sheet: Sheet, text: str) -> Sheet | str | None:
    other = one_line(text)
    if len(other) > LONGEST_CONTACT:
        return say(context.language, "That is too long. Write it in at most {most} characters.", most=LONGEST_CONTACT)
    return sheet.changed(contact_other=other)


def _ways(draft: Draft, language: str) -> list[str]:
    ways = [say(language, "My school mail address")] if draft.contact_mail else []
    return [*ways, draft.contact_other] if draft.contact_other else ways


# Pieces


def _toggled(chosen: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(each for each in chosen if each != value) if value in chosen else (*chosen, value)


def _toggle(label: str, is_on: bool, sheet: Sheet, step: Step, *, effect: str = ASK) -> Button:
    return deed_button(f"✓ {label}" if is_on else label, effect, **sheet.values(step))


def _onward(sheet: Sheet, step: Step, language: str, *, is_told: bool) -> tuple[Button, ...]:
    """The way to the next question, with what is there or without."""
    label = say(language, "Go on") if is_told else say(language, "Skip")
    return (deed_button(label, TAKE, **sheet.values(step)),)


def _start_again(context: Context, student: Student) -> Answer:
    """The button is of a sign-up that does not hold any more."""
    stop_asking(context)
    language = context.language
    now_is = buddy_answer(context.session, student, language, context.now)
    text = say(language, "This button belongs to an earlier sign-up, so I changed nothing.")
    return answer(f"{text} {now_is.text}", *now_is.buttons)


def stop_asking(context: Context) -> None:
    """Give up our question; one of another feature stays."""
    prompt = context.conversation.prompt
    if prompt is not None and prompt.get("kind") == PROMPT:
        expect_nothing(context)


def link_first(language: str) -> Answer:
    text = say(language, "Buddies are found by your record. Link it first, then ask me again.")
    return answer(text, Button(say(language, "Link my record"), {"effect": "start_link"}))


def said(what: Said) -> Answer:
    return answer(what.text, *what.buttons)


def answer(text: str, *buttons: Button) -> Answer:
    return Answer(text, Understanding(intent="button", confidence=1.0, action="chat", group="buddy"), buttons=buttons)
