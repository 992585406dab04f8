/**
 * tproxy nc beside Debian's netcat-openbsd: exit codes, half-close, scans, large transfers; and what it says
 * that netcat does not.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { FOREIGN, ncCommand, NETCAT, runNc, startNc, startNetcat } from "../../laboratory/programs/netcat.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { loadKernelPage } from "../../laboratory/proxy/kernel_page.ts";
import type { Outcome } from "../../laboratory/program.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { delay } from "../../laboratory/machine/wait.ts";

const PROGRAMS = [NETCAT, "socat", "ss"];
const SERVER = ADDRESSES[4].server;

/** The same command line with both: their outcomes. */
async function runBoth(
  lab: Lab,
  args: string,
  options: { input?: string } = {},
): Promise<[Outcome, Outcome]> {
  const theirs = await lab.router.run([NETCAT, ...args.split(" ")], { mayFail: true, ...options });
  return [await runNc(lab, args, options), theirs];
}

labTest("nc ends with netcat's exit codes and output", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7001, "cat");
  await serve(lab, 7003, "echo hello");
  await lab.server.nft(`table inet silent {
    chain input { type filter hook input priority 0; policy accept; tcp dport 7009 drop; }
  }`);
  const cases: [args: string, code: number, input?: string][] = [
    [`-N ${SERVER} 7001`, 0, "echo"],
    [`-N ${SERVER} 7003`, 0, ""],
    [`-N ${SERVER} 7001`, 0, ""],
    [`${SERVER} 7003`, 0, ""],
    [`${SERVER} 7002`, 1, "refused"],
    [`-4 ${SERVER} 7002`, 1],
    [`-w 1 ${SERVER} 7009`, 1],
    [`-w 1 ${SERVER} 7001`, 0, "idle"],
    [`-z ${SERVER} 7001`, 0],
    [`-z ${SERVER} 7002`, 1],
    [`-z ${SERVER} 7000-7004`, 0],
    [`-z ${SERVER} 7004-7005`, 1],
    [`-z -s ${ADDRESSES[4].wan} ${SERVER} 7001`, 0],
    [`-zw1 ${SERVER} 7009`, 1],
    [`-n localhost 7001`, 1],
    [`-z6 ${ADDRESSES[6].server} 7001`, 0],
    [`-z4 ${ADDRESSES[6].server} 7001`, 1],
  ];
  for (const [args, code, input] of cases) {
    const [ours, theirs] = await runBoth(lab, args, input === undefined ? {} : { input });
    assert.deepEqual([ours.code, theirs.code, ours.stdout], [code, code, theirs.stdout], `nc ${args}`);
  }
});

labTest("nc -zv names the ports that answer in netcat's words", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7001, "cat");
  await serve(lab, 7003, "cat");
  await lab.server.start(["socat", "UDP6-LISTEN:7001,fork,ipv6only=0", "EXEC:cat"], { udpPort: 7001 });
  const succeeded = (outcome: Outcome) =>
    outcome.stderr.split("\n").filter((line) => line.includes("succeeded"));
  for (
    const args of [
      `-zv ${SERVER} 7000-7004`,
      `-zv ${SERVER} 7004-7000`,
      `-zvn ${SERVER} 7003`,
      `-6zv ${ADDRESSES[6].server} 7001`,
      `-vN ${SERVER} 7001`,
      `-uzv ${SERVER} 7000-7001`,
    ]
  ) {
    const [ours, theirs] = await runBoth(lab, args);
    assert.ok(succeeded(theirs).length > 0);
    assert.deepEqual(succeeded(ours), succeeded(theirs), `nc ${args}`);
  }
  const { stderr } = await runNc(lab, `-zv ${SERVER} 7000-7004`);
  assert.equal(stderr.match(/ECONNREFUSED/g)?.length, 3);
  // A scan that is not asked to speak is silent.
  assert.equal((await runNc(lab, `-z ${SERVER} 7000-7004`)).stderr, "");
  // netcat looks at UDP ports with -v only.
  assert.equal((await runNc(lab, `-uz ${SERVER} 7000`)).code, 1);
  assert.equal((await runNc(lab, `-uz ${SERVER} 7001`)).code, 0);
});

