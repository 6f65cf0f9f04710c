"use strict";
// Sorting and searching for tables marked data-tools. Without this script the page shows the same, unsorted.
for (const table of document.querySelectorAll("table[data-tools]")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const tools = document.createElement("div");
  tools.className = "tools";
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Search these rows";
  search.setAttribute("aria-label", "Search " + table.caption.textContent);
  const shown = document.createElement("output");
  tools.append(search, shown);
  table.closest(".box").before(tools);
  search.addEventListener("input", () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      row.hidden = !wanted.every((word) => words.get(row).includes(word));
      left += row.hidden ? 0 : 1;
    }
    shown.textContent = wanted.length ? left + " of " + rows.length + " rows" : "";
  });
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const numbers = head.classList.contains("r");
      const down = head.getAttribute("aria-sort") === (numbers ? "none" : "ascending") || (numbers && !head.hasAttribute("aria-sort"));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => {
        const cell = row.cells[column];
        return numbers ? (cell.dataset.v === "" ? null : Number(cell.dataset.v)) : cell.textContent.trim().toLowerCase() || null;
      };
      const compare = (a, b) => {
        const x = value(a), y = value(b);
        if (x === null || y === null) return (x === null) - (y === null);
        return (numbers ? x - y : x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
      };
      body.append(...rows.sort(compare));
    });
  });
}
