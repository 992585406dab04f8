/** The library: another program makes a transparent proxy with it, and programs the kernel. */
import assert from "node:assert/strict";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { entry, exampleOf, libraryProgram, programFile } from "../../laboratory/programs/library.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { PROXY_PORT, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

/** Only a running tproxy can be asked: a program that listens itself is given flows early. */
const OWN_LISTENER = { admission: "early" };

labTest(
  "the example of mod.ts is a transparent proxy, with --allow-ffi alone",
  { programs: ["curl", "nginx"] },
  async (lab) => {
    const nginx = await startNginx(lab, { ports: [80] });
    // A program that does not tell the rules of iptables that it runs is only asked where they need not know.
    const config = usesIptables() ? { intercept: { "on-failure": "drop" } } : { intercept: OWN_LISTENER };
    await tproxy(lab, ["install", "-c", writeConfig(lab, config)]);
    const { example, permissions } = entry(".");
    using file = programFile(example);
    const program = await lab.router.start(libraryProgram(file.path, permissions), { listens: PROXY_PORT });
    for (const family of [4, 6] as const) {
      const { client } = ADDRESSES[family];
      const { stdout } = await lab.client.run(["curl", "-sSfm5", "-w", "%{local_port}", nginx.url(family)]);
      assert.match(stdout, /^hello\n/);
      const access = await nginx.waitForAccess(family);
      assert.equal(access.client, client);
      assert.equal(`${access.clientPort}`, stdout.replace("hello\n", ""));
    }
    // Many at once, of which none may starve.
    const urls = Array.from({ length: 100 }, () => nginx.url(4));
    const parallel = ["curl", "-sSfm20", "--parallel", "--parallel-max", "50", "--no-keepalive"];
    const { stdout } = await lab.client.run([...parallel, ...urls]);
    assert.equal(stdout, "hello\n".repeat(100));
    assert.equal(program.output, "");
  },
);

labTest(
  "a connection of the library passes on half-closes and 32 MiB both ways",
  { programs: ["socat", "sha256sum"] },
  async (lab) => {
    const config = usesIptables() ? { intercept: { "on-failure": "drop" } } : { intercept: OWN_LISTENER };
    await tproxy(lab, ["install", "-c", writeConfig(lab, config)]);
    const { example, permissions } = entry(".");
    using file = programFile(example);
    await lab.router.start(libraryProgram(file.path, permissions), { listens: PROXY_PORT });
    // The server answers only when it has read the client's end.
    const serve = `${lab.directory}/serve.sh`;
    Deno.writeTextFileSync(serve, `cat > ${serve}.data; sha256sum < ${serve}.data; cat ${serve}.data\n`);
    await lab.server.start(["socat", "-t20", "TCP-LISTEN:7777,reuseaddr,fork", `EXEC:sh ${serve}`], {
      listens: 7777,
    });
    const [sent, answer] = ["sent", "answer"].map((name) => `${lab.directory}/${name}`);
    const script = `head -c 33554432 /dev/urandom > ${sent}; sha256sum < ${sent}; ` +
      `socat -t20 - TCP:${ADDRESSES[4].server}:7777 < ${sent} > ${answer}; ` +
      `head -n1 ${answer}; tail -n+2 ${answer} | sha256sum`;
    const { stdout } = await lab.client.run(["sh", "-c", script], { timeoutMs: 60_000 });
    const sums = stdout.trim().split("\n");
    assert.equal(sums.length, 3, stdout);
    assert.equal(new Set(sums).size, 1, stdout);
  },
);

