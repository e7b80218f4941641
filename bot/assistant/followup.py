"""Is a message a question by itself, the next one about the topic just talked about, or a correction? Pure.

The model sees one message at a time. "How much is it?" says nothing alone; after the visa it means the visa's fee.
"""

import re
from dataclasses import dataclass
from typing import Literal

LONGEST = 9
"""Words: a longer message says itself what it is about."""

_CORRECTION = re.compile(
    r"""^(?:
      (?:(?:no+|nope|sorry|not\ that|wrong|actually)\W+)*
        i\ (?:actually\ )?(?:mean|meant|was\ (?:asking|talking)\ about)\b
    | (?:(?:non|pardon|désolée?|pas\ ça|mais)\W+)*
        je\ (?:voulais\ dire|veux\ dire|parle\ d[eu]|parlais\ d[eu]|pensais\ (?:à|au)|demandais)\b
    | (?:no\W+)?(?:quise\ decir|quería\ decir|me\ refer[íi]a\ a|me\ refiero\ a|hablo\ de|hablaba\ de)\b
    | (?:não\W+)?(?:quis\ dizer|queria\ dizer|(?:eu\ )?(?:estava\ a\ falar|falava|falo)\ d[eoa]|refiro-me\ a)\b
    | (?:ні\W+)?(?:я\ )?(?:мав|мала)\ на\ увазі\b
    | (?:لا\W+)?(?:كنت\ )?(?:أقصد|اقصد|قصدت|أعني)\b
    | (?:不(?:是|对)?[，,。\s]*)?我(?:是说|是指|指的是|的意思是|说的是)
    | (?:no+|non|não|ні|لا)\s*[,.:!،]+\s*(?=(?:the|my|about|le|la|les|l'|l’|mon|ma|el|la|mi|o|a|про|про\ |ال))
    | 不是[，,。\s]+
    )[\s,:：]*(?P<rest>.+)$""",
    re.VERBOSE | re.IGNORECASE,
)

_OPENING = re.compile(
    r"""^(?:
      (?:ok(?:ay)?\W+)?(?:and|what\ about|how\ about|same\ for)\b
    | (?:ok\W+)?(?:et|qu'en\ est-il|qu’en\ est-il|pareil\ pour)\b
    | (?:¿\s*)?(?:y|qué\ tal)\b
    | e\b
    | а\b | і\b | й\b | та\b
    | و(?=\s|\w) | ماذا\ عن\b
    | 那么? | .{1,12}呢[？?]?$
    )""",
    re.VERBOSE | re.IGNORECASE,
)

_POINTING = re.compile(
    r"""(?:
      \b(?:is|does|do|was|can|for|about|need|get)\ (?:it|that|this|them|these|those)\b
    | \b(?:it|that|this)\ (?:cost|take|last)s?\b
    | ^(?:how\ much|how\ long|(?:until|by|since)\ when|where|when|why|why\ me|how|which\ (?:papers|documents))\W*$
    | \b(?:ça|cela|c'est|c’est|est-ce|le|la)
        \ (?:coûte|coute|combien|où|ou|quand|prend|dure|obligatoire|gratuit|fait|faire)\b
    | \bcombien\ (?:ça|cela|c'est|c’est)\b
    | ^(?:combien|jusqu['’]à\ quand|quand|où|pourquoi|comment|c['’]est\ combien|quels\ (?:papiers|documents))\W*$
    | ^(?:¿\s*)?(?:cuánto\ (?:cuesta|tarda|es)|cuándo|dónde|por\ qué|cómo|hasta\ cuándo)\W*$
    | ^(?:quanto\ (?:custa|é|demora)|quando|onde|porquê|por\ quê|como|até\ quando)\W*$
    | ^(?:скільки(?:\ це)?(?:\ коштує)?|коли|де|чому|як|до\ коли)\W*$
    | ^(?:كم|بكم|متى|أين|لماذا|كيف|حتى\ متى|كم\ (?:يكلف|تكلف|سعره|المبلغ)(?:\ ذلك|\ هذا)?)\W*$
    | ^(?:(?:这个?|那个?|它)?(?:要|需要)?(?:多少钱|多久|怎么办理?|在哪里?|什么时候|为什么))\W*$
    )""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Reading:
    """`alone`: as it stands. `next`: opens with "and …". `pointing`: "how much is it?". `correction`: `text` is what
    was meant."""

    kind: Literal["alone", "next", "pointing", "correction"]
    text: str


def read(text: str) -> Reading:
    """How a message hangs on what was said before, by its form alone."""
    if (corrected := _CORRECTION.match(text)) and corrected["rest"].strip(" ?!.。"):
        return Reading("correction", corrected["rest"])
    if len(text.split()) > LONGEST:
        return Reading("alone", text)
    if _POINTING.search(text):
        return Reading("pointing", text)
    if _OPENING.match(text):
        return Reading("next", text)
    return Reading("alone", text)
