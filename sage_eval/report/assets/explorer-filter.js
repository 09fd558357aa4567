// Which rows remain: filters over columns of small numbers, and words through the inverted index.
"use strict";

SAGE.Rows = class {
  constructor(index) {
    Object.assign(this, index);
    this.count = index.rows;
    for (const name of ["scenario", "pair", "sample", "a", "b", "labels"]) this[name] = SAGE.column(index[name]);
    this.chunks = SAGE.rising(index.chunks);
    this.models = [...new Set(index.pairs.filter(([, b]) => b !== null).flat())].sort();
    this.names = nameJudgings(index.judgings);
  }

  // A row with its names.
  at(row) {
    const [a, b] = this.pairs[this.pair[row]];
    return {
      row, a, b, sample: this.sample[row], scenario: this.scenario[row],
      dialogues: [this.a[row] - 1, this.b[row] - 1], // -1: not in the warehouse, or there is no B
      verdicts: this.verdicts.map((letters) => letters[row]),
    };
  }

  async scenarioOf(number) {
    const page = await SAGE.need(`scenarios/${String(Math.floor(number / this.page)).padStart(4, "0")}`);
    const [id, text] = page[number % this.page];
    return { id, text };
  }

  async numberOf(id) {
    if (!this.firsts.length) return -1;
    const known = this.firsts.map((first) => first ?? "\u{10ffff}"); // those without an id come last
    const page = SAGE.holder(known, id, SAGE.beforeByCodePoint);
    const listed = await SAGE.need(`scenarios/${String(page).padStart(4, "0")}`);
    const found = listed.findIndex(([other]) => other === id);
    return found < 0 ? -1 : page * this.page + found;
  }

  // Everything known of one scenario: its text, dialogues and answers.
  async block(scenario) {
    const chunk = SAGE.holder(this.chunks, scenario);
    const blocks = await SAGE.need(`dialogues/${String(chunk).padStart(5, "0")}`);
    return blocks[scenario - this.chunks[chunk]];
  }

  // The row that a link names; -1 when there is none.
  async find({ s, a, b, n }) {
    const pair = this.pairs.findIndex(([one, other]) => one === a && (other ?? "") === (b ?? ""));
    if (pair < 0) return -1;
    const scenario = s === undefined ? null : await this.numberOf(s);
    if (scenario === -1) return -1;
    const sample = Number(n ?? 0);
    const from = scenario === null ? 0 : SAGE.place(this.scenario, scenario);
    let seen = 0;
    for (let row = from; row < this.count; row++) {
      if (scenario !== null && this.scenario[row] !== scenario) break;
      if (this.pair[row] !== pair) continue;
      // Dialogues without a scenario are counted one after the other.
      if (scenario === null ? seen++ === sample : this.sample[row] === sample) return row;
    }
    return -1;
  }

  // What a link to a row says; the inverse of `find`.
  async link(row) {
    const { a, b, sample, scenario } = this.at(row);
    const { id } = await this.scenarioOf(scenario);
    const said = { a };
    if (b !== null) said.b = b;
    if (id !== null) {
      said.s = id;
      if (sample) said.n = String(sample);
    } else {
      let before = 0;
      for (let other = 0; other < row; other++) if (this.pair[other] === this.pair[row]) before++;
      said.n = String(before);
    }
    return said;
  }

  // The rows that satisfy every wish, in order.
  async matching(wishes) {
    const tests = (await Promise.all([
      this.byWords(wishes.q),
      ...["motivation", "emotion", "reads", "topic"].map((facet) => this.byTag(facet, wishes[facet])),
    ])).filter(Boolean);
    tests.push(...[this.byPair(wishes), this.byLabel(wishes), this.byVerdict(wishes), this.byAgreement(wishes)].filter(Boolean));
    const found = new Int32Array(this.count);
    let count = 0;
    for (let row = 0; row < this.count; row++) {
      if (tests.every((test) => test(row))) found[count++] = row;
    }
    return found.subarray(0, count);
  }

  byPair({ pa, pb, model }) {
    if (pa === undefined && model === undefined) return null;
    const kept = this.pairs.map(([a, b]) =>
      (pa === undefined || (a === pa && (b ?? "") === (pb ?? ""))) && (model === undefined || a === model || b === model));
    return (row) => kept[this.pair[row]];
  }

  byLabel({ label }) {
    if (label === undefined) return null;
    const place = this.emotions.indexOf(label) + 1;
    return (row) => place > 0 && this.labels[this.scenario[row]] === place;
  }

  // Columns of the judge that is asked for, or of all.
  columnsOf(judge) {
    if (judge === undefined) return this.verdicts;
    const named = this.verdicts.filter((_, at) => this.names[at] === judge);
    // A link from another page knows the judge's name alone.
    return named.length ? named : this.verdicts.filter((_, at) => this.judgings[at].judge === judge);
  }

  byVerdict({ judge, verdict, model }) {
    if (judge === undefined && verdict === undefined) return null;
    const columns = this.columnsOf(judge);
    if (verdict === undefined) return (row) => columns.some((letters) => letters[row] !== ".");
    if (verdict === "wins" || verdict === "loses") {
      // By pair: the letter that means that this model won, or lost.
      const letter = this.pairs.map(([a, b]) => (a === model) === (verdict === "wins") ? "A" : b === null ? "" : "B");
      return (row) => columns.some((letters) => letters[row] === letter[this.pair[row]]);
    }
    return (row) => columns.some((letters) => letters[row] === verdict);
  }

  byAgreement({ agree }) {
    if (agree === undefined) return null;
    // One answer of each judge: a judge does not disagree with itself, nor a panel with its members.
    const judges = this.verdicts.filter((_, at) => this.judgings[at].repeat === 1 && !this.judgings[at].panel);
    const readable = (row) => judges.map((letters) => letters[row]).filter((letter) => "ABTI".includes(letter));
    if (agree === "opposite") return (row) => { const said = readable(row); return said.includes("A") && said.includes("B"); };
    // Without two readable verdicts there is nothing to agree on.
    return (row) => {
      const said = readable(row);
      return said.length > 1 && said.every((letter) => letter === said[0]) === (agree === "same");
    };
  }

  either(bits) {
    return (row) => {
      const a = this.a[row], b = this.b[row];
      return (a > 0 && bits.has(a - 1)) || (b > 0 && bits.has(b - 1));
    };
  }

  async byTag(facet, value) {
    if (value === undefined) return null;
    const { terms, dialogues } = await SAGE.need(`tags/${facet}`);
    const at = terms.indexOf(value);
    return this.either(new SAGE.Bits(this.dialogues).addAll(at < 0 ? [] : SAGE.rising(dialogues[at])));
  }

  // Every word must stand in the scenario or in one of the dialogues; the last one may be the beginning of a word.
  async byWords(text) {
    const words = SAGE.wordsOf(text ?? "", this.longest);
    if (!words.length) return null;
    const unfinished = !/\s$/u.test(text);
    const found = await Promise.all(words.map((word, at) => this.holding(word, unfinished && at === words.length - 1)));
    const tests = found.map(({ said, stated }) => {
      const spoken = this.either(said);
      return (row) => stated.has(this.scenario[row]) || spoken(row);
    });
    return (row) => tests.every((test) => test(row));
  }

  async holding(word, asPrefix) {
    const said = new SAGE.Bits(this.dialogues), stated = new SAGE.Bits(this.scenarios);
    if (!this.words.length) return { said, stated };
    const first = SAGE.holder(this.words, word);
    const last = asPrefix ? SAGE.holder(this.words, word + "\uffff") : first;
    const names = Array.from({ length: last - first + 1 }, (_, at) => `words/${String(first + at).padStart(4, "0")}`);
    for (const shard of await Promise.all(names.map(SAGE.need))) {
      for (let at = SAGE.place(shard.terms, word); at < shard.terms.length; at++) {
        if (asPrefix ? !shard.terms[at].startsWith(word) : shard.terms[at] !== word) break;
        said.addAll(SAGE.rising(shard.dialogues[at]));
        stated.addAll(SAGE.rising(shard.scenarios[at]));
      }
    }
    return { said, stated };
  }
};

// Judges by name; the stage and the number of the answer are added where the name alone does not tell them apart.
function nameJudgings(judgings) {
  const shared = (name) => judgings.filter(({ judge }) => judge === name);
  return judgings.map(({ judge, stage, repeat }) => {
    const same = shared(judge);
    const stages = new Set(same.map((one) => one.stage)).size > 1 ? ` (${stage})` : "";
    const repeats = same.some((one) => one.repeat > 1) ? `, answer ${repeat}` : "";
    return judge + stages + repeats;
  });
}
