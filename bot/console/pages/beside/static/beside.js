// What is shown beside the composer: pieces of HTML from the server, put in place as they come.

const aside = document.getElementById("beside");
const TYPING = 250;
let talk = null;
let timer = 0;
const asked = { answers: 0, replies: 0 };

/** A piece of HTML. Throws for any other answer than a yes. */
async function piece(path) {
  const answer = await fetch(`/staff/beside/${encodeURIComponent(talk)}${path}`, { signal: AbortSignal.timeout(15000) });
  if (!answer.ok) throw new Error(String(answer.status));
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...parsed.body.childNodes];
}

async function open(id) {
  talk = id;
  aside.replaceChildren();
  try {
    const nodes = await piece("");
    if (talk !== id) return;
    aside.replaceChildren(...nodes);
    load("answers");
    load("replies");
  } catch {
    // Without it the conversation itself still works: the next opening tries again.
    if (talk === id) aside.replaceChildren();
  }
}

async function load(kind, query = {}) {
  const id = talk;
  const turn = ++asked[kind];
  const box = aside.querySelector(`[data-results="${kind}"]`);
  try {
    const nodes = await piece(`/${kind}?${new URLSearchParams(query)}`);
    if (talk === id && asked[kind] === turn) box.replaceChildren(...nodes);
  } catch {
    if (talk !== id || asked[kind] !== turn) return;
    box.replaceChildren(aside.querySelector("[data-failed]").content.cloneNode(true));
    box.querySelector("[data-again]").addEventListener("click", () => load(kind, query));
  }
}

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

aside?.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  const { panel, ask, q, id, topic } = button.dataset;
  if (panel) show(button);
  else if (ask) {
    // A search that is still to come must not take away what was chosen.
    clearTimeout(timer);
    load(ask, Object.fromEntries(Object.entries({ q, id, topic }).filter(([, value]) => value)));
  } else if ("insert" in button.dataset) insert(whole(button.parentElement.querySelector("[data-text]")));
  else if ("insertWhole" in button.dataset) insert(button.parentElement.querySelector("[data-whole]").textContent);
});

aside?.addEventListener("input", ({ target }) => {
  const form = target.closest("[data-find]");
  if (form) {
    clearTimeout(timer);
    timer = setTimeout(() => load(form.dataset.find, { q: target.value }), TYPING);
  } else if ("part" in target.dataset) {
    const box = target.closest("[data-results]");
    box.querySelector("[data-insert]").disabled = [...box.querySelectorAll("input[data-part]")].some((gap) => !gap.value.trim());
  }
});

aside?.addEventListener("submit", (event) => event.preventDefault());

aside?.addEventListener("keydown", (event) => {
  if (event.target.role !== "tab" || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const tabs = [...aside.querySelectorAll("[role=tab]")];
  const by = (event.key === "ArrowRight") === (document.documentElement.dir !== "rtl") ? 1 : -1;
  const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
  show(next);
  next.focus();
  event.preventDefault();
});

if (aside) {
  document.addEventListener("accueil:opened", ({ detail }) => detail.conversationId !== talk && open(detail.conversationId));
  document.addEventListener("accueil:closed", () => {
    talk = null;
    aside.replaceChildren();
  });
}