labTest("nc looks names up, with -n it does not", { programs: PROGRAMS }, async (lab) => {
  await lab.router.start(["socat", "TCP4-LISTEN:7000,fork,reuseaddr", "SYSTEM:echo hello"], {
    listens: 7000,
  });
  // The first of its addresses may refuse: the next is tried.
  for (const args of ["-N localhost 7000", "-N 127.0.0.1 7000"]) {
    const [ours, theirs] = await runBoth(lab, args);
    assert.deepEqual([ours.code, ours.stdout], [0, "hello\n"]);
    assert.equal(theirs.stdout, "hello\n");
    assert.equal(ours.stderr, "");
  }
  const { code, stderr } = await runNc(lab, "-nz localhost 7000");
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^tproxy: Cannot find "localhost 7000": Name or service not known\. Only an address will do here/,
  );
});

labTest("nc passes half-closes on, both ways", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "sha256sum");
  // FIPS 180-2, appendix B.1: the server answers after our end.
  const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  for (const server of [ADDRESSES[4].server, ADDRESSES[6].server]) {
    assert.match((await runNc(lab, `-N ${server} 7000`, { input: "abc" })).stdout, new RegExp(`^${hash} `));
  }
  // The server's end is not ours: what we say after it still arrives.
  const server = await lab.server.start(["socat", "-t30", "TCP-LISTEN:7001", "-"], { listens: 7001 });
  const nc = await startNc(lab, `-N ${SERVER} 7001`);
  await server.write("first\n");
  await server.closeInput();
  await nc.waitForOutput("first\n");
  await delay(300);
  assert.ok(nc.running);
  await nc.write("after the server's end\n");
  await nc.closeInput();
  assert.equal(await nc.waitForExit(), 0);
  assert.equal(await server.waitForExit(), 0);
  assert.equal(server.stdout, "after the server's end\n");
});

labTest(
  "nc without -N goes on after the end of its input, as netcat does",
  { programs: PROGRAMS },
  async (lab) => {
    await lab.server.start(["socat", "TCP-LISTEN:7000,fork,reuseaddr", "SYSTEM:sleep 1; echo late"], {
      listens: 7000,
    });
    const [ours, theirs] = await runBoth(lab, `${SERVER} 7000`);
    assert.deepEqual([ours.code, ours.stdout], [theirs.code, theirs.stdout]);
    assert.equal(ours.stdout, "late\n");
  },
);

