/**
 * A browser in a namespace: opens pages, presses keys, and tells what is on them.
 * @module
 */
import type { Namespace } from "../namespace.ts";
import type { Program } from "../program.ts";
import { until } from "../machine/wait.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;
const PROGRAM = new URL("./browser_program.ts", import.meta.url).pathname;

/** A screen. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: unknown;
}

/** Keys that are more than a character: code and number. */
const NAMED: Readonly<Record<string, number>> = {
  Enter: 13,
  Escape: 27,
  ArrowUp: 38,
  ArrowDown: 40,
  Delete: 46,
  Tab: 9,
  End: 35,
  Home: 36,
};

/** A running browser. */
export class Browser {
  readonly #program: Program;
  #count = 0;
  #read = 0;
  readonly #messages: Message[] = [];
  /** Answer to requests that are kept from the network. */
  #answer = "";

  constructor(program: Program) {
    this.#program = program;
  }

  /** Complaints of its console: what a page's policy has refused, and errors. */
  get complaints(): readonly unknown[] {
    this.#take();
    return this.#messages.filter(({ method }) =>
      method === "Log.entryAdded" || method === "Runtime.exceptionThrown"
    ).map(({ params }) => params);
  }

  /** Asks by the DevTools protocol. */
  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    await this.#program.write(`${JSON.stringify({ id, method, params })}\n`);
    const answer = () => {
      this.#take();
      return this.#messages.find((message) => message.id === id);
    };
    await until(() => answer() !== undefined, { what: `${method} in ${this.#program}`, timeoutMs: 30_000 });
    const { result, error } = answer()!;
    if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  /** Opens an address. */
  async open(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
    await this.shows("document.readyState === 'complete'");
  }

  /** Evaluates JavaScript in its page; a promise is waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  }

  /** Waits until an expression is true in its page. */
  async shows(expression: string, timeoutMs = 15_000): Promise<void> {
    await until(() => this.evaluate<boolean>(`Boolean(${expression})`), {
      what: `${expression}`,
      timeoutMs,
    }).catch(async (error) => {
      throw new Error(`${error.message}; it shows:\n${await this.text()}`);
    });
  }

  /** The text that is in sight. */
  text(): Promise<string> {
    return this.evaluate("document.body.innerText");
  }

  /** Presses keys, one after the other: characters, or names such as `Enter`. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const code = NAMED[key];
      const text = code === undefined ? { text: key } : key === "Enter" ? { text: "\r" } : {};
      const common = { key, ...code === undefined ? {} : { windowsVirtualKeyCode: code, code: key } };
      await this.send("Input.dispatchKeyEvent", {
        type: "text" in text ? "keyDown" : "rawKeyDown",
        ...common,
        ...text,
      });
      await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...common });
    }
  }

  /** Answers requests in the network's place from now on; `pattern`: addresses, with `*`. */
  async answer(pattern: string, body: string): Promise<void> {
    this.#answer = body;
    await this.send("Fetch.enable", { patterns: [{ urlPattern: pattern }] });
  }

  /** Changes its screen. */
  async resize({ width, height, dark = false }: Screen): Promise<void> {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 500 };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  /** Makes a picture of its screen: PNG. */
  async picture(): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Uint8Array.fromBase64(data as string);
  }

  /** Ends it. */
  async end(): Promise<void> {
    await this.#program.closeInput();
    await this.#program.waitForExit({ timeoutMs: 20_000 });
  }

  #take(): void {
    const text = this.#program.stderr;
    const end = text.lastIndexOf("\n") + 1;
    if (end <= this.#read) return;
    for (const line of text.slice(this.#read, end).split("\n")) {
      if (!line.startsWith("{")) continue;
      const message: Message = JSON.parse(line);
      if (message.method === "Fetch.requestPaused") this.#fulfill(message.params as { requestId: string });
      else this.#messages.push(message);
    }
    this.#read = end;
  }

  #fulfill({ requestId }: { readonly requestId: string }): void {
    const body = new TextEncoder().encode(this.#answer).toBase64();
    const params = { requestId, responseCode: 200, body };
    this.#program.write(`${JSON.stringify({ id: ++this.#count, method: "Fetch.fulfillRequest", params })}\n`);
  }
}

/** Starts one; `directory` keeps its profile, and all that it writes. */
export async function startBrowser(namespace: Namespace, directory: string): Promise<Browser> {
  const program = await namespace.start([
    `${PROJECT}scripts/deno`,
    "run",
    "-A",
    "--no-check",
    PROGRAM,
    directory,
  ]);
  await program.waitForOutput("ready", { timeoutMs: 60_000 });
  const browser = new Browser(program);
  for (const domain of ["Page", "Runtime", "Log"]) await browser.send(`${domain}.enable`);
  return browser;
}
