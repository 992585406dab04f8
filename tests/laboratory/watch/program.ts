/**
 * Watching alone, in one thread: the rules of an install and of a running proxy, and a worker's watching.
 * SIGUSR1 prints the counters.
 *
 * Arguments: the path of a config. Start it with {@linkcode startWatcher}.
 */
import { readDomainLists } from "../../../src/config/files/domain_lists.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { RouteBook } from "../../../src/dataplane/routes/route_book.ts";
import { settingsOf } from "../../../src/dataplane/settings.ts";
import { makeSolo } from "../../../src/dataplane/solo.ts";
import { openQuestionSockets } from "../../../src/dataplane/sockets/questions.ts";
import { Teller } from "../../../src/dataplane/watching/datagrams/teller.ts";
import { DatagramWatching } from "../../../src/dataplane/watching/datagrams/watching.ts";
import { NameJudge } from "../../../src/dataplane/watching/name_judge.ts";
import { Resender } from "../../../src/dataplane/watching/resender.ts";
import { SignedSockets } from "../../../src/dataplane/watching/signed_socket.ts";
import { Watching } from "../../../src/dataplane/watching/watching.ts";
import { openLiveTable } from "../../../src/kernel/live/live_table.ts";
import { withKernel } from "../../../src/kernel/machine/connections.ts";
import { applyInstall } from "../../../src/kernel/nft/apply.ts";
import { planLive } from "../../../src/kernel/plan/live/live_plan.ts";
import { LIVE_OPTIONS } from "../../../src/kernel/plan/live/options.ts";
import { preparePlan } from "../../../src/kernel/prepare.ts";
import { createLogger } from "../../../src/log.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { buildNameSets } from "../../../src/policy/name_sets.ts";
import { Policy } from "../../../src/policy/policy.ts";

const encoder = new TextEncoder();
const say = (line: string) => void Deno.stdout.writeSync(encoder.encode(`${line}\n`));

const loaded = loadConfig({ path: Deno.args[0], readTextFile: Deno.readTextFileSync });
const { config } = loaded;
const plan = preparePlan(loaded, Deno.readTextFileSync);
const { scope } = plan.intent;
const log = createLogger({ level: "debug", format: "text", write: say });
const { context } = makeSolo({ log, settings: settingsOf(config, { connections: 100, udpSessions: 100 }) });
const [asking] = openQuestionSockets({
  port: config.listener.port,
  workers: 1,
  families: scope.families,
  mark: scope.marks.router,
});
const seed = crypto.getRandomValues(new Int32Array(2));
const { images } = buildNameSets(config, readDomainLists(loaded, Deno.readFileSync), seed);
context.policy = new Policy(compilePolicy(config, 1, images));
const signed = new SignedSockets(asking.watch.raw);
const routes = new RouteBook(context);
context.loop.add(new DatagramWatching(context, asking.watch, { signed, routes, teller: new Teller() }));
context.loop.add(new Watching(context, asking.watch, new Resender(signed, routes), new NameJudge(context)));
context.loop.start();
withKernel((kernel) => applyInstall(plan, kernel));
openLiveTable().replace(planLive(scope, LIVE_OPTIONS));
Deno.addSignalListener("SIGUSR1", () => say(`COUNTERS ${JSON.stringify(counters())}`));
say("watching");
for (;;) {
  context.loop.turn(20);
  await new Promise((done) => setTimeout(done, 0)); // for the signal
}

function counters(): Record<string, number> {
  const sums = context.shared.sums();
  return Object.fromEntries(Object.entries(sums).filter(([name]) => name.startsWith("watch")));
}