labTest("nc takes any standard input: a file, none, a terminal", {
  programs: [...PROGRAMS, "script"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const file = lab.writeFile("input", "from a file\n");
  const command = ncCommand(`-N ${SERVER} 7000`).join(" ");
  const shell = async (text: string) => (await lab.router.run(["sh", "-c", text])).stdout;
  assert.equal(await shell(`${command} <${file}`), "from a file\n");
  assert.equal(await shell(`${command} <&-; echo $?`), "0\n");
  assert.equal(await shell(`${command} <${file} >&-; echo $?`), "0\n");
  assert.equal(await shell(`${command} <${file} >${file}.out; cat ${file}.out`), "from a file\n");
  assert.equal(await shell(`echo more | ${command} >>${file}.out; cat ${file}.out`), "from a file\nmore\n");
  // Ctrl-D is the end.
  const terminal = await lab.router.start(["script", "-qec", command, "/dev/null"]);
  await delay(1000);
  await terminal.write("typed\n");
  await terminal.waitForOutput(/typed\r?\n[^]*typed/);
  await terminal.write("\x04");
  assert.equal(await terminal.waitForExit(), 0);
});

for (const family of [4, 6] as const) {
  labTest(`nc carries 100 MiB through pipes intact both ways, IPv${family}`, {
    programs: PROGRAMS,
  }, async (lab) => {
    await loadKernelPage(lab);
    const sent = `${lab.directory}/sent`;
    await lab.client.run(["sh", "-c", `head -c 100M /dev/urandom >${sent}`]);
    const { address, port } = FOREIGN[family];
    const { lan } = ADDRESSES[family];
    const nc = ncCommand("").slice(0, -1).join(" ");
    /** Lets one netcat listen in the router and another connect from the LAN. Returns the output of both. */
    const meet = async (listensOn: number, listener: string, client: string): Promise<[string, string]> => {
      const server = await lab.router.start(["sh", "-c", listener], { listens: listensOn });
      const { stdout } = await lab.client.run(["sh", "-c", client], { timeoutMs: 60_000 });
      await server.waitForExit({ timeoutMs: 60_000 });
      return [server.stdout, stdout];
    };
    const hash = (await lab.client.run(["sh", "-c", `sha256sum <${sent}`])).stdout;
    const both = await meet(
      port,
      `cat ${sent} | ${nc} -lN ${address} ${port} | sha256sum`,
      `cat ${sent} | ${NETCAT} -N ${address} ${port} | sha256sum`,
    );
    assert.deepEqual(both, [hash, hash]);
    // netcat as a listener drops what it has not sent when its client has finished: one way at a time.
    const up = await meet(
      7000,
      `${NETCAT} -lN ${lan} 7000 | sha256sum`,
      `cat ${sent} | ${nc} -N ${lan} 7000`,
    );
    assert.deepEqual(up, [hash, ""]);
    const down = await meet(7000, `cat ${sent} | ${NETCAT} -lN ${lan} 7000`, `${nc} ${lan} 7000 | sha256sum`);
    assert.deepEqual(down, ["", hash]);
  });
}

labTest("nc -v explains why a connection does not come about, without it is silent as netcat is", {
  programs: PROGRAMS,
}, async (lab) => {
  await lab.router.ip("route add unreachable 198.51.100.0/24");
  await lab.server.nft(`table inet silent {
    chain input { type filter hook input priority 0; policy accept; tcp dport 7009 drop; }
  }`);
  const { address } = FOREIGN[4];
  const cases: [args: string, said: RegExp][] = [
    [
      `${SERVER} 7000`,
      /^tproxy: Cannot connect to "203\.0\.113\.2:7000": ECONNREFUSED \(Connection refused\)\. Nobody listens there/,
    ],
    [`-w 1 ${SERVER} 7009`, /ETIMEDOUT \(.*\)\. No answer: the host is off, or a firewall/],
    [`198.51.100.1 80`, /EHOSTUNREACH \(.*\)\. There is no way there; "ip route get 198\.51\.100\.1"/],
    // The rules that deliver replies are not loaded here.
    [
      `-w 1 -s ${address} ${SERVER} 7000`,
      /"203\.0\.113\.2:7000 from 222\.173\.190\.239:0": ETIMEDOUT .*no way back: what is sent to 222\.173\.190\.239 must be routed/,
    ],
    [`-u 127.0.0.1 7000`, /ECONNREFUSED/],
  ];
  for (const [args, said] of cases) {
    const { code, stderr } = await runNc(lab, `-v ${args}`, { input: "x" });
    assert.equal(code, 1, args);
    assert.match(stderr, said, args);
    const silent = await runNc(lab, args, { input: "x" });
    assert.deepEqual([silent.code, silent.stderr], [1, ""], args);
  }
});

labTest(
  "nc says without -v what netcat says without it, and no more",
  { programs: PROGRAMS },
  async (lab) => {
    await lab.router.ip("route add unreachable 198.51.100.0/24");
    await serve(lab, 7001, "cat");
    for (
      const args of [
        `${SERVER} 7000`,
        `-w 1 ${SERVER.replace(/\.\d+$/, ".77")} 7000`,
        `198.51.100.1 80`,
        `-N ${SERVER} 7001`,
        `-z ${SERVER} 7000-7001`,
        `-s fd77:1::1 ${SERVER} 7001`,
        `-p 22 -s ${ADDRESSES[4].lan} nosuch.invalid 7001`,
      ]
    ) {
      const [ours, theirs] = await runBoth(lab, args, { input: "x" });
      assert.deepEqual([ours.code, ours.stderr !== ""], [theirs.code, theirs.stderr !== ""], args);
    }
  },
);

labTest("nc -v shows names as netcat does, with -n addresses", { programs: PROGRAMS }, async (lab) => {
  for (const options of ["lv", "lvn", "luv", "luvn"]) {
    const args = `-${options} 127.0.0.1 7005`;
    const [waits, client] = options.includes("u")
      ? [{ udpPort: 7005 }, "-u -w 1 127.0.0.1 7005"]
      : [{ listens: 7005 }, "-N 127.0.0.1 7005"];
    const said = [];
    for (const start of [() => startNc(lab, args, waits), () => startNetcat(lab.router, args, waits)]) {
      const listener = await start();
      await lab.router.run([NETCAT, ...client.split(" ")], { input: "x", mayFail: true });
      await listener.waitForOutput("x");
      await listener.stop();
      said.push(listener.stderr.replace(/\d+\n$/, "PORT\n"));
    }
    assert.equal(said[0], said[1], args);
    assert.match(said[0], options.includes("n") ? /received on 127\.0\.0\.1 / : /received on localhost /);
  }
  // netcat says nothing of a client without a name.
  const { client, lan } = ADDRESSES[4];
  const nc = await startNc(lab, "-lv 7006", { listens: 7006 });
  await lab.client.run([NETCAT, "-N", lan, "7006"], { input: "x" });
  assert.equal(await nc.waitForExit(), 0);
  assert.match(
    nc.stderr,
    new RegExp(`^Listening on 0\\.0\\.0\\.0 7006\nConnection received on ${client} \\d+\n$`),
  );
});

labTest(
  "nc takes and shows addresses of a link alone, with its interface",
  { programs: PROGRAMS },
  async (lab) => {
    const linkAddress = async (host: Namespace, link: string) => {
      const { stdout } = await host.run(["ip", "-6", "-o", "address", "show", "dev", link, "scope", "link"]);
      return /fe80::[\da-f:]+/.exec(stdout)![0];
    };
    const there = `${await linkAddress(lab.client, "c0")}%r0`;
    const here = `${await linkAddress(lab.router, "r0")}%r0`;
    const echo = ["socat", "TCP6-LISTEN:7777,fork,reuseaddr", "SYSTEM:echo hello"];
    await lab.client.start(echo, { listens: 7777 });
    for (const args of [`-vN ${there} 7777`, `-vnN -s ${here} ${there} 7777`]) {
      const [ours, theirs] = await runBoth(lab, args);
      assert.deepEqual([ours.code, ours.stdout, ours.stderr], [0, "hello\n", theirs.stderr], args);
      assert.equal(ours.stderr, `Connection to ${there} 7777 port [tcp/*] succeeded!\n`);
    }
    for (const options of ["-lvn", "-luvn"]) {
      const waits = options.includes("u") ? { udpPort: 7001 } : { listens: 7001 };
      const nc = await startNc(lab, `${options} ${here} 7001`, waits);
      const client = await startNetcat(
        lab.client,
        `${options === "-lvn" ? "" : "-u "}${here.replace("%r0", "%c0")} 7001`,
      );
      await client.write("question\n");
      await nc.waitForOutput("question\n");
      await nc.write("answer\n");
      await client.waitForOutput("answer\n");
      await client.stop();
      await nc.stop();
      assert.match(
        nc.stderr,
        new RegExp(`^(Listening|Bound) on ${here} 7001\nConnection received on ${there} \\d+\n$`),
      );
    }
    const cases: [args: string, said: RegExp][] = [
      [
        `${there.replace("%r0", "%nope")} 7000`,
        /What follows % is the name of an interface, and there is none/,
      ],
      [`-v ${there.replace("%r0", "")} 7000`, /EINVAL .*needs the name of its interface: fe80::1%eth0/],
      [`-l ${here.replace("%r0", "")} 7000`, /EINVAL .*needs the name of its interface/],
    ];
    for (const [args, said] of cases) {
      const { code, stderr } = await runNc(lab, args);
      assert.equal(code, 1, args);
      assert.match(stderr, said, args);
    }
  },
);

labTest("nc explains why it has not the address that it is to have", {
  programs: [...PROGRAMS, "setpriv"],
}, async (lab) => {
  const holder = await lab.router.start(["socat", "TCP4-LISTEN:7000,reuseaddr", "-"], { listens: 7000 });
  for (const args of ["-l 7000", "-l -s 127.0.0.1 -p 7000"]) {
    const { code, stderr } = await runNc(lab, args);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot listen on ".*:7000": EADDRINUSE .* "ss -lntup sport = :7000" shows which/);
  }
  await holder.stop();
  await lab.router.start(["socat", "UDP4-RECV:7000", "-"], { udpPort: 7000 });
  assert.match((await runNc(lab, "-lu 7000")).stderr, /EADDRINUSE/);
  // Nobody, without capabilities.
  await serve(lab, 7000, "echo hello");
  const nobody = (args: string) => lab.router.run([...asNobody(lab), ...ncCommand(args)], { mayFail: true });
  const { address } = FOREIGN[4];
  for (
    const args of [`-s ${address} ${SERVER} 7000`, `-u -s ${address} ${SERVER} 7000`, `-l ${address} 7000`]
  ) {
    const { code, stderr } = await nobody(args);
    assert.equal(code, 1, args);
    assert.match(stderr, /EPERM .*222\.173\.190\.239 is not an address of this machine.*CAP_NET_RAW/, args);
  }
  const low = await nobody("-l 80");
  assert.match(low.stderr, /EACCES .*Ports below 1024/);
  // Options that need no privilege work without.
  for (const args of [`-N ${SERVER} 7000`, `-N -s ${ADDRESSES[4].wan} ${SERVER} 7000`]) {
    const { code, stdout, stderr } = await nobody(args);
    assert.deepEqual([code, stdout, stderr], [0, "hello\n", ""], args);
  }
});

