// What is shown. Messages only change numbers in memory; the screen follows once
// a frame, however many messages come.

const POINTS = 200; // of a sparkline
const READABLE = 100; // ms between two changes of a figure
const $ = (id) => document.getElementById(id);

// A Card is one symbol: its latest ticks, and the element that shows them.
class Card {
  points = []; // the latest prices, the oldest first
  first = null;
  time = 0;
  stale = false;
  dirty = false;
  #shown = 0;

  constructor(symbol) {
    const [base, quote] = symbol.split("-");
    this.element = $("card").content.firstElementChild.cloneNode(true);
    this.parts = Object.fromEntries(Array.from(this.element.querySelectorAll("[class]"), (e) => [e.classList[0], e]));
    this.parts.base.textContent = base;
    this.parts.quote.textContent = quote ?? "";
    this.element.setAttribute("aria-label", symbol);
  }

  // add takes a tick and tells whether it is new: in an overlap of two
  // connections each tick comes twice.
  add(tick, fenced) {
    const known = tick.source === this.source && tick.time <= this.time; // the clocks of two sources differ
    this.stale = tick.stale === true;
    this.source = tick.source;
    this.dirty = true;
    if (fenced && known) return false;
    this.time = tick.time ?? 0;
    this.first ??= tick.price;
    this.points.push(tick.price);
    if (this.points.length > POINTS) this.points.shift();
    return true;
  }

  draw(now) {
    if (!this.dirty || this.points.length === 0) return;
    const low = Math.min(...this.points);
    const high = Math.max(...this.points);
    this.#line(low, high);
    if (now - this.#shown < READABLE) return; // it stays dirty
    this.#shown = now;
    this.dirty = false;
    this.#figures(low, high);
  }

  #line(low, high) {
    const height = high - low || 1;
    const start = POINTS - this.points.length;
    const at = (price, i) => `${start + i} ${(high === low ? 50 : 96 - 92 * (price - low) / height).toFixed(2)}`;
    const line = "M" + this.points.map(at).join("L");
    const last = this.points.length - 1;
    this.parts.line.setAttribute("d", line);
    this.parts.area.setAttribute("d", `${line}V100H${start}Z`);
    this.parts.now.setAttribute("d", `M${at(this.points[last], last)}h0`);
  }

  #figures(low, high) {
    const price = this.points.at(-1);
    const way = direction(price - this.points[0]);
    const change = price - this.first;
    const { parts } = this;
    parts.amount.textContent = money(price);
    parts.price.dataset.way = parts.spark.dataset.way = way;
    parts.way.textContent = way === "flat" ? "" : `, going ${way}`;
    parts.delta.textContent = `${signed(change, money)} (${signed(100 * change / this.first, (x) => x.toFixed(2))} %)`;
    parts.delta.dataset.way = direction(change);
    parts.low.textContent = money(low);
    parts.high.textContent = money(high);
    parts.badge.textContent = this.stale ? "out of date" : this.source;
    parts.badge.hidden = !parts.badge.textContent;
    this.element.classList.toggle("stale", this.stale);
  }
}

function direction(x) {
  return x > 0 ? "up" : x < 0 ? "down" : "flat";
}

function signed(x, format) {
  return (x > 0 ? "+" : x < 0 ? "−" : "±") + format(Math.abs(x));
}

const formats = [2, 4, 8].map((digits) => new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: digits }));

function money(x) {
  const size = Math.abs(x);
  return formats[size >= 10 || size === 0 ? 0 : size >= 0.1 ? 1 : 2].format(x);
}

const cards = new Map(); // by symbol
const count = { ticks: 0, messages: 0, since: performance.now() };
let latest = { epoch: 0, seq: 0 };
let lastTick = 0; // when prices came, in ms of performance.now
let drawing = false;

