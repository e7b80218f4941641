// The left side: tabs, filters, the search, and the rows of what was chosen.

import { ask, can, isOver, post, start } from "./api.js";
import { $, isMine, keep, kept, state, tell } from "./state.js";
import { alertWords, clockOrDay, dateWords, elapsed, languageName, make, nameOf, say, shortMoment, setServerNow } from "./words.js";

export const PAGE = 50;
const TABS = ["waiting", "mine", "team", "colleagues", "bot", "unanswered", "snoozed", "closed", "all", "tasks"];
const tabs = () => TABS.filter((tab) => !$(`tab-${tab}`).hidden);

export function setUpList() {
  for (const tab of TABS) $(`tab-${tab}`).hidden = tab === "tasks" ? !can("tasks") : !start.tabs.includes(tab);
  state.tab = tabs().includes(kept("tab")) ? kept("tab") : "waiting";
  for (const [code, name] of Object.entries(start.strings.languages)) {
    $("filter-language").append(make("option", { value: code }, name));
  }
  for (const name of ["language", "desk", "tag"]) {
    $(`filter-${name}`).addEventListener("change", (event) => setFilter(name, event.target.value));
  }
  $("filters").addEventListener("toggle", () => $("filters").open && loadTags());
  $("no-filters").addEventListener("click", () => {
    for (const name of ["language", "desk", "tag"]) setFilter(name, "");
    $("filters").open = false;
  });
  $("tabs").addEventListener("click", (event) => {
    const tab = event.target.closest("[data-tab]");
    if (tab) chooseTab(tab.dataset.tab);
  });
  $("find").addEventListener("submit", (event) => {
    event.preventDefault();
    search($("query").value.trim());
  });
  $("query").addEventListener("search", () => $("query").value || endSearch());
  $("found-close").addEventListener("click", () => endSearch({ focus: true }));
  showFilters();
  loadChoices();
  setInterval(() => showWaiting(document), 15000);
}

// ---------------------------------------------------------------- which list

export function chooseTab(tab, { focus = false } = {}) {
  if (!tabs().includes(tab)) return;
  endSearch({ quiet: true });
  if (state.tab !== tab) {
    Object.assign(state, { tab, limit: PAGE, rows: [], loaded: false });
    keep("tab", tab);
    showList();
    tell.refresh();
  }
  showTabs();
  if (focus) $(`tab-${tab}`).focus();
}

export const chooseNumber = (number) => chooseTab(tabs()[number - 1], { focus: true });

export function nextTab(by) {
  const all = tabs();
  chooseTab(all[(all.indexOf(state.tab) + by + all.length) % all.length], { focus: true });
}

export function showTabs() {
  for (const button of document.querySelectorAll("[data-tab]")) {
    const chosen = button.dataset.tab === state.tab;
    button.setAttribute("aria-selected", chosen);
    button.tabIndex = chosen ? 0 : -1;
    const number = state.counts[button.dataset.tab];
    const count = button.querySelector(".count");
    count.textContent = number ?? "";
    count.classList.toggle("calls", button.dataset.tab === "waiting" && number > 0);
  }
  $("list").setAttribute("aria-labelledby", state.found ? "found-words" : `tab-${state.tab}`);
}

function setFilter(name, value) {
  if (state.filters[name] === value) return;
  state.filters[name] = value;
  Object.assign(state, { limit: PAGE, rows: [], loaded: false });
  showFilters();
  showList();
  tell.refresh();
}

function showFilters() {
  for (const [name, value] of Object.entries(state.filters)) $(`filter-${name}`).value = value;
  const used = Object.values(state.filters).filter(Boolean).length;
  $("filters-on").textContent = used || "";
  $("no-filters").hidden = !used;
}

/** Desks to choose from, where there are any. */
async function loadChoices() {
  try {
    if (can("desks")) {
      state.desks = (await ask("desks")).desks;
      $("filter-desk-field").hidden = state.desks.length < 2;
      $("filter-desk").append(...state.desks.map((desk) => make("option", { value: desk.slug }, desk.name)));
    }
  } catch (error) {
    // Filters that could not be read are not offered; the lists work without.
    if (isOver(error)) tell.signedOut();
  }
}

