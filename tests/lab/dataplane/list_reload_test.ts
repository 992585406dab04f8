/**
 * A long list of names is read anew while clients are served: no connection fails, and no worker stands still
 * for as long as the list takes.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { print } from "../../laboratory/machine/print.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { makeNames } from "../../laboratory/names/lists.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import type { Program } from "../../laboratory/program.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const NAMES = 200_000;
const RELOADS = 5;
const ECHO_PORT = 7000;
/** A worker that reads the list itself stands still for longer; a busy machine seldom makes one wait so. */
const STALL_MS = 100;

/** Sends a byte and waits for it, again and again, and prints how long each took: milliseconds. */
const PROBE = `import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while True:
    t = time.monotonic()
    s.sendall(b"x")
    if not s.recv(1): break
    print("%.2f" % ((time.monotonic() - t) * 1000), flush=True)
    time.sleep(0.001)
`;

/** The times that a probe has printed. */
class Times {
  readonly #programs: readonly Program[];
  #from: number[];

  constructor(programs: readonly Program[]) {
    this.#programs = programs;
    this.#from = programs.map(() => 0);
  }

  /** Every probe has printed some. */
  get areThere(): boolean {
    return this.#programs.every(({ stdout }) => stdout.length > 0);
  }

  /** Sums up those since the last time. */
  take(): { count: number; p99: number; max: number; stalls: number } {
    const times = this.#programs.flatMap(({ stdout }, index) => {
      const lines = stdout.split("\n").slice(0, -1);
      return lines.slice(this.#from[index], this.#from[index] = lines.length).map(Number);
    }).toSorted((a, b) => a - b);
    return {
      count: times.length,
      p99: times[Math.floor(times.length * 0.99)],
      max: times.at(-1)!,
      stalls: times.filter((time) => time > STALL_MS).length,
    };
  }
}

async function fetchCode(lab: Lab, url: string, host: string): Promise<number> {
  return (await lab.client.run(["curl", "-sfm10", "-o/dev/null", "-H", `Host: ${host}`, url], {
    mayFail: true,
  })).code;
}

labTest(`A list of ${NAMES} names is read anew under load: no connection fails, no worker stands still`, {
  programs: ["nginx", "wrk", "socat", "curl", "python3"],
}, async (lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  await serve(lab, ECHO_PORT, "cat");
  const dataplane = await startDataplaneProgram(lab);
  const path = `${lab.directory}/ads.list`;
  const names = makeNames(NAMES);
  const rules = [{ name: "ads", ports: [80], "domains-file": path, action: "block" }];
  const adopt = async (round: number) => {
    Deno.writeTextFileSync(path, [...names.slice(round), `round${round}.example`].join("\n"));
    await dataplane.adopt({ rules });
  };
  await adopt(0);
  // Connections of two ports or more are served by both workers.
  const probe = () => lab.client.start(["python3", "-c", PROBE, ADDRESSES[4].server, String(ECHO_PORT)]);
  const times = new Times([await probe(), await probe(), await probe(), await probe()]);
  const flood = [
    "wrk",
    "-t1",
    "-c8",
    "-d120s",
    "-H",
    "Host: good.example",
    "-H",
    "Connection: close",
    nginx.url(4),
  ];
  const wrk = await lab.client.start(flood);
  await until(() => times.areThere, { what: "an answer to each probe" });
  times.take();
  await delay(4000);
  const before = times.take();
  for (let round = 1; round <= RELOADS; round++) {
    assert.equal(await fetchCode(lab, nginx.url(4), `round${round}.example`), 0);
    await adopt(round);
    assert.equal(await fetchCode(lab, nginx.url(4), `round${round}.example`), 56, "it is in the list now");
    assert.equal(await fetchCode(lab, nginx.url(4), `round${round - 1}.example`), 0, "it is in it no more");
  }
  const during = times.take();
  assert.ok(wrk.running, "the load has ended before the reloads");
  wrk.signal("SIGINT"); // it prints its sums
  await wrk.waitForExit({ timeoutMs: 30_000 });
  const told = `before: ${JSON.stringify(before)}; during ${RELOADS} reloads: ${JSON.stringify(during)}`;
  print(told);
  assert.doesNotMatch(wrk.stdout, /Socket errors|Non-2xx/, wrk.stdout);
  assert.ok(Number(/(\d+) requests in/.exec(wrk.stdout)![1]) > 500, wrk.stdout);
  assert.ok(during.count > 100 && during.stalls < 2 * RELOADS + 2 * before.stalls, told);
});
