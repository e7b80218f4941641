// What is asked before a deed: promise, reason, receiver, time, tags, other words.

import { ask, can, isOver, isPassing, post, Refused, start } from "./api.js";
import { loadTags } from "./list.js";
import { notToldWords } from "./mentions.js";
import { $, isMine, notNow, state, tell } from "./state.js";
import { openAgain, showDeeds } from "./talk.js";
import { focusText } from "./writing.js";
import { dateInParis, make, momentHere, parisInstant, parisParts, say, shortMoment } from "./words.js";

export function setUpDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector("[data-cancel]")?.addEventListener("click", () => dialog.close());
  }
  $("claim").addEventListener("click", () => claim());
  $("release").addEventListener("click", () => release());
  $("close").addEventListener("click", () => close());
  $("transfer").addEventListener("click", () => transfer());
  $("snooze").addEventListener("click", () => snooze());
  $("wake").addEventListener("click", () => act("wake", {}, "woken"));
  $("label").addEventListener("click", () => label());
  $("transcript").addEventListener("click", (event) => {
    const button = event.target.closest("[data-change]");
    if (button) change(button.dataset.change, button.closest("article"));
  });
}

/** Whether a deed can be done now. A key that comes before the screen is up to date is answered, not lost in silence. */
function isUsable(deed) {
  if (!state.open?.head || $(deed).hidden) return false;
  if (!state.fresh) tell.toast(notNow(), { isTrouble: true });
  return !$(deed).disabled;
}

/** A request about the open conversation, said in words whatever comes of it. Returns whether it was done. */
async function act(deed, body, words) {
  const problem = await attempt(deed, body, words);
  if (problem) tell.toast(problem, { isTrouble: true });
  return !problem;
}

/** The same for a dialog, which stays open with what was typed and says why: returns that, "" when it was done. */
async function attempt(deed, body, words, method = "POST") {
  const talk = state.open;
  // It may have gone to another desk while its dialog was open.
  if (!talk?.head) return say("gone");
  if (talk.busy || !state.fresh) return notNow();
  talk.busy = true;
  showDeeds();
  try {
    const done = await ask(`conversations/${talk.id}/${deed}`, { method, body });
    const back = UNDOABLE.includes(deed) ? () => undo(talk.id, done.version) : deed === "snooze" ? () => bringBack(talk.id) : null;
    const unheard = body.note?.includes("@") ? await notTold(talk.id, body.note) : "";
    tell.toast([say(words), unheard].filter(Boolean).join(" "), { undo: back });
    return "";
  } catch (error) {
    return await tell.wordsOf(error, talk);
  } finally {
    talk.busy = false;
    showDeeds();
    await tell.refresh();
    // The button that was pressed may be gone: the keyboard goes on from the head of the conversation.
    if (state.open === talk && document.activeElement === document.body) $("name").focus();
  }
}

/** Whom the note that went with a deed did not reach, in words. */
async function notTold(id, text) {
  // Where it went to another desk the note cannot be read any more.
  const { notes } = await ask(`conversations/${id}/notes`).catch(() => ({ notes: [] }));
  return notToldWords(notes.findLast((note) => note.author.email === start.me.email && note.text === text));
}

/** What was just laid aside, back into the list. */
async function bringBack(id) {
  try {
    await post(`conversations/${id}/wake`);
    tell.toast(say("woken"));
    openAgain(id);
  } catch (error) {
    if (isPassing(error)) tell.toast(await tell.wordsOf(error), { isTrouble: true, undo: () => bringBack(id) });
    else await tell.explain(error, { id });
  }
  tell.refresh();
}

const UNDOABLE = ["release", "close", "transfer"];
const NOT_UNDONE = { version_changed: "undo_changed", too_late: "undo_late" };

/** Take back what was just done; whichever conversation is on the screen by now, that one is again. */
async function undo(id, version) {
  try {
    await post(`conversations/${id}/undo`, { version });
    tell.toast(say("undone"));
    openAgain(id);
  } catch (error) {
    const words = error instanceof Refused && NOT_UNDONE[error.why || error.code];
    if (words) tell.toast(say(words), { isTrouble: true });
    else if (isPassing(error)) tell.toast(await tell.wordsOf(error), { isTrouble: true, undo: () => undo(id, version) });
    else await tell.explain(error, { id });
  }
  tell.refresh();
}

/** Show a dialog and do what its form says; a refused field is named in it, and nothing that was typed is lost. */
function open(dialog, { fill, submit }) {
  const form = dialog.querySelector("form");
  form.reset();
  const fault = form.querySelector(".fault");
  fault.textContent = "";
  for (const line of form.querySelectorAll("[data-unanswered]")) line.hidden = state.open.head.last?.author !== "student";
  fill?.(form);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = form.querySelector(".primary");
    button.disabled = true;
    try {
      const problem = await submit(form);
      fault.textContent = problem || "";
      if (!problem) dialog.close();
    } catch (error) {
      if (isOver(error)) return tell.signedOut();
      const isTooLong = error instanceof Refused && error.why === "too_long";
      fault.textContent = isTooLong ? say("too_long_there") : error instanceof Refused ? error.message : say("offline");
    } finally {
      button.disabled = false;
    }
  };
  dialog.showModal();
}

const textOf = (form, name) => form.elements[name].value.trim();

export async function claim() {
  if (!isUsable("claim")) return;
  // A claim is right whatever happened meanwhile, as long as no colleague was faster; the others want to be seen first.
  const done = await act("claim", {}, "claimed");
  if (done && state.open?.head && isMine(state.open.head)) focusText();
}

const seen = () => ({ version: state.open?.head?.version });

