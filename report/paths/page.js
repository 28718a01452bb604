
"use strict";
const form = document.querySelector("form.controls");
const paths = Array.from(document.querySelectorAll(".path"), (row) => ({ row, text: "" }));
const field = (name) => form.elements[name];
let at = 0;
const show = () => {
  const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = paths.filter((p) => {
    if (words.length && !p.text) p.text = p.row.textContent.toLowerCase();
    return words.every((w) => p.text.includes(w));
  });
  const single = field("single").checked;
  at = Math.max(0, Math.min(at, found.length - 1));
  const shown = new Set(single ? found.slice(at, at + 1) : found);
  for (const p of paths) {
    const here = shown.has(p), alone = single && here;
    p.row.classList.toggle("filtered", !here);
    if (alone && !p.row.open) p.row.open = p.opened = true;
    if (!alone && p.opened) p.row.open = p.opened = false;
  }
  for (const g of document.querySelectorAll(".group")) g.classList.toggle("filtered", !g.querySelector(".path:not(.filtered)"));
  field("previous").disabled = field("next").disabled = !single;
  form.querySelector("output").textContent = single && found.length ? (at + 1) + " of " + found.length : found.length + " of " + paths.length;
};
const move = (by) => { at += by; show(); };
field("previous").addEventListener("click", () => move(-1));
field("next").addEventListener("click", () => move(1));
form.addEventListener("input", () => { at = 0; show(); });
form.addEventListener("submit", (e) => e.preventDefault());
form.hidden = paths.length === 0;
show();
