/** The real ufw: doctor speaks its language, and what it says to do helps. */
import assert from "node:assert/strict";
import { doctor, echoes, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { type ConfigText, startProxy } from "../../laboratory/proxy/proxy.ts";
import { packagesObstacle, PYTHON, unpackPackages } from "../../laboratory/programs/debian_program.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import type { Lab } from "../../laboratory/lab.ts";
import type { Outcome } from "../../laboratory/program.ts";

type Ufw = (words: string) => Promise<Outcome>;

/** Enables it: everything from the outside is denied, and nothing is forwarded. */
async function enableUfw(lab: Lab): Promise<{ ufw: Ufw; root: string }> {
  const root = await unpackPackages(lab, ["ufw"]);
  const ufw: Ufw = (words) =>
    lab.router.run(
      [
        "unshare",
        "-m",
        "sh",
        "-ec",
        `mount -t tmpfs ufw /run; exec "$@"`,
        "ufw",
        PYTHON,
        `${root}/usr/sbin/ufw`,
      ]
        .concat(`--rootdir=${root}`, `--datadir=${root}`, words.split(" ")),
      { env: { PYTHONPATH: `${root}/usr/lib/python3/dist-packages` } },
    );
  // As its package does when it is installed.
  const share = `${root}/usr/share/ufw`;
  await lab.router.run([
    "sh",
    "-ec",
    `cp ${share}/ufw.conf ${share}/*.init ${share}/iptables/*.rules ${root}/etc/ufw/`,
  ]);
  await ufw("--force enable");
  return { ufw, root };
}

const CONFIG: ConfigText = { intercept: { ports: [7000] } };

labTest("doctor tells ufw to forward, in the words of ufw", {
  programs: ["socat", "iptables"],
  ...packagesObstacle(["ufw"]),
}, async (lab) => {
  await serve(lab, 7000, "cat");
  await startProxy(lab, { config: CONFIG });
  assert.deepEqual(await echoes(lab), [true, true]);
  const { ufw } = await enableUfw(lab);
  assert.deepEqual(await echoes(lab), [false, false]);
  const report = await doctor(lab, { config: CONFIG });
  assert.deepEqual(report.troubles, ["! warning forward-chains", "! warning forward-chains"]);
  const { cause, remedy } = findTrouble(report, "forward-chains");
  assert.match(cause, /ufw made it$/);
  const [, command] = /to keep it, ufw (route allow in on r0 out on r1)$/.exec(remedy) ?? [];
  assert.ok(command !== undefined, remedy);
  await ufw(command);
  assert.deepEqual(await echoes(lab), [true, true]);
  assert.deepEqual((await doctor(lab, { config: CONFIG })).troubles, []);
  // What it denies to the router's own programs, it does not deny to clients.
  await ufw("default deny outgoing");
  // The proxy learns of it within a second; what begins before goes through with its second SYN.
  await until(async () => (await echoes(lab)).every(Boolean), { what: "echoes", timeoutMs: 5_000 });
  assert.deepEqual((await doctor(lab, { config: CONFIG })).troubles, []);
});

labTest("doctor tells ufw to let in what is taken early, in its own files", {
  programs: ["socat", "iptables"],
  ...packagesObstacle(["ufw"]),
}, async (lab) => {
  const config: ConfigText = { intercept: { ports: [7000], admission: "early" } };
  await serve(lab, 7000, "cat");
  await startProxy(lab, { config });
  const { ufw, root } = await enableUfw(lab);
  assert.deepEqual(await echoes(lab), [false, false]);
  const { findings } = await doctor(lab, { config });
  const wrong = findings.filter(({ blocks }) => blocks);
  assert.deepEqual(wrong.map(({ id }) => id), ["input-chains", "input-chains"]);
  for (const { remedy } of wrong) {
    const [, line, file] =
      /to keep it, put "(-A .*)" before the first "-A" of (\S+), and then/.exec(remedy) ?? [];
    assert.ok(line !== undefined, remedy);
    const text = Deno.readTextFileSync(root + file);
    Deno.writeTextFileSync(root + file, text.replace(/^-A /m, `${line}\n-A `));
  }
  await ufw("reload");
  assert.deepEqual(await echoes(lab), [true, true]);
  assert.equal((await doctor(lab, { config })).ready, true);
});
