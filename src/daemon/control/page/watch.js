// The proxy, by its control socket, from which this page came.
import { Traffic } from "./traffic.js";

/** Milliseconds from one look to the next, at least. */
const LOOK_MS = 1000;
/** Milliseconds after which a connection that is open is told in brief. */
const SETTLED_MS = 15_000;
/** Looks after which all is asked anew: a device may have got another name. */
const ANEW = 60;
/** Milliseconds after which an answer is not waited for any longer. */
const PATIENCE_MS = 20_000;

/** Pages of other sites do not send this without being asked about. */
const HEADERS = { "x-tproxy-page": "1" };

/** Looks at the proxy again and again, but not while nobody sees the page. */
export class Watch {
  traffic = new Traffic();
  /** The proxy in few words; null: it has not answered yet. */
  summary = null;
  /** Reason why it does not answer now; empty: it does. */
  reason = "";
  isPaused = false;
  #onLook;
  #inBrief = 0;

  /** `onLook`: something new has been seen, or nothing. */
  constructor(onLook) {
    this.#onLook = onLook;
  }

  async run() {
    for (;;) {
      const began = performance.now();
      if (!this.isPaused && !document.hidden) await this.#look();
      // Where the router or the way to it is slow, it has as much time for others.
      const took = performance.now() - began;
      await new Promise((resolve) => setTimeout(resolve, Math.max(LOOK_MS - took, took)));
    }
  }

  async #look() {
    try {
      const inBrief = this.#inBrief > 0;
      const response = await ask(inBrief ? `v1/look?settled=${SETTLED_MS}` : "v1/look", {});
      const lines = (await response.text()).trimEnd().replaceAll("\n", ",");
      const [summary, ...rows] = JSON.parse(`[${lines}]`);
      if (this.isPaused) return;
      this.#inBrief = this.traffic.look(rows, summary.now) ? (this.#inBrief + 1) % ANEW : 0;
      this.summary = summary;
      this.reason = "";
      this.#onLook();
    } catch (error) {
      this.#inBrief = 0;
      this.reason = error.message;
      this.#onLook();
    }
  }
}

/** Closes a connection. Returns how that ended, in words. */
export async function closeConnection(id) {
  try {
    const headers = { "content-type": "application/json" };
    await ask("v1/connections/close", { method: "POST", headers, body: JSON.stringify({ ids: [id] }) });
    return "closed";
  } catch (error) {
    return error.message;
  }
}

async function ask(path, { headers = {}, ...options }) {
  const response = await fetch(path, {
    ...options,
    headers: { ...HEADERS, ...headers },
    credentials: "omit",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch(() => {
    throw new Error("the proxy does not answer; is the tunnel open?");
  });
  if (!response.ok) throw new Error((await response.json()).error);
  return response;
}
