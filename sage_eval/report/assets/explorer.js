// The explorer: what the address says is what is shown. Every action changes the part after #, and nothing else does
// the drawing, so that reloading, going back and sending a link all lead to the same view.
"use strict";

(() => {
  const { make } = SAGE;
  const PAGE_ROWS = 50;
  const FILTERS = ["pair", "model", "judge", "verdict", "agree", "label", "motivation", "emotion", "reads", "topic"];
  const SELECTION = ["s", "a", "b", "n"];
  const at = (id) => document.getElementById(id);
  const wide = matchMedia("(min-width: 60rem)");
  let rows, show;
  let found = new Int32Array(0); // the rows that satisfy the filters
  let shownRow = -1; // the row in the article
  let listedFrom = -1, listedOf = null; // what the list holds, so that it is only drawn anew when that changes
  let typing = 0; // the timer of words that are not in the address yet
  let asked = 0; // counts drawings, so that a slow one never overwrites a later one

  // ---- the address -------------------------------------------------------------------------------------------------

  function wishes() {
    return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  }

  function address(changed) {
    const said = { ...wishes(), ...changed };
    for (const [name, value] of Object.entries(said)) if (value === undefined || value === "") delete said[name];
    return `#${new URLSearchParams(said)}`;
  }

  // `remember`: whether the back button leads here again; typing and stepping leave no trail.
  function go(changed, remember) {
    const target = address(changed);
    if (target === (location.hash || "#")) return;
    if (remember) location.hash = target; else location.replace(target);
  }

  const unselected = Object.fromEntries(SELECTION.map((name) => [name, undefined]));

  // ---- drawing -----------------------------------------------------------------------------------------------------

  async function draw() {
    const turn = ++asked;
    const said = wishes();
    const started = performance.now();
    const kept = await rows.matching(said);
    const selected = said.a === undefined ? -1 : await rows.find(said);
    if (turn !== asked) return;
    found = kept;
    const place = SAGE.place(found, selected);
    const listed = selected >= 0 && found[place] === selected;
    const pages = Math.max(1, Math.ceil(found.length / PAGE_ROWS));
    const page = said.page === undefined && listed ? Math.floor(place / PAGE_ROWS) : Math.min(pages, Math.max(1, Math.floor(Number(said.page)) || 1)) - 1;
    drawControls(said);
    const opened = said.a !== undefined;
    turnPage(opened);
    const row = opened ? selected : wide.matches && found.length ? found[page * PAGE_ROWS] : -1;
    await drawList(page, pages, row, turn);
    if (turn !== asked) return;
    performance.measure("sage-filter", { start: started });
    if (opened && selected < 0) return drawLost();
    await drawRow(row, said, turn);
  }

  // On a phone an entry takes the list's place; coming back leads to where the list was left.
  let leftAt = 0;
  function turnPage(opened) {
    const was = document.documentElement.hasAttribute("data-opened");
    if (!wide.matches && opened && !was) leftAt = scrollY;
    document.documentElement.toggleAttribute("data-opened", opened);
    if (!wide.matches && opened !== was) scrollTo(0, opened ? 0 : leftAt);
  }

  async function drawList(page, pages, current, turn) {
    const from = page * PAGE_ROWS;
    const listed = found.subarray(from, from + PAGE_ROWS);
    const key = `${from} ${listed.join()} ${filtersOf(wishes())}`;
    if (key !== listedOf) {
      const items = await Promise.all([...listed].map(async (row, place) => item(
        row, await rows.scenarioOf(rows.scenario[row]), await rows.link(row),
        place === 0 || rows.scenario[row] !== rows.scenario[listed[place - 1]])));
      if (turn !== asked) return;
      at("results").replaceChildren(...items);
      listedOf = key;
      if (listedFrom !== from) at("results").parentElement.scrollTop = 0;
      listedFrom = from;
    }
    for (const link of at("results").querySelectorAll("a")) {
      const isCurrent = Number(link.dataset.row) === current;
      if (isCurrent) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      if (isCurrent) reveal(link);
    }
    at("count").textContent = counted(found.length, rows.count);
    at("nothing").hidden = found.length > 0;
    at("pager").hidden = pages < 2;
    at("range").textContent = `${(from + 1).toLocaleString("en")}\u2013${(from + listed.length).toLocaleString("en")} of ${found.length.toLocaleString("en")}`;
    pagerLink("earlier", page > 0 && { page: String(page), ...unselected });
    pagerLink("later", page + 1 < pages && { page: String(page + 2), ...unselected });
  }

  // Scrolls the list, and never the page, until a result can be seen.
  function reveal(link) {
    const box = at("results").parentElement;
    const [frame, spot] = [box.getBoundingClientRect(), link.getBoundingClientRect()];
    if (spot.top < frame.top || spot.bottom > frame.bottom) box.scrollTop += spot.top - frame.top - frame.height / 3;
  }

  const filtersOf = (said) => FILTERS.concat("q", "pa", "pb").map((name) => said[name] ?? "").join("\u0000");

  function counted(some, all) {
    const what = all === 1 ? "entry" : "entries";
    const total = `${all.toLocaleString("en")} ${what}`;
    return some === all ? total : `${some.toLocaleString("en")} of ${total}`;
  }

  function pagerLink(id, changed) {
    const link = at(id);
    if (changed) link.href = address(changed); else link.removeAttribute("href"); // no longer a link, then
  }

  // A result; the first one of a scenario `heads` it with the scenario's words.
  function item(row, { id, text }, selection, heads) {
    const { a, b, verdicts } = rows.at(row);
    const badges = verdicts.flatMap((letter, judging) => (letter === "." ? [] : [badge(rows.names[judging], SAGE.VERDICTS[letter], a, b), " "]));
    return make("li", heads ? { class: "first" } : {},
      heads ? make("p", { class: "result-text", dir: "auto" }, text || id || "No words") : null,
      make("a", { href: address({ ...unselected, page: undefined, ...selection }), "data-row": row, class: "result" },
        make("span", { class: "result-pair" }, SAGE.names(a, b)),
        make("span", { class: "badges" }, badges.length ? badges : make("i", { class: "quiet" }, "not judged"))));
  }

  function badge(judge, verdict, a, b) {
    return make("span", { class: `badge verdict-${verdict}` }, make("i", {}, `${judge}: `), SAGE.verdictWords(verdict, a, b));
  }

  async function drawRow(row, said, turn) {
    if (row < 0) {
      shownRow = -1;
      return at("shown").replaceChildren(make("p", { class: "nothing" }, found.length ? "Choose a pair to read both dialogues." : "Nothing to read: no entry fits the filters."));
    }
    const words = searched(said.q);
    const key = `${row} ${JSON.stringify(words)}`;
    if (key !== shownRow) {
      const started = performance.now();
      const article = await show.row(row, words);
      if (turn !== asked) return;
      at("shown").replaceChildren(await tools(row), article);
      if (shownRow !== -1 && at("shown").getBoundingClientRect().top < 0) at("shown").scrollIntoView();
      shownRow = key;
      performance.measure("sage-entry", { start: started });
      at("announced").textContent = `Shown: ${at("shown-title").textContent}`;
    } else {
      at("shown").firstElementChild.replaceWith(await tools(row));
    }
    const next = found[SAGE.place(found, row) + 1];
    if (next !== undefined) rows.block(rows.scenario[next]).catch(() => {}); // read ahead; a failure shows when it is asked for
  }

  function drawLost() {
    shownRow = -1;
    at("shown").replaceChildren(make("p", { class: "nothing" }, "This link leads to no entry of this report: it may have been made from another run."));
  }

  async function tools(row) {
    const place = SAGE.place(found, row);
    const step = async (label, other) => make("a", other === undefined ? {} : { href: address({ page: undefined, ...unselected, ...(await rows.link(other)) }) }, label);
    const selection = await rows.link(row);
    return make("nav", { class: "tools", "aria-label": "Entries" },
      make("a", { class: "back", href: address({ ...unselected, page: String(Math.floor(place / PAGE_ROWS) + 1) }) }, "All results"),
      await step("Previous", found[place] === row ? found[place - 1] : undefined),
      await step("Next", found[place] === row ? found[place + 1] : found[place]),
      make("a", { class: "permalink", href: `#${new URLSearchParams(selection)}` }, "Link to this entry"));
  }

  // The searched words as they are marked: all whole but an unfinished last one.
  function searched(text) {
    const words = SAGE.wordsOf(text ?? "", rows.longest);
    return words.map((word, place) => ({ word, whole: place < words.length - 1 || /\s$/u.test(text) }));
  }

  // ---- controls ----------------------------------------------------------------------------------------------------

  function option(value, text) { return make("option", { value }, text); }

  function fill(id, options) {
    at(id).append(...options.map(([value, text]) => option(value, text)));
    at(id).closest(".field").hidden = options.length === 0;
  }

  function fillControls() {
    const named = rows.pairs.map(([a, b], pair) => [String(pair), b === null ? `${a} (not judged)` : `${a} against ${b}`]);
    fill("pair", named.length > 1 ? named : []);
    fill("model", rows.models.map((model) => [model, model]));
    fill("judge", rows.names.map((name) => [name, name]));
    const judged = rows.names.length > 0;
    fill("verdict", judged ? [["A", "first wins"], ["B", "second wins"], ["T", "tie"], ["I", "orders disagree"], ["M", "unreadable"], ["E", "no answer"]] : []);
    fill("agree", rows.names.length > 1 ? [["same", "agree"], ["differ", "disagree"], ["opposite", "contradict"]] : []);
    fill("label", rows.emotions.map((emotion) => [emotion, emotion]));
  }

  let tagsRead = false;

  // Tags are many and their lists large: read when the page stands, and only named here.
  async function fillTags() {
    for (const facet of ["motivation", "emotion", "reads", "topic"]) {
      const { terms, counts } = await SAGE.need(`tags/${facet}`);
      const byCount = terms.map((term, place) => [term, counts[place]]).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
      if (facet === "topic") {
        at("topics").append(...byCount.slice(0, 500).map(([term]) => option(term, "")));
        at("topic").closest(".field").hidden = !terms.length;
      } else {
        fill(facet, byCount.map(([term, n]) => [term, `${term} (${n.toLocaleString("en")})`]));
      }
    }
    tagsRead = true;
    drawControls(wishes());
  }

  function drawControls(said) {
    const pair = rows.pairs.findIndex(([a, b]) => a === said.pa && (b ?? "") === (said.pb ?? ""));
    if (rows.names.length) drawVerdicts(said, pair);
    for (const name of FILTERS) {
      const value = name === "pair" ? (pair < 0 ? "" : String(pair)) : said[name] ?? "";
      at(name).value = value;
      if (at(name).value !== value && tagsRead) { // a link from another run, which must not look like no filter
        at(name).append(option(value, `${value} (not in this report)`));
        at(name).value = value;
      }
      at(name).closest(".field").classList.toggle("used", at(name).value !== "");
    }
    // While someone types, the box is ahead of the address.
    if (!typing && at("q").value !== (said.q ?? "")) at("q").value = said.q ?? "";
    const used = FILTERS.filter((name) => (name === "pair" ? pair >= 0 : said[name] !== undefined)).length;
    at("used").textContent = used ? ` (${used})` : "";
    at("clear").hidden = !used && !said.q;
  }

  // Verdicts are named after the models where the filters say who they are.
  function drawVerdicts(said, pair) {
    const [a, b] = rows.pairs[pair] ?? [];
    const select = at("verdict");
    for (const one of select.querySelectorAll("[value=wins], [value=loses]")) one.remove();
    select.querySelector("[value=A]")?.replaceChildren(b ? `${a} wins` : "first wins");
    select.querySelector("[value=B]")?.replaceChildren(b ? `${b} wins` : "second wins");
    if (said.model !== undefined && select.options.length > 1) {
      select.append(option("wins", `${said.model} wins`), option("loses", `${said.model} loses`));
    }
    select.value = said.verdict ?? "";
  }

  function filtered(event) {
    const { id, value } = event.target;
    const changed = { page: undefined, ...unselected };
    if (id === "pair") {
      const [a, b] = rows.pairs[value] ?? [];
      Object.assign(changed, { pa: a, pb: b ?? undefined });
    } else {
      changed[id] = value;
      if (id === "model" && ["wins", "loses"].includes(wishes().verdict)) changed.verdict = value ? wishes().verdict : undefined;
    }
    go(changed, true);
  }

  function typed() {
    clearTimeout(typing);
    typing = setTimeout(() => {
      typing = 0;
      go({ q: at("q").value, page: undefined, ...unselected }, false);
    }, 60);
  }

  function cleared() {
    at("q").value = "";
    go(Object.fromEntries(["q", "page", "pa", "pb", ...FILTERS, ...SELECTION].map((name) => [name, undefined])), true);
    at("q").focus();
  }

  // ---- keys --------------------------------------------------------------------------------------------------------

  async function step(by) {
    const now = Number(String(shownRow).split(" ")[0]);
    const place = SAGE.place(found, now);
    const target = found[shownRow === -1 ? 0 : place + by];
    if (target === undefined) return;
    go({ page: undefined, ...unselected, ...(await rows.link(target)) }, false);
    focusNext = true;
  }
  let focusNext = false;

  function focusShown() {
    if (!focusNext) return;
    focusNext = false;
    const link = at("results").querySelector("[aria-current]");
    if (link && link.offsetParent) link.focus(); else at("shown-title")?.focus();
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typingIn = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      if (event.target === at("q") && at("q").value) { at("q").value = ""; typed(); }
      else if (typingIn) event.target.blur();
      else go({ ...unselected }, true);
      return;
    }
    if (typingIn) return;
    const inList = event.target.closest("#results");
    const steps = { j: 1, k: -1, ...(inList ? { ArrowDown: 1, ArrowUp: -1 } : {}) };
    if (event.key in steps) { event.preventDefault(); step(steps[event.key]); }
    if (event.key === "/") { event.preventDefault(); at("q").focus(); at("q").select(); }
  }

  // ---- beginning ---------------------------------------------------------------------------------------------------

  async function drawn() {
    try {
      await draw();
      focusShown();
    } catch (error) {
      at("shown").replaceChildren(make("p", { class: "nothing alert", role: "alert" }, error.message));
    }
  }

  async function begin() {
    try {
      rows = new SAGE.Rows(await SAGE.need("index"));
    } catch (error) {
      at("count").textContent = error.message;
      return;
    }
    show = new SAGE.Show(rows);
    fillControls();
    at("filters").open = wide.matches;
    at("filters").addEventListener("change", filtered);
    at("q").addEventListener("input", typed);
    at("clear").addEventListener("click", cleared);
    at("finder").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", pressed);
    window.addEventListener("hashchange", drawn);
    wide.addEventListener("change", drawn);
    await drawn();
    performance.mark("sage-ready");
    document.documentElement.dataset.ready = "true";
    fillTags().catch((error) => { at("count").textContent = error.message; });
  }

  if (at("finder")) begin();
})();