/** Tags come and go while the page is open: read when they are about to be chosen. */
export async function loadTags() {
  if (!can("tags")) return;
  try {
    const { tags } = await ask("tags");
    const { tag: chosen } = state.filters;
    const counted = tags.map(({ tag, conversations }) => make("option", { value: tag }, `${tag} (${conversations})`));
    if (chosen && !tags.some(({ tag }) => tag === chosen)) counted.push(make("option", { value: chosen }, chosen));
    $("filter-tag-field").hidden = !counted.length;
    $("filter-tag").replaceChildren($("filter-tag").options[0], ...counted);
    $("filter-tag").value = chosen;
    $("known-tags").replaceChildren(...tags.map(({ tag }) => make("option", { value: tag })));
  } catch (error) {
    if (isOver(error)) tell.signedOut();
  }
}

// ---------------------------------------------------------------- the rows

/** Returns whether the list is of now. */
export async function loadList() {
  const { tab } = state;
  if (tab === "tasks") return loadTasks();
  const query = new URLSearchParams({ tab, limit: state.limit });
  for (const [name, value] of Object.entries(state.filters)) if (value) query.set(name, value);
  const asked = query.toString();
  state.asked = asked;
  try {
    const [found, named] = await Promise.all([ask(`inbox?${asked}`), can("mentions") ? ask("mentions") : { notes: [] }]);
    if (state.asked !== asked) return true;
    setServerNow(found.now);
    Object.assign(state, { rows: found.rows, counts: found.counts, calling: found.calling, mentions: named.notes });
    Object.assign(state, { loaded: true, failed: false });
  } catch (error) {
    if (isOver(error)) tell.signedOut();
    if (state.asked !== asked) return false;
    state.failed = !state.loaded;
    showList();
    return false;
  }
  showList();
  showTabs();
  tell.listed();
  return true;
}

async function loadTasks() {
  state.asked = "tasks";
  try {
    const [{ tasks }, found] = await Promise.all([ask(`tasks?whose=${start.me.may_reassign ? "all" : "mine"}&done=false`), ask("inbox?tab=mine&limit=1")]);
    if (state.asked !== "tasks") return true;
    setServerNow(found.now);
    Object.assign(state, { rows: [], tasks, counts: found.counts, calling: found.calling });
    Object.assign(state, { loaded: true, failed: false });
  } catch (error) {
    if (isOver(error)) tell.signedOut();
    state.failed = !state.loaded;
    showList();
    return false;
  }
  showList();
  showTabs();
  tell.listed();
  return true;
}

export function showList() {
  const list = $("list");
  if (state.found) return showFound();
  list.setAttribute("aria-busy", !state.loaded && !state.failed);
  if (state.failed) {
    const again = make("button", { type: "button", onclick: () => tell.refresh() }, say("try_again"));
    return list.replaceChildren(make("div", { class: "empty" }, make("p", {}, say("load_failed")), again));
  }
  if (!state.loaded) return list.replaceChildren(...skeleton());
  if (state.tab === "tasks") return replaceRows(state.tasks.length ? state.tasks.map(taskNode) : [emptyNode()]);
  const nodes = [...state.mentions.map(mentionNode), ...state.rows.map(rowNode)];
  if (!state.rows.length) nodes.push(emptyNode());
  if (state.rows.length >= state.limit) {
    const more = () => {
      state.limit = Math.min(500, state.limit + PAGE);
      tell.refresh();
    };
    nodes.push(state.limit < 500
      ? make("button", { type: "button", class: "more", onclick: more }, say("more"))
      : make("p", { class: "empty" }, say("use_search")));
  }
  replaceRows(nodes);
}

const emptyNode = () =>
  make("p", { class: "empty" }, say(Object.values(state.filters).some(Boolean) ? "empty_filtered" : `empty_${state.tab}`));

/** New nodes in the place of the old ones: the eye and the keyboard stay where they were. */
function replaceRows(nodes) {
  const list = $("list");
  const focused = document.activeElement?.closest?.("#list .row")?.dataset.id;
  const top = list.scrollTop;
  list.replaceChildren(...nodes);
  list.scrollTop = top;
  rove(focused);
  if (focused) list.querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
}

