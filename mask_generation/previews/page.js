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
