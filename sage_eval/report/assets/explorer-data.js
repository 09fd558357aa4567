// Reading the explorer's data: scripts instead of requests, because a page opened from disk may not fetch.
//
// Every file below data/ calls SAGE.load(name, value) once. SAGE.need(name) gives a promise of that value and adds
// the script element that brings it. Nothing is ever asked for outside this folder.
"use strict";

const SAGE = (() => {
  const waiting = new Map(); // name -> how to settle its promise
  const promised = new Map(); // name -> its promise, so that a file is loaded once

  function load(name, value) {
    waiting.get(name)?.resolve(value);
    waiting.delete(name);
  }

  function need(name) {
    if (!promised.has(name)) {
      promised.set(name, new Promise((resolve, reject) => {
        waiting.set(name, { resolve });
        const script = document.createElement("script");
        script.src = `data/${name}.js`;
        const failed = () => {
          promised.delete(name); // so that a later try may succeed
          reject(new Error(`data/${name}.js could not be read. Was the folder copied whole?`));
        };
        script.addEventListener("error", failed);
        script.addEventListener("load", () => { if (waiting.has(name)) failed(); script.remove(); });
        document.head.append(script);
      }));
    }
    return promised.get(name);
  }

  // Whole numbers, five bits a character, the sixth saying that more follow (sage_eval/report/explorer/packed.py).
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const VALUE = new Uint8Array(128);
  for (let digit = 0; digit < DIGITS.length; digit++) VALUE[DIGITS.charCodeAt(digit)] = digit;

  function unpack(text) {
    const numbers = new Int32Array(text.length);
    let count = 0, number = 0, shift = 0;
    for (let at = 0; at < text.length; at++) {
      const digit = VALUE[text.charCodeAt(at)];
      number |= (digit & 31) << shift;
      if (digit & 32) { shift += 5; continue; }
      numbers[count++] = number;
      number = 0;
      shift = 0;
    }
    return numbers.subarray(0, count);
  }

  // Sorted numbers, stored as gaps.
  function rising(text) {
    const numbers = unpack(text);
    for (let at = 1; at < numbers.length; at++) numbers[at] += numbers[at - 1];
    return numbers;
  }

  // Any numbers, stored as steps up (even) and down (odd).
  function column(text) {
    const numbers = unpack(text);
    let last = 0;
    for (let at = 0; at < numbers.length; at++) {
      const step = numbers[at];
      last += step & 1 ? -((step + 1) >> 1) : step >> 1;
      numbers[at] = last;
    }
    return numbers;
  }

  // One bit for each dialogue or scenario.
  class Bits {
    constructor(size) { this.words = new Uint32Array((size + 31) >> 5); }
    add(at) { this.words[at >> 5] |= 1 << (at & 31); }
    addAll(sorted) { for (const at of sorted) this.add(at); return this; }
    has(at) { return (this.words[at >> 5] >>> (at & 31)) & 1; }
  }

  // Words as they are cut and folded when the index is made (sage_eval/report/explorer/words.py).
  const WORD = /[\p{L}\p{N}]+/gu;

  function fold(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\p{M}/gu, "");
  }

  function wordsOf(text, longest) {
    return (fold(text).match(WORD) ?? []).map((word) => [...word].slice(0, longest).join(""));
  }

  // The first place in a sorted list whose item does not come before the one sought.
  function place(sorted, sought, before = (a, b) => a < b) {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(sorted[middle], sought)) low = middle + 1; else high = middle;
    }
    return low;
  }

  // The last place whose item is not after the one sought: which shard, page or file holds it.
  function holder(sorted, sought, before = (a, b) => a < b) {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(sought, sorted[middle])) high = middle; else low = middle + 1;
    }
    return Math.max(0, low - 1);
  }

  // The database sorts by code point, JavaScript by halves of surrogate pairs.
  function beforeByCodePoint(a, b) {
    const one = [...a], other = [...b];
    for (let at = 0; at < one.length && at < other.length; at++) {
      if (one[at] !== other[at]) return one[at].codePointAt(0) < other[at].codePointAt(0);
    }
    return one.length < other.length;
  }

  return { load, need, unpack, rising, column, Bits, fold, wordsOf, place, holder, beforeByCodePoint };
})();
