// The desk: the list of conversations on one side, one conversation on the other, both live.
// The stream only says that something moved; what is shown always comes from the tables.

import { ask, follow, isOver, isPassing, patience, post, Refused, start } from "./api.js";
import { dayLine, fileNode, messageNode, pendingNode } from "./message.js";
import { clockOrDay, dayOf, elapsed, languageName, make, nameOf, say, setServerNow } from "./words.js";

const $ = (id) => document.getElementById(id);
const TABS = ["waiting", "mine", "colleagues", "bot", "closed", "all"];
const PAGE = 50;
const EARLIER = 200;
const TYPING_AGAIN = 4000;
const TYPING_OVER = 6000;
const PRESENT_AGAIN = 60000;
const FILES_AGAIN = 2000;

const desk = { tab: remembered(), limit: PAGE, rows: [], counts: {}, loaded: false };
/** The open conversation: id, head, lastSeq (of what is shown), firstSeq, and its messages on their way. */
let open = null;
const drafts = new Map();
const onTheWay = new Map();

// ---------------------------------------------------------------- the list

function remembered() {
  try {
    const tab = sessionStorage.getItem("accueil_tab");
    return TABS.includes(tab) ? tab : "waiting";
  } catch {
    return "waiting";
  }
}

function chooseTab(tab, { focus = false } = {}) {
  if (desk.tab !== tab) {
    Object.assign(desk, { tab, limit: PAGE, rows: [], loaded: false });
    try {
      sessionStorage.setItem("accueil_tab", tab);
    } catch {
      // Storage may be off; the choice then lasts as long as the page.
    }
    showList();
    refresh();
  }
  showTabs();
  if (focus) $(`tab-${tab}`).focus();
}

function showTabs() {
  for (const button of document.querySelectorAll("[data-tab]")) {
    const chosen = button.dataset.tab === desk.tab;
    button.setAttribute("aria-selected", chosen);
    button.tabIndex = chosen ? 0 : -1;
    const number = desk.counts[button.dataset.tab];
    const count = button.querySelector(".count");
    count.textContent = number ?? "";
    count.classList.toggle("calls", button.dataset.tab === "waiting" && number > 0);
  }
  $("list").setAttribute("aria-labelledby", `tab-${desk.tab}`);
  const waiting = desk.counts.waiting || 0;
  document.title = (waiting ? `(${waiting}) ` : "") + say("programme");
}

async function loadList() {
  const tab = desk.tab;
  try {
    const found = await ask(`inbox?tab=${tab}&limit=${desk.limit}`);
    if (tab !== desk.tab) return;
    setServerNow(found.now);
    Object.assign(desk, { rows: found.rows, counts: found.counts, loaded: true, failed: false });
  } catch (error) {
    if (isOver(error)) return signedOut();
    desk.failed = !desk.loaded;
  }
  showList();
  showTabs();
}

function showList() {
  const list = $("list");
  list.setAttribute("aria-busy", !desk.loaded && !desk.failed);
  if (desk.failed) {
    const again = make("button", { type: "button", onclick: refresh }, say("try_again"));
    return list.replaceChildren(make("div", { class: "empty" }, make("p", {}, say("load_failed")), again));
  }
  if (!desk.loaded) return list.replaceChildren(...skeleton());
  if (!desk.rows.length) return list.replaceChildren(make("p", { class: "empty" }, say(`empty_${desk.tab}`)));
  const focused = document.activeElement?.closest?.(".row")?.dataset.id;
  const nodes = desk.rows.map(rowNode);
  if (desk.rows.length >= desk.limit) {
    nodes.push(make("button", { type: "button", class: "more", onclick: () => { desk.limit += PAGE; refresh(); } }, say("more")));
  }
  const top = list.scrollTop;
  list.replaceChildren(...nodes);
  list.scrollTop = top;
  if (focused) list.querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
}

const skeleton = () => [0, 1, 2].map(() => make("div", { class: "row ghost", "aria-hidden": "true" }, make("i"), make("i"))).concat(
  make("p", { class: "only-heard" }, say("loading")),
);