const rowNodes = () => [...document.querySelectorAll("#list .row[data-id]")];

/** One row is reached by Tab, the others by the arrows. */
function rove(wanted) {
  const nodes = rowNodes();
  const chosen = nodes.find((node) => node.dataset.id === wanted)
    ?? nodes.find((node) => node.dataset.id === state.open?.id) ?? nodes[0];
  for (const node of nodes) node.tabIndex = node === chosen ? 0 : -1;
}

export function step(by) {
  const nodes = rowNodes();
  if (!nodes.length) return;
  const now = document.activeElement?.closest?.("#list .row") ?? nodes.find((node) => node.dataset.id === state.open?.id);
  const at = nodes.indexOf(now);
  const next = nodes[at < 0 ? (by > 0 ? 0 : nodes.length - 1) : Math.min(nodes.length - 1, Math.max(0, at + by))];
  rove(next.dataset.id);
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

export function markOpen() {
  for (const node of rowNodes()) {
    if (node.dataset.id === state.open?.id) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }
  rove(document.activeElement?.closest?.("#list .row")?.dataset.id);
}

export const focusList = () => (rowNodes().find((node) => node.tabIndex === 0) ?? $("list")).focus();

const skeleton = () => [0, 1, 2].map(() => make("div", { class: "row ghost", "aria-hidden": "true" }, make("i"), make("i"))).concat(
  make("p", { class: "only-heard" }, say("loading")),
);

function rowNode(row) {
  const current = state.open?.id === row.conversation_id;
  const node = make("a", {
    class: `row${row.urgency && row.urgency !== "normal" ? ` is-${row.urgency}` : ""}`,
    href: `#${row.conversation_id}`,
    "data-id": row.conversation_id,
    "aria-current": current ? "true" : null,
  });
  if (row.alerts.length || row.urgency === "urgent") node.classList.add("alerted");
  const when = row.waiting_since
    ? make("span", { class: "when waits", "data-waits": row.waiting_since })
    : make("span", { class: "when" }, clockOrDay(row.updated_at));
  node.append(make("span", { class: "row-name", dir: "auto" }, nameOf(row)), when);
  if (row.hits?.length) node.append(...row.hits.slice(0, 3).map(hitNode));
  else node.append(make("span", { class: "excerpt", dir: "auto" }, ...excerpt(row)));
  node.append(make("span", { class: "marks" }, ...marks(row)));
  showWaiting(node);
  return node;
}

/** A colleague calls; it goes away once the note has been read. */
function mentionNode(note) {
  const node = make("a", { class: "row called", href: `#${note.conversation_id}`, "data-id": `note-${note.id}` });
  node.append(make("span", { class: "row-name" }, say("names_you", { name: note.author.name })), make("span", { class: "when" }, clockOrDay(note.created_at)));
  node.append(make("span", { class: "excerpt", dir: "auto" }, note.text));
  return node;
}

function writerOf(hit) {
  return hit.note ? say("note_by", { name: hit.author_name }) : hit.author_name || say(hit.author);
}

function hitNode(hit) {
  const who = hit.author === "student" ? "" : `${writerOf(hit)}: `;
  const parts = hit.parts.map((part) => (part.hit ? make("mark", {}, part.text) : part.text));
  return make("span", { class: "excerpt", dir: "auto" }, make("b", {}, who), ...parts);
}

function excerpt(row) {
  if (!row.last) return [make("i", {}, say("nothing_written"))];
  const text = row.last.text.replace(/[*_`#>]|\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/\s+/g, " ");
  if (row.last.author === "student") return [text];
  return [make("b", {}, `${row.last.author_name}: `), text];
}

function marks(row) {
  const marks = row.alerts.map((kind) => make("span", { class: `mark alert-${kind}` }, alertWords(kind)));
  if (row.urgency === "urgent" && !row.alerts.includes("urgent")) marks.push(make("span", { class: "mark alert-urgent" }, say("urgent")));
  if (row.urgency === "high") marks.push(make("span", { class: "mark is-waiting" }, say("waits_long")));
  if (row.control === "staff") {
    marks.push(make("span", { class: `mark ${isMine(row) ? "is-mine" : "is-held"}` }, isMine(row) ? say("you") : row.assignee.name));
  } else if (state.tab === "all" || state.found) marks.push(make("span", { class: `mark is-${row.control}` }, say(`state_${row.control}`)));
  if (row.snoozed_until) marks.push(make("span", { class: "mark quiet" }, say("asleep_until", { time: shortMoment(row.snoozed_until) })));
  marks.push(make("span", { class: "mark quiet" }, languageName(row.language)));
  if (row.student?.campus) marks.push(make("span", { class: "mark quiet" }, row.student.campus));
  const desk = state.desks.length > 1 && state.desks.find((each) => each.slug === row.desk);
  if (desk) marks.push(make("span", { class: "mark quiet" }, desk.name));
  for (const tag of row.tags || []) marks.push(make("span", { class: "mark tag" }, tag));
  return marks;
}

export function showWaiting(within) {
  for (const node of within.querySelectorAll("[data-waits]")) {
    const time = elapsed(node.dataset.waits);
    node.textContent = time;
    node.title = say("waiting_for", { time });
  }
}

// ---------------------------------------------------------------- promises

function taskNode(task) {
  const node = make("div", { class: `row task${task.overdue ? " alerted" : ""}` });
  const link = make("a", { class: "row-name", href: `#${task.conversation_id}`, dir: "auto" }, task.text);
  const due = make("span", { class: task.overdue ? "when late" : "when" }, say(task.overdue ? "overdue" : "due", { date: dateWords(task.due) }));
  // Coordinators see everybody's, so that a promise is kept also when whoever made it is away.
  if (task.owner.email !== start.me.email) due.append(` · ${task.owner.name}`);
  node.append(link, due, make("button", { type: "button", onclick: () => finish(task) }, say("task_done")));
  return node;
}

async function finish(task) {
  try {
    await post(`tasks/${task.id}/done`);
    const undo = () => post(`tasks/${task.id}/undo`).catch((error) => tell.explain(error)).then(() => tell.refresh());
    tell.toast(say("task_was_done"), { undo });
  } catch (error) {
    await tell.explain(error);
  }
  tell.refresh();
}

// ---------------------------------------------------------------- the search

async function search(query, cursor = null) {
  if (!query) return endSearch();
  const more = cursor ? `&cursor=${cursor}` : "";
  $("list").setAttribute("aria-busy", "true");
  try {
    const answer = await ask(`search?q=${encodeURIComponent(query)}${more}`);
    setServerNow(answer.now);
    const before = cursor && state.found?.query === query ? state.found.rows : [];
    const known = new Set(before.map((row) => row.conversation_id));
    const rows = [...before, ...answer.rows.filter((row) => !known.has(row.conversation_id))];
    state.found = { query, rows, cursor: answer.next_cursor };
    showList();
    showTabs();
    if (!cursor) focusList();
  } catch (error) {
    if (isOver(error)) return tell.signedOut();
    await tell.explain(error);
  } finally {
    $("list").setAttribute("aria-busy", "false");
  }
}

function showFound() {
  const { query, rows, cursor } = state.found;
  $("found").hidden = false;
  $("tabs").hidden = $("filters").hidden = true;
  $("found-words").textContent = say(cursor ? "found_more" : "found", { count: rows.length, query });
  const nodes = rows.map(rowNode);
  if (!rows.length) nodes.push(make("p", { class: "empty" }, say("found_nothing")));
  if (cursor) nodes.push(make("button", { type: "button", class: "more", onclick: () => search(query, cursor) }, say("more")));
  replaceRows(nodes);
}

export function endSearch({ focus = false, quiet = false } = {}) {
  if (!state.found) return false;
  state.found = null;
  $("query").value = "";
  $("found").hidden = true;
  $("tabs").hidden = $("filters").hidden = false;
  if (!quiet) {
    showList();
    showTabs();
  }
  if (focus) $("query").focus();
  return true;
}
