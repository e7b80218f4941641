// The middle: the head of one conversation, its transcript with the notes of colleagues, and who else is there.

import { ask, can, isOver, post, Refused, start } from "./api.js";
import { dayLine, fileNode, messageNode, noteNode } from "./message.js";
import { $, isMine, state, tell } from "./state.js";
import { markOpen, showWaiting } from "./list.js";
import { leaveComposer, showComposer, showPending, settlePending } from "./writing.js";
import { alertWords, dayOf, languageName, make, nameOf, say, shortMoment } from "./words.js";

const EARLIER = 200;
const FILES_AGAIN = 2000;
/** Messages at the end that are read again each time: they may have been changed. */
const CHANGEABLE = 20;
const LOOKING_AGAIN = 10000;
const TYPING_OVER = 8000;
/** So many pixels from the end still count as there. */
const NEAR_END = 80;
const ADDRESS = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function openFromAddress() {
  const named = location.hash.slice(1);
  const id = ADDRESS.test(named) ? named : "";
  if (named && !id) tell.toast(say("gone"), { isTrouble: true });
  if (state.open?.id === id) return showView("talk");
  leaveComposer();
  // What a dialog asks is about the conversation that is left.
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  if (state.open) document.dispatchEvent(new CustomEvent("accueil:closed"));
  state.open = id ? { id, head: null, lastSeq: 0, firstSeq: 0, shown: new Map() } : null;
  showView(id ? "talk" : "list");
  $("nothing").hidden = Boolean(state.open);
  $("open").hidden = !state.open;
  $("people").textContent = "";
  markOpen();
  tell.opened(id);
  if (!state.open) return;
  $("transcript").replaceChildren(make("p", { class: "empty" }, say("loading")));
  $("name").textContent = "…";
  $("state").textContent = "";
  $("card").replaceChildren();
  for (const deed of DEEDS) $(deed).hidden = true;
  showComposer();
  tell.refresh();
  lookOn();
}

/** On the screen as it is now, also one that was not ours to see for a moment. */
export function openAgain(id) {
  if (state.open?.id !== id) location.hash = id;
  else if (!state.open.head) {
    state.open = null;
    openFromAddress();
  } else showView("talk");
}

/** On a phone one of three screens: list, talk, beside. */
export function showView(view) {
  document.body.dataset.view = state.open ? view : "list";
}

export function showBeside() {
  if (!state.open) return;
  const isPhone = window.matchMedia("(max-width: 1180px)").matches;
  if (isPhone) showView(document.body.dataset.view === "beside" ? "talk" : "beside");
  $("beside").focus();
}

// ---------------------------------------------------------------- reading

/** Returns whether what is shown is of now. */
export async function loadOpen() {
  const talk = state.open;
  if (!talk) return true;
  try {
    const head = await ask(`conversations/${talk.id}`);
    if (state.open !== talk) return true;
    const isFirst = !talk.head;
    talk.head = head;
    showHead();
    showComposer();
    if (isFirst) {
      talk.firstSeq = talk.lastSeq = Math.max(0, head.last_seq - EARLIER);
      $("transcript").replaceChildren();
    }
    await loadNew(talk, isFirst);
    await loadNotes(talk);
    if (isFirst && state.open === talk) {
      begin(talk);
      await reachPlace(talk);
    }
    return true;
  } catch (error) {
    if (isOver(error)) tell.signedOut();
    if (state.open !== talk) return true;
    const gone = error instanceof Refused && [404, 422].includes(error.status);
    if (gone) {
      talk.head = null;
      $("state").textContent = "";
      for (const deed of DEEDS) $(deed).hidden = true;
      showComposer();
    }
    if (!talk.head) {
      const again = gone ? null : make("button", { type: "button", onclick: () => tell.refresh() }, say("try_again"));
      $("transcript").replaceChildren(make("div", { class: "empty" }, make("p", {}, say(gone ? "gone" : "load_failed")), again));
    }
    return gone;
  }
}