export function release() {
  if (!isUsable("release")) return;
  if (!can("tasks")) return act("release", seen(), "released");
  open($("releasing"), {
    fill(form) {
      form.elements.due.min = dateInParis();
    },
    async submit(form) {
      const promise = textOf(form, "promise");
      const { value: due } = form.elements.due;
      if (promise && !due) return say("promise_needs_date");
      if (due && !promise) return say("date_needs_promise");
      const body = seen();
      if (promise) body.promise = { text: promise, due };
      if (textOf(form, "note")) body.note = textOf(form, "note");
      return attempt("release", body, promise ? "released_with_task" : "released");
    },
  });
}

export function close() {
  if (!isUsable("close")) return;
  if (!can("tasks")) return act("close", seen(), "closed");
  open($("closing"), {
    async submit(form) {
      const body = { ...seen(), reason: form.elements.reason.value };
      if (textOf(form, "note")) body.note = textOf(form, "note");
      return attempt("close", body, "closed");
    },
  });
}

export async function transfer() {
  if (!isUsable("transfer")) return;
  const talk = state.open;
  const answer = await ask("desks").catch((error) => tell.explain(error));
  if (!answer || state.open !== talk) return;
  const { desks } = answer;
  const colleagues = answer.colleagues.filter(({ email }) => email !== talk.head.assignee?.email);
  const deskOf = ({ email }) => desks.filter((desk) => desk.members.includes(email)).map((desk) => desk.name).join(", ");
  open($("handing"), {
    fill(form) {
      const choices = (label, items) => {
        const group = make("optgroup", { label });
        group.append(...items);
        return group;
      };
      form.elements.to.replaceChildren(
        choices(say("desks"), desks.filter((desk) => desk.slug !== talk.head.desk || isMine(talk.head)).map((desk) => {
          const words = say(desk.open_now === null ? "desk" : desk.open_now ? "desk_open" : "desk_shut", { name: desk.name, count: desk.waiting });
          return make("option", { value: `desk:${desk.slug}` }, words);
        })),
        choices(say("people"), colleagues.map((each) => {
          const words = [each.name, deskOf(each) || each.email].join(" · ");
          return make("option", { value: `staff:${each.email}` }, words);
        })),
      );
    },
    async submit(form) {
      const { value } = form.elements.to;
      if (!value) return say("choose_receiver");
      const at = value.indexOf(":");
      const body = { ...seen(), to: { [value.slice(0, at)]: value.slice(at + 1) } };
      if (textOf(form, "note")) body.note = textOf(form, "note");
      return attempt("transfer", body, "handed_over");
    },
  });
}

export function snooze() {
  if (!isUsable("snooze")) return;
  const dialog = $("snoozing");
  open(dialog, {
    fill() {
      const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
      $("own-zone").textContent = here === "Europe/Paris" ? "" : say("own_zone", { zone: here.replaceAll("_", " ") });
      $("moments").replaceChildren(...moments().map(([words, instant]) => {
        const pick = async () => {
          dialog.close();
          await lay(act, instant);
        };
        const both = here === "Europe/Paris" ? shortMoment(instant) : `${shortMoment(instant)} (${momentHere(instant)})`;
        return make("button", { type: "button", onclick: pick }, make("b", {}, say(words)), " ", make("span", { class: "soft" }, both));
      }));
    },
    async submit(form) {
      const { value } = form.elements.until;
      if (!value) return say("choose_time");
      return lay(attempt, parisInstant(value));
    },
  });
}

const lay = (how, instant) => how("snooze", { until: instant.toISOString() }, "laid_aside");

/** In an hour, this afternoon, tomorrow, next Monday: on a French clock. */
function moments() {
  const now = new Date();
  const today = parisParts(now);
  // Counted on the date: a day of 23 or 25 hours is one day.
  const day = (ahead) => new Date(Date.parse(dateInParis(now)) + ahead * 86400000).toISOString().slice(0, 10);
  const found = [["in_an_hour", new Date(Math.ceil((now.getTime() + 3600000) / 300000) * 300000)]];
  if (today.hour < 13) found.push(["this_afternoon", parisInstant(`${day(0)}T14:00`)]);
  found.push(["tomorrow", parisInstant(`${day(1)}T09:00`)]);
  const toMonday = (8 - today.weekday) % 7 || 7;
  if (toMonday > 1) found.push(["next_monday", parisInstant(`${day(toMonday)}T09:00`)]);
  return found;
}

export function label() {
  if (!isUsable("label")) return;
  loadTags();
  open($("labelling"), {
    fill(form) {
      form.elements.tags.value = (state.open.head.tags || []).join(", ");
    },
    async submit(form) {
      const tags = textOf(form, "tags").split(",").map((tag) => tag.trim()).filter(Boolean);
      if (tags.length > 10) return say("too_many_tags");
      if (tags.some((tag) => tag.length > 30)) return say("tag_too_long");
      return attempt("tags", { tags }, "tagged", "PUT");
    },
  });
}

/** Edit or delete one's own message, or take back a note. */
function change(deed, article) {
  const { seq, note } = article.dataset;
  const path = note ? `notes/${note}` : `conversations/${state.open.id}/messages/${seq}`;
  const request = (method, body) => ask(path, { method, body });
  if (deed === "edit") {
    return open($("correcting"), {
      fill(form) {
        form.elements.text.value = article.dataset.text;
      },
      async submit(form) {
        const text = textOf(form, "text");
        if (!text) return say("text_is_empty");
        await request("PATCH", { text });
        tell.toast(say("message_changed"));
        tell.refresh();
      },
    });
  }
  open($("deleting"), {
    async submit() {
      await request("DELETE");
      tell.toast(say("message_deleted"));
      tell.refresh();
    },
  });
}
