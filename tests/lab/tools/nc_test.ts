/** tproxy nc as the kernel's page has it: from, at and to addresses that are not the router's. */
import assert from "node:assert/strict";
import { loadKernelPage } from "../../laboratory/proxy/kernel_page.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { FOREIGN, ncCommand, NETCAT, runNc, startNc, startNetcat } from "../../laboratory/programs/netcat.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { PROXY_PORT } from "../../laboratory/proxy/proxy.ts";
import { prepareRecipe } from "../../laboratory/proxy/recipe.ts";
import { labTest } from "../../laboratory/register.ts";
import { until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = [NETCAT, "ss"];
const FAMILIES = [4, 6] as const;

labTest("nc connects from 0xDEADBEEF:0xCAFE", { programs: PROGRAMS }, async (lab) => {
  await loadKernelPage(lab);
  for (const family of FAMILIES) {
    const { address, port } = FOREIGN[family];
    const server = await startNetcat(lab.server, `-${family}lvn 7000`, { listens: 7000 });
    const nc = await startNc(lab, `-s ${address} -p ${port} ${ADDRESSES[family].server} 7000`);
    await nc.write("question\n");
    await server.waitForOutput(`Connection received on ${address} ${port}\n`);
    await server.waitForOutput("question\n");
    await server.write("answer\n");
    await nc.waitForOutput("answer\n");
    await server.stop();
    await nc.closeInput();
    assert.equal(await nc.waitForExit(), 0);
    assert.equal(nc.stdout, "answer\n");
    assert.equal(nc.stderr, "");
  }
});

labTest(
  "nc connects from a foreign address with ip_nonlocal_bind, too",
  { programs: PROGRAMS },
  async (lab) => {
    await loadKernelPage(lab);
    await lab.router.writeSysctl({ "net.ipv4.ip_nonlocal_bind": 1, "net.ipv6.ip_nonlocal_bind": 1 });
    await startNetcat(lab.server, "-lkn 7000", { listens: 7000 });
    const { code } = await runNc(lab, `-z -w 5 -s ${FOREIGN[4].address} ${ADDRESSES[4].server} 7000`);
    assert.equal(code, 0);
  },
);

labTest(
  "nc without privilege has a foreign address where ip_nonlocal_bind lets it, and else says what it takes",
  {
    programs: [...PROGRAMS, "setpriv"],
  },
  async (lab) => {
    const nobody = asNobody(lab);
    for (const family of FAMILIES) {
      const { address, port } = FOREIGN[family];
      const command = [...nobody, ...ncCommand(`-lvn -s ${address} -p ${port}`)];
      const refused = await lab.router.run(command, { mayFail: true });
      assert.match(refused.stderr, /EPERM .*is not an address of this machine/);
      await lab.router.writeSysctl({ [`net.ipv${family}.ip_nonlocal_bind`]: 1 });
      const nc = await lab.router.start(command, { listens: port });
      await nc.waitForOutput(`Listening on ${address} ${port}\n`);
      await nc.stop();
      await startNetcat(lab.server, `-${family}lkn 7000`, { listens: 7000 });
      const dialled = [...nobody, ...ncCommand(`-z -w 1 -s ${address} ${ADDRESSES[family].server} 7000`)];
      // No way leads back: that it may have the address is all.
      assert.doesNotMatch((await lab.router.run(dialled, { mayFail: true })).stderr, /EPERM/);
    }
  },
);

labTest("nc needs no rules of its own beside tproxy install, as the README has it", {
  programs: [...PROGRAMS, "nginx"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  const { stdout } = await (await prepareRecipe(lab, "tproxy nc")).run();
  assert.equal(stdout.match(/^hello$/gm)?.length, 2);
  for (const family of FAMILIES) {
    const { client, clientPort } = await nginx.waitForAccess(family);
    assert.deepEqual({ address: client, port: clientPort }, FOREIGN[family]);
  }
});

labTest("nc listens on an address that is not the router's", { programs: PROGRAMS }, async (lab) => {
  await loadKernelPage(lab);
  for (const family of FAMILIES) {
    const { address, port } = FOREIGN[family];
    const nc = await startNc(lab, `-lvnN -s ${address} -p ${port}`, { listens: port });
    await nc.waitForOutput(`Listening on ${address} ${port}\n`);
    const client = await startNetcat(lab.client, `-N ${address} ${port}`);
    await client.write("question\n");
    await nc.waitForOutput("question\n");
    await nc.write("answer\n");
    await client.waitForOutput("answer\n");
    await client.closeInput();
    assert.equal(await nc.waitForExit(), 0);
    await client.stop();
    const { client: from } = ADDRESSES[family];
    assert.match(nc.stderr, new RegExp(`\nConnection received on ${from} \\d+\n$`));
  }
});

labTest("nc sends datagrams from an address that is not the router's, and gets the answers", {
  programs: PROGRAMS,
}, async (lab) => {
  await loadKernelPage(lab);
  for (const family of FAMILIES) {
    const { address, port } = FOREIGN[family];
    const server = await startNetcat(lab.server, `-${family}luvn 7000`, { udpPort: 7000 });
    const nc = await startNc(lab, `-u -s ${address} -p ${port} ${ADDRESSES[family].server} 7000`);
    await nc.write("question\n");
    await server.waitForOutput(`Connection received on ${address} ${port}\n`);
    await server.waitForOutput("question\n");
    await server.write("answer\n");
    await nc.waitForOutput("answer\n");
    await nc.stop();
    await server.stop();
  }
});

labTest("nc takes datagrams at an address that is not the router's, and answers", {
  programs: PROGRAMS,
}, async (lab) => {
  await loadKernelPage(lab);
  for (const family of FAMILIES) {
    const { address, port } = FOREIGN[family];
    const nc = await startNc(lab, `-luvn ${address} ${port}`, { udpPort: port });
    const client = await startNetcat(lab.client, `-u ${address} ${port}`);
    await client.write("question\n");
    await nc.waitForOutput("question\n");
    await nc.write("answer\n");
    await client.waitForOutput("answer\n"); // its socket is connected: from elsewhere it would not take it
    await nc.stop();
    await client.stop();
  }
});

labTest("nc -l takes what is steered to it, and names the original destination", {
  programs: PROGRAMS,
}, async (lab) => {
  await loadKernelPage(lab, { steer: 80 });
  for (const family of FAMILIES) {
    const { server, client: from } = ADDRESSES[family];
    const destination = family === 4 ? `${server}:80` : `[${server}]:80`;
    for (const udp of ["", "u"]) {
      const nc = await startNc(lab, `-${family}lvn${udp} ${PROXY_PORT}`, {
        [udp === "" ? "listens" : "udpPort"]: PROXY_PORT,
      });
      const client = await startNetcat(lab.client, `-${udp}n ${server} 80`.replace("-n", "-nN"));
      // Several at once: those that come before nc has a socket for its client are not lost.
      for (const text of ["one\n", "two\n", "three\n"]) await client.write(text);
      await nc.waitForOutput("three\n");
      await nc.write("answer\n");
      await client.waitForOutput("answer\n");
      await client.write("four\n");
      await nc.waitForOutput("four\n");
      await client.stop();
      await nc.stop();
      assert.equal(nc.stdout, "one\ntwo\nthree\nfour\n");
      const said = `Connection received on ${from} \\d+ \\(original destination was ${destination}\\)`;
      assert.match(nc.stderr, new RegExp(said.replaceAll("[", "\\[").replaceAll("]", "\\]")));
    }
  }
});

labTest("nc serves several clients one after the other with -k", { programs: PROGRAMS }, async (lab) => {
  await loadKernelPage(lab);
  const { address, port } = FOREIGN[4];
  const nc = await startNc(lab, `-lk -s ${address} -p ${port}`, { listens: port });
  const first = await startNetcat(lab.client, `${address} ${port}`);
  await first.write("first\n");
  await nc.waitForOutput("first\n");
  // They come while the first is served, and wait.
  const others = [];
  for (const text of ["second\n", "third\n"]) {
    const other = await startNetcat(lab.client, `-N ${address} ${port}`);
    await other.write(text);
    await other.closeInput();
    others.push(other);
  }
  await first.stop();
  for (const other of others) assert.equal(await other.waitForExit(), 0);
  await until(() => nc.stdout.length >= 19, { what: "the texts of three clients" });
  assert.equal(nc.stdout.slice(0, 6), "first\n");
  assert.deepEqual(nc.stdout.trim().split("\n").sort(), ["first", "second", "third"]);
  assert.ok(nc.running);
});

labTest("nc -u -l -k takes datagrams of all, and answers the last", { programs: PROGRAMS }, async (lab) => {
  const { lan } = ADDRESSES[4];
  const nc = await startNc(lab, "-lkuvn 7000", { udpPort: 7000 });
  const clients = [];
  for (const port of [40001, 40002]) {
    const client = await startNetcat(lab.client, `-u -p ${port} ${lan} 7000`);
    await client.write(`from ${port}\n`);
    await nc.waitForOutput(`from ${port}\n`);
    assert.match(nc.stderr, new RegExp(`Connection received on ${ADDRESSES[4].client} ${port}\n`));
    clients.push(client);
  }
  await nc.write("to the second\n");
  await clients[1].waitForOutput("to the second\n");
  await clients[0].write("again\n");
  await nc.waitForOutput("again\n");
  await nc.write("to the first\n");
  await clients[0].waitForOutput("to the first\n");
  assert.equal(clients[1].stdout, "to the second\n");
});
