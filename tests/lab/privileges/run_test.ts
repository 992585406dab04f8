/** `tproxy run` started by root: what it keeps, and that all of its work goes on without the rest. */
import assert from "node:assert/strict";
import { type Lab } from "../../laboratory/lab.ts";
import { listChildren } from "../../laboratory/machine/procfs.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { type Proxy, startProxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest, type LabTestOptions } from "../../laboratory/register.ts";

/** Capabilities 10 and 13, of the proxy; 12, of who changes the rules for it. */
const TWO = "0000000000002400";
const NET_ADMIN = "0000000000001000";
const OWN = 65080;
const binary = Deno.env.get("TPROXY_BIN");
const OPTIONS: LabTestOptions = {
  programs: ["socat", "setpriv", "curl"],
  netlinkOnly: "with iptables it stays root",
  ...binary === undefined ? { obstacle: "needs the single file: TPROXY_BIN names none" } : {},
};

/** A field of every thread's status. */
function ofThreads(pid: number, field: string): string[] {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  return threads.map((thread) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/status`);
    return new RegExp(`^${field}:\\s*(.*)$`, "m").exec(status)![1];
  });
}

/** A folder of root's alone, with files that the config names and that are root's too. */
function closedFolder(lab: Lab): { folder: string; config: Record<string, unknown> } {
  const folder = `${lab.directory}/closed`;
  Deno.mkdirSync(folder, { mode: 0o700 });
  Deno.writeTextFileSync(`${folder}/password`, "sesame\n", { mode: 0o600 });
  Deno.writeTextFileSync(`${folder}/names`, "ads.example\n", { mode: 0o600 });
  Deno.writeTextFileSync(`${folder}/networks`, "192.0.2.0/24\n", { mode: 0o600 });
  return {
    folder,
    config: {
      upstreams: {
        office: {
          type: "socks5",
          address: "203.0.113.2:1080",
          username: "me",
          "password-file": `${folder}/password`,
        },
      },
      rules: [
        { name: "ads", "domains-file": `${folder}/names`, ports: [80], action: "block" },
        { name: "far", "to-file": `${folder}/networks`, action: "bypass" },
        { name: "work", ports: [81], action: "proxy", upstream: "office" },
      ],
      log: { access: `${folder}/access.log`, format: "json" },
    },
  };
}

async function reload(proxy: Proxy, said: RegExp): Promise<void> {
  proxy.program.signal("SIGHUP");
  await proxy.program.waitForOutput(said);
}

async function echoes(lab: Lab): Promise<void> {
  const { stdout } = await lab.client.run(["socat", "-t5", "-", socatServer(4, 7000)], { input: "hello\n" });
  assert.equal(stdout, "hello\n");
}

labTest(
  "run by root has two capabilities on every thread, and files of root are opened for it",
  OPTIONS,
  async (lab) => {
    await serve(lab, 7000, "cat");
    const { folder, config } = closedFolder(lab);
    const before = await lab.router.readSysctl("net.ipv4.tcp_early_demux");
    const proxy = await startProxy(lab, { config: { ...config, timeouts: { drain: "1s" } } });
    await proxy.program.waitForOutput("privileges: ");
    const { pid } = proxy;
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      assert.deepEqual([...new Set(ofThreads(pid, set))], [TWO], set);
    }
    assert.deepEqual([...new Set(ofThreads(pid, "Uid"))], [Array(4).fill(OWN).join("\t")]);
    assert.deepEqual([...new Set(ofThreads(pid, "NoNewPrivs"))], ["1"]);
    assert.deepEqual([...new Set(ofThreads(pid, "Seccomp"))], ["2"]);
    assert.match(
      proxy.log,
      /privileges: uid 65080, caps net_raw,net_bind_service, seccomp 2, landlock \d/,
    );
    assert.match(
      (await tproxy(lab, ["status", "-c", proxy.configPath], { mayFail: true })).stdout,
      /privileges: uid 65080, caps net_raw,net_bind_service, /,
    );
    // Who opens the files is root, with the two capabilities that reading and appending take.
    const [server, netlink] = listChildren(pid);
    assert.deepEqual(ofThreads(server, "CapPrm"), ["0000000000000006"]);
    // Who changes the kernel's rules has that capability alone, and no way to get another.
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd"]) {
      assert.deepEqual(ofThreads(netlink, set), [NET_ADMIN], set);
    }
    assert.deepEqual([ofThreads(netlink, "NoNewPrivs"), ofThreads(netlink, "Seccomp")], [["1"], ["2"]]);

    const log = `${folder}/access.log`;
    await echoes(lab);
    await until(() => Deno.readTextFileSync(log).includes("flow"), { what: "a line in the access log" });
    // As logrotate does.
    Deno.renameSync(log, `${log}.1`);
    Deno.writeTextFileSync(`${folder}/password`, "other\n");
    Deno.writeTextFileSync(`${folder}/networks`, "192.0.2.0/25\n");
    await reload(proxy, /generation 2 is in force.*office\.password-file/);
    await echoes(lab);
    await until(() => Deno.readTextFileSync(log).includes("flow"), { what: "a line in the next access log" });

    // A file that the config does not name word for word is not opened, and the old config stays.
    const text = Deno.readTextFileSync(proxy.configPath);
    Deno.writeTextFileSync(proxy.configPath, text.replace(`${folder}/names`, `${folder}/n\\u0061mes`));
    await reload(
      proxy,
      /not reloaded: .*domains-file: .*runs as uid 65080, and the config does not name it word for word/,
    );
    Deno.writeTextFileSync(proxy.configPath, text);
    await reload(proxy, /generation 3 is in force/);
    Deno.kill(server, "SIGKILL");
    await until(() => /^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${server}/status`)), {
      what: "the end of who opens files",
    });
    await reload(proxy, /not reloaded: .*nobody is there who opens files as root: restart the proxy/);
    await echoes(lab);

    proxy.program.signal("SIGTERM");
    assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
    assert.equal(await lab.router.readSysctl("net.ipv4.tcp_early_demux"), before);
    await tproxy(lab, ["uninstall"]);
  },
);

