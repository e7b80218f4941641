// The desk: the list of conversations on one side, one conversation in the middle, both live.
// The stream only says that something moved; what is shown always comes from the tables.

import { ask, can, follow, isOver, patience, post, Refused } from "./api.js";
import { noteCalls, seen, setUpAlerts } from "./alerts.js";
import { claim, close, label, release, setUpDialogs, snooze, transfer } from "./dialogs.js";
import { chooseNumber, chooseTab, endSearch, focusList, loadList, nextTab, setUpList, showTabs, step } from "./list.js";
import { $, keep, kept, state, tell } from "./state.js";
import { keepAtEnd, loadOpen, loadPeople, lookOn, openFromAddress, showBeside, showDeeds, showPlace, showTyping, showView, toEnd } from "./talk.js";
import { chooseMode, focusText, send, setUpComposer, showComposer } from "./writing.js";
import { countDown, make, say } from "./words.js";

const PRESENT_AGAIN = 60000;
const GO_WITHIN = 1500;
/** Long enough to read the line, to see that it was the wrong conversation, and to reach the button. */
const UNDO_FOR = 20000;
/** The conversation that was open when the session ended. */
const LEFT = "left";

// ---------------------------------------------------------------- up to date

let refreshing = null;
let again = false;

/** Read list and open conversation anew; calls that come meanwhile become one more round. True: both are of now. */
function refresh() {
  if (refreshing) {
    again = true;
    return refreshing;
  }
  refreshing = (async () => {
    let done;
    do {
      again = false;
      done = (await Promise.all([loadList(), loadOpen()])).every(Boolean);
    } while (again);
    return done;
  })().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

let connected = false;
let tries = 0;

/** What one sees may be old until the stream is back and both sides have been read again: nothing is sent before. */
async function catchUp() {
  connected = true;
  const done = await refresh();
  if (!connected) return;
  if (done) {
    tries = 0;
    setFresh(true);
  } else setTimeout(() => connected && catchUp(), patience(tries++));
}

function setFresh(fresh) {
  if (state.fresh === fresh) return;
  state.fresh = fresh;
  document.body.dataset.fresh = fresh;
  showDeeds();
  showComposer();
  if (fresh) lookOn();
}

function setConnected(isConnected) {
  const banner = $("banner");
  if (banner.dataset.final) return;
  banner.textContent = isConnected ? "" : say("offline");
  banner.hidden = isConnected;
}

const stream = {
  moved: catchUp,
  typing: ({ author, on }) => author === "student" && showTyping(on),
  people: loadPeople,
  broken() {
    connected = false;
    setFresh(false);
  },
  lost: () => setConnected(false),
  back: () => setConnected(true),
  over: signedOut,
};

// ---------------------------------------------------------------- words to the colleague

function toast(words, { isTrouble = false, undo = null } = {}) {
  const box = $("toast");
  $("toast-words").textContent = words;
  $("toast-undo").hidden = !undo;
  $("toast-undo").replaceChildren(...(undo ? [say("undo"), " ", make("kbd", { "aria-hidden": "true" }, "z")] : []));
  $("toast-undo").onclick = () => {
    box.classList.remove("shown");
    undo();
  };
  box.classList.toggle("trouble", isTrouble);
  box.classList.add("shown");
  clearTimeout(box.timer);
  box.timer = setTimeout(() => box.classList.remove("shown"), undo ? UNDO_FOR : isTrouble ? 8000 : 4000);
}

/** Where the column of the conversation is, and how high what one writes in stands: nothing of both is covered. */
function place() {
  const { left, right } = $("talk").getBoundingClientRect();
  const isShown = right > left;
  const { style } = $("toast");
  style.setProperty("--start", `${isShown ? left : 0}px`);
  style.setProperty("--end", `${isShown ? document.documentElement.clientWidth - right : 0}px`);
  style.setProperty("--above", `${$("composer").offsetHeight}px`);
}

const canUndo = () => $("toast").classList.contains("shown") && !$("toast-undo").hidden;

/** Say in words why something was refused, with the present holder's name. */
async function explain(error, talk) {
  const words = await wordsOf(error, talk);
  if (!isOver(error)) toast(words, { isTrouble: true });
}

/** Why a request was not done. */
async function wordsOf(error, talk) {
  if (isOver(error)) {
    signedOut();
    return say("signed_out");
  }
  if (error.code === "already_taken" && talk) {
    const head = await ask(`conversations/${talk.id}`).catch(() => null);
    if (head?.assignee) return say("taken", { name: head.assignee.name });
  }
  if (error.code === "version_changed") return say("changed");
  return error instanceof Refused ? error.message : say("offline");
}

function signedOut() {
  state.over = true;
  if (state.open) keep(LEFT, state.open.id);
  const banner = $("banner");
  banner.replaceChildren(say("signed_out"), " ", make("a", { href: "/staff/sign-in" }, say("sign_in")));
  banner.hidden = false;
  banner.dataset.final = "true";
  connected = false;
  setFresh(false);
  showComposer();
}

let present = Date.now();

function notePresence() {
  if (Date.now() - present < PRESENT_AGAIN) return;
  present = Date.now();
  post("here").catch((error) => isOver(error) && signedOut());
}

// ---------------------------------------------------------------- the keyboard

const GO = { w: "waiting", m: "mine", t: "team", c: "colleagues", b: "bot", u: "unanswered", s: "snoozed", x: "closed", a: "all", p: "tasks" };
let going = 0;

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && $("menu").open) {
    $("menu").open = false;
    return $("menu").querySelector("summary").focus();
  }
  if (event.target === $("text")) return inText(event);
  if (event.target === $("query")) return event.key === "Escape" && (endSearch() ? null : focusList());
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.target.closest?.("#beside") && event.key !== "Escape") return;
  const deed = deedOf(event);
  if (!deed) return;
  event.preventDefault();
  deed();
}

