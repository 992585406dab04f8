/** tproxy redirect: what tcprdr does, with the rules of the kernel's page, and what it does not. */
import assert from "node:assert/strict";
import { startCapture } from "../../laboratory/network/capture.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { FOREIGN } from "../../laboratory/programs/netcat.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { countDescriptorKinds } from "../../laboratory/machine/procfs.ts";
import type { Outcome, Program } from "../../laboratory/program.ts";
import { PROXY_PORT, tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { prepareRecipe, type RecipeInLab } from "../../laboratory/proxy/recipe.ts";
import { labTest } from "../../laboratory/register.ts";
import { listSockets, serve } from "../../laboratory/network/sockets.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat", "ss", "nc.openbsd"];
const FAMILIES = [4, 6] as const;

/** The recipe of the README, whose rules, those of the kernel's page, are loaded. */
async function loadRules(lab: Lab): Promise<RecipeInLab> {
  const recipe = await prepareRecipe(lab, "tproxy redirect");
  await recipe.run("rules");
  return recipe;
}

/** Starts redirect in the router, and waits until it listens. */
async function startRedirect(lab: Lab, args: string): Promise<Program> {
  const program = await lab.router.start([...tproxyCommand(), "redirect", ...args.split(" ")]);
  await program.waitForOutput("Listening on ");
  return program;
}

/** Runs it to an end that comes by itself. */
function runRedirect(lab: Lab, args: string, wrapper: readonly string[] = []): Promise<Outcome> {
  const argv = [...wrapper, ...tproxyCommand(), "redirect", ...args.split(" ")];
  return lab.router.run(argv, { mayFail: true });
}

/** A client in the LAN that dials a port of the router, and listens, meets a reset. */
async function assertReset(lab: Lab, port: number): Promise<void> {
  const argv = ["socat", "-dd", "-u", `TCP4:${ADDRESSES[4].lan}:${port}`, "-"];
  const { stderr } = await lab.client.run(argv, { mayFail: true, timeoutMs: 25_000 });
  assert.match(stderr, /reset by peer/i);
}

function bracketed(family: 4 | 6, address: string): string {
  return family === 4 ? address : `[${address}]`;
}

labTest("redirect -l relays from a port of its own to a host", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab);
  for (const family of FAMILIES) {
    const { client, server, lan, wan } = ADDRESSES[family];
    const redirect = await startRedirect(lab, `-l 8080 ${server} 80`);
    assert.equal(redirect.stderr, "Listening on 0.0.0.0:8080 and [::]:8080\n");
    for (let i = 0; i < 2; i++) {
      const { stdout } = await lab.client.run(["curl", "-sSfm5", `http://${bracketed(family, lan)}:8080/`]);
      assert.equal(stdout, "hello\n");
      assert.equal((await nginx.waitForAccess(family)).client, wan);
    }
    assert.ok(redirect.stderr.endsWith(`Handling connection from ${client} to ${server}\n`.repeat(2)));
    await redirect.stop();
  }
});

labTest(
  "redirect -t -T shows the server the client's own address and port",
  { programs: PROGRAMS },
  async (lab) => {
    const nginx = await startNginx(lab);
    const recipe = await loadRules(lab);
    for (const family of FAMILIES) {
      const { client, server } = ADDRESSES[family];
      // The README has the line for IPv4.
      const redirect = family === 6
        ? await startRedirect(lab, `-l -t -T ${PROXY_PORT} ${server} 80`)
        : await recipe.start({ name: "host" });
      await redirect.waitForOutput("Listening on ");
      // Not where the client wants to go.
      const wanted = family === 4 ? "198.51.100.1" : "2001:db8:100::1";
      const argv = ["curl", "-sSfm5", "-w", "%{local_port}", `http://${bracketed(family, wanted)}/`];
      const { stdout } = await lab.client.run(argv);
      const access = await nginx.waitForAccess(family);
      assert.deepEqual([access.client, `hello\n${access.clientPort}`], [client, stdout]);
      const original = `(original destination was ${bracketed(family, wanted)}:80)`;
      await redirect.waitForOutput(`\nHandling connection from ${client} to ${server} ${original}\n`);
      await recipe.stop(redirect);
    }
  },
);

