// The left side: tabs, filters, the search. The rows of what was chosen are HTML of the server; htmx puts them in place,
// changing only what is different so that the eye and the keyboard stay where they were.

import { ask, can, isOver, post, Refused, start } from "./api.js";
import { $, keep, kept, state, tell } from "./state.js";
import { elapsed, make, say, setServerNow } from "./words.js";

const { htmx } = window;
const list = $("list");
const find = $("find");
const PAGE = 50;
const TABS = ["waiting", "mine", "team", "colleagues", "bot", "unanswered", "snoozed", "closed", "all", "tasks"];
const tabs = () => TABS.filter((tab) => !$(`tab-${tab}`).hidden);

export function setUpList() {
  for (const tab of TABS) $(`tab-${tab}`).hidden = tab === "tasks" ? !can("tasks") : !start.tabs.includes(tab);
  state.tab = tabs().includes(kept("tab")) ? kept("tab") : "waiting";
  for (const name of Object.keys(state.filters)) state.filters[name] = kept(`filter:${name}`);
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
    $("filters").querySelector("summary").focus();
  });
  $("tabs").addEventListener("click", (event) => {
    const tab = event.target.closest("[data-tab]");
    if (tab) chooseTab(tab.dataset.tab);
  });
  list.addEventListener("click", onPress);
  list.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig.elt === list && asked !== turn) event.preventDefault();
  });
  find.addEventListener("htmx:configRequest", onSearch);
  find.addEventListener("htmx:beforeRequest", () => list.setAttribute("aria-busy", "true"));
  const side = list.parentElement;
  side.addEventListener("htmx:afterRequest", onAnswer);
  for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) side.addEventListener(kind, onRefusal);
  $("query").addEventListener("search", () => $("query").value || endSearch());
  $("found-close").addEventListener("click", () => endSearch({ focus: true }));
  showFilters();
  showInstead("list-loading");
  loadChoices();
  setInterval(() => showWaiting(document), 15000);
}

// ---------------------------------------------------------------- which list

