// SPDX-License-Identifier: MIT
// Keeps the way to a human as the agent's hours have it, while the page is open. Without it the page says what was so when it
// was fetched.
"use strict";

const MOST = 60; // seconds between two looks, at most
const find = id => document.getElementById(id);
const told = { open: "Somebody is here now.", closed: "Nobody is here just now.", unknown: "Write to us, and a person answers." };
let next;

// A time as this visitor's clock shows it; with its day where that is another one: "17:30", "Monday 09:00".
function when(text) {
  const time = new Date(text), today = new Date();
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (time.toDateString() === today.toDateString()) return time.toLocaleTimeString("en", clock);
  const far = time - today > 6 * 86400e3;
  return time.toLocaleString("en", { weekday: "long", ...far && { day: "numeric", month: "long" }, ...clock });
}

// Only what differs is written: a screen reader says what changes, and nothing else.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(status) {
  const state = status ? status.open ? "open" : "closed" : "unknown";
  const until = state === "open" && status.until ? `Until ${when(status.until)}.`
    : state === "closed" && status.next_open ? `Back ${when(status.next_open)}.` : "";
  const message = state === "closed" && status.message || "";
  document.documentElement.dataset.handoff = state;
  write(find("told"), told[state]);
  write(find("until"), until);
  write(find("message"), message);
  find("message").hidden = !message;
  find("talk").hidden = state !== "open";
  find("write").hidden = state === "open";
}

// nginx answers from its memory, and with 304 where nothing is new. What cannot be asked is not known: nobody is promised.
async function look() {
  clearTimeout(next);
  let status = null;
  try {
    const answer = await fetch("handoff/status", { cache: "no-cache" });
    if (answer.ok) status = await answer.json();
  } catch { /* offline */ }
  show(status);
  const change = status && status.until ? (new Date(status.until) - Date.now()) / 1000 + 1 : MOST;
  clearTimeout(next);
  if (!document.hidden) next = setTimeout(look, 1000 * Math.min(MOST, Math.max(1, change)));
}

// A page that nobody sees asks nothing; seen again, it asks at once.
document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(next); else look(); });
look();
