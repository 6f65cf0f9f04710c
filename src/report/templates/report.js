"use strict";
// Sorting, filtering and searching for tables marked data-tools, and copying for what is marked data-paste. Without this
// script the page shows the same, unsorted.
const make = (name, attributes, text) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
};

for (const table of document.querySelectorAll("table[data-tools]")) {
  const title = table.caption.textContent;
  const heads = Array.from(table.tHead.rows[0].cells);
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const cell = (row, column) => row.cells[column].textContent.trim();
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  const tools = make("div", { class: "tools" });
  const search = make("input", { type: "search", placeholder: "Search these rows", "aria-label": "Search " + title });
  const shown = make("output", {});
  const picks = [];
  const show = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const kept = wanted.every((word) => words.get(row).includes(word))
        && picks.every(({ select, column }) => select.selectedIndex === 0 || cell(row, column) === select.value);
      row.hidden = !kept;
      left += kept ? 1 : 0;
    }
    shown.textContent = left === rows.length ? "" : left + " of " + rows.length + " rows";
  };
  search.addEventListener("input", show);
  tools.append(search);

  heads.forEach((head, column) => {
    const name = head.textContent;
    if ("pick" in head.dataset) {
      const values = Array.from(new Set(rows.map((row) => cell(row, column)))).sort();
      if (values.length > 1 && values.length <= 40) {
        const select = make("select", { "data-of": name, "aria-label": name + ", " + title });
        select.append(make("option", {}, name + ": all"));
        for (const value of values) select.append(make("option", { value }, value || "(none)"));
        select.addEventListener("change", show);
        picks.push({ select, column });
        tools.append(select);
      }
    }
    if (!name.trim() || head.querySelector(".hear")) return;
    const button = make("button", { type: "button" }, name);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const numbers = head.classList.contains("r");
      // The largest first, and A first: what is asked for most.
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : numbers;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => {
        if (!numbers) return cell(row, column).toLowerCase() || null;
        const number = row.cells[column].dataset.v;
        return number ? Number(number) : null;
      };
      const values = new Map(rows.map((row) => [row, value(row)]));
      rows.sort((a, b) => {
        const x = values.get(a), y = values.get(b);
        if (x === null || y === null) return (x === null) - (y === null);
        return (numbers ? x - y : x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
      });
      body.append(...rows);
    });
  });
  tools.append(shown);
  table.closest(".box").before(tools);
}

for (const text of document.querySelectorAll("[data-paste]")) {
  const button = make("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", () => {
    getSelection().selectAllChildren(text);
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
  });
  text.after(button);
}

// A link that speaks of one product shows the list's rows of that product.
for (const link of document.querySelectorAll("a[data-only]")) {
  link.addEventListener("click", () => {
    const list = document.getElementById(link.hash.slice(1));
    const pick = list?.querySelector('select[data-of="Product"]');
    if (!pick) return;
    for (const field of list.querySelectorAll(".tools input")) field.value = "";
    for (const select of list.querySelectorAll(".tools select")) select.selectedIndex = 0;
    const wanted = Array.from(pick.options).findIndex((option, at) => at > 0 && option.value === link.dataset.only);
    pick.selectedIndex = Math.max(wanted, 0);
    pick.dispatchEvent(new Event("change"));
  });
}

// A link to what is folded opens it.
const unfold = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", unfold);
unfold();