function rowNode(row) {
  const current = open?.id === row.conversation_id;
  const node = make("a", {
    class: "row",
    href: `#${row.conversation_id}`,
    "data-id": row.conversation_id,
    "aria-current": current ? "true" : null,
  });
  if (row.alerts.length) node.classList.add("alerted");
  const when = row.waiting_since
    ? make("span", { class: "when waits", "data-waits": row.waiting_since })
    : make("span", { class: "when" }, clockOrDay(row.updated_at));
  node.append(make("span", { class: "row-name", dir: "auto" }, nameOf(row)), when);
  node.append(make("span", { class: "excerpt", dir: "auto" }, ...excerpt(row)));
  node.append(make("span", { class: "marks" }, ...marks(row)));
  showWaiting(node);
  return node;
}

function excerpt(row) {
  if (!row.last) return [make("i", {}, say("nothing_written"))];
  const text = row.last.text.replace(/[*_`#>]|\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/\s+/g, " ");
  if (row.last.author === "student") return [text];
  return [make("b", {}, `${row.last.author_name}: `), text];
}

function marks(row) {
  const marks = row.alerts.map((kind) => make("span", { class: `mark alert-${kind}` }, say(kind === "urgent" ? "urgent" : "failed_turn")));
  if (row.control === "staff") {
    const mine = row.assignee.email === start.me.email;
    marks.push(make("span", { class: `mark ${mine ? "is-mine" : "is-held"}` }, mine ? say("you") : row.assignee.name));
  } else if (desk.tab === "all") marks.push(make("span", { class: `mark is-${row.control}` }, say(`state_${row.control}`)));
  marks.push(make("span", { class: "mark quiet" }, languageName(row.language)));
  if (row.student?.campus) marks.push(make("span", { class: "mark quiet" }, row.student.campus));
  return marks;
}

function showWaiting(within) {
  for (const node of within.querySelectorAll("[data-waits]")) {
    const time = elapsed(node.dataset.waits);
    node.textContent = time;
    node.title = say("waiting_for", { time });
  }
}

function step(by) {
  const ids = desk.rows.map((row) => row.conversation_id);
  if (!ids.length) return;
  const at = ids.indexOf(document.activeElement?.closest?.(".row")?.dataset.id ?? open?.id);
  const next = ids[at < 0 ? (by > 0 ? 0 : ids.length - 1) : Math.min(ids.length - 1, Math.max(0, at + by))];
  document.querySelector(`.row[data-id="${next}"]`)?.focus();
  location.hash = next;
}

// ---------------------------------------------------------------- one conversation

function openFromAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (open?.id === id) return;
  if (open) {
    drafts.set(open.id, $("text").value);
    stopTyping();
  }
  open = id ? { id, head: null, lastSeq: 0, firstSeq: 0 } : null;
  document.body.dataset.view = open ? "talk" : "list";
  $("nothing").hidden = Boolean(open);
  $("open").hidden = !open;
  for (const row of document.querySelectorAll(".row[data-id]")) {
    if (row.dataset.id === id) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  if (!open) return;
  $("transcript").replaceChildren(make("p", { class: "empty" }, say("loading")));
  $("name").textContent = "…";
  $("state").textContent = "";
  $("card").replaceChildren();
  for (const deed of ["claim", "release", "close"]) $(deed).hidden = true;
  $("text").value = drafts.get(id) || "";
  showComposer();
  refresh();
}

async function loadOpen() {
  const talk = open;
  if (!talk) return;
  try {
    const head = await ask(`conversations/${talk.id}`);
    if (open !== talk) return;
    const isFirst = !talk.head;
    talk.head = head;
    showHead();
    showComposer();
    if (isFirst) {
      talk.firstSeq = talk.lastSeq = Math.max(0, head.last_seq - EARLIER);
      $("transcript").replaceChildren();
    }
    await loadNew(talk, isFirst);
    if (isFirst && open === talk && window.matchMedia("(max-width: 760px)").matches) $("name").focus();
  } catch (error) {
    if (isOver(error)) return signedOut();
    if (open !== talk || talk.head) return;
    const gone = error instanceof Refused && [404, 422].includes(error.status);
    const again = gone ? null : make("button", { type: "button", onclick: refresh }, say("try_again"));
    $("transcript").replaceChildren(make("div", { class: "empty" }, make("p", {}, say(gone ? "gone" : "load_failed")), again));
  }
}

async function loadNew(talk, isFirst) {
  while (open === talk) {
    const found = await ask(`conversations/${talk.id}/transcript?after=${talk.lastSeq}`);
    if (open !== talk) return;
    append(talk, found.events, isFirst);
    if (!found.events.length || talk.lastSeq >= found.last_seq) break;
  }
  if (isFirst) showPending();
  showEarlier(talk);
}

function append(talk, events, isFirst) {
  const box = $("transcript");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  let came = false;
  for (const event of events) {
    if (event.seq <= talk.lastSeq) continue;
    if (event.author === "staff") forgetPending(talk.id, event);
    if (event.kind === "erased") for (const node of [...box.querySelectorAll("article, .day, .notice")]) node.remove();
    const day = dayOf(event.created_at);
    if (day !== talk.lastDay) box.insertBefore(dayLine(event.created_at), firstPending());
    talk.lastDay = day;
    box.insertBefore(messageNode(event, nameOf(talk.head), talk.id), firstPending());
    talk.lastSeq = event.seq;
    came = true;
  }
  if (isFirst || (came && atEnd)) toEnd();
  else if (came) $("latest").hidden = false;
  watchFiles(talk);
}

/** Files come after the message they belong to: look again until each is here or given up. */
function watchFiles(talk) {
  if (talk.watching || !$("transcript").querySelector(".file.is-pending")) return;
  talk.watching = setTimeout(async () => {
    try {
      const { files } = await ask(`conversations/${talk.id}/files`);
      if (open === talk) for (const file of files) showArrived(file, talk);
    } catch (error) {
      if (isOver(error)) return signedOut();
    }
    talk.watching = 0;
    if (open === talk) watchFiles(talk);
  }, FILES_AGAIN);
}

function showArrived(file, talk) {
  const node = $("transcript").querySelector(`[data-file="${file.id}"].is-pending`);
  if (node && file.state !== "pending") node.replaceWith(fileNode(file, talk.id));
}

function toEnd() {
  $("transcript").scrollTop = $("transcript").scrollHeight;
  $("latest").hidden = true;
}

function showEarlier(talk) {
  $("transcript").querySelector(".earlier")?.remove();
  if (talk.firstSeq <= 0) return;
  const button = make("button", { type: "button", class: "more earlier" }, say("more"));
  button.addEventListener("click", async () => {
    const after = Math.max(0, talk.firstSeq - EARLIER);
    const found = await ask(`conversations/${talk.id}/transcript?after=${after}&limit=${talk.firstSeq - after}`);
    if (open !== talk) return;
    const nodes = [];
    let day = "";
    for (const event of found.events) {
      if (dayOf(event.created_at) !== day) nodes.push(dayLine(event.created_at));
      day = dayOf(event.created_at);
      nodes.push(messageNode(event, nameOf(talk.head), talk.id));
    }
    const box = $("transcript");
    const below = box.scrollHeight - box.scrollTop;
    if (button.nextElementSibling?.textContent === day) button.nextElementSibling.remove();
    button.replaceWith(...nodes);
    box.scrollTop = box.scrollHeight - below;
    talk.firstSeq = after;
    showEarlier(talk);
    watchFiles(talk);
  });
  $("transcript").prepend(button);
}

function isMine(head) {
  return head.control === "staff" && head.assignee.email === start.me.email;
}

function showHead() {
  const { head } = open;
  $("name").textContent = nameOf(head);
  const state = $("state");
  state.className = `state is-${isMine(head) ? "mine" : head.control}`;
  const words = isMine(head) ? say("state_mine") : say(`state_${head.control}`, { name: head.assignee?.name });
  state.replaceChildren(make("span", {}, words));
  if (head.waiting_since) {
    state.append(" · ", make("span", { "data-waits": head.waiting_since }));
    if (head.position) state.append(" · ", head.position === 1 ? say("next_in_line") : say("position", { position: head.position }));
    showWaiting(state);
  }
  for (const kind of head.alerts) state.append(" ", make("span", { class: `mark alert-${kind}` }, say(kind === "urgent" ? "urgent" : "failed_turn")));
  const facts = head.student
    ? [head.student.school, head.student.campus, head.student.programme, say("writes_in", { language: languageName(head.language) })]
    : [say("not_linked"), say("writes_in", { language: languageName(head.language) })];
  $("card").replaceChildren(...facts.filter(Boolean).map((fact) => make("dd", {}, fact)));
  const may = start.me.may_answer;
  $("claim").hidden = !may || head.control === "staff";
  $("release").hidden = !may || !isMine(head);
  $("close").hidden = !may || !(isMine(head) || head.control === "waiting");
}

/** Why one cannot write here, or what writing will do. */
function showComposer() {
  const head = open?.head;
  const held = head?.control === "staff" && !isMine(head);
  const closedDoor = !start.me.may_answer ? say("may_not") : held ? say("taken", { name: head.assignee.name }) : "";
  const note = !head || closedDoor || isMine(head) ? "" : say(head.control === "closed" ? "will_reopen" : "will_claim");
  $("hint").textContent = closedDoor || note;
  $("composer").classList.toggle("shut", Boolean(closedDoor));
  $("text").disabled = Boolean(closedDoor) || !head;
  $("text").placeholder = closedDoor ? "" : say("placeholder");
  $("send").textContent = head && head.control !== "staff" ? say("take_and_send") : say("send");
  countText();
}

function countText() {
  const { length } = $("text").value;
  const left = start.longest - length;
  $("counter").textContent = left < 500 ? say("counter", { count: length, limit: start.longest }) : "";
  $("counter").classList.toggle("too-long", left < 0);
  $("send").disabled = $("text").disabled || left < 0 || !$("text").value.trim();
}

async function act(deed, words) {
  const talk = open;
  if (!talk?.head || $(deed).hidden || $(deed).disabled) return;
  // A claim is right whatever happened meanwhile, as long as no colleague was faster; the others want to be seen first.
  const body = deed === "claim" ? {} : { version: talk.head.version };
  for (const id of ["claim", "release", "close"]) $(id).disabled = true;
  try {
    await post(`conversations/${talk.id}/${deed}`, body);
    toast(say(words));
  } catch (error) {
    await explain(error, talk);
  } finally {
    for (const id of ["claim", "release", "close"]) $(id).disabled = false;
  }
  await refresh();
  if (open !== talk) return;
  if (deed === "claim" && isMine(talk.head)) $("text").focus();
  // The button that was pressed is gone: the keyboard goes on from the head of the conversation.
  else if (document.activeElement === document.body) $("name").focus();
}

/** Say in words why something was refused, with the present holder's name. */
async function explain(error, talk) {
  if (isOver(error)) return signedOut();
  if (error.code === "already_taken") {
    const head = await ask(`conversations/${talk.id}`).catch(() => null);
    if (head?.assignee) return toast(say("taken", { name: head.assignee.name }), true);
  }
  if (error.code === "version_changed") return toast(say("changed"), true);
  toast(error instanceof Refused ? error.message : say("offline"), true);
}

// ---------------------------------------------------------------- writing

const firstPending = () => $("transcript").querySelector(".pending");

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function send() {
  const text = $("text").value.trim();
  if (!open?.head || $("send").disabled) return;
  const pending = { id: newId(), conversation: open.id, text, attempt: 0, refused: "" };
  onTheWay.set(open.id, [...(onTheWay.get(open.id) || []), pending]);
  $("text").value = "";
  drafts.delete(open.id);
  stopTyping();
  countText();
  grow();
  showPending();
  toEnd();
  deliver(pending);
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
      await post(`conversations/${pending.conversation}/messages`, { client_id: pending.id, text: pending.text });
      // It stays on the screen until the transcript shows it in its place.
      await refresh();
      return removePending(pending);
    } catch (error) {
      if (isOver(error)) return signedOut();
      if (!isPassing(error)) {
        pending.refused = error.message;
        if (error.code === "already_taken") await explain(error, { id: pending.conversation });
        showPending();
        return refresh();
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
  showPending();
}

/** The stream may show our own message before the answer to its request is here. */
function forgetPending(conversation, event) {
  if (event.author_name !== start.me.name) return;
  const pending = (onTheWay.get(conversation) || []).find((each) => each.text === event.text && !each.refused);
  if (pending && !pending.seen) {
    pending.seen = true;
    pending.node?.remove();
  }
}

function showPending() {
  for (const node of document.querySelectorAll(".pending")) node.remove();
  if (!open) return;
  for (const pending of onTheWay.get(open.id) || []) {
    if (pending.seen) continue;
    pending.node = pendingNode(pending, {
      again: () => {
        Object.assign(pending, { refused: "", attempt: 0 });
        showPending();
        deliver(pending);
      },
      edit: () => {
        $("text").value = [pending.text, $("text").value].filter(Boolean).join("\n");
        removePending(pending);
        countText();
        grow();
        $("text").focus();
      },
    });
    $("transcript").append(pending.node);
  }
}

let typing = null;

function noteTyping() {
  if (!open?.head || !isMine(open.head) || !$("text").value.trim()) return stopTyping();
  const now = Date.now();
  if (!typing || typing.id !== open.id || now - typing.told > TYPING_AGAIN) {
    clearTimeout(typing?.over);
    typing = { id: open.id, told: now, over: 0 };
    post(`conversations/${open.id}/typing`, { on: true }).catch(() => {});
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

// ---------------------------------------------------------------- the whole

let refreshing = null;
let again = false;

/** Read list and open conversation anew; calls that come meanwhile become one more round. */
async function refresh() {
  if (refreshing) {
    again = true;
    return refreshing;
  }
  refreshing = (async () => {
    do {
      again = false;
      await Promise.all([loadList(), loadOpen()]);
    } while (again);
  })();
  try {
    await refreshing;
  } finally {
    refreshing = null;
  }
}

function toast(words, isTrouble = false) {
  const toast = $("toast");
  toast.textContent = words;
  toast.classList.toggle("trouble", isTrouble);
  toast.classList.add("shown");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => toast.classList.remove("shown"), isTrouble ? 8000 : 4000);
}

function signedOut() {
  const banner = $("banner");
  banner.replaceChildren(say("signed_out"), " ", make("a", { href: "/staff/sign-in" }, say("sign_in")));
  banner.hidden = false;
  banner.dataset.final = "true";
}

function setConnected(connected) {
  const banner = $("banner");
  if (banner.dataset.final) return;
  banner.textContent = connected ? "" : say("offline");
  banner.hidden = connected;
}

let present = Date.now();

function notePresence() {
  if (Date.now() - present < PRESENT_AGAIN) return;
  present = Date.now();
  post("here").catch((error) => isOver(error) && signedOut());
}

function onKey(event) {
  if (event.target === $("text")) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      (document.querySelector(".row[aria-current]") || $("transcript")).focus();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.target.role === "tab" && ["ArrowRight", "ArrowLeft"].includes(event.key)) {
    const by = event.key === "ArrowRight" ? 1 : -1;
    return chooseTab(TABS[(TABS.indexOf(desk.tab) + by + TABS.length) % TABS.length], { focus: true });
  }
  const inTranscript = event.target.closest?.("#transcript");
  const deeds = {
    ArrowDown: () => inTranscript || step(1),
    ArrowUp: () => inTranscript || step(-1),
    c: () => act("claim", "claimed"),
    r: () => open && $("text").focus(),
    "?": () => $("keys").showModal(),
    Escape: () => open && (location.hash = ""),
  };
  const deed = /^[1-6]$/.test(event.key) ? () => chooseTab(TABS[event.key - 1], { focus: true }) : deeds[event.key];
  if (!deed || (inTranscript && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  deed();
}

$("claim").addEventListener("click", () => act("claim", "claimed"));
$("release").addEventListener("click", () => act("release", "released"));
$("close").addEventListener("click", () => act("close", "closed"));
$("latest").addEventListener("click", toEnd);
$("transcript").addEventListener("scroll", () => {
  const box = $("transcript");
  if (box.scrollHeight - box.scrollTop - box.clientHeight < 80) $("latest").hidden = true;
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
$("text").addEventListener("input", () => {
  countText();
  grow();
  noteTyping();
});
$("show-keys").addEventListener("click", () => {
  $("menu").open = false;
  $("keys").showModal();
});
document.querySelector(".tabs").addEventListener("click", (event) => {
  const tab = event.target.closest("[data-tab]");
  if (tab) chooseTab(tab.dataset.tab);
});
document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  if (!event.target.closest("#menu")) $("menu").open = false;
});
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, notePresence, { passive: true });
window.addEventListener("hashchange", openFromAddress);
window.addEventListener("offline", () => setConnected(false));
window.addEventListener("online", refresh);
setInterval(() => showWaiting(document), 15000);

showTabs();
showList();
openFromAddress();
refresh();
follow({ moved: refresh, lost: () => setConnected(false), back: () => setConnected(true), over: signedOut });