labTest(
  "run by root without a capability that it needs says which, or serves what it can",
  OPTIONS,
  async (lab) => {
    const configPath = writeConfig(lab, { intercept: { protocols: ["tcp", "udp"] } });
    const without = (
      capability: string,
    ) => ["setpriv", "--bounding-set", `-${capability}`, ...tproxyCommand()];
    const run = ["run", "-c", configPath];
    for (
      const [capability, said] of [["net_admin", /NFLOG group .*CAP_NET_ADMIN/], [
        "net_raw",
        /CAP_NET_RAW/,
      ]] as const
    ) {
      const { code, stderr } = await lab.router.run([...without(capability), ...run], { mayFail: true });
      assert.equal(code, 1, stderr);
      assert.match(stderr, said);
      assert.match(stderr, /EPERM/);
    }
    await serve(lab, 7000, "cat");
    const proxy = await startProxy(lab, { wrapper: ["setpriv", "--bounding-set", "-net_bind_service"] });
    await proxy.program.waitForOutput(/privileges: uid 65080, caps net_raw, /);
    await echoes(lab);
    const low = ["socat", "-t2", "-", `${socatServer(4, 7000)},sourceport=500`];
    const { code, stdout } = await lab.client.run(low, { input: "hello\n", mayFail: true });
    assert.notDeepEqual(
      [code, stdout],
      [0, "hello\n"],
      "a client's port below 1024 needs CAP_NET_BIND_SERVICE",
    );
  },
);

labTest(
  "run by root goes on as root where it may not become another user, and says so",
  OPTIONS,
  async (lab) => {
    await serve(lab, 7000, "cat");
    const proxy = await startProxy(lab, {
      wrapper: ["setpriv", "--bounding-set", "-setuid,-setgid,-setpcap"],
    });
    await proxy.program.waitForOutput(
      /privileges: uid 0, caps net_raw,net_bind_service, .*missing=".*another user: /,
    );
    await echoes(lab);
  },
);

labTest(
  "run by root goes on where nothing can be written, and puts back what it has set",
  OPTIONS,
  async (lab) => {
    const sysctl = "net.ipv4.tcp_early_demux";
    const script = `mount -t tmpfs -o ro none /run; exec "$@"`;
    const proxy = await startProxy(lab, { wrapper: ["unshare", "--mount", "sh", "-ec", script, "sh"] });
    await proxy.program.waitForOutput(
      /privileges: uid 65080, .*missing="\/run\/tproxy: Read-only file system"/,
    );
    assert.equal(await lab.router.readSysctl(sysctl), "0");
    proxy.program.signal("SIGTERM");
    assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
    assert.equal(await lab.router.readSysctl(sysctl), "1");
  },
);

labTest("run --user becomes that user, and one that is not there is refused", OPTIONS, async (lab) => {
  const proxy = await startProxy(lab, { arguments: ["--user", "12345"] });
  await proxy.program.waitForOutput("privileges: uid 12345, ");
  const { code, stderr } = await lab.router.run([...tproxyCommand(), "run", "--user", "no-such-user"], {
    mayFail: true,
  });
  assert.equal(code, 2);
  assert.match(stderr, /^tproxy: there is no user no-such-user: /);
});

labTest("run by root takes the place of a proxy that was root's and was killed", OPTIONS, async (lab) => {
  // The usual path: its folder is given to whom the proxy becomes.
  const control = "/run/tproxy/control-of-a-test.sock";
  const config = { control };
  const killed = await startProxy(lab, { config, arguments: ["--privileges", "keep"] });
  try {
    const refused = await tproxy(lab, ["run", "-c", writeConfig(lab, config)], { mayFail: true });
    assert.match(refused.stderr, /Cannot open the control socket .*: a proxy of another user has it/);
    await killed.program.stop("SIGKILL");
    const proxy = await startProxy(lab, { config });
    const { stdout } = await lab.router.run([
      "curl",
      "-s",
      "--unix-socket",
      control,
      "http://localhost/v1/status",
    ]);
    assert.equal(JSON.parse(stdout).pid, proxy.pid);
  } finally {
    await Deno.remove(control).catch(() => {});
  }
});
