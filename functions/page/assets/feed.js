// A Feed turns an API key into a stream of messages and keeps the stream up:
//
//	key -> POST /auth/token -> token -> WebSocket
//
// It calls on.state(state, text) as the connection changes, on.message(message)
// for each message, on.roundTrip(ms), and on.ended(text) when it has given up and
// a key is needed; text is "" if the user wanted it so.
//
// The key stays in this object and is never stored nor put into a URL. The token,
// which ends soon by itself, is kept for the tab, so that a reload needs no key.

const SUBPROTOCOL = "crypto-ticker.v1";
const STORED_TOKEN = "crypto-ticker.token";
const PING_EVERY = 20_000; // ms; API Gateway ends what is idle for 10 minutes
const OVERLAP = 5_000; // how long the old of two connections stays
const STEADY = 5_000; // a connection that has lasted so long resets the backoff
const LONGEST_WAIT = 30_000;
const REFUSALS = 3; // in a row, after which a token that no key can replace is given up

const UNREACHABLE = "The server cannot be reached. Try again in a moment.";

// Refused is a failure that trying again cannot mend.
class Refused extends Error {}

class Feed {
  #url;
  #on;
  #key = "";
  #token = null; // {value, expires}: expires in ms since 1970
  #current = null; // the socket that is in use
  #next = null; // the socket that is to take over
  #old = null; // the one before, which is heard a little longer
  #run = 0; // raised by stop: what a former run still gets is dropped
  #failures = 0;
  #refusals = 0; // of handshakes, by a server that can be reached
  #welcomed = false;
  #pinged = 0; // when the last ping was sent
  #silent = false; // nothing has come since then
  #timers = new Map(); // by name

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    addEventListener("online", () => this.#timers.has("retry") && this.#dial());
  }

  // start connects with a key.
  start(key) {
    this.stop();
    this.#key = key;
    this.#on.state("connecting", "Connecting");
    this.#dial();
  }

  // resume connects with the token of this tab's last page, if there is one.
  resume() {
    const stored = recall();
    if (!(stored?.expires > Date.now())) return false;
    this.#token = stored;
    this.#on.state("connecting", "Connecting");
    this.#dial();
    return true;
  }

  // stop ends the connection and forgets key and token.
  stop(text = "") {
    this.#run++;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const socket of [this.#current, this.#next, this.#old]) socket?.close(1000);
    this.#current = this.#next = this.#old = this.#token = null;
    this.#key = "";
    this.#failures = this.#refusals = 0;
    this.#welcomed = false;
    remember(null);
    this.#on.state("idle", "Not connected");
    this.#on.ended(text);
  }