function inText(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    send();
  } else if (event.key === "Escape") (document.querySelector("#list .row[aria-current]") || $("transcript")).focus();
}

function deedOf(event) {
  const { key } = event;
  if (Date.now() - going < GO_WITHIN) {
    going = 0;
    return GO[key] && (() => chooseTab(GO[key], { focus: true }));
  }
  if (event.target.role === "tab" && ["ArrowRight", "ArrowLeft"].includes(key)) return () => nextTab(key === "ArrowRight" ? 1 : -1);
  if (key === "z") return canUndo() && (() => $("toast-undo").click());
  const reads = event.target.closest?.("#transcript");
  if (reads && key.startsWith("Arrow")) return null;
  if (/^[1-9]$/.test(key)) return () => chooseNumber(Number(key));
  return {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    j: () => step(1),
    k: () => step(-1),
    g: () => { going = Date.now(); },
    "/": () => $("query").focus(),
    "?": () => $("keys").showModal(),
    c: claim,
    r: () => state.open && (state.mode === "answer" ? focusText() : chooseMode("answer")),
    n: () => state.open && can("notes") && chooseMode("note"),
    t: transfer,
    s: snooze,
    l: label,
    b: release,
    e: close,
    i: showBeside,
    Escape: back,
  }[key];
}

/** One screen back: from beside to the conversation, to the list, out of the search. */
function back() {
  if (document.body.dataset.view === "beside") return showView("talk");
  if (state.open) {
    location.hash = "";
    return focusList();
  }
  endSearch();
}

// ---------------------------------------------------------------- the beginning

Object.assign(tell, { refresh, signedOut, toast, explain, wordsOf, listed: noteCalls, opened: () => {}, place: showPlace });
for (const line of document.querySelectorAll("[data-needs]")) line.hidden = !can(line.dataset.needs);
setUpList();
setUpComposer();
setUpDialogs();
setUpAlerts({ toast });

$("latest").addEventListener("click", toEnd);
keepAtEnd();
const measured = new ResizeObserver(place);
for (const id of ["talk", "composer"]) measured.observe($(id));
$("show-keys").addEventListener("click", () => {
  $("menu").open = false;
  $("keys").showModal();
});
$("show-beside").addEventListener("click", showBeside);
$("beside-close").addEventListener("click", () => showView("talk"));
document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  if (!event.target.closest("#menu")) $("menu").open = false;
});
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, notePresence, { passive: true });
setInterval(countDown, 1000);

showTabs();
const followed = follow(stream);
tell.opened = (id) => {
  followed.look(id);
  seen();
};
window.addEventListener("hashchange", openFromAddress);
if (!location.hash && kept(LEFT)) location.hash = kept(LEFT);
keep(LEFT, "");
openFromAddress();
refresh();
