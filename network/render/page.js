
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const main = document.querySelector("main"), form = document.querySelector("form"), side = document.querySelector("aside");
const svg = document.querySelector(".map svg"), lines = svg.querySelector("g"), boxesAt = document.querySelector(".boxes");
const mostLines = 150, mostTiles = 80;
let numbered = 0;
const make = (tag, text, name) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (name) e.className = name; if (tag === "button") e.dataset.n = String(++numbered); return e; };

// Things are workloads and what is outside; the last space is outside the cluster.
const outside = data.spaces.length;
const things = data.workloads.concat(data.outside.map((o) => ({ ...o, space: outside })));
const members = data.groups.map(() => []);
things.forEach((t, i) => t.groups.forEach((g) => members[g].push(i)));
const from = data.groups.map(() => []), to = data.groups.map(() => []);
data.edges.forEach((e) => { from[e[0]].push(e); to[e[1]].push(e); });
const spacesOf = members.map((list) => [...new Set(list.map((i) => things[i].space))]);

// Lines between namespaces: how many pairs of groups they stand for.
const between = new Map();
for (const [f, t] of data.edges) for (const a of spacesOf[f]) for (const b of spacesOf[t]) if (a !== b) {
  const key = a + " " + b;
  between.set(key, (between.get(key) || 0) + 1);
}

const boxes = data.spaces.concat(data.outside.length ? ["outside the cluster"] : []).map((name, s) => {
  const box = make("section", undefined, s === outside ? "box outside" : "box");
  const head = make("button", undefined, "name"), list = make("ul");
  const count = things.filter((t) => t.space === s).length;
  head.type = "button";
  head.append(make("span", name), make("small", String(count)));
  head.setAttribute("aria-expanded", "false");
  list.hidden = true;
  head.addEventListener("click", () => { open(s, list.hidden); choose({ space: s }); });
  box.append(head, list);
  return { box, head, list, tiles: new Map() };
});
boxesAt.append(...(data.outside.length ? [boxes[outside]] : []).concat(boxes.slice(0, outside)).map((b) => b.box));

let chosen = {};
function open(s, yes) {
  const b = boxes[s];
  if (yes && !b.tiles.size) {
    things.forEach((t, i) => {
      if (t.space !== s) return;
      const li = make("li"), tile = make("button", t.name);
      tile.type = "button";
      tile.addEventListener("click", () => choose({ thing: i }));
      li.append(tile);
      b.list.append(li);
      b.tiles.set(i, tile);
    });
  }
  b.list.hidden = !yes;
  b.head.setAttribute("aria-expanded", String(yes));
}

const full = (i) => things[i].space === outside ? things[i].name : data.spaces[things[i].space] + "/" + things[i].name;

// reach gives the edges of a thing: [group at the other end, ports].
const reach = (i, edges, end) => things[i].groups.flatMap((g) => edges[g].map((e) => [e[end], e[2]]));

function choose(what) {
  chosen = what;
  const out = new Set(), into = new Set();
  side.replaceChildren();
  if (what.thing !== undefined) {
    side.append(make("h2", full(what.thing)));
    for (const [title, edges, end, set, name] of [["Can reach", from, 1, out, "out"], ["Can be reached by", to, 0, into, "in"]]) {
      const rows = reach(what.thing, edges, end);
      for (const [g] of rows) members[g].forEach((i) => { if (i !== what.thing) set.add(i); });
      side.append(make("h3", title, name), listOf(rows, what.thing));
    }
  } else if (what.space !== undefined) {
    const s = what.space;
    side.append(make("h2", s === outside ? "Outside the cluster" : "Namespace " + data.spaces[s]));
    for (const [title, here, there, name] of [["Its workloads can reach", 0, 1, "out"], ["Can reach its workloads", 1, 0, "in"]]) {
      const rows = data.edges.filter((e) => spacesOf[e[here]].includes(s) && (spacesOf[e[there]].length > 1 || spacesOf[e[there]][0] !== s));
      const ul = make("ul");
      rows.slice(0, 300).forEach((e) => ul.append(row(data.groups[e[0]] + " \u2192 " + data.groups[e[1]], data.conns[e[2]])));
      if (rows.length > 300) ul.append(make("li", (rows.length - 300) + " more: select a workload"));
      side.append(make("h3", title, name), rows.length ? ul : make("p", "nothing", "quiet"));
    }
  } else side.append(make("p", "Select a namespace or a workload to see its connections.", "quiet"));
  mark(out, into);
  draw(out, into);
}

function row(text, ports) {
  const li = make("li", text + " ");
  li.append(make("span", ports, "ports"));
  return li;
}

function listOf(rows, self) {
  const ul = make("ul");
  for (const [g, ports] of rows) {
    const others = members[g].filter((i) => i !== self);
    if (!others.length) continue;
    if (others.length === 1) { ul.append(link(others[0], data.conns[ports])); continue; }
    const li = make("li"), d = make("details"), s = make("summary", data.groups[g] + " "), inner = make("ul");
    s.append(make("span", data.conns[ports], "ports"));
    d.addEventListener("toggle", () => { if (d.open && !inner.children.length) inner.append(...others.map((i) => link(i))); });
    d.append(s, inner);
    li.append(d);
    ul.append(li);
  }
  return ul.children.length ? ul : make("p", "nothing", "quiet");
}

