// The composer: drafts, what is on its way, what the student and colleagues are told while one writes.

import { can, isOver, isPassing, patience, post, start, upload } from "./api.js";
import { onItsWay, pendingNode } from "./message.js";
import { $, isMine, keep, kept, notNow, state, tell } from "./state.js";
import { endMention, notToldWords, setUpMentions } from "./mentions.js";
import { lookOn, toEnd } from "./talk.js";
import { say } from "./words.js";

const TYPING_AGAIN = 4000;
const TYPING_OVER = 6000;
const LONGEST_NOTE = 4000;
const LONGEST_NAME = 250;
const SENDING = "sending";
const onTheWay = new Map();
let written = "";

export function setUpComposer() {
  $("modes").hidden = !can("notes") || !start.me.may_answer;
  $("modes").addEventListener("click", (event) => {
    const button = event.target.closest("[data-mode]");
    if (button) chooseMode(button.dataset.mode);
  });
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  $("text").addEventListener("input", () => {
    keepDraft();
    countText();
    grow();
    noteTyping();
  });
  setUpFiles();
  takeUpSending();
  setUpMentions(isNote);
  document.addEventListener("accueil:insert", ({ detail }) => insertText(detail.text));
}

const allOnTheWay = () => [...onTheWay.values()].flat();

function addPending(pending) {
  onTheWay.set(pending.conversation, [...(onTheWay.get(pending.conversation) || []), pending]);
  keepSending();
}

/** Until the server has them, texts outlive the page; the bytes of a file do not. */
function keepSending() {
  const texts = allOnTheWay().filter(({ blob }) => !blob);
  keep(SENDING, texts.length ? JSON.stringify(texts.map(({ id, conversation, text, after }) => ({ id, conversation, text, after }))) : "");
}

/** What was on its way when the page was left. Sent again by the colleague alone: much may have been said since. */
function takeUpSending() {
  for (const left of JSON.parse(kept(SENDING) || "[]")) {
    addPending({ ...left, attempt: 0, isLeft: true, refused: say("page_left") });
  }
  const [first] = allOnTheWay();
  if (first && !location.hash) location.hash = first.conversation;
  addEventListener("beforeunload", (event) => {
    if (allOnTheWay().some(({ blob }) => blob)) event.preventDefault();
  });
}

function setUpFiles() {
  $("attach").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    attach([...$("file").files]);
    $("file").value = "";
  });
  $("text").addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // Words copied from a document bring a picture of themselves along.
    if (!files.length || types.includes("text/plain") || !mayAttach()) return;
    event.preventDefault();
    attach([...files]);
  });
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  const isHere = (event) => isFile(event) && mayAttach() && Boolean(event.target.closest?.("#open"));
  document.addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    // Else the browser would leave the page and show the file.
    event.preventDefault();
    event.dataTransfer.dropEffect = isHere(event) ? "copy" : "none";
    $("drop").hidden = !isHere(event);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    $("drop").hidden = true;
    if (isHere(event)) attach([...event.dataTransfer.files]);
  });
}

const mayAttach = () => !$("attach").hidden && !$("attach").disabled;

const isNote = () => state.mode === "note";
const draftKey = (id) => `draft:${state.mode}:${id}`;
const longest = () => (isNote() ? LONGEST_NOTE : start.longest);

function keepDraft() {
  if (state.open) keep(draftKey(state.open.id), $("text").value);
}

/** The draft belongs to the conversation that is left. */
export function leaveComposer() {
  stopTyping();
  endMention();
  state.mode = "answer";
  written = "";
}

export function chooseMode(mode) {
  if (!state.open || state.mode === mode || (mode === "note" && $("modes").hidden)) return focusText();
  stopTyping();
  endMention();
  state.mode = mode;
  written = "";
  showComposer();
  focusText();
}

export function focusText() {
  if (!$("text").disabled) $("text").focus();
}

