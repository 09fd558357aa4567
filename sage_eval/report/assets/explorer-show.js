// One row on the page: its scenario, what the judges said, and the dialogues turn by turn.
//
// What people, models and judges wrote becomes text nodes and nothing else; no markup is ever read from it.
"use strict";

// An element with attributes and children; children that are strings become text.
SAGE.make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
};

// The colour of a side, for the eye alone.
SAGE.key = (side) => SAGE.make("span", { class: `key key-${side}`, "aria-hidden": "true" });

// Who is compared with whom, or who spoke in a dialogue that was not judged.
SAGE.names = (a, b) => (b === null
  ? [SAGE.key("alone"), a]
  : [SAGE.key("a"), a, SAGE.make("span", { class: "quiet" }, " against "), SAGE.key("b"), b]);

SAGE.Show = class {
  constructor(rows) { this.rows = rows; }

  // The article of a row; `words` are marked where they are said.
  async row(row, words) {
    const shown = this.rows.at(row);
    const blocks = await this.blocks(shown);
    const block = blocks.get(shown.scenario);
    const about = { ...shown, block, words };
    const sides = shown.b === null ? [[shown.a, "alone", 0]] : [[shown.a, "a", 0], [shown.b, "b", 1]];
    return SAGE.make("article", { "aria-labelledby": "shown-title" },
      this.heading(about),
      this.judges(about),
      SAGE.make("div", { class: shown.b === null ? "pair single" : "pair" },
        sides.map(([name, side, at]) => this.dialogue(about, name, side, this.held(blocks, shown.dialogues[at])))));
  }

  // The scenario of the row, and those of its dialogues should they lie elsewhere.
  async blocks(shown) {
    const blocks = new Map([[shown.scenario, await this.rows.block(shown.scenario)]]);
    for (const number of shown.dialogues.filter((one) => one >= 0)) {
      if (this.held(blocks, number)) continue;
      const row = this.rows.a.indexOf(number + 1);
      const other = this.rows.scenario[row < 0 ? this.rows.b.indexOf(number + 1) : row];
      blocks.set(other, await this.rows.block(other));
    }
    return blocks;
  }

  held(blocks, number) {
    for (const block of blocks.values()) {
      const dialogue = block.dialogues.find(([other]) => other === number);
      if (dialogue) return { dialogue, words: block.words };
    }
    return null;
  }

  heading({ a, b, sample, block, words }) {
    const { make } = SAGE;
    const facts = [block.id ?? "no scenario", block.split, b === null ? "not judged" : null, sample ? `rollout ${sample + 1}` : null].filter(Boolean);
    return make("header", { class: "shown-head" },
      make("h2", { id: "shown-title", tabindex: "-1" }, SAGE.names(a, b)),
      block.text === null
        ? make("p", { class: "quiet" }, b === null ? "No judge saw this dialogue." : "The warehouse does not hold the words of this scenario.")
        : make("blockquote", { class: "situation", dir: "auto" }, this.marked(block.text, words)),
      make("p", { class: "shown-facts" },
        block.emotion === null ? null : make("span", { class: "chip" }, make("i", {}, "labelled "), block.emotion),
        make("code", {}, facts.join(" \u00b7 "))));
  }

  judges(about) {
    const { make } = SAGE;
    const answers = about.block.answers.filter(([row]) => row === about.row);
    if (!answers.length) return null;
    return make("section", { class: "judges", "aria-label": "What the judges said" },
      answers.map((answer) => this.judge(about, answer)));
  }

  judge({ a, b, block }, [, judging, ...rest]) {
    const { make } = SAGE;
    const [verdict, choiceAb, rawAb, errorAb, choiceBa, rawBa, errorBa] = rest.slice(0, 7).map((at) => block.words[at] ?? null);
    const [wordsA, wordsB] = rest.slice(7);
    const name = this.rows.names[judging];
    return make("section", { class: "judge", "aria-label": `Judge ${name}` },
      make("h3", {}, make("span", {}, make("i", {}, "judge "), name), " ", make("span", { class: `verdict verdict-${SAGE.kindOf(verdict)}` }, SAGE.verdictWords(verdict, a, b))),
      choiceAb === null && choiceBa === null
        ? make("p", { class: "quiet small" }, "Follows from the verdicts of the judges; a panel is not asked itself.")
        : make("dl", {},
          this.order(`${a} first`, choiceAb, [a, b], rawAb, errorAb),
          this.order(`${b} first`, choiceBa, [b, a], rawBa, errorBa)),
      wordsA === null || wordsB === null ? null
        : make("p", { class: "quiet small" }, `Words a reply: ${wordsA.toFixed(1)} and ${wordsB.toFixed(1)}`));
  }

  order(label, choice, [first, second], raw, error) {
    const { make } = SAGE;
    const meant = { first: `takes ${first}`, second: `takes ${second}`, tie: "calls it a tie", malformed: "gives no verdict", error: "did not answer" };
    return make("div", {},
      make("dt", {}, label),
      make("dd", {},
        make("span", { class: "meant" }, meant[choice] ?? choice ?? "unknown"),
        raw ? this.raw(raw) : null,
        error ? make("p", { class: "alert small", dir: "auto" }, error) : null));
  }

  // The answer as it came; a long one is folded away.
  raw(text) {
    const { make } = SAGE;
    if (text.length <= 160) return make("code", { class: "raw", dir: "auto" }, text);
    return make("details", { class: "raw-long" },
      make("summary", {}, `The answer as it came, ${text.length.toLocaleString("en")} characters`),
      make("code", { class: "raw", dir: "auto" }, text));
  }

  dialogue({ words }, name, side, held) {
    const { make } = SAGE;
    const head = make("h3", {}, SAGE.key(side), name);
    if (!held || !held.dialogue[4].length) {
      return make("section", { class: "dialogue", "aria-label": `Dialogue of ${name}` }, head,
        make("p", { class: "nothing" }, "The warehouse does not hold this dialogue. Was its stage among the inputs, or were turns left out?"));
    }
    const [, id, stage, model, turns] = held.dialogue;
    const facts = [held.words[stage], held.words[model], id].filter((one) => one !== undefined);
    const searched = turns.some((turn) => turn.length > 4);
    return make("section", { class: `dialogue side-${side}`, "aria-label": `Dialogue of ${name}` }, head,
      make("p", { class: "provenance-line" }, facts.map((one) => [make("span", {}, one), " "])),
      make("ol", {}, turns.map((turn) => this.turn(turn, held.words, words))),
      searched || !this.rows.searched ? null : make("p", { class: "quiet small" }, "Said as it came: no candidates were drawn for this dialogue."));
  }

  turn([role, text, own, read, candidates], strings, words) {
    const { make } = SAGE;
    return make("li", { class: `turn turn-${strings[role] === "user" ? "user" : "assistant"}` },
      make("span", { class: "who" }, strings[role]),
      this.states(own, read, strings),
      make("p", { class: "said", dir: "auto" }, this.marked(text, words)),
      candidates ? this.candidates(candidates, strings) : null);
  }

  states(own, read, strings) {
    const { make } = SAGE;
    return [
      read ? make("div", { class: "state" }, make("span", { class: "reads" }, "reads the user as"), this.chips(read, strings, "chip chip-read")) : null,
      own ? make("div", { class: "state" }, this.chips(own, strings, "chip")) : null,
    ];
  }

  chips([motivation, emotion, topics], strings, kind) {
    const chip = (label, text) => SAGE.make("span", { class: kind }, SAGE.make("i", {}, `${label} `), text);
    return [
      motivation < 0 ? null : chip("motivation", strings[motivation]),
      emotion < 0 ? null : chip("emotion", strings[emotion]),
      topics.length ? chip(topics.length === 1 ? "topic" : "topics", topics.flatMap((at, place) => [place ? ", " : "", SAGE.make("span", { class: "topic" }, strings[at])])) : null,
    ].filter(Boolean).flatMap((one) => [one, " "]);
  }

  candidates(candidates, strings) {
    const { make } = SAGE;
    const chosen = candidates.find(([selected]) => selected);
    const rejected = candidates.filter(([selected]) => !selected);
    const drawn = rejected.reduce((sum, one) => sum + one[5], 0);
    const score = chosen && chosen[2] !== null ? ` \u00b7 this one scored ${chosen[2].toFixed(2)}` : "";
    const summary = rejected.length ? `${drawn} rejected${score}` : `no other candidate${score}`;
    if (!rejected.length) return make("p", { class: "quiet small" }, summary);
    const details = make("details", { class: "candidates" }, make("summary", {}, summary));
    // Built when it is opened: a dialogue may have hundreds of them.
    details.addEventListener("toggle", () => {
      if (details.open && !details.querySelector("ol")) {
        details.append(make("ol", {}, rejected.map((one) => this.candidate(one, strings))));
      }
    });
    return details;
  }

  candidate([, text, score, own, read, copies, acceptable, status, problems, figures], strings) {
    const { make } = SAGE;
    const flags = [
      copies > 1 ? `drawn ${copies} times` : null,
      acceptable === 0 ? "not acceptable" : null,
      status >= 0 && strings[status] !== "ok" ? strings[status] : null,
      ...problems.map((at) => strings[at]),
    ].filter(Boolean);
    const scored = this.rows.features.map((name, at) => [name, figures[at]]).filter(([, figure]) => figure !== null && figure !== undefined);
    return make("li", {},
      make("span", { class: "score" }, score === null ? "\u2013" : score.toFixed(2)),
      make("div", {},
        make("p", { class: "said", dir: "auto" }, text ?? ""),
        this.states(own, read, strings),
        flags.length ? make("p", { class: "quiet small" }, flags.join(" \u00b7 ")) : null,
        scored.length ? make("p", { class: "quiet small" }, scored.map(([name, figure]) => `${name} ${figure.toFixed(2)}`).join(" \u00b7 ")) : null));
  }

  // The text with the words that were searched for in marks.
  marked(text, words) {
    if (!words.length) return [text];
    const parts = [];
    let from = 0;
    for (const match of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
      const said = SAGE.fold(match[0]);
      if (!words.some(({ word, whole }) => (whole ? said === word : said.startsWith(word)))) continue;
      parts.push(text.slice(from, match.index), SAGE.make("mark", {}, match[0]));
      from = match.index + match[0].length;
    }
    return [...parts, text.slice(from)];
  }
};

// Verdicts in words and colours: by letter in the list, by name where the judge is quoted.
SAGE.VERDICTS = { A: "A", B: "B", T: "tie", I: "inconsistent", M: "malformed", E: "error" };

SAGE.kindOf = (verdict) => (Object.values(SAGE.VERDICTS).includes(verdict) ? verdict : "none");

SAGE.verdictWords = (verdict, a, b) => ({
  A: `${a} wins`, B: `${b} wins`, tie: "a tie", inconsistent: "the orders disagree",
  malformed: "unreadable", error: "no answer",
})[verdict] ?? "not judged";
