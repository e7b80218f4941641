// Which conversation was meant stands behind the # of the address, which no server reads: the forms of the sign-in carry it
// on, and what they lead to takes it over.

for (const form of document.forms) form.action += location.hash;
for (const link of document.querySelectorAll("a[hreflang]")) link.hash = location.hash;
