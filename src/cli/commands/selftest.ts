/**
 * `tproxy selftest`: the whole thing, for real, on this kernel, in throwaway network namespaces.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import type { InferValue } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { BACKEND_ABILITIES } from "../../config/backends.ts";
import { DEFAULT_CONFIG } from "../../config/defaults.ts";
import type { Config } from "../../config/types.ts";
import { readAdmission } from "../../kernel/admission.ts";
import { OperationError } from "../../net/error.ts";
import { usesColors } from "../colors.ts";
import type { Command } from "../command.ts";
import type { Env } from "../env.ts";
import type { ConfigName } from "../selftest/checks/check.ts";
import { HostError } from "../selftest/hosts/remote.ts";
import { formatResult, formatSummary, makeReport, type Result } from "../selftest/report.ts";
import { runChecks } from "../selftest/runner.ts";
import { VERSION } from "../version.ts";

const parser = object({
  json: option("--json", { description: message`Print the results as JSON, at the end` }),
  backend: optional(option("--backend", choice(["netlink", "iptables"], { metavar: "BACKEND" }), {
    description: message`As kernel.backend in the config: netlink (default) or iptables.`,
  })),
  admission: optional(option("--admission", choice(["forward-path", "early"], { metavar: "PLACE" }), {
    description: message`As intercept.admission in the config: forward-path (default) or early.`,
  })),
});

const CAP_SYS_ADMIN = 21n; // linux/capability.h

/** Exit code of a shell for a program that SIGINT or SIGTERM has ended. */
const INTERRUPTED = 130;

/** The command. */
export const selftestCommand: Command<InferValue<typeof parser>> = {
  name: "selftest",
  summary: "Try everything on this kernel, in network namespaces of its own",
  details: [
    "Makes a client, a router and a server in three network namespaces, installs and runs tproxy in the router, and checks " +
    "what client and server see. The router there forwards no new flow by itself, so a pass proves that the proxy was in the " +
    "path. Nothing of this machine's own network is touched. Exits with 1 if a check fails.",
  ],
  examples: ["selftest", "selftest --json", "selftest --backend iptables", "selftest --admission early"],
  changesState: false,
  parser,
  async run(env, options) {
    const directory = Deno.makeTempDirSync({ prefix: "tproxy-selftest-" });
    return await selftest(env, { json: options.json, config: configOf(options), directory });
  },
};

interface SelftestOptions {
  readonly json: boolean;
  /** Settings of all configs. */
  readonly config: Config;
  /** The directory of the configs. */
  readonly directory: string;
}

async function selftest(env: Env, options: SelftestOptions): Promise<number> {
  const progress = env.stdoutIsTerminal && !options.json;
  const runner = runChecks({
    hostUrl: hostUrl(),
    tproxy: (command, config) => call(env, [command, "-c", writeConfig(options, config)]),
    admission: readAdmission(options.config).inForce,
    routerTraffic: BACKEND_ABILITIES[options.config.kernel.backend].routerTraffic,
    uninstall: call(env, ["uninstall"]),
    onStart: (name) => progress && env.stdout(`…     ${name}\r`),
    onResult: (result) => options.json || env.stdout(formatResult(result, usesColors(env))),
  });
  const interruption = Promise.withResolvers<null>();
  const onSignal = () => interruption.resolve(null);
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  const cleanUp = () => {
    globalThis.removeEventListener("unload", cleanUp);
    Deno.removeSync(options.directory, { recursive: true });
    runner.killProxy();
  };
  // Also where the process ends in the middle: when nobody reads its output any more, for example.
  globalThis.addEventListener("unload", cleanUp);
  try {
    const results = await Promise.race([runner.results.catch(explain), interruption.promise]);
    if (results !== null) return printSummary(env, results, options.json);
    await runner.abort();
    env.stderr("Interrupted: the namespaces and the proxy in them are gone\n");
    return INTERRUPTED;
  } finally {
    Deno.removeSignalListener("SIGINT", onSignal);
    Deno.removeSignalListener("SIGTERM", onSignal);
    cleanUp();
  }
}

function printSummary(env: Env, results: readonly Result[], json: boolean): number {
  const report = makeReport(results, { version: VERSION, kernel: Deno.osRelease() });
  env.stdout(json ? `${JSON.stringify(report, null, 2)}\n` : formatSummary(report));
  return report.failed === 0 ? 0 : 1;
}

function call(env: Env, args: readonly string[]): { command: string; args: string[] } {
  return { command: env.self.command, args: [...env.self.args, ...args] };
}

function writeConfig(
  { directory, config: { kernel, intercept } }: SelftestOptions,
  name: ConfigName,
): string {
  const path = `${directory}/${name}.yaml`;
  const special =
    { open: "", bridge: "", reset: "on-failure: reset, ", router: "router-traffic: true, " }[name];
  const text = "version: 1\n" +
    `intercept: { interfaces: [${
      name === "bridge" ? "br0" : "r0"
    }], ${special}admission: ${intercept.admission} }\n` +
    `kernel: { backend: ${kernel.backend} }\n`;
  Deno.writeTextFileSync(path, text);
  return path;
}

function configOf({ backend, admission }: InferValue<typeof parser>): Config {
  const { kernel, intercept } = DEFAULT_CONFIG;
  return {
    ...DEFAULT_CONFIG,
    kernel: { ...kernel, backend: backend ?? kernel.backend },
    intercept: { ...intercept, admission: admission ?? intercept.admission },
  };
}

/** Beside this program: as a source file, or bundled by scripts/build. */
function hostUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("../selftest/hosts/host.ts", import.meta.url)
    : new URL("./host.js", import.meta.url);
}

const ONLY_HERE = "Only the self-test needs it: tproxy itself works without";

function explain(error: Error): never {
  if (error instanceof HostError && error.missingModule !== "") {
    const { missingModule } = error;
    throw new OperationError({
      operation: "make",
      object: "the network of the self-test",
      missingModule,
      ...(missingModule === "veth" ? { outcome: ONLY_HERE } : {}),
    }, { cause: error });
  }
  throw new OperationError({
    operation: "make",
    object: "the network of the self-test",
    reason: error.message,
    hint: mayMakeNamespaces() ? "" : userNamespaceHint(),
  }, { cause: error });
}

function mayMakeNamespaces(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? "0";
  return (BigInt(`0x${effective}`) >> CAP_SYS_ADMIN & 1n) === 1n;
}

/**
 * The single file moves a user without root into a namespace where he has the right, if the kernel lets it.
 */
function userNamespaceHint(): string {
  const state = Deno.env.get("TPROXY_USER_NAMESPACE");
  if (state === undefined || state === "1") return "Run it as root";
  return `This kernel does not let a user make namespaces (${state}): run it as root`;
}