labTest("redirect without HOST goes to the original destination", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab);
  const recipe = await loadRules(lab);
  for (const options of ["-l", "-l -T, as the README has it"]) {
    const redirect = options === "-l"
      ? await startRedirect(lab, `${options} ${PROXY_PORT}`)
      : await recipe.start();
    await redirect.waitForOutput("Listening on ");
    for (const family of FAMILIES) {
      const { client, server, wan } = ADDRESSES[family];
      assert.equal(await nginx.get(family), "hello\n");
      const access = await nginx.waitForAccess(family);
      assert.equal(access.client, options === "-l" ? wan : client);
      const original = `${bracketed(family, server)}:80`;
      await redirect.waitForOutput(`from ${client} to ${server} (original destination was ${original})\n`);
    }
    // A client that dials the port itself wants to go nowhere.
    await assertReset(lab, PROXY_PORT);
    await redirect.waitForOutput(/10\.77\.1\.2:\d+ was not steered here, it dialled this port/);
    await recipe.stop(redirect);
  }
  await recipe.run("undo");
  const { stdout } = await lab.router.run([
    "sh",
    "-c",
    "nft list ruleset; ip rule; ip -6 rule; ip -6 route show table 100",
  ]);
  assert.doesNotMatch(stdout, /divert|fwmark|local default/);
});

labTest("redirect without -l serves one client, and says how that went by its exit code", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const { lan, server } = ADDRESSES[4];
  const redirect = await startRedirect(lab, `8080 ${server} 7000`);
  const client = await lab.client.start(["socat", "-t5", "-", `TCP4:${lan}:8080`]);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  // The second is refused.
  const second = await lab.client.run(["curl", "-sSm5", `http://${lan}:8080/`], { mayFail: true });
  assert.equal(second.code, 7);
  assert.ok(redirect.running);
  await client.closeInput();
  assert.equal(await redirect.waitForExit(), 0);
  assert.equal(await client.waitForExit(), 0);
  // Nobody there: the client is reset, the exit code tells.
  const refused = await startRedirect(lab, `8081 ${server} 7001`);
  await assertReset(lab, 8081);
  assert.equal(await refused.waitForExit(), 1);
  const said =
    /\ntproxy: Cannot connect to "203\.0\.113\.2:7001 for 10\.77\.1\.2:\d+": ECONNREFUSED \(Connection refused\)/;
  assert.match(refused.stderr, said);
});

labTest("redirect resets a client whose upstream refuses, is silent, or is out of reach", {
  programs: PROGRAMS,
}, async (lab) => {
  await lab.router.ip("route add unreachable 198.51.100.0/24");
  await lab.server.nft(`table inet silent {
    chain input { type filter hook input priority 0; policy accept; tcp dport 7009 drop; }
  }`);
  const { server } = ADDRESSES[4];
  for (
    const [upstream, error] of [
      [`${server} 7001`, "ECONNREFUSED"],
      [`${server} 7009`, "ETIMEDOUT"],
      ["198.51.100.1 80", "EHOSTUNREACH"],
    ]
  ) {
    const redirect = await startRedirect(lab, `-l 8080 ${upstream}`);
    await assertReset(lab, 8080);
    await redirect.waitForOutput(error);
    assert.doesNotMatch(redirect.stderr, /Handling/);
    await redirect.stop();
  }
});

