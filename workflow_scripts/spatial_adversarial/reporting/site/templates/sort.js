// A click on a heading sorts the rows below it, within each part of a table; by numbers where the cells begin with one.
"use strict";
const valueOf = (row, column) => {
  const text = row.cells[column].textContent.trim();
  const number = /^[-+−]?[\d.,]+(e[-+]?\d+)?/i.exec(text);
  return number ? parseFloat(number[0].replace("−", "-").replace(/,/g, "")) : text;
};
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b
  : typeof a === typeof b ? a.localeCompare(b, "en", { numeric: true })
  : typeof a === "number" ? -1 : 1;
const sort = (table, column, way) => {
  const body = table.tBodies[0];
  const parts = [[]];
  for (const row of body.rows) {
    if (row.classList.contains("part")) parts.push([row]);
    else parts[parts.length - 1].push(row);
  }
  for (const part of parts) {
    const head = part.length && part[0].classList.contains("part") ? [part.shift()] : [];
    part.sort((a, b) => way * compare(valueOf(a, column), valueOf(b, column)));
    body.append(...head, ...part);
  }
};
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    if (!button.textContent.trim()) button.setAttribute("aria-label", "sort by this column");
    head.append(button);
    button.addEventListener("click", () => {
      const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      sort(table, column, way);
    });
  });
}