labTest(
  "nc says what is wrong with its words, and what to give instead",
  { programs: PROGRAMS },
  async (lab) => {
    const cases: [args: string, said: RegExp][] = [
      [`${SERVER}`, /A host and a port are needed \(to listen: -l\)\nTry: tproxy nc --help/],
      [`${SERVER} 99999`, /Port 99999 is not between 1 and 65535/],
      [`-Q ${SERVER} 80`, /-Q/],
      [`${SERVER} web`, /Cannot find "203\.0\.113\.2 web": .*give the number of the port/],
      [`-p 0x50 ${SERVER} 80`, /Cannot find "0x50": .*give the number of the port, in decimal/],
      [`-n -s 300.1.1.1 ${SERVER} 80`, /Cannot find "300\.1\.1\.1 0": .*Only an address will do/],
      [
        `-s ${ADDRESSES[6].wan} ${SERVER} 80`,
        /Cannot find "203\.0\.113\.2 80": .*no address of IPv6.*or another/,
      ],
    ];
    for (const [args, said] of cases) {
      const [ours, theirs] = await runBoth(lab, args);
      assert.deepEqual([ours.code, theirs.code], [1, 1], args);
      assert.match(ours.stderr, said, args);
    }
  },
);

labTest("nc tells a reset", { programs: PROGRAMS }, async (lab) => {
  const server = await lab.server.start(
    ["socat", "-u", "SYSTEM:echo part; sleep 100", "TCP-LISTEN:7000,reuseaddr"],
    { listens: 7000 },
  );
  const nc = await startNc(lab, `${SERVER} 7000`);
  await nc.waitForOutput("part\n");
  await nc.write("never read");
  await delay(300);
  server.signal("SIGKILL");
  assert.equal(await nc.waitForExit(), 0); // as netcat: the connection had come about
  assert.match(nc.stderr, /^tproxy: Cannot go on with "203\.0\.113\.2:7000": ECONNRESET/);
});

labTest(
  "nc -l ends an idle client after -w, but waits for one without end",
  { programs: PROGRAMS },
  async (lab) => {
    const nc = await startNc(lab, "-l -w 1 7000", { listens: 7000 });
    await delay(1500);
    assert.ok(nc.running);
    const client = await startNetcat(lab.client, `${ADDRESSES[4].lan} 7000`);
    await client.write("x");
    await nc.waitForOutput("x");
    assert.equal(await nc.waitForExit(), 0);
  },
);