  // after calls f later; of each name there is one timer.
  #after(name, ms, f) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => { this.#timers.delete(name); f(); }, ms));
  }

  async #dial() {
    clearTimeout(this.#timers.get("retry"));
    this.#timers.delete("retry");
    if (this.#next) return;
    const run = this.#run;
    try {
      const token = await this.#freshToken();
      if (run !== this.#run || this.#next) return;
      this.#listen(this.#socket(token));
    } catch (err) {
      if (run === this.#run) this.#failed(err);
    }
  }

  // freshToken gives the token, exchanging the key for one if needed.
  async #freshToken() {
    if (this.#token && this.#token.expires - margin(this.#token.life) > Date.now()) return this.#token.value;
    if (!this.#key) throw new Refused("Your session has ended. Enter your API key again.");
    const run = this.#run;
    const { token, expires_in: seconds } = await exchange(this.#key);
    if (run === this.#run) {
      const life = seconds * 1000;
      this.#token = { value: token, life, expires: Date.now() + life };
      remember(this.#token);
      // The server ends a connection with its token, so the next one comes first.
      this.#after("renew", life - margin(life), () => this.#dial());
    }
    return token;
  }

  #socket(token) {
    try {
      return new WebSocket(this.#url, [SUBPROTOCOL, `bearer.${token}`]);
    } catch { // such as a ws: address in a page that came by https:
      throw new Refused(`The browser does not accept the address of the prices, ${this.#url}.`);
    }
  }

  #listen(socket) {
    this.#next = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (!this.#current) this.#on.state("waiting", "Connected, waiting for prices");
      this.#take(socket);
    };
    socket.onmessage = (event) => this.#receive(socket, event.data);
    socket.onclose = () => {
      if (socket !== this.#current && socket !== this.#next) return;
      if (!opened) {
        this.#unopened();
        return;
      }
      this.#current = null;
      this.#failed(new Error("The connection was lost."));
    };
  }

  // unopened is called after a handshake that failed, of which a browser does not
  // tell why: perhaps it was the token, or nobody was there. With a key, a new
  // token is had at once; a token without one is worth a few more tries.
  async #unopened() {
    const run = this.#run;
    const reached = await reachable();
    if (run !== this.#run) return;
    this.#next = null; // not earlier, so that nothing else dials meanwhile
    if (reached && (++this.#refusals >= REFUSALS || this.#key)) this.#token = null;
    this.#failed(new Error(reached ? "The server did not accept the connection." : UNREACHABLE));
  }

  // take makes a socket the current one; that before it is heard a little longer,
  // because prices reach the new one only when the server has noticed it.
  #take(socket) {
    const old = this.#current;
    this.#current = socket;
    this.#next = null;
    this.#refusals = 0;
    this.#old?.close(1000);
    this.#old = old;
    if (old) setTimeout(() => old.close(1000), OVERLAP);
    this.#silent = false;
    this.#after("steady", STEADY, () => { this.#failures = 0; });
    this.#after("ping", 1000, () => this.#ping());
  }

  #ping() {
    const socket = this.#current;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (this.#silent) {
      this.#current = null;
      socket.close();
      this.#failed(new Error("The connection was lost."));
      return;
    }
    this.#silent = true;
    this.#pinged = performance.now();
    socket.send(JSON.stringify({ type: "ping", id: String(this.#pinged) }));
    this.#after("ping", PING_EVERY, () => this.#ping());
  }

  #receive(socket, data) {
    const message = parse(data);
    if (!message || (socket !== this.#current && socket.readyState !== WebSocket.OPEN)) return;
    if (socket === this.#current) {
      this.#silent = false;
      if (message.type === "pong" && message.id === String(this.#pinged)) this.#on.roundTrip(performance.now() - this.#pinged);
    }
    if (message.type === "welcome") this.#welcomed = true;
    // Not everybody at once: a new connection, then an end to this one.
    if (message.type === "reconnect") this.#after("advice", Math.random() * 2000, () => this.#dial());
    this.#on.message(message);
  }

  #failed(err) {
    if (this.#current || this.#next) { // one is up: the spare one can wait
      this.#after("retry", LONGEST_WAIT, () => this.#dial());
      return;
    }
    // A new key that does not work is told at once; a session is taken up again.
    if (err instanceof Refused || this.#key && !this.#welcomed) {
      this.stop(err.message);
      return;
    }
    const ceiling = Math.min(LONGEST_WAIT, 500 * 2 ** this.#failures++);
    const wait = Math.max(err.retryAfter ?? 0, ceiling * (0.5 + Math.random() / 2));
    this.#on.state("offline", navigator.onLine ? "Reconnecting" : "You are offline");
    this.#after("retry", wait, () => this.#dial());
  }
}

// exchange asks the server for a token.
async function exchange(key) {
  const response = await fetch("/auth/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ api_key: key }),
    credentials: "omit",
    signal: AbortSignal.timeout(15_000),
  }).catch(() => { throw new Error(UNREACHABLE); });
  if (response.ok) {
    const grant = await response.json().catch(() => null);
    if (typeof grant?.token === "string" && grant.expires_in > 0) return grant;
    throw new Error("The server's answer makes no sense. Try again in a moment.");
  }
  if (response.status === 400 || response.status === 401) throw new Refused("This API key is not valid. Check it and try again.");
  const err = new Error(response.status === 429
    ? "There were too many attempts. Wait a little and try again."
    : "The server has a problem. Try again in a moment.");
  err.retryAfter = 1000 * Number(response.headers.get("retry-after")) || 0;
  throw err;
}

// reachable says whether the server answers as it should.
async function reachable() {
  const answer = await fetch("/", {
    method: "HEAD", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(5_000),
  }).catch(() => null);
  return answer?.ok ?? false;
}

// margin is how long before its end a token is replaced.
function margin(life) {
  return Math.min(60_000, life / 10);
}

// remember and recall do without storage where the browser allows none: then a
// reload needs the key.
function remember(token) {
  try {
    if (token) sessionStorage.setItem(STORED_TOKEN, JSON.stringify(token));
    else sessionStorage.removeItem(STORED_TOKEN);
  } catch { /* see above */ }
}

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED_TOKEN));
  } catch {
    return null;
  }
}

function parse(data) {
  try {
    const message = JSON.parse(data);
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
