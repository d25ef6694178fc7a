
"use strict";
(() => {
  const cases = Array.from(document.querySelectorAll(".case"));
  const bar = document.querySelector("#filters");
  if (bar && cases.length) {
    bar.hidden = false;
    const search = bar.querySelector("input[type=search]");
    const sets = bar.querySelector("select");
    const count = bar.querySelector("output");
    const texts = new Map();
    const textOf = (item) => {
      if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
      return texts.get(item);
    };
    const apply = () => {
      const tag = bar.querySelector("input[name=tag]:checked").value;
      const wanted = search.value.trim().toLowerCase();
      let shown = 0;
      for (const item of cases) {
        const fits =
          (!tag || item.dataset.tags.split(" ").includes(tag)) &&
          (!sets || !sets.value || item.dataset.set === sets.value) &&
          (!wanted || textOf(item).includes(wanted));
        item.hidden = !fits;
        shown += fits;
      }
      count.textContent = `${shown} of ${cases.length} shown`;
    };
    let waiting = 0;
    bar.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 80);
    });
    apply();
  }
  // On paper nothing can be opened any more.
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("main details")) part.open = true;
  });
})();
