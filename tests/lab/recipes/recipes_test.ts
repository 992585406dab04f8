/** The README's recipes for upstreams and for times of the day, as they stand there. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { isAlive, listChildren } from "../../laboratory/machine/procfs.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { startWeb, visit } from "../../laboratory/names/web.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { makeSshKey, startSshd } from "../../laboratory/upstreams/sshd.ts";
import { withFile } from "../../laboratory/machine/with_file.ts";
import { prepareRecipe, PROXY_RUNS } from "../../laboratory/proxy/recipe.ts";
import { labTest } from "../../laboratory/register.ts";
import { PASSWORD, startTinyproxy } from "../../laboratory/upstreams/proxies.ts";

const FAMILIES = [4, 6] as const;
const PROGRAMS = ["curl", "nginx"];

/** curl's exit code for a page of the server. */
async function fetchCode(lab: Lab, url: string): Promise<number> {
  return (await lab.client.run(["curl", "-sSfm5", "-o/dev/null", url], { mayFail: true })).code;
}

labTest("recipe: advertising is refused by name for the whole LAN, and the rest is forwarded", {
  programs: [...PROGRAMS, "openssl"],
  forwarding: true,
}, async (lab) => {
  const web = await startWeb(lab);
  const list = `${lab.directory}/in-force.list`;
  const recipe = await prepareRecipe(lab, "No advertising in the LAN", {
    replace: [["/etc/tproxy/ads.list", list]],
  });
  const program = await recipe.start();
  await program.waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
  assert.match(program.stdout, /in-force\.list: 3 names/);
  for (const family of FAMILIES) {
    for (const scheme of ["https", "http"] as const) {
      for (const name of ["ads.example", "a.tracker.example"]) {
        assert.equal(await visit(lab, { scheme, name, family }), "reset", `${scheme} ${name}`);
      }
      for (const name of ["www.ads.example", "good.tracker.example", "other.example"]) {
        assert.equal(await visit(lab, { scheme, name, family }), "seen", `${scheme} ${name}`);
        assert.equal((await web.visit()).client, ADDRESSES[family].client);
      }
    }
  }
  Deno.kill(listChildren(program.pid)[0], "SIGTERM");
  await program.waitForOutput("stopped accepted=0 "); // it has relayed nothing
});

labTest("recipe: a child's tablet is refused after ten, and is let in again in the morning", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const list = `${lab.directory}/asleep.list`;
  const own = (text: string) => text.replaceAll("/etc/tproxy/asleep.list", list);
  const recipe = await prepareRecipe(lab, "A child's tablet after ten", {
    replace: [["/etc/tproxy/asleep.list", list]],
  });
  const program = await recipe.start();
  await program.waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
  const [pid] = listChildren(program.pid);
  const systemctl = `${lab.directory}/bin/systemctl`;
  Deno.writeTextFileSync(systemctl, `#!/bin/sh\nkill -HUP ${pid}\n`);
  Deno.chmodSync(systemctl, 0o755);
  const crontab = Deno.readTextFileSync(recipe.path("tablet.cron"));
  const [evening, morning] = [...crontab.matchAll(/^0 \d+ \* \* \* +root (.*)$/gm)].map(([, command]) =>
    command
  );
  let generation = 1;
  const run = async (command: string) => {
    await lab.router.run(["sh", "-ec", `PATH=${lab.directory}/bin:$PATH\n${own(command)}`]);
    generation++;
    await until(() => program.stderr.includes(`generation ${generation} is in force`), {
      what: "the reload",
    });
  };
  for (let day = 0; day < 2; day++) {
    for (const family of FAMILIES) assert.equal(await fetchCode(lab, nginx.url(family)), 0);
    await run(evening);
    for (const family of FAMILIES) {
      assert.equal(await fetchCode(lab, nginx.url(family)), 7, "refused at once");
    }
    await run(morning);
  }
});

