
"use strict";
// A list is a table of packages, or findings that open; both have a head and rows.
const cells = (row) => row.tagName === "DETAILS" ? row.querySelector("summary").children : row.cells;
const collator = new Intl.Collator("en", { numeric: true });
for (const head of document.querySelectorAll(".head")) {
  const rows = head.closest(".findings, table").querySelector(".rows");
  const sort = (column) => {
    const by = head.children[column].dataset.by;
    const was = head.children[column].dataset.sorted;
    const up = by ? was === "down" : was !== "up";
    for (const h of head.children) delete h.dataset.sorted;
    head.children[column].dataset.sorted = up ? "up" : "down";
    const keyed = Array.from(rows.children, (row) => ({ row, key: by ? Number(row.dataset[by]) : cells(row)[column].textContent.trim() }));
    keyed.sort((a, b) => (by ? a.key - b.key : collator.compare(a.key, b.key)) * (up ? 1 : -1));
    rows.append(...keyed.map((k) => k.row));
  };
  Array.from(head.children).forEach((h, column) => {
    h.tabIndex = 0;
    h.title = "sort by " + h.textContent.toLowerCase();
    h.addEventListener("click", () => sort(column));
    h.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); sort(column); } });
  });
}
for (const form of document.querySelectorAll("form.controls")) {
  const rows = Array.from(form.parentElement.querySelector(form.nextElementSibling.className === "findings" ? ".findings > .rows" : "table .rows").children, (row) => ({ row, text: "" }));
  const checked = (name) => form.elements[name] && form.elements[name].checked;
  const value = (name) => form.elements[name] ? form.elements[name].value : "";
  const filter = () => {
    const words = value("search").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const r of rows) {
      const d = r.row.dataset;
      if (words.length && !r.text) r.text = r.row.textContent.toLowerCase();
      const ok = Number(d.rank || 0) >= Number(value("least")) && (!value("kind") || d.kind === value("kind")) && (!checked("fixable") || "fixed" in d)
        && (!checked("own") || !("base" in d)) && (checked("excepted") || !("excepted" in d)) && words.every((w) => r.text.includes(w));
      r.row.classList.toggle("filtered", !ok);
      if (ok) shown++;
    }
    form.querySelector("output").textContent = shown + " of " + rows.length;
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (e) => e.preventDefault());
  filter();
}
// On paper everything is open, as the style sheet says where browsers know how.
let closed = [];
addEventListener("beforeprint", () => {
  closed = Array.from(document.querySelectorAll(".findings details:not([open])"));
  for (const d of closed) d.open = true;
});
addEventListener("afterprint", () => { for (const d of closed) d.open = false; });
