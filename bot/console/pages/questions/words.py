"""Words of the page of questions."""

from bot.i18n.translate import mark
from bot.upkeep.models import Stage
from bot.upkeep.questions import Why

WHY = {
    Why.UNKNOWN: mark("no answer was known"),
    Why.ASKED_BACK: mark("asked back, nothing chosen"),
    Why.WANTED_A_PERSON: mark("answered, then a person was asked for"),
    Why.VOTED_DOWN: mark("answered, and it did not help"),
}
STAGES = {
    Stage.ASKED: mark("about to begin"),
    Stage.TRAINING: mark("learning"),
    Stage.READY: mark("ready"),
    Stage.SWITCHING: mark("switching"),
    Stage.IN_USE: mark("in use"),
    Stage.GOING_BACK: mark("going back"),
    Stage.WENT_BACK: mark("gone back from"),
    Stage.REFUSED: mark("refused: it understands less"),
    Stage.DISCARDED: mark("left"),
    Stage.FAILED: mark("failed"),
}
OUTCOMES = {
    "right": mark("answered"),
    "asked": mark("asked back, with the right topic"),
    "astray": mark("asked back, without the right topic"),
    "wrong": mark("answered wrongly"),
    "unknown": mark("not known"),
}
TROUBLES = {
    "interrupted": mark("It was interrupted three times."),
    "missing": mark("The file of the model is gone. Train again."),
    "no_answer": mark("The assistant did not answer with the new model, so the former one was taken again."),
}
DONE = {
    "assigned": mark("The phrases are saved. Train the assistant so that it understands them."),
    "patch": mark("This folder is read-only: download the changes below and apply them where the files are kept."),
    "ignored": mark("Ignored. They are listed at the end of the page as long as they can come back."),
    "snoozed": mark("They come back in 30 days."),
    "reopened": mark("The questions are back in the list."),
    "taken_back": mark("The phrases are taken out again, the questions are back in the list."),
    "asked": mark("The training begins. You can leave this page meanwhile."),
    "switching": mark("The switch has begun. Students who write now are answered a moment later."),
    "discarded": mark("The new model is left. The present one stays."),
}
TROUBLE = {
    "gone": mark("Somebody else decided this a moment ago, or the conversation is gone."),
    "busy": mark("A training is under way already."),
    "unsupervised": mark(
        "The assistant was not started by `accueil run`: it takes a new model at its next start only."
    ),
}
