/**
 * The start of a proxy: workers first, then the sign that one runs, or rules of this process, then those that
 * send it something.
 * @module
 */
import { collectGarbage } from "../../ffi/pages.ts";
import { closeFd } from "../../ffi/sockets/socket.ts";
import { readMemoryLimit } from "../dataplane/sizing/memory_limit.ts";
import { demandOf } from "../dataplane/sizing/demand.ts";
import { countWorkers } from "../dataplane/sizing/worker_count.ts";
import { type Dataplane, startDataplane } from "../dataplane/supervisor.ts";
import { backendOf } from "../kernel/backends.ts";
import type { Config } from "../config/types.ts";
import { describeWatching, readAdmission, warnAdmission } from "../kernel/admission.ts";
import type { Logger } from "../log.ts";
import { Marks } from "../marks.ts";
import { OperationError } from "../net/error.ts";
import type { Endpoint } from "../net/ip.ts";
import { compilePolicy } from "../policy/compile.ts";
import { usableFamilies } from "./families.ts";
import type { Predecessor } from "./handover/predecessor.ts";
import { adoptLiveRules, type LiveRules, NO_LIVE_RULES, openLiveRules } from "./live_rules.ts";
import type { ConfigSource, UsableConfig } from "./reload/generation.ts";
import { RulesKeeper } from "./rules/keeper.ts";
import { placeLinks } from "./network/links.ts";
import { WaysOut } from "./network/ways_out.ts";
import { type NetworkWatch, watchNetwork } from "./network/network_watch.ts";
import type { NetworkChange } from "./network/change.ts";
import { nameProcess } from "./network/process_name.ts";
import { Proxy } from "./proxy.ts";
import { announce } from "./report.ts";
import { Survey, type SurveyOptions } from "./routes/survey.ts";
import { openUpstreams } from "./upstreams/open_upstreams.ts";
import type { Surroundings } from "./surroundings.ts";

/** Options of a start. */
export interface StartOptions {
  readonly source: ConfigSource;
  /** Make the install too, and keep it. */
  readonly installs: boolean;
  readonly version: string;
  /** Of the sources that the program is made of. */
  readonly commit: string;
  /** The module of a worker, as a source file or bundled. */
  readonly workerUrl: URL;
  /** The proxy that this one takes over from; absent: there is none. */
  readonly predecessor?: Predecessor | undefined;
  /** Has this one write, from then on, where that one has written. */
  readonly takesOutput?: boolean;
}

