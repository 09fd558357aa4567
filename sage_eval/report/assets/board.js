// The leaderboard's switch between judges, and links to sections that keep what is chosen. Both only hide and scroll:
// without scripts all judges stand one after the other.
//
// The address says which judge is shown (#judge=NAME) and where the reader is (&at=SECTION).
"use strict";

(() => {
  const said = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  function go(changed) {
    const now = said();
    for (const [name, value] of Object.entries(changed)) if (value) now.set(name, value); else now.delete(name);
    location.hash = `#${now}`;
  }

  const bar = document.getElementById("judge-switch");
  const choices = bar ? [...bar.querySelectorAll("input")] : [];

  function showJudge() {
    const wanted = said().get("judge") ?? "";
    const chosen = choices.find((one) => one.value === wanted) ?? choices[0];
    if (!chosen) return;
    chosen.checked = true;
    for (const one of document.querySelectorAll("[data-judge]")) {
      one.classList.toggle("aside", chosen.value !== "" && one.dataset.judge !== chosen.value);
    }
  }

  function offerJudges() {
    if (!bar) return;
    bar.hidden = false;
    bar.addEventListener("change", (event) => go({ judge: event.target.value }));
  }

  // A plain #SECTION would wipe out the rest of the address.
  function keepChoices() {
    document.querySelector(".sections")?.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || !location.hash.includes("=")) return;
      event.preventDefault();
      const at = link.getAttribute("href").slice(1);
      if (said().get("at") === at) scrollThere(at); else go({ at });
    });
  }

  function scrollThere(id) {
    document.getElementById(id)?.scrollIntoView();
  }

  let last = null;
  function follow() {
    const at = said().get("at");
    if (at && at !== last) scrollThere(at);
    last = at;
  }

  // Before the tables are sorted and filtered, so that they count the rows that are left.
  window.addEventListener("hashchange", () => { showJudge(); follow(); });
  offerJudges();
  showJudge();
  keepChoices();
  document.addEventListener("DOMContentLoaded", follow);
})();