function begin(talk) {
  loadPeople();
  if (window.matchMedia("(max-width: 760px)").matches) $("name").focus();
  const detail = { conversationId: talk.id, language: talk.head.language, mayAnswer: start.me.may_answer };
  document.dispatchEvent(new CustomEvent("accueil:opened", { detail }));
}

async function loadNew(talk, isFirst) {
  let after = isFirst ? talk.lastSeq : Math.max(talk.firstSeq, talk.lastSeq - CHANGEABLE);
  while (state.open === talk) {
    const found = await ask(`conversations/${talk.id}/transcript?after=${after}`);
    if (state.open !== talk) return;
    append(talk, found.events, isFirst);
    if (!found.events.length || talk.lastSeq >= found.last_seq) break;
    after = talk.lastSeq;
  }
  if (isFirst) showPending();
  showEarlier(talk);
}

function append(talk, events, isFirst) {
  const box = $("transcript");
  const wasAtEnd = isAtEnd;
  let came = false;
  for (const event of events) {
    const written = JSON.stringify(event);
    if (event.seq <= talk.lastSeq) {
      if (talk.shown.get(event.seq) !== written) replace(talk, event, written);
      continue;
    }
    if (event.author === "staff") settlePending(talk.id, event);
    if (event.author === "student") {
      showTyping(false);
      talk.isErased = false;
    }
    if (event.kind === "erased") {
      talk.isErased = true;
      for (const node of [...box.querySelectorAll("article, .day, .notice")]) node.remove();
      talk.shown.clear();
    }
    insert(nodeOf(talk, event), event.created_at);
    talk.shown.set(event.seq, written);
    talk.lastSeq = event.seq;
    came = true;
  }
  if (came) showComposer();
  if (isFirst || (came && wasAtEnd)) toEnd();
  else if (came) $("latest").hidden = false;
  watchFiles(talk);
}

function nodeOf(talk, event) {
  const node = messageNode(event, nameOf(talk.head), talk.id);
  node.dataset.at = event.created_at;
  return node;
}

function replace(talk, event, written) {
  talk.shown.set(event.seq, written);
  const old = $("transcript").querySelector(`[data-seq="${event.seq}"]`);
  if (!old) return;
  const hadFocus = old.contains(document.activeElement);
  const node = nodeOf(talk, event);
  old.replaceWith(node);
  // The keyboard stays where it was: at the button that changed these words, or at the head when that one is gone.
  if (hadFocus) (node.querySelector("[data-change]") ?? $("name")).focus();
}

/** In the order of time, what is on its way last; a line for each new day. */
function insert(node, at) {
  const box = $("transcript");
  const placed = [...box.querySelectorAll("[data-at]")];
  const next = placed.findLast((each) => Date.parse(each.dataset.at) <= Date.parse(at));
  const before = next ? next.nextElementSibling : placed[0] ?? box.querySelector(".pending");
  if (!next || dayOf(next.dataset.at) !== dayOf(at)) {
    const isDayThere = before?.classList.contains("day") && before.textContent === dayOf(at);
    if (!isDayThere) box.insertBefore(dayLine(at), before);
  }
  box.insertBefore(node, before);
}

/** Files come after the message they belong to: look again until each is here or given up. */
function watchFiles(talk) {
  if (talk.watching || !$("transcript").querySelector(".file.is-pending")) return;
  talk.watching = setTimeout(async () => {
    try {
      const { files } = await ask(`conversations/${talk.id}/files`);
      if (state.open === talk) for (const file of files) showArrived(file, talk);
    } catch (error) {
      if (isOver(error)) return tell.signedOut();
    }
    talk.watching = 0;
    if (state.open === talk) watchFiles(talk);
  }, FILES_AGAIN);
}

function showArrived(file, talk) {
  const node = $("transcript").querySelector(`[data-file="${file.id}"].is-pending`);
  if (node && file.state !== "pending") node.replaceWith(fileNode(file, talk.id));
}

