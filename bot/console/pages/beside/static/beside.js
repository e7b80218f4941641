// Beside the composer. htmx puts the pieces in place; here are the tabs, the gaps of a reply and what is inserted.

const { htmx } = window;
const aside = document.getElementById("beside");
let latest = 0;

document.addEventListener("accueil:opened", ({ detail }) => {
  const path = `/staff/beside/${encodeURIComponent(detail.conversationId)}`;
  // What went wrong is told by the events below.
  htmx.ajax("GET", path, { source: aside }).catch(() => {});
});
document.addEventListener("accueil:closed", () => {
  htmx.trigger(aside, "htmx:abort");
  aside.replaceChildren();
});

aside.addEventListener("htmx:confirm", (event) => {
  // A search that is still to come must not take away what was chosen meanwhile.
  const at = event.detail.triggeringEvent?.timeStamp ?? latest;
  if (at < latest) event.preventDefault();
  else latest = at;
});

const busy = (isBusy) => ({ detail }) => detail.target.setAttribute("aria-busy", isBusy);
aside.addEventListener("htmx:beforeRequest", busy(true));
aside.addEventListener("htmx:afterRequest", busy(false));

function failed({ detail }) {
  const piece = document.getElementById("beside-failed").content.cloneNode(true);
  piece.querySelector("button").setAttribute("hx-get", detail.pathInfo.finalRequestPath);
  detail.target.replaceChildren(piece);
  htmx.process(detail.target);
}
for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) aside.addEventListener(kind, failed);

function show(tab) {
  for (const each of aside.querySelectorAll("[role=tab]")) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    aside.querySelector(`#beside-${each.dataset.panel}`).hidden = !chosen;
  }
}

const insert = (text) => document.dispatchEvent(new CustomEvent("accueil:insert", { detail: { text } }));

const whole = (box) =>
  [...box.querySelectorAll("[data-part]")].map((part) => (part.value === undefined ? part.textContent : part.value.trim())).join("");

aside.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  if (button.dataset.panel) show(button);
  else if ("insert" in button.dataset) insert(whole(button.parentElement.querySelector("[data-text]")));
  else if ("insertWhole" in button.dataset) insert(button.parentElement.querySelector("[data-whole]").textContent);
});

aside.addEventListener("input", ({ target }) => {
  if (!("part" in target.dataset)) return;
  const box = target.closest("[data-results]");
  box.querySelector("[data-insert]").disabled = [...box.querySelectorAll("input[data-part]")].some((gap) => !gap.value.trim());
});

aside.addEventListener("keydown", (event) => {
  if (event.target.role !== "tab" || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const tabs = [...aside.querySelectorAll("[role=tab]")];
  const by = (event.key === "ArrowRight") === (document.documentElement.dir !== "rtl") ? 1 : -1;
  const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
  show(next);
  next.focus();
  event.preventDefault();
});
