
"use strict";
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = table.tHead.rows[0].cells;
  const value = (row, column, by) => by ? Number(row.dataset[by]) : row.cells[column].textContent.trim();
  const sort = (column) => {
    const head = heads[column], by = head.dataset.by;
    const now = head.getAttribute("aria-sort");
    const up = by ? now === "descending" : now !== "ascending";
    for (const h of heads) h.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const text = new Intl.Collator("en", { numeric: true });
    const keyed = Array.from(body.rows, (row) => ({ row, key: value(row, column, by) }));
    keyed.sort((a, b) => (by ? a.key - b.key : text.compare(a.key, b.key)) * (up ? 1 : -1));
    body.append(...keyed.map((k) => k.row));
  };
  Array.from(heads).forEach((head, column) => {
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(column));
    head.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); sort(column); } });
  });
}
for (const form of document.querySelectorAll("form.controls")) {
  const rows = Array.from(form.nextElementSibling.tBodies[0].rows, (row) => ({ row, text: row.textContent.toLowerCase() }));
  const filter = () => {
    const words = form.search.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const { row, text } of rows) {
      const d = row.dataset;
      const ok = Number(d.rank) >= Number(form.least.value) && (!form.fixable.checked || "fixed" in d) && (!form.own.checked || !("base" in d))
        && (form.excepted.checked || !("excepted" in d)) && words.every((w) => text.includes(w));
      row.classList.toggle("filtered", !ok);
      if (ok) shown++;
    }
    form.querySelector("output").textContent = shown + " of " + rows.length;
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (e) => e.preventDefault());
  filter();
}