export function toEnd() {
  $("transcript").scrollTop = $("transcript").scrollHeight;
  $("latest").hidden = true;
  isAtEnd = true;
}

let isAtEnd = true;

/** Whoever reads the end goes on doing so when head and composer take their height, or the window changes its own. */
export function keepAtEnd() {
  const box = $("transcript");
  let top = 0;
  box.addEventListener("scroll", () => {
    const isNear = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
    // Only who moves up leaves the end: the event may come after the column has changed its height.
    if (isNear || box.scrollTop < top) isAtEnd = isNear;
    top = box.scrollTop;
    if (isAtEnd) $("latest").hidden = true;
  });
  new ResizeObserver(() => isAtEnd && toEnd()).observe(box);
}

function showEarlier(talk) {
  $("transcript").querySelector(".earlier")?.remove();
  if (talk.firstSeq <= 0) return;
  const onclick = () => loadEarlier(talk).catch(tell.explain);
  $("transcript").prepend(make("button", { type: "button", class: "more earlier", onclick }, say("more")));
}

async function loadEarlier(talk) {
  const after = Math.max(0, talk.firstSeq - EARLIER);
  const found = await ask(`conversations/${talk.id}/transcript?after=${after}&limit=${talk.firstSeq - after}`);
  const box = $("transcript");
  const button = box.querySelector(".earlier");
  // Somebody may have pressed it while a place was looked for.
  if (state.open !== talk || !button || talk.firstSeq <= after) return;
  const nodes = [];
  let day = "";
  for (const event of found.events) {
    if (dayOf(event.created_at) !== day) nodes.push(dayLine(event.created_at));
    day = dayOf(event.created_at);
    nodes.push(nodeOf(talk, event));
    talk.shown.set(event.seq, JSON.stringify(event));
  }
  const below = box.scrollHeight - box.scrollTop;
  if (button.nextElementSibling?.textContent === day) button.nextElementSibling.remove();
  button.replaceWith(...nodes);
  box.scrollTop = box.scrollHeight - below;
  talk.firstSeq = after;
  showEarlier(talk);
  watchFiles(talk);
}

// ---------------------------------------------------------------- a place that the search found

let wanted = null;

/** `place`: "seq-7" or "note-3". Shown once the conversation is on the screen, however long ago it was. */
export function showPlace(id, place) {
  wanted = { id, place };
  if (state.open?.id === id && state.open.head) reachPlace(state.open).catch(tell.explain);
}

async function reachPlace(talk) {
  if (wanted?.id !== talk.id) return;
  const [kind, number] = wanted.place.split("-");
  wanted = null;
  let first = Infinity;
  while (kind === "seq" && Number(number) <= talk.firstSeq && talk.firstSeq < first) {
    first = talk.firstSeq;
    await loadEarlier(talk);
  }
  const node = state.open === talk && $("transcript").querySelector(`[data-${kind}="${number}"]`);
  if (!node) return;
  for (const other of document.querySelectorAll(".found-here")) other.classList.remove("found-here");
  node.classList.add("found-here");
  node.scrollIntoView({ block: node.offsetHeight < $("transcript").clientHeight ? "center" : "start" });
}

async function loadNotes(talk) {
  if (!can("notes")) return;
  const { notes } = await ask(`conversations/${talk.id}/notes`);
  if (state.open !== talk) return;
  const box = $("transcript");
  const ids = new Set(notes.map((note) => String(note.id)));
  const wasAtEnd = isAtEnd;
  for (const node of box.querySelectorAll("[data-note]")) if (!ids.has(node.dataset.note)) node.remove();
  let came = false;
  for (const note of notes) {
    if (box.querySelector(`[data-note="${note.id}"]`)) continue;
    const node = noteNode(note);
    node.dataset.at = note.created_at;
    insert(node, note.created_at);
    came = true;
  }
  if (came && wasAtEnd) toEnd();
}

// ---------------------------------------------------------------- the head

export const DEEDS = ["claim", "release", "transfer", "snooze", "wake", "label", "close"];

