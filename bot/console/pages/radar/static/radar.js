// A choice whose list did not come is said, and the old list cannot be reminded by mistake.

const failed = document.getElementById("failed");
const chosen = () => document.getElementById("chosen");

document.addEventListener("htmx:beforeRequest", () => { failed.hidden = true; });
for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, () => {
    failed.hidden = false;
    chosen().inert = true;
  });
}