labTest("the example of listenTransparentUdp() relays questions and answers", {}, async (lab) => {
  const intercept = {
    protocols: ["tcp", "udp"],
    ...(usesIptables() ? { "on-failure": "drop" } : OWN_LISTENER),
  };
  await tproxy(lab, ["install", "-c", writeConfig(lab, { intercept })]);
  using file = programFile(exampleOf("src/library/sockets/listen_udp.ts", "listenTransparentUdp"));
  const program = await lab.router.start(libraryProgram(file.path, entry(".").permissions), {
    udpPort: PROXY_PORT,
  });
  for (const family of [4, 6] as const) {
    const at = (address: string, port: number) =>
      family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
    const { client, server } = ADDRESSES[family];
    const peer = lab.server.udp({ family, bind: at(server, 53) });
    const asker = lab.client.udp({ family, bind: at(client, 5353) });
    for (const question of ["first", "second", "third"]) {
      asker.send(question, at(server, 53));
      const asked = await peer.receive();
      assert.deepEqual([asked.text, asked.from], [question, at(client, 5353)]);
      peer.send(`${question}!`, asked.from);
      const answered = await asker.receive();
      assert.deepEqual([answered.text, answered.from], [`${question}!`, at(server, 53)]);
    }
  }
  assert.equal(program.output, "");
});

labTest("the example of /nftables makes a rule", { programs: ["nft"] }, async (lab) => {
  const { example } = entry("./nftables");
  using file = programFile(example);
  await lab.router.run(libraryProgram(file.path, ["--allow-ffi"]));
  const { stdout } = await lab.router.run(["nft", "list", "table", "inet", "t"]);
  assert.match(stdout, /tcp dport 80 counter packets 0 bytes 0/);
});

labTest(
  "the example of /install installs, reads the status and uninstalls, with the permissions that its header names",
  { programs: ["nft"] },
  async (lab) => {
    const { example, header } = entry("./install");
    const flags = [...header.matchAll(/--allow-[a-z]+/g)].map(([flag]) => flag);
    assert.deepEqual(flags, ["--allow-ffi", "--allow-run", "--allow-read", "--allow-env"]);
    const permissions = usesIptables() ? flags : flags.slice(0, 1);
    const backend =
      `config = { ...DEFAULT_CONFIG, kernel: { ...DEFAULT_CONFIG.kernel, backend: "iptables" as const },`;
    const text = example.replace('"br-lan"', '"r0"')
      .replace("config = { ...DEFAULT_CONFIG,", usesIptables() ? backend : "$&");
    assert.notEqual(text, example);
    using file = programFile(text);
    const before = await rules(lab);
    const { stdout } = await lab.router.run(libraryProgram(file.path, permissions));
    assert.match(
      stdout,
      usesIptables() ? /^installed: .*iptables/ : /^installed: table inet transparent_proxy$/m,
    );
    const states = stdout.trim().split("\n").slice(1).map((line) => line.split(" ")[0]);
    assert.ok(states.length > 10 && states.every((state) => state === "present"), stdout);
    assert.deepEqual(await rules(lab), before);
    for (const withheld of permissions) {
      const less = permissions.filter((permission) => permission !== withheld);
      const { code, stderr } = await lab.router.run(libraryProgram(file.path, less), { mayFail: true });
      assert.notEqual(code, 0, `${withheld} is not needed`);
      // What cannot be read is a program that is not there.
      assert.match(stderr, new RegExp(withheld === "--allow-read" ? "no program iptables" : withheld));
      assert.deepEqual(await rules(lab), before);
    }
    using kept = programFile(text.replace("await uninstall();", ""));
    await lab.router.run(libraryProgram(kept.path, permissions));
    assert.notDeepEqual(await rules(lab), before, "without its last line it stays");
  },
);

/** All rules of the router. */
async function rules(lab: Parameters<Parameters<typeof labTest>[2]>[0]): Promise<string> {
  const parts = [["nft", "list", "tables"], ["iptables-save", "-t", "mangle"], ["ip", "rule"], [
    "ip",
    "-6",
    "rule",
  ], [
    "ip",
    "route",
    "show",
    "table",
    "100",
  ]];
  let all = "";
  for (const argv of parts) all += (await lab.router.run(argv, { mayFail: true })).stdout;
  return all.replace(/^#.*$/gm, ""); // the time of iptables-save
}
