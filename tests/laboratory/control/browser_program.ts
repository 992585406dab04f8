/**
 * Chromium without a screen: `browser_program.ts DIRECTORY`. Each line of the input goes to its page, by the
 * DevTools protocol; answers and events come out. The end of the input ends it.
 * @module
 */
import { print } from "../machine/print.ts";

const [directory] = Deno.args;
const chromium = new Deno.Command("chromium", {
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    // Whoever owns a name may let it lead to this machine.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
    "--remote-debugging-port=0",
    `--user-data-dir=${directory}`,
    "about:blank",
  ],
  env: { HOME: directory, TMPDIR: directory, XDG_RUNTIME_DIR: directory },
  stdin: "null",
  stdout: "null",
  stderr: "piped",
}).spawn();

/** Reads what it says until it names its port; then on, so that it may go on. */
async function findPort(): Promise<number> {
  const found = Promise.withResolvers<number>();
  let text = "";
  (async () => {
    for await (const part of chromium.stderr.pipeThrough(new TextDecoderStream())) {
      text = `${text}${part}`.slice(-10_000);
      const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(text)?.[1];
      if (port !== undefined) found.resolve(Number(port));
    }
    found.reject(new Error(`Chromium has ended:\n${text}`));
  })();
  return await found.promise;
}

interface Target {
  readonly type: string;
  readonly webSocketDebuggerUrl: string;
}

async function findPage(port: number): Promise<string> {
  for (;;) {
    const targets: Target[] = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
    const page = targets.find(({ type }) => type === "page");
    if (page !== undefined) return page.webSocketDebuggerUrl;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const socket = new WebSocket(await findPage(await findPort()));
socket.onmessage = ({ data }) => print(data);
await new Promise((resolve) => socket.onopen = resolve);
print("ready");
let rest = "";
for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = `${rest}${part}`.split("\n");
  rest = lines.pop()!;
  for (const line of lines) socket.send(line);
}
socket.close();
chromium.kill("SIGTERM");
await chromium.status;
