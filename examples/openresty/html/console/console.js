// SPDX-License-Identifier: MIT
// The console: shows the fleet, asks for previews, confirms them. Texts are always set as text, never as markup.
"use strict";

const at = id => document.getElementById(id);
const meta = name => document.querySelector(`meta[name=${name}]`).content;
const plural = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
const EVERY = 15000; // milliseconds between two looks, while somebody looks

let fleet = { agents: [] }, order, shown, opener, looks = 0, failures = 0, drawn;

// An element with these properties and children; what is no element is text.
function make(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null) continue;
    if (key in element) element[key] = value; else element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child !== undefined && child !== null));
  return element;
}

// ---- requests --------------------------------------------------------------------------------------------------------

// An answer's value; one that is an error is thrown, with what came along, as is none: isLost. Without a session there is nothing
// to see here.
async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRF-Token": meta("csrf") },
  }).catch(() => undefined);
  if (answer?.status === 401) {
    location.reload();
    return new Promise(() => {});
  }
  const value = await answer?.json().catch(() => undefined)
    ?? { error: answer ? "the server's answer cannot be read" : "the server does not answer", isLost: true };
  if (value.error) throw Object.assign(new Error(value.error), value);
  return value;
}

// ---- the fleet ---------------------------------------------------------------------------------------------------------

// What is chosen to be shown: { tag } or { agent }, or nothing for all.
function chosen() {
  const [, kind, value] = at("show").value.match(/^(tag|agent):(.*)$/s) || [];
  return kind && { [kind]: value };
}
const chosenName = () => chosen()?.tag ?? chosen()?.agent ?? "all agents";
const isChosen = agent => !chosen() || chosen().agent === agent.name || agent.tags.includes(chosen().tag);

function isShown(agent) {
  const words = at("find").value.toLowerCase().split(/\s+/);
  const text = [agent.name, agent.status, agent.zone, ...agent.tags].join(" ").toLowerCase();
  return isChosen(agent) && words.every(word => text.includes(word));
}

function toggle(agent) {
  if (agent.active === undefined) return make("span", { className: "soft" }, "not known");
  const now = agent.active ? "on" : "off", then = agent.active ? "off" : "on";
  return make("button", {
    className: "switch " + now, "aria-haspopup": "dialog", "aria-label": `Handoff of ${agent.name} is ${now}: switch it ${then}…`,
    onclick: () => begin({ agent: agent.name, active: !agent.active }),
  }, make("span", { className: "track", "aria-hidden": "true" }), now === "on" ? "On" : "Off");
}

function row(agent) {
  const facts = [agent.zone, ...agent.facts];
  if (agent.stale) facts.push(`as of ${Math.max(1, Math.round(agent.stale.age / 60))} min ago: ${agent.stale.error || "no newer answer"}`);
  return make("tr", { className: agent.class, "data-agent": agent.name },
    make("th", { scope: "row" }, make("bdi", {}, agent.name),
      make("span", { className: "tags" }, ...agent.tags.map(tag => make("span", {}, tag)))),
    make("td", { className: "said" }, agent.status),
    make("td", { className: "hours" }, agent.hours, make("small", {}, facts.filter(Boolean).join(" · "))),
    make("td", { className: "handoff" }, toggle(agent)));
}

const agentAt = element => element?.closest("tr")?.dataset.agent;

function focusAgent(name) {
  [...at("agents").rows].find(one => one.dataset.agent === name)?.querySelector("button")?.focus();
}

// Rows that are other ones are made anew, and what has the focus keeps it; else what somebody reads, or marks, stays.
function drawRows() {
  const list = fleet.agents.filter(isShown), held = agentAt(document.activeElement);
  if (drawn === JSON.stringify(list)) return;
  drawn = JSON.stringify(list);
  at("agents").replaceChildren(...list.map(row));
  at("none").hidden = list.length > 0;
  if (held !== undefined) focusAgent(held);
}

function drawWeek() {
  const query = new URLSearchParams({ ...chosen(), state: fleet.state + Math.floor(Date.now() / 300000) });
  const source = "week.svg?" + query, image = at("week");
  if (image.getAttribute("src") === source) return;
  image.src = source;
  image.alt = `Working hours of ${chosenName()}, drawn; the table above has them in words`;
  image.hidden = false;
}

