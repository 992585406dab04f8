/**
 * Watching alone: the rules of an install and of a running proxy, and a worker's watching, in one thread. It
 * watches what the config gives to the proxy; a stream ends where a whole head names `blocked.test`.
 * SIGUSR1 prints the counters.
 *
 * Arguments: the path of a config. Start it with {@linkcode startWatcher}.
 */
import { loadConfig } from "../../../src/config/load.ts";
import { makeSolo } from "../../../src/dataplane/solo.ts";
import { settingsOf } from "../../../src/dataplane/settings.ts";
import { openQuestionSockets } from "../../../src/dataplane/sockets/questions.ts";
import { ENDS, GOES_ON, type Judge } from "../../../src/dataplane/watching/judge.ts";
import { Watching } from "../../../src/dataplane/watching/watching.ts";
import { openLiveTable } from "../../../src/kernel/live/live_table.ts";
import { withKernel } from "../../../src/kernel/machine/connections.ts";
import { applyInstall } from "../../../src/kernel/nft/apply.ts";
import { planIntent } from "../../../src/kernel/plan/intent.ts";
import { planLive } from "../../../src/kernel/plan/live/live_plan.ts";
import { LIVE_OPTIONS } from "../../../src/kernel/plan/live/options.ts";
import { preparePlan } from "../../../src/kernel/prepare.ts";
import { createLogger } from "../../../src/log.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const say = (line: string) => void Deno.stdout.writeSync(encoder.encode(`${line}\n`));

/** A hello of one record, or a head of HTTP. */
class TestJudge implements Judge {
  judge(bytes: Uint8Array, length: number, _segment: unknown, isWhole: boolean): number {
    const text = decoder.decode(bytes.subarray(0, length));
    if (bytes[0] === 0x16) {
      const whole = length < 5 ? 5 : 5 + ((bytes[3] << 8) | bytes[4]);
      if (length < whole && !isWhole) return whole;
    } else if (/^[A-Z]/.test(text) && !text.includes("\r\n\r\n") && !isWhole) return length + 1;
    return text.includes("blocked.test") ? ENDS : GOES_ON;
  }
}

const loaded = loadConfig({ path: Deno.args[0], readTextFile: Deno.readTextFileSync });
const { config } = loaded;
const plan = preparePlan(loaded, Deno.readTextFileSync);
const { families, rules } = plan.intent.scope;
const scope = {
  ...plan.intent.scope,
  rules: rules.map((rule) =>
    rule.outcome.kind === "proxy" ? { ...rule, outcome: { kind: "watch" } as const } : rule
  ),
};
const log = createLogger({ level: "debug", format: "text", write: say });
const { context } = makeSolo({ log, settings: settingsOf(config, { connections: 100, udpSessions: 100 }) });
const [{ watch }] = openQuestionSockets({ port: config.listener.port, workers: 1, families, mark: 0 });
context.loop.add(new Watching(context, watch, new TestJudge()));
context.loop.start();
withKernel((kernel) => applyInstall({ ...plan, intent: planIntent(scope) }, kernel));
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