function takeTicks({ epoch, seq, data }) {
  if (!Array.isArray(data)) return;
  const fenced = Number.isFinite(epoch) && Number.isFinite(seq);
  if (fenced) {
    // A former leader may still send: what is older than what is here is dropped.
    if (epoch < latest.epoch || (epoch === latest.epoch && seq < latest.seq)) return;
    if (epoch > latest.epoch) fence(epoch);
    latest.seq = seq;
  }
  let time = null;
  for (const tick of data) {
    if (typeof tick?.symbol !== "string" || !Number.isFinite(tick.price)) continue;
    const fresh = cardOf(tick.symbol).add(tick, fenced);
    if (fresh && time !== (tick.time ?? 0)) count.ticks++; // symbols that moved together are one update
    time = tick.time ?? 0;
  }
  lastTick = performance.now();
  if ($("status").dataset.state === "waiting") state("live", "Live");
  if (!drawing) requestAnimationFrame(draw);
  drawing = true;
}

// fence begins a leader's term; its clock may be behind that of the one before.
function fence(epoch) {
  latest = { epoch, seq: 0 };
  for (const card of cards.values()) card.time = 0;
}

function cardOf(symbol) {
  let card = cards.get(symbol);
  if (!card) {
    card = new Card(symbol);
    cards.set(symbol, card);
    $("cards").append(card.element);
    $("waiting").hidden = true;
  }
  return card;
}

function draw(now) {
  drawing = false;
  for (const card of cards.values()) {
    card.draw(now);
    drawing ||= card.dirty;
  }
  if (drawing) requestAnimationFrame(draw);
}

function show(connected) {
  $("sign-in").hidden = connected;
  $("dashboard").hidden = $("disconnect").hidden = !connected;
}

function state(name, text) {
  if (name === "offline") fence(0); // nothing older can come by another connection, and a new server counts anew
  $("dashboard").classList.toggle("paused", name !== "live");
  $("status").dataset.state = name;
  if ($("status-text").textContent !== text) $("status-text").textContent = text; // or it would be read out again
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => { $("notice").hidden = true; }, 8000);
}

function busy(yes) {
  $("connect").disabled = yes;
  $("connect").textContent = yes ? "Connecting…" : "Connect";
}

function complain(text) {
  $("key-error").textContent = text;
  $("key").setAttribute("aria-invalid", String(text !== ""));
}

const on = {
  state,

  message(message) {
    count.messages++;
    switch (message.type) {
      case "welcome":
        busy(false);
        $("key").value = "";
        show(true);
        break;
      case "ticker":
        takeTicks(message);
        break;
      case "error":
        notice(`The server says: ${message.message ?? message.code ?? "something went wrong"}`);
        break;
    }
  },

  roundTrip(ms) {
    $("round-trip").textContent = ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
    $("round-trip").append(Object.assign(document.createElement("small"), { textContent: " ms" }));
  },

  ended(text) {
    for (const card of cards.values()) card.element.remove();
    cards.clear();
    fence(0);
    $("waiting").hidden = false;
    $("round-trip").textContent = "–";
    busy(false);
    show(false);
    complain(text);
    if (text) $("key").focus();
  },
};

const url = new URL(document.querySelector("meta[name=websocket-url]").content, location.href);
url.protocol = url.protocol.replace("http", "ws"); // a path alone is taken from where the page is
const feed = new Feed(url, on);

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = $("key").value.trim();
  if (!key) {
    complain("Enter your API key.");
    $("key").focus();
    return;
  }
  feed.start(key);
  busy(true);
});

$("reveal").addEventListener("click", () => {
  const shown = $("key").type === "text";
  $("key").type = shown ? "password" : "text";
  $("reveal").textContent = shown ? "Show" : "Hide";
  $("reveal").setAttribute("aria-pressed", String(!shown));
});

$("disconnect").addEventListener("click", () => {
  feed.stop();
  $("key").focus();
});

setInterval(() => {
  const now = performance.now();
  const seconds = (now - count.since) / 1000;
  $("ticks").textContent = Math.round(count.ticks / seconds);
  $("messages").textContent = Math.round(count.messages / seconds);
  Object.assign(count, { ticks: 0, messages: 0, since: now });
  if ($("status").dataset.state === "live" && now - lastTick > 10_000) state("waiting", "Connected, waiting for prices");
}, 1000);

const resumed = feed.resume();
show(resumed);
if (!resumed) $("key").focus();
