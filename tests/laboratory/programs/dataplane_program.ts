/**
 * The data plane alone, in a process that does what it is told: a line of JSON on standard input is a
 * command, a line on standard output its answer. Its log goes to standard error.
 *
 * Arguments: the path of a config. Start it with {@linkcode startDataplaneProgram}.
 */
import { readSecrets } from "../../../src/config/files/secrets.ts";
import type { UpstreamSettings } from "../../../src/dataplane/upstream/settings.ts";
import { loadConfig, type LoadedConfig } from "../../../src/config/load.ts";
import { upstreamSettings } from "../../../src/daemon/upstreams/settings.ts";
import { type Dataplane, startDataplane } from "../../../src/dataplane/supervisor.ts";
import type { SessionKey } from "../../../src/dataplane/shared/session_key.ts";
import { NO_LIVE_RULES, openLiveRules } from "../../../src/daemon/live_rules.ts";
import { readAdmission } from "../../../src/kernel/admission.ts";
import { withKernel } from "../../../src/kernel/machine/connections.ts";
import { applyInstall } from "../../../src/kernel/nft/apply.ts";
import { placeLinks } from "../../../src/daemon/network/links.ts";
import { preparePlan } from "../../../src/kernel/prepare.ts";
import { createLogger } from "../../../src/log.ts";
import { formatEndpoint } from "../../../src/net/ip.ts";
import { readDomainLists } from "../../../src/config/files/domain_lists.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import type { PolicyImage } from "../../../src/policy/image.ts";
import { buildNameSets } from "../../../src/policy/name_sets.ts";
import type { DataplaneCommand } from "../proxy/dataplane.ts";

const WORKERS = 2;
const encoder = new TextEncoder();

function say(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

function load(path: string) {
  return loadConfig({ path, readTextFile: Deno.readTextFileSync });
}

/** The rules of a config, with its names. */
function compile(loaded: LoadedConfig, generation: number): PolicyImage {
  const lists = readDomainLists(loaded, Deno.readFileSync);
  const { images } = buildNameSets(loaded.config, lists, Int32Array.of(1, 2));
  const policy = compilePolicy(loaded.config, generation, images);
  placeLinks(policy, log);
  return policy;
}

/** The upstreams of a config whose addresses are none but addresses. */
function upstreamsOf(loaded: LoadedConfig): UpstreamSettings[] {
  const names = Object.keys(loaded.config.upstreams);
  return upstreamSettings(loaded.config, {
    secrets: readSecrets(loaded),
    addressesOf: () => [],
    placeOf: (name) => names.indexOf(name),
  });
}

/** Does what the command says. Returns the answer. */
async function obey(command: DataplaneCommand, dataplane: Dataplane): Promise<unknown> {
  switch (command.do) {
    case "sessions":
      return Array.from(dataplane.sessions(), ({ client, destination, upstream: _, ...row }) => ({
        ...row,
        client: formatEndpoint(client),
        destination: destination === null ? null : formatEndpoint(destination),
      }));
    case "count":
      return { counters: dataplane.counters(), live: dataplane.live(), udpLive: dataplane.udpLive() };
    case "totals":
      return dataplane.totals();
    case "adopt": {
      const next = load(command.path);
      await dataplane.adopt({
        settings: dataplane.settingsOf(next.config, upstreamsOf(next)),
        policy: compile(next, command.generation),
      });
      return "adopted";
    }
    case "install": {
      const plan = preparePlan(load(command.path), Deno.readTextFileSync);
      withKernel((kernel) => applyInstall(plan, kernel));
      live.adopt(plan, true);
      return "installed";
    }
    case "close":
      return dataplane.close(command.sessions);
    case "park":
      return (await dataplane.parting[command.worker].park()).fds.length;
    case "unpark":
      return dataplane.parting[command.worker].unpark();
    case "part":
      return await dataplane.parting[command.worker].part();
    case "wreck":
      // A worker that is asked for a protocol that it does not have throws, as it would on any mistake of
      // ours.
      return dataplane.close(
        [{ worker: command.worker, protocol: "sctp", slot: 0, tag: 1 }] as unknown as SessionKey[],
      );
    case "drain":
      live.drain();
      return dataplane.drain();
    default:
      return command satisfies never;
  }
}

const [path] = Deno.args;
const loaded = load(path);
const { config } = loaded;
const log = createLogger({
  level: "debug",
  format: "text",
  write: (line) => void Deno.stderr.writeSync(encoder.encode(line)),
});
const admission = readAdmission(config).inForce;
const live = admission === "forward-path" ? openLiveRules(WORKERS) : NO_LIVE_RULES;
const dataplane = await startDataplane({
  config,
  admission,
  policy: compile(loaded, 1),
  workers: WORKERS,
  log,
  replaced: () => live.forget(),
  workerUrl: new URL("../../../src/dataplane/worker.ts", import.meta.url),
});
live.adopt(preparePlan(loaded, Deno.readTextFileSync), true);
say("listening");
dataplane.ended.then(() => Deno.exit(0), (error) => {
  say(`FAILED ${error.message}`);
  Deno.exit(1);
});
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    say(`ANSWER ${JSON.stringify(await obey(JSON.parse(line), dataplane) ?? null)}`);
  }
}
