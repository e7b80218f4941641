// A form marked data-unsaved in which something was written and not sent: the browser asks before the page is left.
// data-unsaved="yes": what it holds was sent and not taken, so it is not saved either.

let sent = null;

const isUnsaved = (form) => form.dataset.unsaved === "yes"
  || [...form.elements].some((field) => "defaultValue" in field && field.value !== field.defaultValue);

addEventListener("submit", (event) => {
  sent = event.target;
});

addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll("form[data-unsaved]")].some((form) => form !== sent && isUnsaved(form))) {
    event.preventDefault();
  }
});