labTest(
  "redirect passes half-closes on, and 100 MiB intact both ways",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "sha256sum");
    await serve(lab, 7001, "cat");
    await loadRules(lab);
    for (const family of FAMILIES) {
      const { server } = ADDRESSES[family];
      const wanted = family === 4 ? "TCP4:198.51.100.1:80" : "TCP6:[2001:db8:100::1]:80";
      const hashing = await startRedirect(lab, `-l -t -T ${PROXY_PORT} ${server} 7000`);
      const { stdout } = await lab.client.run(["socat", "-t10", "-", wanted], { input: "abc" });
      // FIPS 180-2, appendix B.1.
      assert.match(stdout, /^ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad /);
      await hashing.stop();
      const echoing = await startRedirect(lab, `-l -t -T ${PROXY_PORT} ${server} 7001`);
      const { directory } = lab;
      await lab.client.run(["sh", "-c", `head -c 100M /dev/urandom >${directory}/sent`]);
      const echo = `socat -t20 - ${wanted} <${directory}/sent >${directory}/received`;
      await lab.client.run(["sh", "-c", echo], { timeoutMs: 60_000 });
      await lab.client.run(["cmp", `${directory}/sent`, `${directory}/received`]);
      await echoing.stop();
    }
  },
);

labTest("redirect serves many connections at once, and closes what it opens", {
  programs: [...PROGRAMS, "wrk"],
}, async (lab) => {
  await startNginx(lab, { accessLog: false });
  await loadRules(lab);
  const { server } = ADDRESSES[4];
  const redirect = await startRedirect(lab, `-l -t -T ${PROXY_PORT} ${server} 80`);
  // The runtime opens files of its own when it likes.
  const sockets = () => countDescriptorKinds(redirect.pid).get("socket");
  const before = sockets();
  const wrk = await lab.client.start(["wrk", "-t2", "-c500", "-d4s", "http://198.51.100.1/"]);
  await until(async () => (await listSockets(lab.router, "state established dport = 80")).length >= 500, {
    what: "500 connections to the server",
  });
  assert.equal(await wrk.waitForExit({ timeoutMs: 20_000 }), 0);
  assert.match(wrk.stdout, /\d+ requests in/);
  assert.doesNotMatch(wrk.stdout, /Socket errors|Non-2xx/);
  assert.ok(redirect.stderr.match(/Handling/g)!.length >= 500);
  await until(() => sockets() === before, { what: "sockets to be closed" });
});

labTest("redirect -f sends first data with the SYN, on both sides, and waits for it", {
  programs: [...PROGRAMS, "tcpdump"],
}, async (lab) => {
  // 0x400: all of the server's listeners have Fast Open, though nginx does not ask for it.
  await lab.server.writeSysctl({ "net.ipv4.tcp_fastopen": 0x403 });
  await lab.router.writeSysctl({ "net.ipv4.tcp_fastopen": 3 });
  await lab.client.writeSysctl({ "net.ipv4.tcp_fastopen": 3 });
  const nginx = await startNginx(lab);
  for (const family of FAMILIES) {
    const { lan, server } = ADDRESSES[family];
    const redirect = await startRedirect(lab, `-f -l 8080 ${server} 80`);
    const url = `http://${bracketed(family, lan)}:8080/`;
    const get = () => lab.client.run(["curl", "-sSfm5", "--tcp-fastopen", url]);
    assert.equal((await get()).stdout, "hello\n"); // brings both their cookies
    await nginx.waitForAccess(family);
    const syns = family === 4
      ? "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn"
      : "ip6[6] = 6 and ip6[53] & 0x12 = 2";
    const lanSide = await startCapture(lab.router, { link: "r0", filter: syns });
    const wanSide = await startCapture(lab.router, { link: "r1", filter: syns });
    assert.equal((await get()).stdout, "hello\n");
    await nginx.waitForAccess(family);
    for (const capture of [lanSide, wanSide]) {
      const [syn] = await capture.stop();
      assert.match(syn, /Flags \[S\].* length [1-9]\d+/);
    }
    // A client that says nothing has no upstream yet.
    const silent = await lab.client.start(["nc.openbsd", lan, "8080"]);
    await delay(300);
    assert.equal(redirect.stderr.match(/Handling/g)?.length, 2);
    await silent.write("GET / HTTP/1.0\r\n\r\n");
    await silent.waitForOutput("hello\n");
    await silent.stop();
    await nginx.waitForAccess(family);
    await redirect.stop();
  }
});

