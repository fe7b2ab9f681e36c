// The phone page: asks the sandbox for its state every second and shows what has changed.
"use strict";

const $ = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

const PATIENCE = 25_000; // milliseconds that "answering" is shown without an answer
const PHASES = {
  "searching": ["Searching", "Looking for a release"],
  "grabbed": ["Found", "About to start"],
  "downloading": ["Downloading", ""],
  "import pending": ["Downloaded", "Waiting to be filed"],
  "importing": ["Importing", "Filing it in the library"],
  "imported": ["Ready", "In the library, ready to watch", "good"],
  "stalled": ["Stalled", "Nobody is sending it", "warn"],
  "import blocked": ["Needs a hand", "The file was not recognised", "warn"],
  "failed": ["Failed", "Articles are missing", "bad"],
  "not released": ["Not out yet", "", "warn"],
  "wanted": ["Wanted", "In the library, without a download"],
  "not monitored": ["Not monitored", "Radarr leaves it alone"],
};
const MOVING = new Set(["searching", "grabbed", "downloading", "import pending", "importing"]);
const OUTCOMES = {
  ok: "It is found, downloaded and filed.",
  fail: "It breaks off half-way; nothing else is tried.",
  stall: "It stops at 40 % and stays there.",
  block: "It arrives, but Radarr cannot file it by itself.",
};

let state = null;
let shown = null; // the phone whose thread is on the screen
const bubbles = new Map();
const films = new Map();
const read = new Map(); // how many texts each phone has had on its screen

const person = () => document.querySelector("[name=person]:checked").value;
const clockTime = (iso) => new Date(iso).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  await refresh();
}

const quietly = (promise) => promise.catch(() => { $("offline").hidden = false; });

async function refresh() {
  try {
    const response = await fetch("/sandbox/state", { cache: "no-store" });
    if (!response.ok) throw new Error(response.statusText);
    state = await response.json();
    $("offline").hidden = true;
  } catch {
    $("offline").hidden = false;
    return;
  }
  showThread();
  showPeople();
  showFilms();
  showSwitches();
}

function showThread() {
  const number = person();
  const messages = state.conversations[number] ?? [];
  const thread = $("thread");
  const known = new Set(messages.map((message) => message.sid));
  const isOther = shown !== number || [...bubbles.keys()].some((sid) => !known.has(sid));
  if (isOther) {
    for (const bubble of bubbles.values()) bubble.remove();
    bubbles.clear();
    shown = number;
  }
  const fresh = messages.filter((message) => !bubbles.has(message.sid));
  // A thread that is being put up is not news to a screen reader; a new text is.
  thread.setAttribute("aria-live", isOther ? "off" : "polite");
  for (const message of fresh) {
    const bubble = makeBubble(message, !isOther);
    bubbles.set(message.sid, bubble);
    $("typing").before(bubble);
  }
  messages.forEach((message, index) => {
    const bubble = bubbles.get(message.sid);
    showStatus(bubble, message);
    bubble.classList.toggle("runs-on", runsOn(message, messages[index + 1]));
  });
  $("hello").hidden = messages.length > 0;
  const wait = isAnswerDue(messages.at(-1));
  const moved = $("typing").hidden === wait;
  $("typing").hidden = !wait;
  read.set(number, messages.length);
  if (fresh.length || moved) thread.scrollTop = thread.scrollHeight;
}

// Of several texts of one side within a minute, the last alone shows the time.
function runsOn(message, next) {
  return Boolean(next) && next.direction === message.direction && message.handed_over !== false
    && clockTime(next.at) === clockTime(message.at);
}

function isAnswerDue(last) {
  if (!last || last.direction !== "inbound" || last.handed_over === false) return false;
  return new Date(state.now) - new Date(last.at) < PATIENCE;
}

function makeBubble(message, isNew) {
  const isMine = message.direction === "inbound";
  const bubble = make("div", `bubble ${isMine ? "mine" : "theirs"}${isNew ? " new" : ""}`);
  bubble.dataset.testid = isMine ? "bubble-out" : "bubble-in";
  bubble.append(make("span", "sr", isMine ? "You: " : "Movies: "), make("p", "", message.body), make("small"));
  return bubble;
}

function showStatus(bubble, message) {
  const key = `${message.status} ${message.handed_over}`;
  if (bubble.dataset.status === key) return;
  bubble.dataset.status = key;
  const line = bubble.querySelector("small");
  line.replaceChildren(clockTime(message.at));
  if (message.direction !== "inbound") return;
  if (message.handed_over === false) {
    line.replaceChildren(make("span", "lost", "Not delivered: the app did not answer"));
  } else if (message.handed_over) {
    const ticks = make("span", "ticks", "✓✓");
    ticks.setAttribute("aria-hidden", "true");
    line.append(" · ", ticks, " Delivered");
  } else {
    line.append(" · Sending…");
  }
}

