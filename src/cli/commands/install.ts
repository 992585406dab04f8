/**
 * `tproxy install`: programs the kernel, or shows what it would do.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import type { InstallReport } from "../../kernel/backend/backend.ts";
import { describeWatching, readAdmission } from "../../kernel/admission.ts";
import { backendOf, install } from "../../kernel/backends.ts";
import { compilerOf, compilerWithFormat } from "../../kernel/compilers.ts";
import { describeMissing, findDeliveries } from "../../kernel/listeners/delivery.ts";
import { findListeners } from "../../kernel/listeners/listeners.ts";
import type { Plan } from "../../kernel/plan/model.ts";
import { preparePlan } from "../../kernel/prepare.ts";
import { renderJson } from "../../kernel/json.ts";
import { OperationError } from "../../net/error.ts";
import { describeBoot } from "../boot/describe.ts";
import { bootDocument, prepareBoot, renderBoot, warnOfBoot, withBoot } from "../boot/install.ts";
import type { BootPlan } from "../boot/plan.ts";
import type { Command } from "../command.ts";
import { configOption, loadConfigOption, STREAM } from "../arguments/config_option.ts";
import { durationValue } from "../arguments/duration_value.ts";
import type { Env } from "../env.ts";
import { tidyTrial } from "../../kernel/trials.ts";
import { describeTrial, followTrial, installOnTrial } from "../trial/install.ts";

const DAY_MS = 86_400_000;

const parser = object({
  config: configOption,
  dryRun: optional(flag("--dry-run", {
    description: message`Change nothing: print a shell script of nft and ip commands that would do the same.`,
  })),
  format: optional(option("--format", choice(["nft", "iptables", "json"], { metavar: "FORMAT" }), {
    description:
      message`With --dry-run: a script with nft or with iptables (default: that of kernel.backend), or json.`,
  })),
  boot: optional(
    option("--boot", choice(["auto", "systemd", "openwrt", "openrc", "none"], { metavar: "MANAGER" }), {
      description:
        message`Have this service manager start it at boot; auto: the one that runs here; none (default): ${
          text("leave that as it is.")
        }`,
    }),
  ),
  confirm: optional(
    option("--confirm", durationValue({ least: 1000, most: DAY_MS, suggested: ["60s", "5m"] }), {
      description:
        message`Install on trial: after that time (60s, unless one is named) the kernel takes it back, unless tproxy confirm has come.`,
    }),
  ),
  force: optional(flag("--force", {
    description:
      message`With --boot: write over files that have been changed by hand, or that others have made.`,
  })),
});

/** The command. */
export const installCommand: Command<InferValue<typeof parser>> = {
  name: "install",
  summary: "Program the kernel: new flows of the clients go to the proxy",
  details: [
    "All is done or nothing. It can be run again at any time, with another config too. Flows that exist go on " +
    "untouched, an SSH session through this router among them. It makes one table of nf_tables, policy-routing rules " +
    "and a route; sysctls and what other programs made are left alone.",
    "With kernel.backend: iptables, for kernels without nf_tables, it makes chains of its own in the tables raw, mangle " +
    "and filter of iptables and ip6tables, whichever kind of iptables the plain name stands for.",
    "With --boot it also writes what the service manager needs to program the kernel and to run the proxy at each boot, " +
    "and enables that; it does not start the proxy now. systemd gets a unit, OpenWrt a script for procd, a list for " +
    "sysupgrade and an include for its firewall, OpenRC a script. uninstall removes them.",
    "With --confirm it is a trial. The rules that were there before stay in the kernel beside the new ones, and hold again " +
    "when the time is over, or none: the kernel sees to that, whatever becomes of this program, its terminal and the clock. " +
    "tproxy confirm, from a new connection, keeps the new ones. On a terminal the seconds are counted, and Ctrl-C takes the " +
    "trial back. The config's file is not taken back, nor what a running proxy has read.",
    "--dry-run needs no privilege.",
  ],
  examples: [
    "install",
    "install -c ./tproxy.yaml",
    "install -c - < ./tproxy.yaml",
    "install --confirm 60s",
    "install --boot auto",
    "install --dry-run > rules.sh",
  ],
  changesState: true,
  defaultValues: { "--confirm": "60s" },
  parser,
  async run(env, options) {
    if (options.format !== undefined && options.dryRun !== true) {
      throw new OperationError({
        operation: "use option",
        object: "--format",
        reason: "it is for --dry-run",
        usage: true,
      });
    }
    const { confirm: timeoutMs } = options;
    if (timeoutMs !== undefined && options.dryRun === true) throw dryTrial();
    refuseStream(options);
    const loaded = await loadConfigOption(env, { path: options.config, user: "install" });
    const plan = preparePlan(loaded, env.readTextFile, { anew: true, early: options.format === "iptables" });
    const boot = prepareBoot(env, loaded, options);
    if (options.dryRun === true) {
      env.stdout(renderDryRun(plan, loaded, { format: options.format, boot }));
      return 0;
    }
    await tidyTrial();
    const { reportFiles } = await import("../check/files.ts");
    reportFiles(loaded);
    const { config } = loaded;
    const tellProxy = backendOf(config).rememberLife({
      config,
      families: plan.families,
      admission: plan.intent.scope.admission,
    });
    const wanted = { plan, loaded };
    const report = timeoutMs === undefined
      ? await withBoot(env, boot, () => orExplain(env, loaded, install({ plan, config }, env.readTextFile)))
      : await orExplain(env, loaded, installOnTrial(env, wanted, { timeoutMs, options }));
    env.stdout(describeInstall(plan, config, { report, timeoutMs }));
    for (const warning of plan.warnings) env.stderr(`tproxy: warning: ${warning}\n`);
    const served = warnWithoutProxy(env, { plan, config, tellProxy });
    warnWithoutReceivers(env, { plan, config });
    const { warnOfObstacles } = await import("../doctor/obstacles.ts");
    await warnOfObstacles(env, loaded);
    warnOfBoot(env, boot, options);
    if (timeoutMs !== undefined) return await followTrial(env, options);
    if (boot !== undefined) env.stdout(describeBoot(boot, { running: served }));
    return 0;
  },
};