labTest("redirect -4, -6 and -L choose where it listens", { programs: PROGRAMS }, async (lab) => {
  const { lan, server } = ADDRESSES[4];
  const cases: [args: string, said: string][] = [
    [`-4 -l 8080 ${server} 80`, "0.0.0.0:8080"],
    [`-6 -l 8080 ${ADDRESSES[6].server} 80`, "[::]:8080"],
    [`-L ${lan} -l 8080 ${server} 80`, `${lan}:8080`],
    [`-L ${ADDRESSES[6].lan} -l 8080 ${server} 80`, `[${ADDRESSES[6].lan}]:8080`],
  ];
  for (const [args, said] of cases) {
    const redirect = await startRedirect(lab, args);
    assert.equal(redirect.stderr, `Listening on ${said}\n`);
    await redirect.stop();
  }
  const redirect = await startRedirect(lab, `-L ${FOREIGN[4].address} -l 8080 ${server} 80`);
  await redirect.waitForOutput(
    /warning: .*:8080 is not of this machine: only what a rule steers here comes\n/,
  );
});

labTest("redirect knows which addresses are its own with ip_nonlocal_bind, too", {
  programs: PROGRAMS,
}, async (lab) => {
  await lab.router.writeSysctl({ "net.ipv4.ip_nonlocal_bind": 1, "net.ipv6.ip_nonlocal_bind": 1 });
  for (const family of FAMILIES) {
    const { server, lan } = ADDRESSES[family];
    const all = family === 4 ? "0.0.0.0:8080" : "[::]:8080";
    const redirect = await startRedirect(lab, `-${family} -l 8080 ${server} 8080`);
    assert.equal(redirect.stderr, `Listening on ${all}\n`);
    await redirect.stop();
    const { code, stderr } = await runRedirect(lab, `-${family} -l 8080 ${lan} 8080`);
    assert.equal(code, 2);
    assert.match(stderr, /this is where redirect itself listens/);
  }
});

labTest("redirect says what keeps it from starting", { programs: [...PROGRAMS, "setpriv"] }, async (lab) => {
  await lab.router.start(["socat", "TCP4-LISTEN:7000,reuseaddr", "-"], { listens: 7000 });
  const nobody = asNobody(lab);
  const { server } = ADDRESSES[4];
  const cases: [args: string, code: number, said: RegExp, wrapper?: string[]][] = [
    [`7000 ${server} 80`, 1, /Cannot listen on "0\.0\.0\.0:7000": EADDRINUSE .*ss -lntup sport = :7000/],
    [`-t 8080 ${server} 80`, 1, /EPERM .*CAP_NET_RAW/, nobody],
    [`-T 8080 ${server} 80`, 1, /Cannot dial from "the client's address": EPERM .*CAP_NET_RAW/, nobody],
    ["8080 localhost", 2, /Cannot redirect to "127\.0\.0\.1:8080": this is where redirect itself listens/],
    [`-6 8080 ${server} 80`, 1, /Cannot find "203\.0\.113\.2 80"/],
    [`-46 8080 ${server}`, 2, /-4 and -6 exclude each other/],
    [`8080-8090 ${server}`, 2, /One port is needed/],
    [`-l web ${server} 80`, 1, /Cannot find "web": .*give the number of the port/],
    [`-L router -l 8080 ${server} 80`, 1, /Cannot find "router 8080": .*Only an address will do here/],
  ];
  for (const [args, code, said, wrapper] of cases) {
    const outcome = await runRedirect(lab, args, wrapper);
    assert.equal(outcome.code, code, args);
    assert.match(outcome.stderr, said, args);
  }
});
