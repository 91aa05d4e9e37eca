"use strict";
// Draws the summary. Every text from it is set as text; what is not known is never drawn as well.
const EVERY_MS = 30000;
const PATIENCE_MS = 25000;
const STALE_MS = 90000;
const FIRST = 8;
const KEY = "functions-key";
const STATUSES = new Set(["ok", "unproven", "trouble", "unknown"]);

const at = (id) => document.getElementById(id);
let shownAt = 0; // the browser's clock when the summary arrived
let seenAt = 0; // the app's clock when it was made
let problem = "";
let asking = false;

function node(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

function shape(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#shape-${name}`);
  svg.append(use);
  return svg;
}

// A word with its shape and colour: none of the three stands alone.
function state(status, word) {
  return node("span", { class: "state", "data-status": status }, shape(status), word || status);
}

function words(text) {
  return String(text).replaceAll("_", " ");
}

// --- times: as seen from the app's clock, so that a wrong clock here misleads nobody

function now() {
  return seenAt + (Date.now() - shownAt);
}

function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

function relative(ms) {
  return ms >= now() + 1000 ? `in ${span(ms - now())}` : `${span(now() - ms)} ago`;
}

function utc(iso) {
  return `${new Date(iso).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function time(iso) {
  if (!iso) return "–";
  const ms = Date.parse(iso);
  return node("time", { datetime: iso, title: utc(iso), "data-at": ms }, relative(ms));
}

// For what was seen: the app may have looked a moment after it began to answer.
function past(iso) {
  return time(iso && new Date(Math.min(Date.parse(iso), now())).toISOString());
}

function link(path, text, properties) {
  return node("a", { href: path, "data-detail": path, ...properties }, text);
}

// --- tables that are cards on a phone; the roles keep them tables for who listens

function table(label, heads, rows, none) {
  if (!rows.length) return node("p", { class: "empty" }, none);
  const head = node("tr", { role: "row" }, ...heads.map(([name, kind]) => node("th", { scope: "col", role: "columnheader", class: kind }, name)));
  const body = rows.map((cells) =>
    node("tr", { role: "row" }, ...cells.map((cell, place) => {
      const [name, kind] = heads[place];
      const parts = (Array.isArray(cell) ? cell : [cell]).filter((part) => part !== null && part !== undefined && part !== "");
      const empty = parts.length ? "" : " empty-cell";
      if (place === 0) return node("th", { scope: "row", role: "rowheader", class: kind }, ...parts);
      return node("td", { role: "cell", class: `${kind || ""}${empty}`, "data-label": name }, node("div", null, ...parts));
    })));
  return node("table", { class: "table", role: "table", "aria-label": label },
    node("thead", { role: "rowgroup" }, head), node("tbody", { role: "rowgroup" }, ...body));
}

function put(id, ...children) {
  at(id).replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== ""));
}

function figure(name, value) {
  return node("div", null, node("dt", null, name), node("dd", null, String(value)));
}

// --- the parts

function drawNow(summary) {
  const count = summary.troubles.length;
  const status = STATUSES.has(summary.status) ? summary.status : "unknown";
  const bad = summary.troubles.filter((each) => each.severity !== "unknown").length;
  const said = { ok: "All is well", unproven: "Nothing is seen wrong" }[status]
    || (bad ? `${bad} ${bad === 1 ? "thing is" : "things are"} wrong` : "Not everything is known");
  if (at("now").dataset.said !== said) {
    at("now").dataset.said = said;
    put("now", node("span", { "data-status": status }, shape(status)), said);
  }
  document.title = `${said} · AML R Ops`;
  drawIcon(status);
  put("troubles", ...summary.troubles.slice(0, FIRST).map(trouble));
  put("more-troubles", ...summary.troubles.slice(FIRST).map(trouble));
  at("troubles").hidden = !count;
  at("more").hidden = count <= FIRST;
  at("more-count").textContent = `And ${count - FIRST} more`;
}

function trouble(each) {
  const kind = { critical: "trouble", warning: "warning" }[each.severity] || "unknown";
  const word = { trouble: "Critical: ", warning: "Warning: ", unknown: "Unknown: " }[kind];
  const more = each.detail ? [" ", link(each.detail, "Detail", { "aria-label": `Detail: ${each.text}` })] : [];
  const reason = each.reason || more.length ? node("p", null, each.reason, ...more) : null;
  return node("li", null,
    node("span", { "data-status": kind }, shape(kind)),
    node("span", null, node("span", { "data-status": kind }, word), node("strong", null, each.text)),
    each.since ? node("span", { class: "when" }, time(each.since)) : null,
    reason);
}

function drawIcon(status) {
  const colour = { ok: "%231f7a45", unproven: "%23585d66", trouble: "%23b3261e", unknown: "%235f4b8b" }[status];
  const drawn = { ok: "circle cx='8' cy='8' r='7'", unproven: "rect x='1' y='5' width='14' height='6'", trouble: "path d='M8 1 15.6 15H.4z'", unknown: "rect x='2' y='2' width='12' height='12'" }[status];
  at("icon").href = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><${drawn} fill='${colour}'/></svg>`;
}

function drawStatus(name, part) {
  const status = part && STATUSES.has(part.status) ? part.status : "unknown";
  const place = document.querySelector(`[data-status-of="${name}"]`);
  place.dataset.status = status;
  place.replaceChildren(shape(status), status);
  return part && !part.error;
}

function told(id, part, ...children) {
  // What could not be read has nothing to show but why.
  const body = document.getElementById(id.replace("-told", "-body"));
  if (body) body.hidden = !part || Boolean(part.error);
  if (!part || part.error) put(id, `Not known: ${part ? part.error : "the summary does not hold it."}`);
  else put(id, ...children);
}

function ticked(timer, what) {
  if (!timer) return [`No ${what} has been recorded.`];
  const parts = !timer.began_at ? [`No ${what} has been recorded`] : timer.ended_at
    ? [`The last ${what} `, timer.error ? "failed " : "ended ", time(timer.ended_at)]
    : [`A ${what} began `, time(timer.began_at), " and goes on"];
  if (timer.overdue) return [...parts, "; the next is ", node("strong", { class: "late" }, "overdue"), ": it was due ", time(timer.due_at), "."];
  return timer.next_at ? [...parts, "; the next is due ", time(timer.next_at), "."] : [...parts, "."];
}

function drawCompute(part) {
  drawStatus("compute", part);
  const seen = part && part.last_seen;
  told("compute-told", part, ...(part ? ticked(part.timer, "tick") : []));
  at("compute-figures").hidden = !seen;
  if (seen) {
    const { counts, saved } = seen;
    put("compute-figures",
      figure("last tick", words(seen.result)), figure("seen", counts.seen), figure("stopped", counts.stopped),
      figure("left as they were", counts.left), figure("failed", counts.failed), figure("unresolved", counts.unresolved),
      figure(`saved, ${saved.currency} per ${saved.per}`, saved.amount.toFixed(2)));
  }
  drawRuns((part && part.runs) || [], Boolean(part && !part.error));
  drawStillOn(seen);
}

function drawRuns(runs, known) {
  const oldestFirst = [...runs].reverse();
  put("strip", ...oldestFirst.map((run) => {
    const result = run.result || "running";
    const counts = run.counts ? `, ${run.counts.stopped} stopped, ${run.counts.failed} failed` : "";
    const label = `${utc(run.started_at)}, ${run.trigger}, ${result}${counts}`;
    return node("li", { "data-result": result }, link(runPath(run), node("span", null), { "aria-label": label, title: label }));
  }));
  at("strip").hidden = at("strip-legend").hidden = !runs.length;
  put("strip-legend", ...["succeeded", "partial", "failed", "running"].map((result) => {
    const count = runs.filter((run) => (run.result || "running") === result).length;
    return count ? node("li", { "data-result": result }, node("span", { "aria-hidden": "true" }), `${count} ${result}`) : null;
  }));
  at("strip-title").textContent = runs.length ? `Last ${runs.length === 1 ? "run" : `${runs.length} runs, the latest on the right`}` : "Last runs";
  const heads = [["Began"], ["Result"], ["Trigger"], ["Stopped", "number"], ["Left", "number"], ["Failed", "number"], ["Saved per hour", "number"], ["Error", "wide"]];
  const status = { succeeded: "ok", partial: "warning", failed: "trouble" };
  put("runs-table", table("Last runs", heads, runs.map((run) => [
    link(runPath(run), utc(run.started_at)),
    state(status[run.result] || "busy", run.result || "running"),
    run.trigger,
    ...(run.counts ? [String(run.counts.stopped), String(run.counts.left), String(run.counts.failed + run.counts.unresolved)] : ["", "", ""]),
    run.saved ? `${run.saved.amount.toFixed(2)} ${run.saved.currency}` : "",
    run.error || "",
  ]), known ? "No run yet: a tick that has nothing to do leaves none." : "Not known."));
}

function runPath(run) {
  return `/api/compute/runs/${encodeURIComponent(run.run_id)}`;
}

function drawStillOn(seen) {
  const reasons = Object.entries((seen && seen.still_on_by_reason) || {});
  put("still-on-reasons", ...reasons.map(([reason, count]) => node("li", null, node("b", null, String(count)), ` ${words(reason)}`)));
  at("still-on-reasons").hidden = !reasons.length;
  if (!seen) return put("still-on", node("p", { class: "empty" }, "Not known: no tick has told."));
  const heads = [["Machine"], ["Owner"], ["State"], ["Why", "wide"], [`${seen.saved.currency} per hour`, "number"]];
  const rows = seen.still_on.map((each) => [
    node("strong", null, each.name), each.owner || "–", each.state || "not told", each.reason_text,
    each.price_per_hour === null ? "not known" : each.price_per_hour.toFixed(2)]);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  put("still-on", table("Machines that are on, and why", heads, rows, "Nothing was on when the last tick ended."),
    total > rows.length ? node("p", { class: "empty" }, `And ${total - rows.length} more.`) : null);
}

function drawScoring(part) {
  drawStatus("scoring", part);
  const counts = (part && part.counts) || {};
  const services = (part && part.services) || [];
  const answering = services.filter((each) => each.status === "unproven" && each.proven === "answers_only").length;
  const busy = (counts.unproven || 0) - answering;
  const counted = [`${counts.trouble || 0} in trouble`, `${counts.unknown || 0} not known`, `${counts.ok || 0} well`,
    answering ? `${answering} answer, unproven` : "", busy ? `${busy} busy` : ""].filter(Boolean).join(", ");
  // Before a round has told there is nothing to count.
  told("scoring-told", part, part && part.round ? `${counted}. ` : "", ...(part ? ticked(part.timer, "round of checks") : []));
  const heads = [["Service"], ["Verdict", "nowrap"], ["Since", "nowrap"], ["Up 24 h", "number"], ["Last check", "nowrap"], ["What was seen", "wide"]];
  const none = part && part.round ? "No service is looked after." : "Not known: no round of checks has told.";
  put("services", table("Scoring services, worst first", heads, services.map(service), none));
  const round = part && part.round;
  const problems = round ? [...round.problems, ...round.unchecked.map((each) => `${each.name} was not checked: ${each.reason}`)] : [];
  put("round-problems", ...problems.map((each) => node("li", null, each)));
  at("round-problems").hidden = !problems.length;
}

function service(each) {
  const late = each.status === "trouble" && each.state !== "unhealthy";
  const bare = each.status === "unproven" && each.proven === "answers_only";
  const waiting = ["ok", "unproven"].includes(each.status) && ["busy", "slow"].includes(each.verdict);
  const kind = late ? "warning" : waiting ? "busy" : each.status;
  const word = each.stale ? "stale" : bare ? "answers only" : each.verdict || "unknown";
  const resting = each.maintenance_until ? node("small", null, "in maintenance, ends ", time(each.maintenance_until)) : null;
  const stale = each.stale ? node("span", { class: "loud" }, " STALE") : null;
  return [
    [link(each.detail, each.name), node("small", null, [each.group, each.kind, each.owner].filter(Boolean).join(" · "))],
    [state(STATUSES.has(each.status) ? kind : "unknown", word), bare ? node("small", null, "unproven") : each.stale ? node("small", null, `was ${each.verdict}`) : each.state === word ? null : node("small", null, each.state), resting],
    time(each.since),
    each.uptime_percent === null ? "not known" : `${each.uptime_percent.toFixed(2)} %`,
    [time(each.checked_at), stale],
    each.text || "–",
  ];
}

function drawRedeploys(part) {
  drawStatus("redeploys", part);
  const going = (part && part.in_progress) || [];
  const ended = (part && part.ended) || [];
  told("redeploys-told", part, `${going.length || "None"} in progress, ${ended.length || "none"} ended within 24 hours.`);
  const heads = [["Service"], ["State", "nowrap"], ["Began", "nowrap"], ["Ended", "nowrap"], ["Asked by"], ["What was seen", "wide"]];
  const status = { succeeded: "ok", undone: "warning", undo_failed: "trouble", aborted: "warning", refused: "warning" };
  const rows = [...going, ...ended].map((each) => [
    [link(each.detail, each.service), node("small", null, each.dry_run ? `${each.change}, dry run` : each.change)],
    state(status[each.state] || "busy", words(each.state)),
    time(each.created_at), each.ended_at ? time(each.ended_at) : "goes on", each.trigger,
    [each.text || "–", node("small", null, `asked for: ${each.reason}`)]]);
  put("redeploys", rows.length ? table("Redeploys, newest first", heads, rows, "") : "");
}

function drawApp(part) {
  drawStatus("app", part);
  told("app-told", part);
  const checks = (part && part.checks) || [];
  const heads = [["Check"], ["State", "nowrap"], ["Seen", "nowrap"], ["Why", "wide"]];
  put("checks", table("Checks of this app", heads, checks.map((each) => [
    words(each.name), state(STATUSES.has(each.status) ? each.status : "unknown"), past(each.seen_at), each.reason]), "Not known."));
}

function draw(summary) {
  const focused = document.activeElement && document.activeElement.getAttribute("data-detail");
  drawNow(summary);
  drawCompute(summary.compute);
  drawScoring(summary.scoring);
  drawRedeploys(summary.redeploys);
  drawApp(summary.app);
  if (focused) {
    const same = [...document.querySelectorAll("[data-detail]")].find((each) => each.getAttribute("data-detail") === focused);
    if (same) same.focus({ preventScroll: true });
  }
}

// --- asking

async function ask(path) {
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) throw new Error("that is not this app");
  const response = await fetch(url, {
    headers: { "x-functions-key": sessionStorage.getItem(KEY) || "" },
    cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (response.status === 401 || response.status === 403) return signOut("This app does not take that key.");
  const text = await response.text();
  if (!response.ok && !text) throw new Error(`the app answered ${response.status}`);
  const said = JSON.parse(text);
  if (!response.ok) throw new Error(said.detail || `the app answered ${response.status}`);
  return said;
}

async function refresh() {
  if (asking || !sessionStorage.getItem(KEY)) return;
  asking = true;
  try {
    const summary = await ask("dashboard/summary");
    if (summary) {
      seenAt = Date.parse(summary.seen_at);
      shownAt = Date.now();
      if (Number.isNaN(seenAt)) throw new Error("the answer is no summary");
      signedIn();
      draw(summary);
      problem = "";
    }
  } catch (error) {
    problem = error.name === "TimeoutError" ? "the app did not answer in time" : error.message;
  } finally {
    asking = false;
    tell();
  }
}

// How old all of this is; loud as soon as it is older than it should be.
function tell() {
  const known = shownAt > 0;
  const age = Date.now() - shownAt;
  const stale = Boolean(problem) || (known && age > STALE_MS);
  document.body.dataset.fresh = stale ? "no" : known ? "yes" : "never";
  at("age").textContent = known ? `Updated ${span(age)} ago` : "No data yet";
  at("alarm").hidden = !stale;
  // Only the reason is spoken, and once: the age beside it changes every second.
  const said = stale ? `Not up to date: ${(problem || "the page was not refreshed").replace(/\.$/, "")}.` : "";
  if (at("alarm-said").textContent !== said) at("alarm-said").textContent = said;
  at("alarm-age").textContent = known ? `What you see is ${span(age)} old.` : "There is nothing to show.";
  if (stale) document.title = "NOT UP TO DATE · AML R Ops";
  for (const each of document.querySelectorAll("time[data-at]")) {
    const text = relative(Number(each.dataset.at));
    if (each.textContent !== text) each.textContent = text;
  }
}

function signedIn() {
  at("sign-in").hidden = true;
  for (const id of ["summary", "refresh", "forget"]) at(id).hidden = false;
}

function signOut(said) {
  sessionStorage.removeItem(KEY);
  for (const id of ["summary", "refresh", "forget"]) at(id).hidden = true;
  shownAt = 0;
  problem = "";
  at("refused").textContent = said || "";
  at("sign-in").hidden = false;
  at("key").focus();
  return null;
}

async function showDetail(path) {
  at("detail-title").textContent = path;
  at("detail-text").textContent = "Asking …";
  if (!at("detail").open) at("detail").showModal();
  try {
    const said = await ask(path);
    if (said) at("detail-text").textContent = JSON.stringify(said, null, 2);
    else at("detail").close();
  } catch (error) {
    at("detail-text").textContent = `It could not be read: ${error.message}.`;
  }
}

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  at("key").value = "";
  at("refused").textContent = "";
  refresh();
});
at("refresh").addEventListener("click", refresh);
at("forget").addEventListener("click", () => signOut(""));
at("close").addEventListener("click", () => at("detail").close());
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-detail]");
  if (!asked) return;
  event.preventDefault();
  showDetail(asked.getAttribute("data-detail"));
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
setInterval(refresh, EVERY_MS);
setInterval(tell, 1000);
if (sessionStorage.getItem(KEY)) refresh();
else signOut("");