/** Throws where the config is needed once more, at boot or at the end of a trial. */
function refuseStream({ config, boot = "none", confirm }: InferValue<typeof parser>): void {
  if (config !== STREAM || (boot === "none" && confirm === undefined)) return;
  throw new OperationError({
    operation: "read config",
    object: "standard input",
    reason: confirm === undefined
      ? "the start at boot has to read it again"
      : '"tproxy confirm" has to read it again',
    hint: "Write it into a file",
    usage: true,
  });
}

function dryTrial(): OperationError {
  return new OperationError({
    operation: "use option",
    object: "--confirm",
    reason: "a dry run changes nothing that could be taken back",
    usage: true,
  });
}

/** Tells a failure for want of a part of the kernel in the words of doctor. */
async function orExplain<T>(env: Env, loaded: LoadedConfig, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { explainRefusal } = await import("../doctor/refusal.ts");
    throw await explainRefusal(error, loaded, env);
  }
}

function renderDryRun(
  plan: Plan,
  { config, origin }: LoadedConfig,
  options: { format: "nft" | "iptables" | "json" | undefined; boot: BootPlan | undefined },
): string {
  const { format, boot } = options;
  const compiler = format === undefined || format === "json"
    ? compilerOf(config)
    : compilerWithFormat(format);
  const compiled = compiler.compile(plan);
  if (format !== "json") return compiled.script({ origin }) + (boot === undefined ? "" : renderBoot(boot));
  return renderJson(plan, {
    origin,
    rules: compiled.document,
    ...(boot === undefined ? {} : { boot: bootDocument(boot) }),
  });
}

function describeInstall(
  plan: Plan,
  config: Config,
  { report, timeoutMs }: { report: InstallReport; timeoutMs: number | undefined },
): string {
  const { protocols, ports, onFailure, routerTraffic } = config.intercept;
  const portText = ports === "all"
    ? "all"
    : ports.map(({ first, last }) => first === last ? `${first}` : `${first}-${last}`).join(", ");
  const watching = describeWatching(config, readAdmission(config));
  const others = plan.others.length === 0 ? "" : ` (not on: ${plan.others.join(", ")})`;
  return [
    timeoutMs !== undefined
      ? describeTrial(report, timeoutMs)
      : report.replaced
      ? "Installed; the earlier install is replaced."
      : "Installed.",
    `  interfaces  ${plan.lan.join(", ")}${others}`,
    `  families    ${plan.families.join(", ")}`,
    `  protocols   ${protocols.join(", ")}`,
    `  ports       ${portText}`,
    ...(routerTraffic ? ["  router      its own traffic too"] : []),
    ...(watching === undefined ? [] : [`  names       ${watching}`]),
    `  on failure  ${onFailure}`,
    `  kernel      ${report.place}, ${describeRouting(plan, config)}`,
    "",
  ].join("\n");
}

function describeRouting({ routingRules }: Plan, { kernel }: Config): string {
  return routingRules.length === 0
    ? "no routing rule: nothing is relayed"
    : `${routingRules.length} routing rules, routing table ${kernel.table}`;
}

const WITHOUT_PROXY = {
  open: "new flows are forwarded as if it were not installed",
  reset: "new TCP connections are reset and UDP is refused",
  drop: "new TCP connections and UDP are dropped",
} as const;

/**
 * Warns, or has the new rules told at once that a proxy runs.
 * Returns whether one runs, for whatever protocol.
 */
function warnWithoutProxy(
  env: Env,
  { plan, config, tellProxy }: { plan: Plan; config: Config; tellProxy: () => void },
): boolean {
  const { families } = plan;
  const { port } = config.listener;
  const { protocols, onFailure } = config.intercept;
  const listeners = findListeners({ protocols, families, port, readTextFile: env.readTextFile });
  const silent = protocols.filter((protocol) =>
    !listeners.some((listener) => listener.protocol === protocol && listener.listening)
  );
  if (silent.length === 0) {
    tellProxy();
    return true;
  }
  const what = silent.length === protocols.length
    ? "No proxy is running yet"
    : `No proxy is running for ${silent.join(", ")} yet`;
  env.stderr(
    `tproxy: warning: ${what}: until "tproxy run" listens, ${WITHOUT_PROXY[onFailure]} ` +
      `(intercept.on-failure: ${onFailure})\n`,
  );
  return silent.length < protocols.length;
}

/** Programs to which rules deliver, and which are not there. */
function warnWithoutReceivers(env: Env, { plan, config }: { plan: Plan; config: Config }): void {
  const { onFailure } = config.intercept;
  for (
    const delivery of findDeliveries(config, { families: plan.families, readTextFile: env.readTextFile })
  ) {
    const what = describeMissing(delivery);
    if (what === undefined) continue;
    env.stderr(
      `tproxy: warning: ${what}: until a program does, transparently, on all addresses or on 127.0.0.1 and ::1, ` +
        `${WITHOUT_PROXY[onFailure]} (intercept.on-failure: ${onFailure})\n`,
    );
  }
}
