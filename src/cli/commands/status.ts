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
import { tidyTrial, trialLeft } from "../../kernel/trials.ts";
import type { ObjectStatus } from "../../kernel/backend/object_status.ts";
import { readAdmission } from "../../kernel/admission.ts";
import { describeBootStatus } from "../boot/describe.ts";
import { namedConfig } from "../boot/settings.ts";
import { readBootStatus } from "../boot/status.ts";
import { paint, usesColors } from "../colors.ts";
import type { Command } from "../command.ts";
import { configOption, loadConfigOption } from "../arguments/config_option.ts";
import { NOBODY } from "../control/find.ts";
import { reportBlind } from "../status/blind.ts";
import { reportObstacles } from "../status/obstacles.ts";
import { describeHits } from "../status/hits.ts";
import { answers, describeProxy, findHolder, placesOf } from "../status/proxy.ts";

const parser = object({
  config: configOption,
  json: optional(flag("--json", { description: message`Print JSON.` })),
  verbose: optional(flag("-v", "--verbose", {
    description:
      message`List every object, those that are as the config wants too, and the flows of each rule.`,
  })),
  running: optional(flag("--running", {
    description:
      message`Exit with 3 where all is installed, or that cannot be known, and no proxy runs or it does not answer.`,
  })),
});

/** The command. */
export const statusCommand: Command<InferValue<typeof parser>> = {
  name: "status",
  summary: "Show whether a proxy runs, and what is in the kernel against what the config wants",
  details: [
    "The proxy: who holds its port, its process id, how long it has run, what it carries and by which config, as it answers at its control socket. The " +
    "install: each object is present, missing, changed, or foreign (it is there and the config does not ask for it); " +
    "those that are not as the config wants are listed, with -v all. " +
    "Where all are, what keeps clients from a proxy all the same is named as doctor names it. " +
    "The start at boot, and whether its files are those that this version writes, is shown too. " +
    "The exit code is 0 only if all are present. Whether a proxy is running does not count but with --running: " +
    "without one, intercept.on-failure says what happens.",
    "Where the config is wrong, or the machine is not such that it could be installed (no default route for interfaces: auto), status shows the proxy that answers and then that error; " +
    "its JSON is { version, error, proxy } then.",
    "While an install is on trial (install --confirm), it is what counts, and the time that is left is shown; what a " +
    "trial that is over has left in the kernel is taken away.",
    "JSON: { version, config, installed, interfaces, families, admission: { inForce, reason }, backend: { name, place }, warnings, proxy: { running, listeners: " +
    "[{ protocol, address, listening }], holder?: { pid, name, command, ours, state? } }, deliveries: [{ port, rule, missing: [{ protocol, family }] }], obstacles: [findings of doctor that block], boot: [{ manager, enabled, files: [{ path, state, detail? }] }], trial?: { secondsLeft }, objects: [{ kind, name, state, detail? }] }; installed is the exit code in words.",
  ],
  examples: ["status", "status -v", "status --running --json"],
  changesState: false,
  parser,
  async run(env, options) {
    await tidyTrial();
    const trialMs = trialLeft();
    const { json = false, verbose = false, running: asksRunning = false } = options;
    let loaded, plan;
    try {
      loaded = await loadConfigOption(env, { path: options.config });
      plan = preparePlan(loaded, env.readTextFile);
    } catch (error) {
      return await reportBlind(env, error, { config: options.config, json, verbose, running: asksRunning });
    }
    const { config, origin } = loaded;
    const { objects, place } = await readStatus({ plan, config }, env.readTextFile);
    const asked = { ...placesOf(config), families: plan.families };
    const listeners = findListeners({ ...asked, readTextFile: env.readTextFile });
    const holder = await findHolder(env, asked);
    const running = holder === undefined ? isListening(listeners) : holder.ours;
    const deliveries = findDeliveries(config, { families: plan.families, readTextFile: env.readTextFile });
    const boot = readBootStatus(env, { loaded, config: namedConfig(env, options.config) });
    const admission = readAdmission(config);
    const installed = objects.every(({ state }) => state === "present");
    const inTheWay = installed ? await reportObstacles(env, loaded) : { obstacles: [], text: "" };
    if (json) {
      const document = {
        version: 1,
        config: origin,
        installed,
        interfaces: { lan: plan.lan, others: plan.others },
        families: plan.families,
        admission,
        backend: { name: config.kernel.backend, place },
        warnings: plan.warnings,
        proxy: { running, listeners, ...(holder === undefined ? {} : { holder }) },
        deliveries,
        obstacles: inTheWay.obstacles,
        boot,
        ...(trialMs === undefined ? {} : { trial: { secondsLeft: Math.ceil(trialMs / 1000) } }),
        objects,
      };
      env.stdout(`${JSON.stringify(document, null, 2)}\n`);
    } else {
      const failure = backendOf(config).describeFailure(config);
      const about = describeProxy(holder, listeners, {
        now: env.now().getTime(),
        config: origin,
        control: config.control,
        verbose,
      });
      const color = usesColors(env);
      env.stdout([
        trialMs === undefined
          ? ""
          : `trial: ${Math.ceil(trialMs / 1000)} s left; "tproxy confirm" keeps it\n`,
        `installed: ${paint(summarize(objects), installed ? "green" : "red", color)}\n`,
        `proxy: ${paint(about[0], running ? "green" : "yellow", color)}${
          about.slice(1).map((line) => `\n       ${line}`).join("")
        }\n`,
        `admission: ${admission.inForce}${admission.reason === "" ? "" : ` (${admission.reason})`}\n`,
        ...deliveries.map(describeDelivery),
        inTheWay.text,
        failure === "" ? "" : `backend: ${place}; ${failure}\n`,
        describeBootStatus(boot),
        verbose ? describeHits(holder) : "",
        describeObjects(objects, verbose),
      ].join(""));
    }
    const serves = holder === undefined ? running : answers(holder, config.control);
    return !installed ? 1 : asksRunning && !serves ? NOBODY : 0;
  },
};

function isListening(listeners: readonly ListenerStatus[]): boolean {
  return listeners.some(({ listening }) => listening);
}

/** Lists what is not as it should be; where nothing is there at all, the summary has said so. */
function describeObjects(objects: readonly ObjectStatus[], all: boolean): string {
  const none = objects.every(({ state }) => state === "missing");
  const shown = all ? objects : none ? [] : objects.filter(({ state }) => state !== "present");
  return shown.length === 0 ? "" : `\n${shown.map(formatObject).join("")}`;
}

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

function describeDelivery(delivery: Delivery): string {
  const { port, rule } = delivery;
  return `deliver: ${
    describeMissing(delivery) ?? `somebody listens on port ${port}, where ${rule} delivers`
  }\n`;
}
