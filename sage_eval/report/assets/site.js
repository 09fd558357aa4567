// What every page shares: the choice of colours, a skip link that leaves the address alone, and tables that can be
// sorted and filtered. Pages are complete without it.
//
// A table with `data-table="NAME"` gets buttons in its column heads and a filter box. What is chosen stands in the
// address (#NAME.sort=3.down&NAME.filter=words), so that a view can be linked and the back button undoes it.
"use strict";

(() => {
  const KEY = "sage-colours";
  const FEW = 6; // rows below which a table needs no filter
  const root = document.documentElement;

  // ---- colours: as the system, unless someone chose. Storage may be forbidden, for example in private windows. -----

  function remembered() {
    try { return localStorage.getItem(KEY) ?? ""; } catch { return ""; }
  }

  function remember(choice) {
    try { if (choice) localStorage.setItem(KEY, choice); else localStorage.removeItem(KEY); } catch { /* for this page only, then */ }
  }

  function paint(choice) {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice; else delete root.dataset.theme;
  }

  paint(remembered()); // before anything is painted

  function offerColours() {
    const select = document.getElementById("theme");
    if (!select) return;
    select.value = root.dataset.theme ?? "";
    select.addEventListener("change", () => { paint(select.value); remember(select.value); });
    select.closest("label").hidden = false;
  }

  // ---- the skip link: the part after # holds what is shown, so it must not be overwritten --------------------------

  function keepAddress() {
    document.querySelector(".skip")?.addEventListener("click", (event) => {
      event.preventDefault();
      const main = document.getElementById("main");
      main.focus();
      main.scrollIntoView();
    });
  }

  // ---- tables ------------------------------------------------------------------------------------------------------

  const said = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  function go(changed, replace) {
    const now = said();
    for (const [name, value] of Object.entries(changed)) if (value) now.set(name, value); else now.delete(name);
    const target = `#${now}`;
    if (replace) location.replace(target); else location.hash = target;
  }

  // What a cell is sorted by: the number that it states for programs, or its words; null when it says nothing.
  function worth(cell) {
    const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
    if (text === "" || text === "\u2013") return null;
    const number = Number(text.replace(/[,%]/g, "").replace("\u2212", "-"));
    return Number.isNaN(number) ? text : number;
  }

  // Numbers before words, and cells that say nothing last, whichever way it goes.
  function compare(a, b, way) {
    const kinds = [a, b].map((one) => (one === null ? 2 : typeof one === "number" ? 0 : 1));
    if (kinds[0] !== kinds[1]) return kinds[0] - kinds[1];
    if (a === null) return 0;
    return way * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  }

  function enhance(table) {
    const name = table.dataset.table;
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const buttons = heads.map((head, column) => {
      if (head.dataset.sort === "none" || !head.textContent.trim()) return null;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sorter";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        // Largest first for numbers, then smallest, then as it was.
        const first = original.some((row) => typeof worth(row.cells[column]) === "number") ? "down" : "up";
        const order = !now ? first : (now === "ascending") === (first === "up") ? (first === "up" ? "down" : "up") : "";
        go({ [`${name}.sort`]: order && `${column}.${order}` });
      });
      return button;
    });
    const box = filterBox(table, (text) => go({ [`${name}.filter`]: text }, true));
    const glance = original.length < FEW || table.dataset.filter === "none"; // they can be seen at a glance

    function show() {
      const state = said();
      const [column, order] = (state.get(`${name}.sort`) ?? "").split(".");
      const rows = [...original];
      const sorted = buttons[Number(column)] && (order === "up" || order === "down");
      const way = order === "down" ? -1 : 1;
      if (sorted) rows.sort((a, b) => compare(worth(a.cells[column]), worth(b.cells[column]), way));
      heads.forEach((head, at) => {
        if (sorted && at === Number(column)) head.setAttribute("aria-sort", order === "up" ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
      const words = (state.get(`${name}.filter`) ?? "").toLowerCase().split(/\s+/).filter(Boolean);
      box.parentElement.hidden = glance && !words.length;
      if (box.value.trim().toLowerCase() !== words.join(" ")) box.value = state.get(`${name}.filter`) ?? "";
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
      body.append(...rows);
      const offered = rows.filter((row) => !row.classList.contains("aside")); // those of another judge are put aside
      const left = offered.filter((row) => !row.hidden).length;
      box.nextElementSibling.textContent = words.length ? `${left} of ${offered.length} rows` : "";
    }

    window.addEventListener("hashchange", show);
    show();
  }

  function filterBox(table, changed) {
    const bar = document.createElement("div");
    bar.className = "table-tools";
    const label = document.createElement("label");
    label.textContent = "Filter rows";
    const box = document.createElement("input");
    box.type = "search";
    box.id = `filter-${table.dataset.table}`;
    label.htmlFor = box.id;
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    bar.append(label, box, status);
    (table.closest(".scroll") ?? table).before(bar);
    box.addEventListener("input", () => changed(box.value));
    return box;
  }

  document.addEventListener("DOMContentLoaded", () => {
    offerColours();
    keepAddress();
    document.querySelectorAll("table[data-table]").forEach(enhance);
  });
})();