function showPeople() {
  for (const label of document.querySelectorAll(".person")) {
    const messages = state.conversations[label.dataset.number] ?? [];
    const seen = read.get(label.dataset.number) ?? 0;
    const count = messages.slice(seen).filter((message) => message.direction !== "inbound").length;
    const badge = label.querySelector(".unread");
    badge.hidden = count === 0;
    badge.textContent = count;
    badge.title = `${count} unread`;
  }
}

function showFilms() {
  const list = $("films");
  const known = new Set(state.films.map((film) => film.id));
  for (const [id, item] of films) {
    if (!known.has(id)) {
      item.remove();
      films.delete(id);
    }
  }
  // The newest comes first: those not shown yet are put before the rest, oldest first.
  for (const film of [...state.films].reverse()) {
    if (!films.has(film.id)) {
      films.set(film.id, makeFilm(film));
      list.prepend(films.get(film.id));
    }
    showFilm(films.get(film.id), film);
  }
  $("empty").hidden = state.films.length > 0;
  const ready = state.films.filter((film) => film.phase === "imported").length;
  $("film-count").textContent = state.films.length ? `${ready} of ${state.films.length} ready` : "";
}

function makeFilm(film) {
  const item = make("li", "film");
  item.dataset.testid = "film";
  const poster = make("span", "poster", film.title.replace(/^(the|an?) /i, "")[0]);
  poster.setAttribute("aria-hidden", "true");
  poster.style.setProperty("--hue", Math.round(film.tmdb_id * 137.508) % 360);
  const title = make("b", "", film.title);
  if (film.year) title.append(" ", make("span", "", `(${film.year})`));
  const phase = make("span", "phase");
  phase.dataset.testid = "film-phase";
  const line = make("div", "line");
  line.append(title, phase);
  const rest = make("div");
  const bar = make("div", "bar");
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", film.title);
  bar.append(make("i"));
  rest.append(bar, make("div", "detail"));
  item.append(poster, line, rest);
  return item;
}

function showFilm(item, film) {
  const [word, detail, tone] = PHASES[film.phase] ?? [film.phase, ""];
  item.dataset.tone = tone ?? "busy";
  item.toggleAttribute("data-moving", MOVING.has(film.phase));
  item.querySelector(".phase").textContent = word;
  item.querySelector(".detail").textContent = detail || progressText(film);
  const bar = item.querySelector(".bar");
  bar.hidden = film.size === null;
  bar.setAttribute("aria-valuenow", film.percent);
  bar.style.setProperty("--done", `${film.percent}%`);
}

function progressText(film) {
  if (film.phase === "not released") {
    return film.available_from ? `Expected at home on ${film.available_from}` : "No date has been announced";
  }
  const size = `${(film.size / 1e9).toFixed(1)} GB`;
  return `${film.percent} % of ${size} · ${film.eta_seconds} s left`;
}

function showSwitches() {
  document.querySelector(`[name=outcome][value=${state.next}]`).checked = true;
  $("outcome-note").textContent = OUTCOMES[state.next];
  for (const input of document.querySelectorAll("[role=switch]")) input.checked = state.faults[input.value];
  const { delivered, failed } = state.posts;
  const line = delivered + failed === 0
    ? "Waiting for the first text."
    : `Posts to the app: ${delivered} taken${failed ? `, ${failed} not` : ""}.`;
  if ($("posts").textContent !== line) $("posts").textContent = line;
}

function tick() {
  $("clock").textContent = new Date().toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }).replace(/\s?[AP]M$/i, "");
}

function send(body) {
  if (body.trim()) quietly(post("/sandbox/text", { from: person(), body }));
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send($("compose").value);
  $("compose").value = "";
  $("compose").focus();
});
for (const chip of $("chips").children) chip.addEventListener("click", () => send(chip.textContent));
for (const input of document.querySelectorAll("[name=person]")) input.addEventListener("change", () => quietly(refresh()));
$("outcomes").addEventListener("change", (event) => quietly(post("/sandbox/next", { outcome: event.target.value })));
for (const input of document.querySelectorAll("[role=switch]")) {
  input.addEventListener("change", () => quietly(post("/sandbox/faults", { [input.value]: input.checked })));
}
$("reset").addEventListener("click", () => quietly(post("/sandbox/reset", {})));

tick();
refresh();
setInterval(() => { tick(); refresh(); }, 1000);
