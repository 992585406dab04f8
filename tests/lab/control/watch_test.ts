/** `tproxy connections --watch` in a real terminal: screens in words, keys, what is left behind. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { listChildren } from "../../laboratory/machine/procfs.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { startProxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

/** The client, by its hardware address or its own. */
const DEVICE = new RegExp(`^(([0-9a-f]{2}:){5}|${ADDRESSES[4].client} )`);

/** A terminal of 80 by 24 with a shell in the router; its screen is asked for as text. */
class Screen {
  readonly #lab: Lab;
  readonly #socket: string;

  /** `name`: tells it from others of the laboratory, whose server may still be ending. */
  constructor(lab: Lab, name = "tmux") {
    this.#lab = lab;
    this.#socket = `${lab.directory}/${name}.sock`;
  }

  async tmux(...words: readonly string[]): Promise<string> {
    const { stdout } = await this.#lab.router.run(["tmux", "-S", this.#socket, "-f", "/dev/null", ...words]);
    return stdout;
  }

  async start(command: string): Promise<void> {
    await this.tmux(
      "new-session",
      "-d",
      "-x",
      "80",
      "-y",
      "24",
      `sh -c '${command}; echo "left with $?"; cat'`,
    );
  }

  async lines(): Promise<string[]> {
    return (await this.tmux("capture-pane", "-p")).split("\n").map((line) => line.trimEnd());
  }

  /** Waits for a screen with such a line. */
  async shows(pattern: RegExp): Promise<string[]> {
    let lines: string[] = [];
    await until(async () => (lines = await this.lines()).some((line) => pattern.test(line)), {
      what: `${pattern} on the screen`,
      timeoutMs: 15_000,
    }).catch((error) => {
      throw new Error(`${error.message}; it shows:\n${lines.join("\n")}`);
    });
    return lines;
  }

  /** Finds the process that the shell of the screen waits for. */
  async findProgram(): Promise<number> {
    const shell = Number(await this.tmux("display", "-p", "#{pane_pid}"));
    const [program] = listChildren(shell);
    return program;
  }

  async press(...keys: readonly string[]): Promise<void> {
    await this.tmux("send-keys", ...keys);
  }
}

labTest("the live screen shows devices and connections, closes one, and gives the terminal back", {
  programs: ["tmux", "socat"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  await startProxy(lab);
  const client = await connectClient(lab, 7000);
  await client.write("a".repeat(5000));
  const screen = new Screen(lab);
  await screen.start(
    `LC_ALL=C.UTF-8 ${tproxyCommand().join(" ")} connections --watch -c ${writeConfig(lab)}`,
  );
  try {
    // The only device has no name: no lease tells.
    const devices = await screen.shows(DEVICE);
    assert.match(devices[0], /^tproxy \S+ +running +up \d\d:\d\d +TCP 1 +UDP 0 /);
    assert.match(devices[1], /^\[devices\] /);
    assert.match(devices[2], /^DEVICE +ADDRESS +CONNS +DOWN\/s +UP\/s +LATELY +TOTAL$/);
    assert.match(devices[3], new RegExp(` ${ADDRESSES[4].client} +1 .* 1\\d\\.\\d kB$`));
    assert.match(devices[23], /^\? help {2}q quit {2}\/ filter /);
    await client.write("b".repeat(200_000));
    await screen.shows(/ 4\d\d kB$/);
    await screen.press("Enter");
    const flows = await screen.shows(/^tcp4 /);
    assert.match(flows[1], /\[connections\].* of ([0-9a-f]{2}:){5}|\[connections\].* of 10\./);
    assert.match(flows[3], new RegExp(`^tcp4 +${ADDRESSES[4].server}:7000 .* open `));
    await screen.press("/", "udp");
    await screen.shows(/nothing has these words/);
    await screen.press("Escape");
    await screen.shows(/^tcp4 /);
    await screen.press("K");
    await screen.shows(/^Close .* → .*:7000\? y: yes/);
    await screen.press("n");
    await screen.press("?");
    await screen.shows(/the other way round/);
    await screen.press("x");
    await screen.press("K");
    await screen.shows(/^Close /);
    await screen.press("y");
    await screen.shows(/^tcp4 .* ended /);
    await client.waitForOutput("Connection reset by peer");
    await screen.press("Escape", "Tab", "Tab");
    await screen.shows(/^RULE +CLIENTS/);
    await screen.tmux("resize-window", "-x", "120", "-y", "30");
    await screen.shows(/TOP DESTINATION/);
    await screen.press("q");
    const left = await screen.shows(/^left with 0$/);
    assert.equal(left.filter((line) => line !== "").length, 1, "nothing of it is left on the screen");
    assert.match(await screen.tmux("display", "-p", "#{alternate_on} #{cursor_flag}"), /^0 1/);
  } finally {
    await screen.tmux("kill-server");
  }
});

labTest("whoever ends the live screen by a signal has his terminal back", {
  programs: ["tmux"],
}, async (lab) => {
  await startProxy(lab);
  const command = `LC_ALL=C.UTF-8 ${tproxyCommand().join(" ")} connections --watch -c ${writeConfig(lab)}`;
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
    const screen = new Screen(lab, signal);
    await screen.start(command);
    try {
      await screen.shows(/nothing has been relayed yet/);
      Deno.kill(await screen.findProgram(), signal);
      const left = await screen.shows(/^left with 0$/);
      assert.equal(left.filter((line) => line !== "").length, 1, "nothing of it is left on the screen");
      const modes = await screen.tmux("display", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}");
      assert.match(modes, /^0 1 1/, signal);
    } finally {
      await screen.tmux("kill-server");
    }
  }
});

labTest("without a terminal, or without a proxy, the live screen is refused", {
  programs: ["tmux"],
}, async (lab) => {
  const words = [...tproxyCommand(), "connections", "--watch", "-c", writeConfig(lab)];
  const piped = await lab.router.run(words, { mayFail: true });
  assert.deepEqual([piped.code, /this is no terminal/.test(piped.stderr)], [2, true]);
  const screen = new Screen(lab);
  await screen.start(words.join(" "));
  try {
    const lines = await screen.shows(/^left with 3$/);
    assert.match(lines.join(" "), /no proxy answers/);
  } finally {
    await screen.tmux("kill-server");
  }
  const dumb = new Screen(lab, "dumb");
  await dumb.start(`TERM=dumb ${words.join(" ")}`);
  try {
    assert.match((await dumb.shows(/^left with 2$/)).join(" "), /a dumb one/);
  } finally {
    await dumb.tmux("kill-server");
  }
});
