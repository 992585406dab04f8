import assert from "node:assert/strict";
import { draw, type Scene } from "../../../../src/cli/watch/draw.ts";
import { listOf, newOrders } from "../../../../src/cli/watch/rows.ts";
import { textWidth } from "../../../../src/cli/watch/text.ts";
import { Traffic } from "../../../../src/cli/watch/traffic.ts";
import { FIRST_VIEW, type View } from "../../../../src/cli/watch/view.ts";
import { flow } from "./support.ts";

const SUMMARY = { program: "0.1.0", started: 0, phase: "running", connections: 3, udpSessions: 1 };

function scene(more: Partial<View> = {}): Scene {
  const traffic = new Traffic();
  const flows = (bytes: number) => [
    flow("a", { name: "video.example.net", bytesDown: 30 * bytes, upstream: "office", rule: "work" }),
    flow("b", { device: "tv\x1b[2J", client: "192.168.1.40", bytesDown: bytes }),
    flow("c", { protocol: "udp", family: 6, destination: "2001:db8::7", bytesUp: bytes, started: 59_000 }),
  ];
  traffic.look(flows(0), 60_000);
  traffic.look(flows(1e6), 61_000);
  const view = { ...FIRST_VIEW, ...more };
  const list = listOf(view, traffic, newOrders());
  return { view, list, summary: SUMMARY, down: 31e6, up: 1e6, now: 61_000, notice: "" };
}

const text = (view: Partial<View>, columns = 80) =>
  draw(scene(view), { columns, rows: 24 }, false).map((line) => line.trimEnd()).filter((line) => line !== "");

Deno.test("the screen of devices, 80 columns", () => {
  assert.deepEqual(text({}).slice(0, 5), [
    "tproxy 0.1.0  running  up 01:01  TCP 3  UDP 1  ↓ 31.0 MB/s  ↑ 1.0 MB/s",
    "[devices]  connections   rules",
    "DEVICE             ADDRESS           CONNS   DOWN/s     UP/s     LATELY    TOTAL",
    "laptop             192.168.1.23          2  30.0 MB   1.0 MB          █  31.0 MB",
    "tv·[2J             192.168.1.40          1   1.0 MB        0          █   1.0 MB",
  ]);
});

Deno.test("the screen of connections: rule and age go first where it is narrow", () => {
  assert.deepEqual(text({ tab: "connections" }).slice(1, 6), [
    " devices  [connections]  rules",
    "PROTO DEVICE         DESTINATION             STATE      DOWN/s     UP/s    TOTAL",
    "tcp4  laptop         video.example.net:443   open      30.0 MB        0  30.0 MB",
    "tcp4  tv·[2J         203.0.113.9:443         open       1.0 MB        0   1.0 MB",
    "udp6  laptop         [2001:db8::7]:443       open            0   1.0 MB   1.0 MB",
  ]);
  const wide = text({ tab: "connections" }, 110);
  assert.match(wide[2], /^PROTO DEVICE +DESTINATION +RULE +VIA +STATE +DOWN\/s +UP\/s +TOTAL +AGE$/);
  assert.match(
    wide[3],
    /^tcp4 +laptop +video\.example\.net:443 +work +office +open +30\.0 MB +0 +30\.0 MB +01:01$/,
  );
});

Deno.test("inside of a device its connections alone are shown, and the filter does as it says", () => {
  const inside = text({ tab: "connections", within: { tab: "devices", name: "laptop" } });
  assert.match(inside[1], /of laptop$/);
  assert.match(inside[2], /^PROTO DESTINATION +VIA /, "all are of that device");
  assert.equal(inside.filter((line) => /^(tcp|udp)/.test(line)).length, 2);
  const filtered = text({ tab: "connections", filter: "udp6" });
  assert.equal(filtered.filter((line) => /^(tcp|udp)/.test(line)).length, 1);
  assert.match(text({ filter: "nowhere" }).join("\n"), /nothing has these words/);
  assert.equal(text({ filter: "video" }).filter((line) => line.startsWith("laptop")).length, 1);
});

Deno.test("no line is wider than the terminal, nor are there more, whatever its size; nothing of a name is a control", () => {
  const views: Partial<View>[] = [{}, { tab: "connections" }, { tab: "rules" }, { showsHelp: true }, {
    closing: { id: "b", what: "tv\x1b[2J → x" },
  }];
  for (const view of views) {
    for (const columns of [20, 40, 80, 81, 100, 200]) {
      for (const rows of [1, 5, 24]) {
        const lines = draw(scene(view), { columns, rows }, false);
        assert.equal(lines.length, Math.min(rows, Math.max(lines.length, 1)));
        assert.ok(lines.length <= rows);
        for (const line of lines) {
          assert.ok(textWidth(line) <= columns, line);
          // deno-lint-ignore no-control-regex
          assert.doesNotMatch(line, /[\x00-\x1f]/);
        }
      }
    }
  }
});

Deno.test("80 columns have room for the help, and for the keys that lead to it and out", () => {
  assert.match(text({}).at(-1)!, /^\? help {2}q quit .* K close( |$)/);
  assert.doesNotMatch(text({ showsHelp: true }).join("\n"), /…/);
});

Deno.test("the chosen row is the one in reverse, and stays in sight", () => {
  const drawn = draw(scene({ chosen: "tv\x1b[2J" }), { columns: 80, rows: 24 }, true);
  assert.deepEqual(drawn.filter((line) => line.startsWith("\x1b[7m")).map((line) => line.slice(4, 10)), [
    "tv·[2J",
  ]);
  const low = draw(scene({ chosen: "tv\x1b[2J" }), { columns: 80, rows: 5 }, true);
  assert.ok(low.some((line) => line.startsWith("\x1b[7mtv")));
});