labTest("recipe: all TCP of one device goes through ssh -D, and nothing goes past it when that is down", {
  programs: [...PROGRAMS, "ssh", "sshd", "ssh-keygen"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  const [farKey, hostKey] = [await makeSshKey(lab, "far.key"), await makeSshKey(lab, "host.key")];
  const known = lab.writeFile("far.hosts", `203.0.113.2 ${Deno.readTextFileSync(`${hostKey}.pub`)}`);
  await startSshd(lab, hostKey, [
    "ListenAddress 203.0.113.2",
    `AuthorizedKeysFile ${farKey}.pub`,
    "PermitRootLogin prohibit-password",
    "StrictModes no",
  ]);
  const recipe = await prepareRecipe(lab, "One device through an SSH tunnel", {
    replace: [["/etc/tproxy/far.key", farKey], ["/etc/tproxy/far.hosts", known]],
  });
  const program = await recipe.start({ listens: 1080 });
  await program.waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
  for (const family of FAMILIES) {
    assert.equal(await nginx.get(family), "hello\n");
    assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].server, "from the far end");
  }
  const datagrams = lab.server.udp({ family: 4, bind: at(ADDRESSES[4].server, 7000) });
  const client = lab.client.udp({ family: 4, connect: at(ADDRESSES[4].server, 7000) });
  await until(() => {
    try {
      client.send("hello");
      client.poll();
      return false;
    } catch (error) {
      return /ECONNREFUSED/.test(String(error));
    }
  }, { what: "the refusal of UDP" });
  assert.equal(datagrams.poll(), undefined, "a datagram went past the tunnel");
  const tunnel = listChildren(program.pid).find((pid) =>
    Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("ssh\0")
  )!;
  Deno.kill(tunnel, "SIGTERM");
  await until(() => listChildren(program.pid).indexOf(tunnel) < 0, { what: "the end of the tunnel" });
  const seen = nginx.accesses().length;
  for (const family of FAMILIES) assert.notEqual(await fetchCode(lab, nginx.url(family)), 0);
  assert.equal(nginx.accesses().length, seen, "something went past the tunnel");
  await killProxy(program.pid);
  for (const family of FAMILIES) assert.notEqual(await fetchCode(lab, nginx.url(family)), 0);
  assert.equal(nginx.accesses().length, seen, "something went past the proxy that is not there");
});

/** Kills the proxy that a recipe's shell has started; its rules stay. */
async function killProxy(shell: number): Promise<void> {
  const proxy = listChildren(shell).find((pid) =>
    Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").includes("run")
  )!;
  Deno.kill(proxy, "SIGKILL");
  await until(() => !isAlive(proxy), { what: "the end of the proxy" });
}

labTest("recipe: the web goes through a parent proxy that wants a password", {
  programs: [...PROGRAMS, "tinyproxy"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  await startTinyproxy(lab, { port: 3128, asks: true });
  const secret = lab.writeFile("parent.secret", `${PASSWORD}\n`);
  Deno.chmodSync(secret, 0o600);
  const recipe = await prepareRecipe(lab, "A parent proxy that wants a password", {
    replace: [["/etc/tproxy/parent.secret", secret]],
  });
  const program = await recipe.start();
  await program.waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
  for (const family of FAMILIES) {
    assert.equal(await nginx.get(family), "hello\n");
    assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].server, "from the parent");
  }
  assert.ok(!program.stderr.includes(PASSWORD));
});

labTest("recipe: the SOCKS port of Tor is told the name that a device asks for", {
  programs: [...PROGRAMS, "microsocks"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  const other = "203.0.113.3";
  await lab.server.ip(`addr add ${other}/24 dev s0`);
  const recipe = await prepareRecipe(lab, "One device through Tor");
  assert.match(recipe.text("tor"), /^tor --SocksPort 127.0.0.1:9050 &\n$/);
  // In Tor's place: the name has another address there than the client's.
  const hosts = lab.writeFile("hosts", `${other} hidden.example\n`);
  const socks = ["microsocks", "-i", "127.0.0.1", "-p", "9050"];
  await lab.router.start([...withFile(hosts, "/etc/hosts"), ...socks], { listens: 9050 });
  const program = await recipe.start();
  await program.waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
  let visits = 0;
  const visit = async (host: string) => {
    await lab.client.run(["curl", "-sSfm10", "-H", `Host: ${host}`, nginx.url(4)]);
    await until(() => nginx.accesses().length > visits, { what: "a line in nginx's log" });
    return nginx.accesses()[visits++];
  };
  const { server, client } = await visit("hidden.example");
  assert.deepEqual([server, client], [other, ADDRESSES[4].wan]);
  assert.equal((await visit(ADDRESSES[4].server)).server, ADDRESSES[4].server, "an address is no name");
});
