/**
 * `tproxy status`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag } from "@optique/core/primitives";
import { backendOf, readStatus } from "../../kernel/backends.ts";
import { type Delivery, describeMissing, findDeliveries } from "../../kernel/listeners/delivery.ts";
import { findListeners, type ListenerStatus } from "../../kernel/listeners/listeners.ts";
import { preparePlan } from "../../kernel/prepare.ts";
import type { ObjectStatus } from "../../kernel/backend/object_status.ts";
import { describeBootStatus } from "../boot/describe.ts";
import { namedConfig } from "../boot/settings.ts";
import { readBootStatus } from "../boot/status.ts";
import type { Command } from "../command.ts";
import { configOption, loadConfigOption } from "../arguments/config_option.ts";

const parser = object({
  config: configOption,
  json: optional(flag("--json", { description: message`Print JSON.` })),
});

/** The command. */
export const statusCommand: Command<InferValue<typeof parser>> = {
  name: "status",
  summary: "Show what is in the kernel against what the config wants",
  details: [
    "Each object is present, missing, changed, or foreign (it is there and the config does not ask for it). " +
    "The exit code is 0 only if all are present. Whether a proxy is running is shown, and does not count: " +
    "without one, intercept.on-failure says what happens. So is the start at boot, and whether its files are those that this " +
    "version writes.",
    "JSON: { version, config, installed, interfaces, families, backend: { name, place }, warnings, proxy: { running, listeners: " +
    "[{ protocol, address, listening }] }, deliveries: [{ port, rule, missing: [{ protocol, family }] }], boot: [{ manager, enabled, files: [{ path, state, detail? }] }], objects: [{ kind, name, state, detail? }] }; installed is the exit code in words.",
  ],
  examples: ["status", "status --json"],
  changesState: false,
  parser,
  async run(env, options) {
    const loaded = await loadConfigOption(env, { path: options.config });
    const { config, origin } = loaded;
    const plan = preparePlan(loaded, env.readTextFile);
    const { objects, place } = await readStatus({ plan, config }, env.readTextFile);
    const listeners = findListeners({
      protocols: config.intercept.protocols,
      families: plan.families,
      port: config.listener.port,
      readTextFile: env.readTextFile,
    });
    const deliveries = findDeliveries(config, { families: plan.families, readTextFile: env.readTextFile });
    const boot = readBootStatus(env, { loaded, config: namedConfig(env, options.config) });
    const installed = objects.every(({ state }) => state === "present");
    if (options.json === true) {
      const document = {
        version: 1,
        config: origin,
        installed,
        interfaces: { lan: plan.lan, others: plan.others },
        families: plan.families,
        backend: { name: config.kernel.backend, place },
        warnings: plan.warnings,
        proxy: { running: isRunning(listeners), listeners },
        deliveries,
        boot,
        objects,
      };
      env.stdout(`${JSON.stringify(document, null, 2)}\n`);
    } else {
      env.stdout(objects.map(formatObject).join(""));
      env.stdout(`\ninstalled: ${summarize(objects)}\nproxy: ${describeProxy(listeners)}\n`);
      for (const delivery of deliveries) env.stdout(describeDelivery(delivery));
      const failure = backendOf(config).describeFailure(config);
      if (failure !== "") env.stdout(`backend: ${place}; ${failure}\n`);
      env.stdout(describeBootStatus(boot));
    }
    return installed ? 0 : 1;
  },
};

function formatObject({ kind, name, state, detail }: ObjectStatus): string {
  const suffix = detail === undefined ? "" : `  (${detail})`;
  return `${state.padEnd(8)}  ${kind.padEnd(12)}  ${name}${suffix}\n`;
}

function summarize(objects: readonly ObjectStatus[]): string {
  const count = (state: ObjectStatus["state"]) => objects.filter((object) => object.state === state).length;
  if (count("present") === objects.length) return "yes, all is in place";
  const parts = (["missing", "changed", "foreign"] as const).filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`);
  return `${count("present") === 0 ? "no" : "not as the config wants"}, ${parts.join(", ")}`;
}

function isRunning(listeners: readonly ListenerStatus[]): boolean {
  return listeners.some(({ listening }) => listening);
}

function describeProxy(listeners: readonly ListenerStatus[]): string {
  const list = (wanted: boolean) =>
    listeners.filter(({ listening }) => listening === wanted)
      .map(({ protocol, address }) => `${protocol} ${address}`).join(", ");
  if (!isRunning(listeners)) return `not running (nobody listens on ${list(false)})`;
  const missing = list(false);
  return `running (${list(true)}${missing === "" ? "" : `; nobody listens on ${missing}`})`;
}

function describeDelivery(delivery: Delivery): string {
  const { port, rule } = delivery;
  return `deliver: ${
    describeMissing(delivery) ?? `somebody listens on port ${port}, where ${rule} delivers`
  }\n`;
}