/** Starts a proxy, and says what it does. Throws an OperationError if it cannot start. */
export async function startProxy(
  usable: UsableConfig,
  options: StartOptions,
  surroundings: Surroundings,
): Promise<Proxy> {
  const { log, terminal } = surroundings;
  const { loaded } = usable;
  const { config, origin } = loaded;
  const { readTextFile } = options.source;
  for (const warning of usable.warnings) log.warn(warning);
  const families = usableFamilies(config, readTextFile);
  if (families.length < config.intercept.families.length) {
    log.warn("IPv6 is off on this router: only IPv4 is relayed");
  }
  const { predecessor } = options;
  const { workers, reason } = predecessor === undefined
    ? countWorkers(config.listener.workers, {
      processors: navigator.hardwareConcurrency,
      memory: readMemoryLimit(readTextFile),
      connections: demandOf(config).connections,
    })
    : { workers: predecessor.sockets.length, reason: "the proxy before" }; // whose listeners are as many
  const admission = readAdmission(config);
  const warning = warnAdmission(admission);
  if (warning !== undefined && !options.installs) log.warn(warning); // an install says it as well
  const watching = describeWatching(config, admission);
  if (watching !== undefined) log.info(watching);
  const policy = compilePolicy(config, 1, usable.names);
  placeLinks(policy, log);
  const { workerUrl, version, commit } = options;
  collectGarbage(); // of the config and the trial, before workers need their part: the most is needed then
  let live = NO_LIVE_RULES;
  const spare = (places: readonly Endpoint[]) => attempt(() => live.spare(places), log, NOT_SPARED);
  const upstreams = openUpstreams(config, { log, readTextFile, spare });
  const first = upstreams.prepare(usable);
  const dataplane = await startDataplane({
    config,
    workers,
    families,
    admission: admission.inForce,
    policy,
    upstreams: first,
    log,
    workerUrl,
    replaced: () => forgetFlows(live, log),
    ...predecessor === undefined ? {} : { inherited: predecessor.sockets },
  });
  const survey = admission.inForce === "early"
    ? undefined // what is dialled goes by the router's own way
    : surveyFor(config, dataplane, {
      log,
      readTextFile,
      outputCloses: () => forgetFlows(live, log),
      outputChanges: (others) => attempt(() => live.keepFrom(others), log, NOT_KEPT),
    });
  if (predecessor !== undefined) {
    survey?.begin(true); // flows come at once
    live = await takeOver(predecessor, dataplane, { surroundings, moves: options.takesOutput === true });
  } else if (admission.inForce !== "early") live = await openLive(dataplane);
  const life = backendOf(config).life({ config, families, admission: admission.inForce }, log);
  life.begin();
  const keeper = new RulesKeeper({ loaded, installs: options.installs, life, live, log, readTextFile });
  const waysOut = new WaysOut(log);
  const changed = (change: NetworkChange) => {
    if (change.plan || change.carrier) waysOut.changed();
    if (change.plan) placeLinks(proxy.generation.policy, log);
    survey?.look(change);
    return keeper.networkChanged(change);
  };
  const watch = watchIfPossible(changed, log, readTextFile);
  survey?.begin(predecessor !== undefined); // what changes from now on is told
  const proxy = new Proxy({
    source: options.source,
    first: { ...usable, number: 1, policy, settings: dataplane.settingsOf(config, first) },
    families,
    dataplane,
    upstreams,
    keeper,
    watch,
    survey,
    life,
    live,
    access: surroundings.makeAccessLog(dataplane.endedFlows, options.source.openForAppending),
    log,
    lines: surroundings.lines,
    build: { version, commit, deno: Deno.version.deno },
  });
  upstreams.adopt(proxy.generation, dataplane);
  await keeper.begin();
  life.once(); // on a slow router that look has taken longer than a sign of life counts
  announce(log, { version, config, origin, families, dataplane, reason });
  if (terminal) {
    log.info('it stays when this terminal is closed; to start it at boot: "tproxy install --boot auto"');
  }
  return proxy;
}

function surveyFor(
  config: Config,
  { routes: board }: Dataplane,
  options: Omit<SurveyOptions, "board" | "mark" | "replyMark">,
): Survey {
  const { pin, intercepted } = new Marks(config.kernel.mark, { apart: true });
  return new Survey({ ...options, board, mark: pin, replyMark: intercepted });
}

/** Has flows of UDP ask again: their worker has failed, or they were sent on where rules drop them now. */
function forgetFlows(live: LiveRules, log: Logger): void {
  attempt(() => live.forget(), log, "flows of UDP wait for some seconds until they work again");
}

const NOT_KEPT = "rules for what the router sends may change what the proxy sends";
const NOT_SPARED = "who dials an upstream himself is led there through it";

/** Says what follows where the kernel does not do it. */
function attempt(work: () => void, log: Logger, consequence: string): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    log.warn(consequence, { reason: error.message });
  }
}

/** Ends the workers where nothing is taken over. */
async function takeOver(
  predecessor: Predecessor,
  dataplane: Dataplane,
  { surroundings, moves }: { readonly surroundings: Surroundings; readonly moves: boolean },
): Promise<LiveRules> {
  const { log } = surroundings;
  try {
    const { table, udpSessions } = await predecessor.take(dataplane);
    if (moves) surroundings.moveOutput(predecessor.outputs);
    else predecessor.outputs.forEach(closeFd); // whoever reads them waits for the end
    log.info("taken over from the proxy before", { "udp-sessions": udpSessions });
    return table === null ? NO_LIVE_RULES : adoptLiveRules(table, dataplane.workers);
  } catch (error) {
    predecessor.end();
    dataplane.stop();
    await dataplane.ended;
    throw error;
  }
}

/** Ends the workers where another proxy has the place of the rules. */
async function openLive(dataplane: Dataplane): Promise<LiveRules> {
  try {
    return openLiveRules(dataplane.workers);
  } catch (error) {
    dataplane.stop();
    await dataplane.ended;
    throw error;
  }
}

/** Without notifications the rules stay as they are. */
function watchIfPossible(
  changed: (change: NetworkChange) => Promise<void>,
  log: Logger,
  readTextFile: (path: string) => string,
): NetworkWatch | undefined {
  try {
    return watchNetwork({ changed, nameProcess: (pid) => nameProcess(pid, readTextFile) });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    log.warn("changes of the network are not seen", { reason: error.message });
    return undefined;
  }
}
