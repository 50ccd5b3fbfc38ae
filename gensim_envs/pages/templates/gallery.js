"use strict";

// The form holds the state of the page. The fragment of the address holds the form and the open
// task, so a view can be linked and Back closes a task.

const $ = (id) => document.getElementById(id);
const form = $("filters"), search = $("search"), dialog = $("task"), motion = $("motion");
const cards = [...document.querySelectorAll(".card")];
const boxes = [...form.querySelectorAll("[type=checkbox]")];

// Filters.

const facts = new Map(cards.map((card) => [card, {
  search: card.dataset.search,
  asset: card.dataset.asset.split("|"),
  relation: card.dataset.relation.split("|"),
  origin: [card.dataset.origin],
}]));

function wanted() {
  const data = new FormData(form);
  return {
    words: data.get("q").toLowerCase().split(/\s+/).filter(Boolean),
    asset: data.getAll("asset"),
    relation: data.getAll("relation"),
    origin: data.getAll("origin"),
  };
}

function fits(card, want) {
  const has = facts.get(card);
  return want.words.every((word) => has.search.includes(word))
    && want.asset.every((name) => has.asset.includes(name))
    && want.relation.every((name) => has.relation.includes(name))
    && (!want.origin.length || want.origin.some((name) => has.origin.includes(name)));
}

function filter() {
  const want = wanted();
  const fitting = cards.filter((card) => fits(card, want));
  for (const card of cards) card.hidden = !fitting.includes(card);
  for (const box of boxes) {
    const count = fitting.filter((card) => facts.get(card)[box.name].includes(box.value)).length;
    box.parentNode.querySelector(".count").textContent = count;
    box.parentNode.classList.toggle("none", !count);
  }
  const chosen = boxes.filter((box) => box.checked).length;
  $("chosen").textContent = chosen ? `(${chosen})` : "";
  form.querySelector("[type=reset]").hidden = !(chosen || want.words.length);
  $("no-match").hidden = fitting.length > 0;
  const total = cards.length === 1 ? "1 task" : `${cards.length} tasks`;
  const some = fitting.length ? `${fitting.length} of ${total}` : `None of ${total}`;
  $("matches").textContent = chosen || want.words.length ? some : total;
}

// The address.

function address(task) {
  const pairs = [...new FormData(form)].filter(([, value]) => value.trim());
  if (task) pairs.push(["task", task]);
  return "#" + new URLSearchParams(pairs);
}

function read() {
  const pairs = new URLSearchParams(location.hash.slice(1));
  search.value = pairs.get("q") || "";
  for (const box of boxes) box.checked = pairs.getAll(box.name).includes(box.value);
  filter();
  show(cards.find((card) => card.dataset.key === pairs.get("task")));
}

function changed() {
  history.replaceState(null, "", address());
  filter();
}

form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  search.value = "";
  for (const box of boxes) box.checked = false;
  changed();
  search.focus();
});
addEventListener("hashchange", read);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "/" && event.target !== search && !dialog.open) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && event.target === search) {
    event.preventDefault();
    search.value = "";
    changed();
  }
});

// The dialog. The clip of a task moves into it and back, so that the page holds it once.

let open = null;

function show(card = null) {
  if (card === open) return;
  if (open) putBack();
  open = card;
  if (card) fill(card);
  else dialog.close();
  clips.forEach(move);
}

function fill(card) {
  const figure = card.querySelector("figure");
  $("start").src = figure.querySelector("video").poster;
  $("solved").src = figure.querySelector("img").src;
  dialog.querySelector(".text").replaceChildren(card.querySelector("template").content.cloneNode(true));
  dialog.querySelector(".frame").append(figure);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector(".sheet").scrollTop = 0;
  dialog.querySelector("h2").focus();
}

function putBack() {
  open.querySelector(".frame").append(dialog.querySelector(".frame figure"));
}

for (const card of cards) {
  card.querySelector("h2 a").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    location.hash = address(card.dataset.key);
  });
}
dialog.querySelector(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  if (!open) return; // the address closed it
  const link = open.querySelector("h2 a");
  history.replaceState(null, "", address());
  show();
  link.focus({ preventScroll: true });
});

// Clips play while in view, unless the reader prefers reduced motion or paused them.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const clips = cards.map((card) => card.querySelector("video"));
const inView = new Set();
const toggled = new Map(); // clip -> whether its own button started it
let moving = !calm.matches;

function move(clip) {
  const hidden = open && !dialog.contains(clip);
  const should = inView.has(clip) && !hidden && (toggled.get(clip) ?? moving);
  if (should && clip.paused) clip.play().catch(() => {}); // power saving may refuse
  if (!should && !clip.paused) clip.pause();
}

function moveAll(value) {
  moving = value;
  toggled.clear();
  motion.textContent = moving ? "Pause clips" : "Play clips";
  clips.forEach(move);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) inView.add(entry.target);
    else inView.delete(entry.target);
    move(entry.target);
  }
}, { threshold: 0.5 });

for (const clip of clips) {
  const button = clip.parentNode.querySelector("button");
  const name = button.getAttribute("aria-label").replace(/^Play /, "");
  const label = () => {
    clip.parentNode.classList.toggle("playing", !clip.paused);
    button.setAttribute("aria-label", (clip.paused ? "Play " : "Pause ") + name);
  };
  clip.addEventListener("play", () => {
    clip.parentNode.classList.add("begun");
    label();
  });
  clip.addEventListener("pause", label);
  button.addEventListener("click", () => {
    toggled.set(clip, clip.paused);
    move(clip);
  });
  watcher.observe(clip);
}
motion.addEventListener("click", () => moveAll(!moving));
calm.addEventListener("change", () => moveAll(!calm.matches));
moveAll(moving);

// Filters are folded on narrow screens.

const roomy = matchMedia("(min-width: 60rem)");
const unfold = () => { $("facets").open = roomy.matches; };
roomy.addEventListener("change", unfold);
unfold();
read();
