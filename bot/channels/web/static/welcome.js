/** The welcome page's own script: an example question is asked in the chat instead of jumping to its written answer. */
"use strict";

const chat = document.querySelector("accueil-chat");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

document.querySelectorAll("a[data-ask]").forEach((link) =>
  link.addEventListener("click", (event) => {
    // A new tab, or a browser that could not make the chat, gets the plain link.
    if (event.ctrlKey || event.metaKey || event.shiftKey || !chat.ask) return;
    event.preventDefault();
    chat.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "nearest" });
    chat.ask(link.textContent.trim());
  }),
);

// A link to a question that is folded up must show its answer.
function unfoldTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") target.open = true;
}
addEventListener("hashchange", unfoldTarget);
unfoldTarget();