export function chooseTab(tab, { focus = false } = {}) {
  if (!tabs().includes(tab)) return;
  if (endSearch({ quiet: true }) || state.tab !== tab) {
    Object.assign(state, { tab, limit: PAGE });
    keep("tab", tab);
    begin();
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
  list.setAttribute("aria-labelledby", state.found ? "found-words" : `tab-${state.tab}`);
}

function setFilter(name, value) {
  if (state.filters[name] === value) return;
  state.filters[name] = value;
  keep(`filter:${name}`, value);
  state.limit = PAGE;
  showFilters();
  begin();
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
      const { desks } = await ask("desks");
      $("filter-desk-field").hidden = desks.length < 2;
      $("filter-desk").append(...desks.map((desk) => make("option", { value: desk.slug }, desk.name)));
      // A desk that is gone since it was chosen could not be taken away again.
      if (!desks.some(({ slug }) => slug === state.filters.desk)) setFilter("desk", "");
      showFilters();
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

/** Whether the rows on the screen are those of the chosen list. */
let isLoaded = false;
/** Counts the lists that were chosen: what comes for one before is not shown any more. */
let turn = 0;
let asked = 0;

/** Another list: nothing of the one before stays, and nothing of it comes late. */
function begin() {
  isLoaded = false;
  if (list.contains(document.activeElement)) list.focus();
  showInstead("list-loading");
  list.setAttribute("aria-busy", "true");
  overtake();
}

function overtake() {
  turn += 1;
  tell.refresh();
}

const showInstead = (id) => list.replaceChildren($(id).content.cloneNode(true));

/** While something found is on the screen, only what stands around the rows is wanted. */
function address() {
  if (state.found) return "/staff/rows?limit=1";
  if (state.tab === "tasks") return "/staff/rows/promises";
  const query = new URLSearchParams({ tab: state.tab, limit: state.limit });
  for (const [name, value] of Object.entries(state.filters)) if (value) query.set(name, value);
  return `/staff/rows?${query}`;
}

/** Returns whether the list is of now. */
export async function loadList() {
  asked = turn;
  const status = await swapIn(address(), state.found ? "none" : undefined);
  if (status === 401) tell.signedOut();
  if (asked !== turn) return false;
  if (status !== 200) {
    if (!isLoaded && !state.found) showInstead("list-failed");
    list.setAttribute("aria-busy", "false");
    return false;
  }
  const { now, counts, calling } = JSON.parse($("facts").dataset.facts);
  setServerNow(now);
  Object.assign(state, { counts, calling });
  if (!state.found) {
    isLoaded = true;
    showRows();
  }
  showTabs();
  tell.listed();
  return true;
}

/** The status of the answer; 0 when there was none. htmx itself does not tell its promise of a refusal. */
async function swapIn(path, swap) {
  let status = 0;
  const note = ({ detail }) => {
    if (detail.requestConfig.elt === list) status = detail.xhr.status;
  };
  list.addEventListener("htmx:afterRequest", note);
  await htmx.ajax("GET", path, { source: list, swap }).catch(() => {});
  list.removeEventListener("htmx:afterRequest", note);
  return status;
}

/** What the server does not know of the rows: which one is open, which one is reached by Tab, what time it is. */
function showRows() {
  list.setAttribute("aria-busy", "false");
  markOpen();
  showWaiting(list);
}

function onPress({ target }) {
  const found = target.closest("[data-place]");
  if (found) tell.place(found.dataset.id, found.dataset.place);
  const done = target.closest("[data-done]");
  if (done) finish(done.dataset.done);
  else if (target.closest("[data-again]")) tell.refresh();
  else if (target.closest("[data-more]")) {
    state.limit += PAGE;
    tell.refresh();
  }
}

async function finish(task) {
  try {
    await post(`tasks/${task}/done`);
    const undo = () => post(`tasks/${task}/undo`).catch((error) => tell.explain(error)).then(() => tell.refresh());
    tell.toast(say("task_was_done"), { undo });
  } catch (error) {
    await tell.explain(error);
  }
  await tell.refresh();
  // The button is gone with its row.
  if (document.activeElement === document.body) focusList();
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

export const focusList = () => (rowNodes().find((node) => node.tabIndex === 0) ?? list).focus();

export function showWaiting(within) {
  for (const node of within.querySelectorAll("[data-waits]")) {
    const time = elapsed(node.dataset.waits);
    node.textContent = time;
    node.title = say("waiting_for", { time });
  }
}

// ---------------------------------------------------------------- the search

/** The form is htmx's; an empty one is the way back. */
function onSearch(event) {
  const query = $("query").value.trim();
  event.detail.parameters.q = query;
  if (query) return;
  event.preventDefault();
  endSearch();
}

function onAnswer({ detail: { requestConfig, successful } }) {
  if (requestConfig.elt === list) return;
  list.setAttribute("aria-busy", "false");
  if (!successful) return;
  if (requestConfig.elt === find) {
    state.found = requestConfig.parameters.q;
    overtake();
    showFound();
    focusList();
  } else showNextPage();
}

/** Rows that have just come are not yet among those that Tab or the arrows reach. */
function showNextPage() {
  const isNew = (row) => !row.hasAttribute("tabindex");
  // A conversation stands there once, with what was found in it last.
  for (const row of rowNodes().filter(isNew)) if ($(row.id) !== row) row.remove();
  const first = rowNodes().find(isNew);
  if (first && document.activeElement === document.body) first.focus({ preventScroll: true });
  showFound();
}

function showFound() {
  $("found").hidden = false;
  $("tabs").hidden = $("filters").hidden = true;
  const isMore = list.querySelector(":scope > .more");
  $("found-words").textContent = say(isMore ? "found_more" : "found", { count: rowNodes().length, query: state.found });
  showRows();
  showTabs();
}

function onRefusal({ detail: { requestConfig, xhr } }) {
  if (requestConfig.elt !== list) tell.explain(xhr.status ? Refused.by(xhr) : new TypeError("no answer"));
}

export function endSearch({ focus = false, quiet = false } = {}) {
  htmx.trigger(find, "htmx:abort");
  if (!state.found) return false;
  state.found = "";
  $("query").value = "";
  $("found").hidden = true;
  $("tabs").hidden = $("filters").hidden = false;
  if (!quiet) {
    begin();
    showTabs();
  }
  if (focus) $("query").focus();
  return true;
}
