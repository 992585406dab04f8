// Rates, devices and rules, from one look at the connections to the next. The proxy only counts.
import { formatDestination } from "./words.js";

/** Milliseconds for which a connection is shown when it has ended. */
const REMEMBERED_MS = 60_000;
/** Looks over which the average goes, */
const AVERAGED = 10;
/** and that are drawn. */
const HISTORY = 60;

/** The traffic. */
export class Traffic {
  /** Connections by id, those that have ended not long ago included. */
  flows = new Map();
  /** Groups by name. */
  devices = new Map();
  rules = new Map();
  /** Bytes a second of all, a look each. */
  history = [];
  down = 0;
  up = 0;
  #looked = -1;

  /** Takes rows, whole or in brief. `now`: the proxy's time. false: some of it is not known. */
  look(rows, now) {
    const before = this.#looked;
    const seconds = before < 0 ? 0 : Math.max(0.001, (now - before) / 1000);
    for (const group of [...this.devices.values(), ...this.rules.values()]) group.begin();
    this.down = this.up = 0;
    let isWhole = true;
    for (const row of rows) {
      const isBrief = Array.isArray(row);
      const flow = isBrief ? this.#readBrief(row) : this.#read(row);
      // In brief are those that are open: of one that was not, the rest has changed since.
      if (isBrief && flow?.state !== "open") isWhole = false;
      if (flow === undefined) continue;
      // Of one that is older than the last look nobody knows when its bytes went.
      const isRated = seconds > 0 && (flow.looked >= 0 || flow.started >= before);
      const down = flow.bytesDown - flow.knownDown;
      const up = flow.bytesUp - flow.knownUp;
      flow.knownDown = flow.bytesDown;
      flow.knownUp = flow.bytesUp;
      flow.down = isRated ? down / seconds : 0;
      flow.up = isRated ? up / seconds : 0;
      flow.ended = null;
      flow.looked = now;
      push(flow.history, flow.down + flow.up, AVERAGED);
      flow.average = mean(flow.history);
      this.down += flow.down;
      this.up += flow.up;
      groupOf(this.devices, flow.device).add(flow, down + up);
      groupOf(this.rules, flow.rule).add(flow, down + up);
    }
    for (const group of [...this.devices.values(), ...this.rules.values()]) group.end();
    push(this.history, this.down + this.up, HISTORY);
    this.#forget(now);
    this.#looked = now;
    return isWhole;
  }

  #readBrief([id, bytesUp, bytesDown]) {
    const flow = this.flows.get(id);
    if (flow !== undefined) {
      flow.bytesUp = bytesUp;
      flow.bytesDown = bytesDown;
    }
    return flow;
  }

  #read(row) {
    let flow = this.flows.get(row.id);
    if (flow === undefined) {
      flow = { looked: -1, knownDown: 0, knownUp: 0, history: [] };
      this.flows.set(row.id, flow);
    }
    Object.assign(flow, row, { started: Date.parse(row.started) });
    flow.protocol = `${row.protocol}${row.family === "ipv4" ? 4 : 6}`;
    flow.device = row.device ?? row.mac ?? row.client;
    flow.to = formatDestination(row);
    flow.rule = row.rule ?? "-";
    flow.via = row.upstream ?? "direct";
    flow.words = wordsOf(flow);
    return flow;
  }

  #forget(now) {
    for (const [id, flow] of this.flows) {
      if (flow.looked === now) continue;
      flow.ended ??= now;
      flow.down = flow.up = 0;
      push(flow.history, 0, AVERAGED);
      flow.average = mean(flow.history);
      if (now - flow.ended > REMEMBERED_MS) this.flows.delete(id);
    }
  }
}

/** All that goes by one name: a device, or a rule. */
class Group {
  history = [];
  total = 0;

  constructor(name) {
    this.name = name;
    this.begin();
  }

  begin() {
    this.flows = this.down = this.up = 0;
    this.addresses = new Set();
    this.best = null;
  }

  add(flow, bytes) {
    this.flows++;
    this.total += bytes;
    this.down += flow.down;
    this.up += flow.up;
    this.addresses.add(flow.client);
    if (this.best === null || weightOf(flow) > weightOf(this.best)) this.best = flow;
  }

  end() {
    push(this.history, this.down + this.up, HISTORY);
    this.average = mean(this.history.slice(-AVERAGED));
    this.address = this.addresses.values().next().value ?? "";
    this.top = this.best === null ? "" : this.best.name ?? this.best.destination ?? "";
  }
}

function groupOf(groups, name) {
  let group = groups.get(name);
  if (group === undefined) groups.set(name, group = new Group(name));
  return group;
}

/** Weighs a connection: what moves now counts most; among those that rest, what has moved. */
function weightOf({ down, up, bytesDown, bytesUp }) {
  return (down + up) * 1e6 + bytesDown + bytesUp;
}

function push(values, value, most) {
  values.push(value);
  if (values.length > most) values.shift();
}

function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 ? 0 : sum / values.length;
}

/** The words by which a connection is found, a line each. */
function wordsOf(flow) {
  const { protocol, device, client, to, destination, rule, via, state } = flow;
  return [protocol, device, client, to, destination ?? "", rule, via, state].join("\n").toLowerCase();
}

/** Tells whether a connection, by any of its words, is one that somebody looks for. */
export function matches(flow, filter) {
  return filter.toLowerCase().split(/\s+/).every((part) => flow.words.includes(part));
}
