// A form marked data-unsaved in which something was written and not sent: the browser asks before the page is left.
// data-unsaved="yes": what it holds was sent and not taken, so it is not saved either. Before such a form is sent, it is
// made sure that whoever wrote it is still signed in: the page that says they are not would take its place.

let sent = null;
let isChecked = false;

const isUnsaved = (form) => form.dataset.unsaved === "yes"
  || [...form.elements].some((field) => "defaultValue" in field && field.value !== field.defaultValue);

const accountOn = (page) => page.querySelector("#menu [data-account]").dataset.account;

/** The token of the session that this browser has now; "" where it has none, or one of another colleague. */
async function token() {
  const answer = await fetch("/staff/account", { headers: { "HX-Request": "true" } });
  if (answer.status === 401) return "";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return accountOn(page) === accountOn(document) ? page.querySelector("[name=csrf]").value : "";
}

async function sendWhenSignedIn(form, button) {
  const field = form.elements.csrf;
  // Without an answer the browser says itself what is wrong, and keeps the form behind Back.
  const csrf = await token().catch(() => field.value);
  const notice = document.getElementById("signed-out");
  notice.hidden = csrf !== "";
  if (!csrf) {
    (button.closest(".deeds") ?? button).after(notice);
    notice.scrollIntoView({ block: "nearest" });
    return;
  }
  field.value = csrf;
  isChecked = true;
  form.requestSubmit(button);
  isChecked = false;
}

addEventListener("submit", (event) => {
  const form = event.target;
  if (isChecked || !("unsaved" in form.dataset)) {
    sent = form;
    return;
  }
  event.preventDefault();
  sendWhenSignedIn(form, event.submitter);
});

addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll("form[data-unsaved]")].some((form) => form !== sent && isUnsaved(form))) {
    event.preventDefault();
  }
});