function showHead() {
  const { head } = state.open;
  $("name").textContent = nameOf(head);
  const line = $("state");
  line.className = `state is-${isMine(head) ? "mine" : head.control}`;
  const words = isMine(head) ? say("state_mine") : say(`state_${head.control}`, { name: head.assignee?.name });
  line.replaceChildren(make("span", {}, words));
  if (head.outcome) line.append(" · ", say(`outcome_${head.outcome}`));
  if (head.waiting_since) {
    line.append(" · ", make("span", { "data-waits": head.waiting_since }));
    if (head.position) line.append(" · ", head.position === 1 ? say("next_in_line") : say("position", { position: head.position }));
    showWaiting(line);
  }
  if (head.snoozed_until) line.append(" · ", say("asleep_until", { time: shortMoment(head.snoozed_until) }));
  for (const kind of head.alerts) line.append(" ", make("span", { class: `mark alert-${kind}` }, alertWords(kind)));
  for (const tag of head.tags || []) line.append(" ", make("span", { class: "mark tag" }, tag));
  const facts = head.student
    ? [head.student.school, head.student.campus, head.student.programme, say("writes_in", { language: languageName(head.language) })]
    : [say("not_linked"), say("writes_in", { language: languageName(head.language) })];
  $("card").replaceChildren(...facts.filter(Boolean).map((fact) => make("li", {}, fact)));
  showDeeds();
}

export function showDeeds() {
  const head = state.open?.head;
  if (!head) return;
  const may = start.me.may_answer;
  const onHand = isMine(head) || head.control === "waiting";
  $("claim").hidden = !may || head.control === "staff";
  $("release").hidden = !may || !isMine(head);
  // What a colleague holds, who is ill say, others may hand on whose role allows it.
  $("transfer").hidden = !may || !can("transfer") || !(onHand || (head.control === "staff" && start.me.may_reassign));
  $("snooze").hidden = !may || !can("snooze") || !onHand || Boolean(head.snoozed_until);
  $("wake").hidden = !may || !can("wake") || !head.snoozed_until;
  $("label").hidden = !may || !can("tags");
  $("close").hidden = !may || !onHand;
  for (const deed of DEEDS) $(deed).disabled = !state.fresh || Boolean(state.open.busy);
}

// ---------------------------------------------------------------- who is there

let typingOver = 0;

export function showTyping(on) {
  clearTimeout(typingOver);
  $("people").dataset.typing = on ? say("student_types") : "";
  showPeople();
  if (on) typingOver = setTimeout(() => showTyping(false), TYPING_OVER);
}

export async function loadPeople(place) {
  const talk = state.open;
  if (!talk || !can("people") || (place && place.conversation_id !== talk.id)) return;
  try {
    const { people, student_reads: reads } = await ask(`conversations/${talk.id}/people`);
    if (state.open !== talk) return;
    talk.student = reads == null ? "" : say(reads ? "student_reads" : "student_away");
    talk.people = people.filter((each) => each.email !== start.me.email);
    showPeople();
  } catch (error) {
    if (isOver(error)) tell.signedOut();
  }
}

function showPeople() {
  const people = state.open?.people || [];
  const words = people.map((each) => say(each.composing ? "colleague_types" : "colleague_looks", { name: each.name }));
  const student = $("people").dataset.typing || state.open?.student;
  const now = [student, ...words].filter(Boolean).join(" · ");
  // Said again only when it is something else.
  if ($("people").textContent !== now) $("people").textContent = now;
}

/** Tell colleagues that somebody looks on; for as long as the page is looked at. */
export function lookOn(composing = false) {
  if (!state.open || !can("viewing") || !start.me.may_answer || document.hidden || !state.fresh) return;
  post(`conversations/${state.open.id}/viewing`, { composing }).catch(() => {});
}

setInterval(() => {
  lookOn(Boolean($("text").value.trim()) && document.activeElement === $("text"));
  if (!document.hidden) loadPeople();
}, LOOKING_AGAIN);
