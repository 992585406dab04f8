/** The page over the control socket: Chromium at the near end of a real `ssh -L`. */
import assert from "node:assert/strict";
import type { Browser } from "../../laboratory/control/browser.ts";
import { PAGE, startTunnel, TUNNEL_PROGRAMS } from "../../laboratory/control/tunnel.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { connectClient, listSockets, serve } from "../../laboratory/network/sockets.ts";
import { type Proxy, PROXY_PORT, startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = [...TUNNEL_PROGRAMS, "socat"];
const { client: CLIENT, server: SERVER } = ADDRESSES[4];

/** Starts a proxy to which the client's name is known by a lease. */
async function startNamedProxy(lab: Lab, name: string, config = {}): Promise<Proxy> {
  const { stdout } = await lab.client.run(["cat", "/sys/class/net/c0/address"]);
  const leases = lab.writeFile("leases", `1700000000 ${stdout.trim()} ${CLIENT} ${name} *\n`);
  // Files of this machine stay as they are: the proxy has others in their place.
  const empty = lab.writeFile("empty", "");
  const mounts = `mount --bind ${empty} /etc/hosts; mount -t tmpfs none /var/lib/misc
    cp ${leases} /var/lib/misc/dnsmasq.leases; exec "$@"`;
  return await startProxy(lab, { config, wrapper: ["unshare", "--mount", "sh", "-c", mounts, "sh"] });
}

/** The rows in sight, cell by cell, in the order of the screen. */
function rowsOf(browser: Browser): Promise<Record<string, string>[]> {
  return browser.evaluate(`[...document.querySelectorAll(".row")]
    .toSorted((a, b) => a.getAttribute("aria-rowindex") - b.getAttribute("aria-rowindex"))
    .map((row) => Object.fromEntries([...row.children].map((cell) =>
      [cell.className.replace("cell ", ""), cell.textContent])))`);
}

const hasRow = (text: string) =>
  `[...document.querySelectorAll(".row")].some((row) => row.textContent.includes(${JSON.stringify(text)}))`;
const isOpen = "document.querySelector('dialog').open";

labTest("the page shows devices and their connections, filters, pauses, and closes what it is told to", {
  programs: [...PROGRAMS, "unshare", "mount"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  await startNamedProxy(lab, "anna-laptop", { rules: [{ name: "echo", ports: [7000], action: "direct" }] });
  const [first, second] = [await connectClient(lab, 7000), await connectClient(lab, 7000, { family: 6 })];
  for (const one of [first, second]) {
    await one.write("a".repeat(5000));
    await one.waitForOutput("aaaa");
  }
  const listening = (await listSockets(lab.router, "state listening")).map((line) => line.split(/\s+/)[2]);
  const browser = await startTunnel(lab);
  await browser.resize({ width: 1600, height: 900 });
  await browser.open(PAGE);
  await browser.shows(hasRow("anna-laptop"));
  const [device] = await rowsOf(browser);
  // Both families are the one device.
  assert.match(device.address, /^(10\.77\.1\.2|fd77:1::2) \+1$/);
  assert.deepEqual([device.name, device.flows, device.total], ["anna-laptop", "2", "20.0 kB"]);
  assert.match(
    await browser.text(),
    /tproxy \S+ on \S+[^]*State\s+running\s+Up\s+\d\d:\d\d\s[^]*TCP\s+2 of \d+/,
  );
  await browser.press("Enter");
  await browser.shows(hasRow(`${SERVER}:7000`));
  const { protocol, rule, via, state, total, age } = (await rowsOf(browser)).find(({ to }) =>
    to === `${SERVER}:7000`
  )!;
  assert.deepEqual([protocol, rule, via, state, total], ["tcp4", "echo", "direct", "open", "10.0 kB"]);
  assert.match(age, /^\d\d:\d\d$/);
  assert.equal(await browser.evaluate("location.hash"), "#devices/anna-laptop");
  // A rate is there while bytes go.
  await first.write("b".repeat(100_000));
  await browser.shows(hasRow("210 kB"));
  await browser.press("/", ..."tcp6");
  await browser.shows(`!${hasRow(`${SERVER}:7000`)}`);
  assert.deepEqual((await rowsOf(browser)).map((row) => row.protocol), ["tcp6"]);
  await browser.press("Escape");
  await browser.shows(hasRow("tcp4"));
  // While it is paused the list stands still, and nobody is asked.
  await browser.press("p");
  const before = await rowsOf(browser);
  await second.write("c".repeat(100_000));
  await delay(2500);
  assert.deepEqual(await rowsOf(browser), before);
  await browser.press("p");
  await browser.shows(
    `[...document.querySelectorAll(".row .total")].every((cell) => cell.textContent === "210 kB")`,
  );
  // Closing asks first; the button that keeps it has the focus.
  await browser.press("/", ..."tcp4", "Enter");
  await browser.shows(`!${hasRow("tcp6")}`);
  await browser.press("K");
  await browser.shows(isOpen);
  assert.match(await browser.text(), new RegExp(`anna-laptop → ${SERVER}:7000`));
  await browser.press("Enter");
  await browser.shows(`!${isOpen}`);
  await browser.press("Delete");
  await browser.shows(isOpen);
  await browser.press("Escape");
  await browser.shows(`!${isOpen}`);
  await delay(1500);
  assert.equal((await rowsOf(browser))[0].state, "open", "it was closed by who kept it");
  await browser.press("K", "Tab", "Enter");
  await first.waitForOutput("Connection reset by peer");
  await browser.shows(hasRow("ended"));
  await second.write("d");
  await second.waitForOutput("d");
  // The browser's way back leads out of the device.
  await browser.evaluate("history.back()");
  await browser.shows(hasRow("anna-laptop"));
  await browser.press("3");
  await browser.shows(hasRow("echo"));
  assert.deepEqual(browser.complaints, []);
  // Where there is little room all can be reached, and nothing reaches beyond the screen.
  for (const width of [1600, 800, 360]) {
    await browser.resize({ width, height: 640 });
    await delay(300);
    assert.equal(
      await browser.evaluate("document.documentElement.scrollWidth <= innerWidth"),
      true,
      `${width}`,
    );
  }
  const now = (await listSockets(lab.router, "state listening")).map((line) => line.split(/\s+/)[2]);
  const sshd = `${ADDRESSES[4].lan}:22`;
  assert.deepEqual(
    now.filter((place) => place !== sshd).toSorted(),
    listening.toSorted(),
    "it listens on TCP",
  );
  assert.ok(listening.every((place) => place.endsWith(`:${PROXY_PORT}`)), `${listening}`);
  await browser.end();
});

/** HTML that would change the page's title and leave a picture, without blanks: a lease's name has none. */
const PLANTED = `<img/src=x/onerror=document.title='planted'>`;
/** Says a TLS name of its own choice, and holds the connection. */
const HELLO = `import ssl, socket, sys
ctx = ssl.create_default_context()
ctx.check_hostname = False
inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = ctx.wrap_bio(inside, outside, server_hostname="a" * len(sys.argv[2]))
try: tls.do_handshake()
except ssl.SSLWantReadError: pass
hello = outside.read().replace(b"a" * len(sys.argv[2]), sys.argv[2].encode())
s = socket.create_connection((sys.argv[1], 443))
s.sendall(hello)
print("said", flush=True)
sys.stdin.read()`;

labTest("names that clients plant stay text in the page", {
  programs: [...PROGRAMS, "unshare", "mount", "python3"],
}, async (lab) => {
  await serve(lab, 443, "sleep 300");
  await startNamedProxy(lab, PLANTED, {
    rules: [{ name: "ads", domains: [".ads.example"], action: "block" }],
  });
  for (const name of [PLANTED, "www.video.example"]) {
    const client = await lab.client.start(["python3", "-c", HELLO, SERVER, name]);
    await client.waitForOutput("said");
  }
  const browser = await startTunnel(lab);
  await browser.resize({ width: 1600, height: 900 });
  await browser.open(PAGE);
  await browser.shows(hasRow(PLANTED));
  await browser.press("2");
  // The name that is none is not believed; the other one is shown.
  await browser.shows(`${hasRow("www.video.example:443")} && ${hasRow(`${SERVER}:443`)}`);
  await assertText(browser);
  assert.deepEqual(browser.complaints, []);
  // Even a proxy that says HTML wherever it says a text has it shown as text.
  await browser.answer("*/v1/look*", lineOf(PLANTED));
  for (const list of ["1", "2", "3"]) {
    await browser.press(list);
    await browser.shows(`${hasRow(PLANTED)} && document.title.startsWith("<img")`);
    await assertText(browser);
  }
  await browser.press("2");
  await browser.shows(`${hasRow("ended")} && ${hasRow(PLANTED)}`);
  await browser.press("K");
  await browser.shows(isOpen);
  await browser.shows(
    `document.getElementById("what").textContent === ${JSON.stringify(`${PLANTED} → ${PLANTED}:443`)}`,
  );
  await assertText(browser);
  assert.deepEqual(browser.complaints, []);
  // What turns a text round, or hides in it, is shown as a dot.
  await browser.press("Escape");
  await browser.answer("*/v1/look*", lineOf("a\\u202egnp.exe\\u200b"));
  await browser.shows(hasRow("a·gnp.exe·"));
  await browser.end();
});

/** An answer all of whose texts are one. */
function lineOf(text: string): string {
  const state =
    `{"version":1,"host":"T","now":1700000000000,"program":"T","phase":"T","started":1,"config":"T",
    "generation":2,"refused":"T","rules":"T","workers":1,"hanging":["T"],"connections":1,"maxConnections":1,
    "udpSessions":0,"maxUdpSessions":0,"rates":{"accepted":0},"down":["T"]}`;
  const row =
    `{"id":"t0.1.1","protocol":"tcp","family":"ipv4","client":"T","clientPort":1,"device":"T","mac":"T",
    "destination":"T","destinationPort":443,"name":"T","rule":"T","upstream":"T","state":"T","bytesUp":1,
    "bytesDown":2,"started":"2026-01-01T00:00:00.000Z"}`;
  return `${state.replaceAll("\n", "")}\n${row.replaceAll("\n", "")}\n`.replaceAll('"T"', () => `"${text}"`);
}

async function assertText(browser: Browser): Promise<void> {
  assert.equal(await browser.evaluate("document.querySelectorAll('img, script:not([type])').length"), 0);
  assert.notEqual(await browser.evaluate("document.title"), "planted");
}

/** A page of somebody else's: it tries all that a page can send, and lists what it was told. */
const STRANGER = `<!doctype html><title>stranger</title><script type="module">
const at = (path) => "http://" + (location.search.slice(1) || "localhost:8080") + path;
const tries = {
  read: () => fetch(at("/v1/look"), { headers: { "x-tproxy-page": "1" } }),
  status: () => fetch(at("/v1/status")),
  page: () => fetch(at("/")),
  blind: () => fetch(at("/v1/look"), { mode: "no-cors" }).then((answer) => { if (answer.type === "opaque") throw 0; return answer; }),
  close: () => fetch(at("/v1/connections/close"), { method: "POST", mode: "no-cors", body: '{"ids":["ID"]}' }),
  closeJson: () => fetch(at("/v1/connections/close"), { method: "POST", headers: { "content-type": "application/json",
    "x-tproxy-page": "1" }, body: '{"ids":["ID"]}' }),
  reload: () => fetch(at("/v1/reload"), { method: "POST", mode: "no-cors", body: "{}" }),
  beacon: () => Promise.reject(navigator.sendBeacon(at("/v1/connections/close"), new Blob(['{"ids":["ID"]}']))),
};
const told = {};
for (const [name, one] of Object.entries(tries)) {
  told[name] = await one().then(async (answer) => answer.type + " " + (await answer.text()).slice(0, 200), () => "nothing");
}
const frame = document.createElement("iframe");
frame.src = at("/");
document.body.append(frame);
await new Promise((resolve) => { frame.onload = frame.onerror = resolve; setTimeout(resolve, 3000); });
const form = document.createElement("form");
Object.assign(form, { method: "post", enctype: "text/plain", action: at("/v1/connections/close"), target: "_blank" });
form.innerHTML = "<input name='{\\"ids\\":[\\"ID\\"],\\"x\\":\\"' value='\\"}'>";
document.body.append(form);
form.submit();
window.told = told;
</script>`;

const WEB = `import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(open(sys.argv[1], "rb").read())
http.server.ThreadingHTTPServer(("127.0.0.1", 8090), Page).serve_forever()`;

labTest("pages of others in the same browser read nothing and close nothing", {
  programs: [...PROGRAMS, "python3", "curl"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const proxy = await startProxy(lab);
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  const browser = await startTunnel(lab);
  const curl = async (...words: readonly string[]) =>
    (await lab.client.run(["curl", "-sS", "-m", "10", ...words])).stdout;
  // Who is no browser is answered as ever.
  const { id } = JSON.parse(await curl(`${PAGE}v1/connections`));
  const page = lab.writeFile("stranger.html", STRANGER.replaceAll("ID", id));
  await lab.client.start(["python3", "-c", WEB, page], { listens: 8090 });
  for (
    const from of [
      "localhost:8090/",
      "stranger.example:8090/",
      "stranger.example:8090/?stranger.example:8080",
    ]
  ) {
    await browser.open(`http://${from}`);
    await browser.shows("window.told");
    const told = await browser.evaluate<Record<string, string>>("window.told");
    const { close, reload, ...others } = told;
    assert.deepEqual(new Set(Object.values(others)), new Set(["nothing"]), `${from} ${JSON.stringify(told)}`);
    for (const answer of [close, reload]) assert.ok(["opaque ", "nothing"].includes(answer), answer);
    await client.write(`${from}\n`);
    await client.waitForOutput(`${from}\n`);
  }
  // A name that was made to lead here, typed or followed, shows nothing either.
  await browser.open("http://rebound.example:8080/");
  assert.match(await browser.text(), /the host must be localhost/);
  // There its script has the tunnel's origin for its own, and may send what our page sends.
  const send = (path: string, options: object) =>
    browser.evaluate<string>(`fetch(${JSON.stringify(path)}, ${JSON.stringify(options)})
      .then(async (answer) => answer.status + " " + await answer.text())`);
  const headers = { "x-tproxy-page": "1", "content-type": "application/json" };
  assert.match(await send("/v1/look", { headers }), /^403 .*the host must be/);
  const close = { method: "POST", headers, body: JSON.stringify({ ids: [id] }) };
  assert.match(await send("/v1/connections/close", close), /^403 .*the host must be/);
  await browser.open(`${PAGE}v1/status`);
  assert.match(await browser.text(), /not for browsers/);
  await browser.open(PAGE);
  await browser.shows(hasRow(CLIENT));
  // The connection lives, and no word came through: the proxy would have said that it has reloaded.
  assert.equal(JSON.parse(await curl(`${PAGE}v1/connections`)).id, id);
  assert.doesNotMatch(proxy.log, /reload|generation/);
  await until(async () => JSON.parse(await curl(`${PAGE}v1/status`)).generation === 1, {
    what: "the generation",
  });
  await browser.end();
});
