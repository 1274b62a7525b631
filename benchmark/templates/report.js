"use strict";

// Switches: of the tables of image quality, show the one that the selects name.
const switches = document.querySelector(".switches");
const grids = Array.from(document.querySelectorAll("[data-dataset]"));

function choose() {
  const selects = Array.from(switches.querySelectorAll("select"));
  const fits = (grid) => selects.every((select) => grid.dataset[select.name] === select.value);
  grids.forEach((grid) => { grid.hidden = !fits(grid); });
  document.getElementById("no-grid").hidden = grids.some((grid) => !grid.hidden);
}

if (switches) {
  switches.hidden = false;
  switches.addEventListener("change", choose);
  choose();
}

// Sorting: a button in a column's head sorts by it, pressed again the other way; dashes stay last.
function key(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.sort === undefined) return cell.textContent.trim().toLowerCase();
  return cell.dataset.sort === "" ? NaN : Number(cell.dataset.sort);
}

function order(a, b, sign) {
  const empty = Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  if (empty || a === b) return empty;
  return a < b ? -sign : sign;
}

function sort(button) {
  const head = button.closest("th");
  const first = head.dataset.first;
  const other = first === "ascending" ? "descending" : "ascending";
  const direction = head.getAttribute("aria-sort") === first ? other : first;
  const sign = direction === "ascending" ? 1 : -1;
  const body = head.closest("table").tBodies[0];
  const column = head.cellIndex;
  Array.from(body.rows)
    .sort((a, b) => order(key(a, column), key(b, column), sign))
    .forEach((row) => body.append(row));
  head.parentNode.querySelectorAll("th").forEach((cell) => cell.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", direction);
}

document.querySelectorAll("th button").forEach((button) => {
  button.addEventListener("click", () => sort(button));
});
