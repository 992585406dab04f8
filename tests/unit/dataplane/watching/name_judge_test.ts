import assert from "node:assert/strict";
import { loadText } from "../../../../src/config/load.ts";
import { settingsOf } from "../../../../src/dataplane/settings.ts";
import { makeSolo } from "../../../../src/dataplane/solo.ts";
import { ENDS, GOES_ON } from "../../../../src/dataplane/watching/judge.ts";
import { NameJudge } from "../../../../src/dataplane/watching/name_judge.ts";
import { createLogger } from "../../../../src/log.ts";
import { formatEndpoint } from "../../../../src/net/ip.ts";
import { compilePolicy } from "../../../../src/policy/compile.ts";
import { buildNameSets } from "../../../../src/policy/name_sets.ts";
import { Policy } from "../../../../src/policy/policy.ts";
import { makeSegment } from "./support.ts";

Deno.test("A stream that is ended for its name is in the books and the access log; one that goes on is not", () => {
  const { config } = loadText(
    "rules: [{ name: ads, domains: [.ads.example], action: block }]\ndefault: bypass",
    "f",
  );
  const log = createLogger({ level: "info", format: "text", write: () => {} });
  const { context, books } = makeSolo({
    log,
    settings: settingsOf(config, { connections: 8, udpSessions: 8 }),
  });
  context.policy = new Policy(
    compilePolicy(config, 1, buildNameSets(config, new Map(), new Int32Array(2)).images),
  );
  context.totals.adopt(books.begin({ generation: 1, rules: ["ads"], otherwise: "default" }));
  books.ended.want(true);
  const judge = new NameJudge(context);
  const segment = makeSegment({});
  const ask = (host: string) => {
    const head = new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return judge.judge(head, head.length, segment, false);
  };
  assert.equal(ask("good.example"), GOES_ON);
  assert.equal(books.ended.read(), undefined);
  assert.equal(ask("x.ads.example"), ENDS);
  const flow = books.ended.read()!;
  assert.deepEqual(
    [formatEndpoint(flow.client), formatEndpoint(flow.destination!), flow.name, flow.rule, flow.ending],
    ["10.0.0.2:5000", "203.0.113.9:443", "x.ads.example", "ads", "blocked"],
  );
  const [{ name, flows, live, blocked }] = books.hits().ruleHits;
  assert.deepEqual([name, flows, live, blocked], ["ads", 1, 0, 1]);
});
