"""How the gallery looks and answers: the style sheet and the script of its page.

Owns colours, sizes and the two controls. Does not own what is on the page
(``mask_generation.previews.page``), nor decide anything: without the script the page is whole, in
the order in which it was written.
"""

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --card: #f5f5f3; --ink: #1c1c1a; --faint: #5d5d58;
  --line: #d6d6d1; --bar: #3d6f9e; --flag: #a3180c; }
@media (prefers-color-scheme: dark) { :root { --ground: #161615; --card: #222220; --ink: #ecebe6;
  --faint: #a9a8a1; --line: #3d3d39; --bar: #7fb2e0; --flag: #ff9d8f; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  margin: 0 auto; max-width: 1500px; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
h3 { font-size: .9rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
p { margin: .25rem 0; max-width: 75ch; }
.summary { display: flex; flex-wrap: wrap; gap: 1.5rem 3rem; margin: 1.25rem 0; }
.summary section { flex: 1 1 300px; min-width: 0; max-width: 520px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem 1rem .15rem 0; text-align: left; font-weight: normal; }
thead th { color: var(--faint); font-size: .85rem; } td { text-align: right; }
thead th + th { text-align: right; }
svg { width: 100%; height: auto; display: block; } svg rect { fill: var(--bar); }
svg text { fill: var(--faint); font-size: 11px; } svg line { stroke: var(--line); }
summary { cursor: pointer; color: var(--faint); }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center;
  padding: .6rem 0; border-top: 1px solid var(--line); position: sticky; top: 0;
  background: var(--ground); z-index: 1; }
.controls[hidden] { display: none; }
@media (max-width: 600px) { .controls { position: static; } }
select { font: inherit; color: inherit; background: var(--card); padding: .2rem .4rem;
  border: 1px solid var(--line); border-radius: 4px; max-width: 100%; }
:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
ul.cards { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem;
  min-width: 0; }
.card[hidden] { display: none; }
.pictures { display: flex; gap: .5rem; align-items: flex-start; }
figure { margin: 0; flex: 1 1 0; min-width: 0; }
figure img { display: block; width: 100%; height: auto; max-height: 220px; object-fit: contain;
  object-position: left; }
figcaption { font-size: .8rem; color: var(--faint); }
.numbers { margin: .4rem 0 0; font-size: .9rem; font-variant-numeric: tabular-nums; }
.flag { color: var(--flag); font-weight: 600; }
"""

SCRIPT = """
const list = document.querySelector("ul.cards");
const cards = [...list.children];
const order = document.getElementById("order");
const flag = document.getElementById("flag");
const shown = document.getElementById("shown");
const number = (card, key) => Number(card.dataset[key]);
const byName = (a, b) =>
  a.dataset.name < b.dataset.name ? -1 : a.dataset.name > b.dataset.name ? 1 : 0;
const orders = {
  worst: (a, b) => number(a, "quality") - number(b, "quality"),
  best: (a, b) => number(b, "quality") - number(a, "quality"),
  small: (a, b) => number(a, "share") - number(b, "share"),
  large: (a, b) => number(b, "share") - number(a, "share"),
  name: byName,
};
function update() {
  cards.sort((a, b) => orders[order.value](a, b) || byName(a, b));
  list.append(...cards);
  let count = 0;
  for (const card of cards) {
    card.hidden = flag.value !== "any" && card.dataset.flag !== flag.value.slice(1);
    count += card.hidden ? 0 : 1;
  }
  shown.textContent = `${count} of ${cards.length} pictures`;
}
order.addEventListener("change", update);
flag.addEventListener("change", update);
document.querySelector(".controls").hidden = false;
update();
"""