function link(i, ports) {
  const li = make("li"), b = make("button", full(i));
  b.type = "button";
  b.addEventListener("click", () => { open(things[i].space, true); choose({ thing: i }); });
  li.append(b);
  if (ports) li.append(" ", make("span", ports, "ports"));
  return li;
}

function mark(out, into) {
  boxes.forEach((b, s) => {
    b.head.classList.toggle("chosen", chosen.space === s);
    b.tiles.forEach((tile, i) => {
      tile.classList.toggle("chosen", chosen.thing === i);
      tile.classList.toggle("peer", out.has(i) || into.has(i));
    });
  });
}

// draw lays the lines: those of what is chosen, else those between namespaces.
function draw(out, into) {
  lines.replaceChildren();
  svg.classList.toggle("above", chosen.thing !== undefined);
  const hint = document.getElementById("hint");
  hint.textContent = "Lines go from who connects to who is reached.";
  const ends = new Map(); // "a b" -> [element, element, class]
  const add = (a, b, name) => {
    if (a === b) return;
    const back = ends.get(b.dataset.n + " " + a.dataset.n);
    if (back) { back[2] = name === "line" ? "line both" : back[2] + " both"; return; }
    ends.set(a.dataset.n + " " + b.dataset.n, [a, b, name]);
  };
  if (chosen.thing !== undefined) {
    const me = spot(chosen.thing, true);
    const many = (set) => set.size > mostTiles;
    for (const i of out) add(me, spot(i, !many(out)), "line out");
    for (const i of into) add(spot(i, !many(into)), me, "line in");
    hint.textContent += " It reaches others along the lines away from it, and is reached along those to it.";
  } else {
    let list = [...between.keys()].map((k) => k.split(" ").map(Number));
    if (chosen.space !== undefined) list = list.filter((p) => p.includes(chosen.space));
    else if (list.length > mostLines) {
      list = [];
      hint.textContent = "Almost everything is connected: select a namespace or a workload to see its lines.";
    }
    for (const [a, b] of list) add(boxes[a].head, boxes[b].head, "line" + (chosen.space === a ? " out" : chosen.space === b ? " in" : ""));
  }
  const base = svg.getBoundingClientRect();
  for (const [a, b, name] of ends.values()) lines.append(curve(at(a, base), at(b, base), name));
}

// spot is where a thing is seen: its tile, or its namespace's box when that is folded.
function spot(i, single) {
  const b = boxes[things[i].space];
  return single && !b.list.hidden && b.tiles.get(i) || b.head;
}

function at(e, base) {
  const r = (e.classList.contains("name") ? e.parentElement : e).getBoundingClientRect();
  return { x: r.left - base.left + r.width / 2, y: r.top - base.top + r.height / 2, w: r.width / 2 + 3, h: r.height / 2 + 3 };
}

function curve(a, b, name) {
  const edge = (p, q) => {
    const dx = q.x - p.x, dy = q.y - p.y, k = Math.min(p.w / Math.abs(dx || 1e-9), p.h / Math.abs(dy || 1e-9), 1);
    return [p.x + dx * k, p.y + dy * k];
  };
  const [x1, y1] = edge(a, b), [x2, y2] = edge(b, a);
  const bend = 0.12, mx = (x1 + x2) / 2 + (y2 - y1) * bend, my = (y1 + y2) / 2 - (x2 - x1) * bend;
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", `M${x1.toFixed(1)} ${y1.toFixed(1)}Q${mx.toFixed(1)} ${my.toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`);
  path.setAttribute("class", name);
  return path;
}

function search() {
  const words = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  const spaces = new Set();
  things.forEach((t, i) => {
    t.found = words.length > 0 && words.every((w) => full(i).toLowerCase().includes(w));
    if (t.found) { found++; spaces.add(t.space); }
  });
  boxes.forEach((b, s) => {
    if (words.length) open(s, spaces.has(s));
    b.box.classList.toggle("far", words.length > 0 && !spaces.has(s));
    b.tiles.forEach((tile, i) => tile.classList.toggle("far", words.length > 0 && !things[i].found));
  });
  form.querySelector("output").textContent = words.length ? found + " of " + things.length : "";
  choose(found === 1 ? { thing: things.findIndex((t) => t.found) } : chosen);
}

const again = () => choose(chosen);
form.addEventListener("submit", (e) => e.preventDefault());
form.elements.search.addEventListener("input", search);
form.elements.unfold.addEventListener("click", () => { boxes.forEach((_, s) => open(s, true)); again(); });
form.elements.fold.addEventListener("click", () => { boxes.forEach((_, s) => open(s, false)); again(); });
form.elements.clear.addEventListener("click", () => { form.elements.search.value = ""; search(); choose({}); });
addEventListener("resize", again);
main.hidden = false;
if (things.length <= 40) boxes.forEach((_, s) => open(s, true));
requestAnimationFrame(() => choose({}));