/** From the panel beside: at the caret, in the answer. */
function insertText(text) {
  if (!state.open?.head) return;
  chooseMode("answer");
  const field = $("text");
  if (field.disabled || field.readOnly) return;
  const before = field.value.slice(0, field.selectionStart);
  const gap = before && !/\s$/.test(before) ? " " : "";
  field.setRangeText(gap + text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input"));
  field.focus();
}

/** Why one cannot write here, or what writing will do. */
export function showComposer() {
  const head = state.open?.head;
  const key = state.open && draftKey(state.open.id);
  if (key && written !== key) {
    $("text").value = kept(key);
    written = key;
    grow();
  }
  const held = !isNote() && head?.control === "staff" && !isMine(head);
  const hasText = Boolean($("text").value.trim());
  const taken = held && [say("taken", { name: head.assignee.name }), hasText ? say("text_kept") : ""].filter(Boolean).join(" ");
  const closedDoor = !start.me.may_answer ? say("may_not") : taken || "";
  $("hint").textContent = closedDoor || hintOf(head);
  $("composer").classList.toggle("shut", Boolean(closedDoor));
  $("composer").classList.toggle("keeps-text", Boolean(closedDoor) && hasText && start.me.may_answer);
  $("composer").classList.toggle("is-note", isNote());
  for (const button of $("modes").querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", button.dataset.mode === state.mode);
  $("text").disabled = (Boolean(closedDoor) && !(hasText && start.me.may_answer)) || !head;
  $("text").readOnly = Boolean(closedDoor);
  $("text").placeholder = closedDoor ? "" : say(isNote() ? "note_placeholder" : "placeholder");
  $("text-label").textContent = say(isNote() ? "note_placeholder" : "placeholder");
  $("attach").hidden = !can("files") || isNote() || Boolean(closedDoor) || !head;
  $("attach").disabled = !state.fresh;
  $("send").textContent = isNote() ? say("note_save") : head && head.control !== "staff" ? say("take_and_send") : say("send");
  countText();
}

function hintOf(head) {
  if (!head) return "";
  if (!state.fresh) return notNow();
  if (isNote()) return say("note_hint");
  if (state.open.isErased) return say("was_erased");
  if (isMine(head)) return "";
  return say(head.control === "closed" ? "will_reopen" : "will_claim");
}

function countText() {
  const { length } = $("text").value;
  const left = longest() - length;
  $("counter").textContent = left < 500 ? say("counter", { count: length, limit: longest() }) : "";
  $("counter").classList.toggle("too-long", left < 0);
  const shut = $("text").disabled || $("text").readOnly;
  $("send").disabled = !state.fresh || shut || left < 0 || !$("text").value.trim();
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

export function send() {
  const text = $("text").value.trim();
  if (!state.open?.head || $("send").disabled) return;
  if (isNote()) return saveNote(text);
  const pending = { id: newId(), conversation: state.open.id, text, after: state.open.lastSeq, attempt: 0, refused: "" };
  addPending(pending);
  fillText("");
  showPending();
  toEnd();
  deliver(pending);
}

/** Each file is a message of its own, sent at once; what cannot be sent is said before anything leaves. */
async function attach(files) {
  const conversation = state.open.id;
  for (const file of files) {
    const { blob, words } = await readFile(file);
    if (words) {
      tell.toast(words, { isTrouble: true });
      continue;
    }
    const pending = { id: newId(), conversation, text: file.name, blob, share: 0, after: 0, attempt: 0, refused: "" };
    addPending(pending);
    showPending();
    toEnd();
    deliver(pending);
  }
}

/** Its bytes as they are now: a repeat sends the same ones. `words` say why not. */
async function readFile(file) {
  const { name } = file;
  const limit = start.largest_megabytes;
  if (file.size > limit * 1024 * 1024) return { words: say("file_too_large", { name, limit }) };
  try {
    const blob = new Blob([await file.arrayBuffer()], { type: file.type });
    return blob.size ? { blob } : { words: say("file_empty", { name }) };
  } catch {
    // A folder, or a file that has gone meanwhile.
    return { words: say("file_unreadable", { name }) };
  }
}

function sendPending(pending) {
  const { id, conversation, text, blob } = pending;
  if (!blob) return post(`conversations/${conversation}/messages`, { client_id: id, text });
  const query = new URLSearchParams({ client_id: id, name: text.slice(-LONGEST_NAME) });
  return upload(`conversations/${conversation}/files?${query}`, blob, (share) => {
    pending.share = share;
    const foot = pending.node?.querySelector(".foot");
    if (foot && !pending.refused && foot.textContent !== onItsWay(pending)) foot.textContent = onItsWay(pending);
  });
}

function fillText(text) {
  $("text").value = text;
  keepDraft();
  stopTyping();
  endMention();
  countText();
  grow();
}

let saving = false;

async function saveNote(text) {
  if (saving) return;
  saving = true;
  const { id } = state.open;
  $("send").disabled = true;
  try {
    const note = await post(`conversations/${id}/notes`, { text });
    if (notToldWords(note)) tell.toast(notToldWords(note), { isTrouble: true });
    // What was typed while it was being saved is the next note.
    const isHere = state.open?.id === id && isNote();
    const typed = isHere ? $("text").value : kept(`draft:note:${id}`);
    const rest = typed.trimStart().startsWith(text) ? typed.trimStart().slice(text.length).trimStart() : typed;
    if (isHere) fillText(rest);
    else keep(`draft:note:${id}`, rest);
  } catch (error) {
    await tell.explain(error);
  } finally {
    saving = false;
    countText();
  }
  await tell.refresh();
  toEnd();
}

/** The same client_id until the server has it: a repeat is the same message. Later ones wait, so that order is kept. */
async function deliver(pending) {
  const isNext = () => (onTheWay.get(pending.conversation) || []).find((each) => !each.refused) === pending;
  while (!isNext()) {
    if (!(onTheWay.get(pending.conversation) || []).includes(pending)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (;;) {
    try {
      await sendPending(pending);
      // It stays on the screen until the transcript shows it in its place.
      await tell.refresh();
      return removePending(pending);
    } catch (error) {
      if (isOver(error)) {
        pending.refused = say("signed_out");
        showPending();
        return tell.signedOut();
      }
      if (!isPassing(error)) {
        pending.refused = error.message;
        if (error.code === "already_taken") await tell.explain(error, { id: pending.conversation });
        showPending();
        return tell.refresh();
      }
      pending.attempt += 1;
      showPending();
      await new Promise((resolve) => setTimeout(resolve, patience(pending.attempt - 1)));
    }
  }
}

function removePending(pending) {
  const left = (onTheWay.get(pending.conversation) || []).filter((each) => each !== pending);
  onTheWay.set(pending.conversation, left);
  keepSending();
  showPending();
}

/** The stream may show our own message before the answer to its request is here. */
export function settlePending(conversation, event) {
  if (event.author_name !== start.me.name) return;
  const isIt = ({ blob, text }) => (blob ? event.files.some((file) => file.size === blob.size) : text === event.text);
  const isOut = ({ refused, isLeft, seen, after }) => (!refused || isLeft) && !seen && event.seq > after;
  const pending = (onTheWay.get(conversation) || []).find((each) => isOut(each) && isIt(each));
  if (!pending) return;
  if (pending.isLeft) return removePending(pending);
  pending.seen = true;
  pending.node?.remove();
}

export function showPending() {
  for (const node of document.querySelectorAll(".pending")) node.remove();
  if (!state.open) return;
  for (const pending of onTheWay.get(state.open.id) || []) {
    if (pending.seen) continue;
    pending.node = pendingNode(pending, {
      again: () => {
        Object.assign(pending, { refused: "", isLeft: false, attempt: 0 });
        showPending();
        deliver(pending);
      },
      edit: () => {
        if (pending.blob) return removePending(pending);
        chooseMode("answer");
        $("text").value = [pending.text, $("text").value].filter(Boolean).join("\n");
        keepDraft();
        removePending(pending);
        showComposer();
        grow();
        focusText();
      },
    });
    $("transcript").append(pending.node);
  }
}

let typing = null;

function noteTyping() {
  const hasText = Boolean($("text").value.trim());
  const now = Date.now();
  if (hasText && state.open?.head && !(now - state.open.told < TYPING_AGAIN)) {
    state.open.told = now;
    lookOn(true);
  }
  if (isNote() || !state.open?.head || !isMine(state.open.head) || !hasText) return stopTyping();
  if (!typing || typing.id !== state.open.id || now - typing.told > TYPING_AGAIN) {
    clearTimeout(typing?.over);
    typing = { id: state.open.id, told: now, over: 0 };
    post(`conversations/${state.open.id}/typing`, { on: true }).catch(() => {});
  }
  clearTimeout(typing.over);
  typing.over = setTimeout(stopTyping, TYPING_OVER);
}

function stopTyping() {
  if (!typing) return;
  clearTimeout(typing.over);
  post(`conversations/${typing.id}/typing`, { on: false }).catch(() => {});
  typing = null;
}

function grow() {
  const text = $("text");
  text.style.blockSize = "auto";
  text.style.blockSize = `${Math.min(text.scrollHeight + 2, window.innerHeight * 0.4)}px`;
}
