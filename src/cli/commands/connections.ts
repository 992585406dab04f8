/**
 * `tproxy connections`, and `tproxy connections close`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { DEFAULT_CONFIG } from "../../config/defaults.ts";
import { STATES } from "../../daemon/control/connections/row.ts";
import { OperationError } from "../../net/error.ts";
import { configOption } from "../arguments/config_option.ts";
import { usesColors } from "../colors.ts";
import { knownValue } from "../arguments/known_value.ts";
import type { Command } from "../command.ts";
import type { Filter } from "../connections/filter.ts";
import type { Env } from "../env.ts";
import { findControl } from "../control/find.ts";
import { ORDERS } from "../connections/order.ts";

const parser = object({
  config: configOption,
  from: optional(option("--from", string({ metavar: "CLIENT" }), {
    description: message`Those of this client: an address, a network, an address with a port.`,
  })),
  to: optional(option("--to", string({ metavar: "SERVER" }), {
    description:
      message`Those to this server: the same, a port (${":443"}), or a name as rules have it (${"*.example.com"}).`,
  })),
  device: optional(option("--device", knownValue("device", "DEVICE"), {
    description: message`Those of this device: its name, its hardware address, or an address of it.`,
  })),
  rule: optional(option("--rule", knownValue("rule", "NAME"), {
    description: message`Those that this rule has decided; ${"default"}: those that none has.`,
  })),
  upstream: optional(option("--upstream", knownValue("upstream", "NAME"), {
    description: message`Those through this upstream.`,
  })),
  state: optional(option("--state", choice(STATES, { metavar: "STATE" }), {
    description: message`Those in this state: ${text(STATES.join(", "))}.`,
  })),
  older: optional(option("--older", string({ metavar: "TIME" }), {
    description: message`Those that are so old: ${"90s"}, ${"1h30m"}.`,
  })),
  sort: optional(option("--sort", choice(ORDERS, { metavar: "ORDER" }), {
    description: message`The order: ${text(ORDERS.join(", "))}. Default: bytes.`,
  })),
  top: optional(option("--top", integer({ metavar: "NUMBER", min: 1 }), {
    description: message`The first so many.`,
  })),
  json: optional(flag("--json", { description: message`Print JSON.` })),
  watch: optional(flag("--watch", {
    description: message`Show them live, by device: rates, filter, sort, close; ${"?"} lists the keys.`,
  })),
  follow: optional(flag("--follow", {
    description: message`Print those that open and close from now on, a line of JSON each.`,
  })),
  yes: optional(flag("--yes", { description: message`With close: do not ask.` })),
  act: optional(argument(choice(["close"], { metavar: "close" }), {
    description: message`Close connections: those that are named, or those that the options choose.`,
  })),
  ids: multiple(argument(string({ metavar: "ID" }), {
    description: message`The name of a connection, as the list has it.`,
  })),
});

/** The command. */
export const connectionsCommand: Command<InferValue<typeof parser>> = {
  name: "connections",
  summary: "List the live connections of a running proxy, or close some",
  details: [
    "The proxy is asked by its control socket, which is root's. Each TCP connection and each UDP session has a line: who, where to " +
    "(by the name that the client has asked for, where it is known), the rule that has decided, the upstream, what has passed. A narrow screen has fewer columns, a pipe has all. " +
    "Options that choose are joined: all must be met.",
    "A browser shows the same as --watch, and nothing listens on the network for it: ssh -N -L 8080:" +
    `${DEFAULT_CONFIG.control} root@ROUTER, ` +
    "then http://localhost:8080/ on the machine with the browser.",
    "close ends connections with a reset, on both sides; it shows them and asks first. Without a terminal it needs --yes.",
    "The exit code is 3 if no proxy answers, 1 if there is nothing to close or it is not wanted, 2 for wrong options.",
    "JSON: { version, connections: [{ id, protocol, family, client, clientPort, device, mac, destination, destinationPort, name, rule, " +
    "upstream, state, bytesUp, bytesDown, started }] }; null: not known, or there is none. With --follow each line is such an object with " +
    "event: open, or event: close, state: closed, ending and ended; one that has lived for less than a quarter of a second, or whose " +
    "server never answered, has its close alone.",
  ],
  examples: [
    "connections --top 20",
    "connections --watch",
    "connections --follow --device tv-living-room",
    "connections --from 192.168.1.0/24 --to *.example.com --older 1h --json",
    "connections close --device tv-living-room",
    "connections close t0.12.345",
  ],
  changesState: false,
  parser,
  async run(env, options) {
    const { refuseCombinations } = await import("../connections/combinations.ts");
    refuseCombinations(options);
    const { filtersAny, readFilter } = await import("../connections/filter.ts");
    const chosen = readFilter(options);
    const { act, ids } = options;
    if (act === "close" && ids.length === 0 && !filtersAny(options)) throw nothingChosen();
    const filter: typeof chosen = (row, now) =>
      (ids.length === 0 || ids.includes(row.id)) && chosen(row, now);
    const control = await findControl(env, options.config);
    if (options.follow === true && act === undefined) {
      const { followConnections } = await import("../connections/follow.ts");
      if (await followConnections(env, control, filter)) return 0;
      return (await import("../control/proxy.ts")).sayNoAnswer(env, control);
    }
    if (options.watch === true) return await watchConnections(env, control, filter);
    const { sayNoAnswer } = await import("../control/proxy.ts");
    const { readConnections, showConnections } = await import("../connections/list.ts");
    const rows = await readConnections(control, filter, env.now().getTime());
    if (rows === undefined) return sayNoAnswer(env, control);
    if (act === "close") {
      const { closeConnections } = await import("../connections/close.ts");
      const code = await closeConnections(env, control, { rows, yes: options.yes === true });
      return code ?? sayNoAnswer(env, control);
    }
    const { sort: order = "bytes", top = Infinity, json = false } = options;
    showConnections(env, rows, { order, top, json });
    return 0;
  },
};

async function watchConnections(env: Env, control: string, filter: Filter): Promise<number> {
  const { hasTerminal } = await import("../watch/terminal.ts");
  if (!hasTerminal()) {
    throw new OperationError({
      operation: "watch",
      object: "connections",
      reason: "this is no terminal, or a dumb one",
      hint: "Without --watch, --json and --top give lists to programs",
      usage: true,
    });
  }
  const { watchedAt } = await import("../watch/proxy.ts");
  const watched = watchedAt(control, filter);
  if (await watched.look() === undefined) {
    return (await import("../control/proxy.ts")).sayNoAnswer(env, control);
  }
  const { watch } = await import("../watch/screen.ts");
  await watch(watched, usesColors(env));
  return 0;
}

function nothingChosen(): OperationError {
  return new OperationError({
    operation: "close",
    object: "connections",
    reason: "none is chosen",
    hint: "Name them, or choose them with --from, --to, --device, --rule, --upstream, --state or --older",
    usage: true,
  });
}