function drawCounts() {
  const counts = new Map();
  for (const agent of fleet.agents) counts.set(agent.class, (counts.get(agent.class) || 0) + 1);
  at("counts").replaceChildren(...["open", "closed", "off", "unknown"].filter(name => counts.has(name))
    .map(name => make("li", { className: name }, make("b", {}, String(counts.get(name))), " " + name)));
  at("asof").textContent = "As of " + new Date(fleet.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function options(label, kind, names) {
  return make("optgroup", { label }, ...names.map(name => make("option", { value: `${kind}:${name}` }, name)));
}

let choices;

function drawChoices() {
  const names = fleet.agents.map(agent => agent.name), held = at("show").value;
  const tags = [...new Set(fleet.agents.flatMap(agent => agent.tags))].sort();
  if (choices === JSON.stringify([tags, names])) return;
  choices = JSON.stringify([tags, names]);
  at("show").replaceChildren(at("show").options[0], options("Tags", "tag", tags), options("Agents", "agent", names));
  at("show").value = held;
  if (at("show").selectedIndex < 0) at("show").selectedIndex = 0;
}

function draw() {
  drawChoices();
  drawCounts();
  drawRows();
  drawWeek();
  at("whom").textContent = chosen() ? chosenName() : "All agents";
}

function trouble(text) {
  at("trouble").textContent = text || "";
  at("trouble").hidden = !text;
}

// An answer that a later look has overtaken is left alone.
async function look() {
  const mine = ++looks;
  try {
    const seen = await ask("api/fleet");
    if (mine !== looks) return;
    fleet = seen;
    failures = 0;
    trouble();
    draw();
  } catch (error) {
    if (++failures > 1 || !fleet.state) trouble(`What is shown may be old: ${error.message}.`);
  }
}

// ---- what was done -----------------------------------------------------------------------------------------------------

function run(one) {
  const when = new Date(one.started * 1000);
  return make("li", {}, make("span", { className: "number" }, `run ${one.id}`),
    make("span", { className: "what" }, one.what, make("small", {}, `${one.state}, ${one.changed} changed · `,
      make("time", { dateTime: when.toISOString() }, when.toLocaleString()))),
    one.changed > 0 && one.state !== "running"
      ? make("button", { "aria-haspopup": "dialog", "aria-label": `Take back run ${one.id}…`,
        onclick: () => begin({ undo: one.id }) }, "Take back…") : "");
}

async function lookBack() {
  if (meta("history") !== "yes") return;
  const { runs } = await ask("api/runs").catch(() => ({ runs: [] }));
  at("runs").replaceChildren(...runs.map(run));
  at("past").hidden = runs.length === 0;
}

// ---- a change: shown, confirmed, done ------------------------------------------------------------------------------------

function named(names) {
  if (names.length <= 12) return names.join(", ");
  return make("details", {}, make("summary", {}, `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`), names.slice(8).join(", "));
}

function group(kind, one) {
  return make("div", { className: "change " + kind },
    make("p", { className: "who" }, make("b", {}, plural(one.names.length, "agent")), " ", named(one.names)),
    ...(one.lines || []).map(line => make("code", { className: { "+": "plus", "-": "minus" }[line[0]] || "tilde" }, line)),
    one.hours && make("p", { className: "soft" }, one.hours), one.message && make("p", { className: "message" }, one.message));
}

function show(title, children, confirm) {
  at("title").textContent = title;
  at("plan").replaceChildren(...children.filter(Boolean));
  at("plan").setAttribute("aria-busy", "false");
  at("confirm").hidden = !confirm;
  at("confirm").textContent = confirm || "";
  at("confirm").disabled = at("cancel").disabled = false;
  at("cancel").textContent = confirm ? "Cancel" : "Close";
}

function notice(text, kind) {
  at("notice").textContent = text || "";
  at("notice").className = kind || "";
  at("notice").hidden = !text;
}

function busy(text) {
  at("plan").setAttribute("aria-busy", "true");
  at("confirm").disabled = true;
  at("told").textContent = text;
}

function showPlan(preview) {
  shown = preview;
  const count = plural(preview.change, "agent");
  const left = [preview.unchanged && `${plural(preview.unchanged, "agent")} unchanged`, preview.absent].filter(Boolean).join("; ");
  show(`${capital(preview.title)}?`, [
    preview.change === 0 && !preview.errors.length && make("p", {}, "Nothing would change."),
    ...preview.changes.map(one => group("", one)), ...preview.warnings.map(one => group("warns", one)),
    ...preview.errors.map(one => group("fails", one)), left && make("p", { className: "soft" }, left),
  ], preview.plan && preview.change > 0 && (order.undo ? `Take back on ${count}` : `Switch ${order.active ? "on" : "off"} ${count}`));
  at("told").textContent = `${count} would change`;
  at("plan").focus(); // not the button: what is shown is to be read, and an Enter too many writes nothing
}

function showDone(done) {
  const results = done.results.filter(one => one.status !== "unchanged")
    .sort((one, other) => (other.status === "failed") - (one.status === "failed"));
  show(done.results.some(one => one.status === "failed") ? "Not all was done" : "Done", [
    make("p", {}, done.summary),
    done.run && done.changed > 0 && make("button", { onclick: () => begin({ undo: done.run }) }, "Take back…"),
    make("ul", { className: "results" }, ...results.map(one => make("li", { className: one.status },
      make("bdi", {}, one.name), " ", make("b", {}, one.status), one.error && make("p", { className: "message" }, one.error)))),
  ]);
  at("told").textContent = done.summary;
  at("cancel").focus();
}

// Where no answer came to what was to be written, nobody here knows what became of it.
function showFailure(error, isWriting) {
  const isOpen = isWriting && error.isLost;
  show(isOpen ? "It is not known what was done" : "That did not work", []);
  notice(capital(error.message) + (isOpen ? ", and may be at work still: look at the agents before you try again." : "."), "fails");
  at("cancel").focus();
}

async function begin(wanted) {
  order = wanted;
  notice();
  show("What would change", [make("p", { className: "soft" }, "Asking every agent…")]);
  busy("asking");
  if (!at("dialog").open) {
    opener = agentAt(document.activeElement);
    at("dialog").showModal();
  }
  try {
    const preview = await ask("api/preview", wanted);
    if (order === wanted && at("dialog").open) showPlan(preview);
  } catch (error) {
    if (order === wanted) showFailure(error);
  }
}

async function confirm() {
  const wanted = order;
  notice();
  busy("writing");
  at("confirm").textContent = "Writing…";
  at("cancel").disabled = true; // what is on its way is not stopped by looking away
  const [done, error] = await ask("api/apply", { ...wanted, plan: shown.plan }).then(value => [value], raised => [null, raised]);
  order = wanted;
  if (!at("dialog").open) at("dialog").showModal(); // a browser lets itself be told twice to close it
  if (done) showDone(done); else if (error.preview) showPlan(error.preview); else showFailure(error, true);
  if (error?.preview) notice(capital(error.message) + ".", "warns");
  await Promise.all([look(), lookBack()]);
}

// ---- the start -----------------------------------------------------------------------------------------------------------

at("show").addEventListener("change", draw);
at("find").addEventListener("input", drawRows);
at("on").addEventListener("click", () => begin({ ...chosen() || { all: true }, active: true }));
at("off").addEventListener("click", () => begin({ ...chosen() || { all: true }, active: false }));
at("confirm").addEventListener("click", confirm);
at("cancel").addEventListener("click", () => at("dialog").close());
at("dialog").addEventListener("cancel", event => { if (at("cancel").disabled) event.preventDefault(); });
at("dialog").addEventListener("close", () => {
  order = undefined;
  if (opener !== undefined) focusAgent(opener);
  look();
});
at("logout").addEventListener("click", async () => {
  await ask("logout", {}).then(() => location.reload(), error => trouble(`You are still logged in: ${error.message}.`));
});
for (const part of document.querySelectorAll("header, main")) part.hidden = false;
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
setInterval(() => { if (!document.hidden) look(); }, EVERY);
look();
lookBack();
