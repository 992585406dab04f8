import assert from "node:assert/strict";
import { sortRows } from "../../../../src/cli/connections/order.ts";
import { readRow } from "../../../../src/cli/connections/rows.ts";
import { formatTable } from "../../../../src/cli/connections/table.ts";
import { NOW, row } from "./rows.ts";

const ROWS = [
  row({ device: "anna-laptop", name: "a-long-name-of-a-video-server.cdn.example.net", upstream: "office" }),
  row({ protocol: "udp", family: "ipv6", client: "2001:db8::7", destination: "2001:db8:1:2:3:4:5:6" }),
  row({ destination: null, destinationPort: null, state: "deciding", rule: null }),
];

Deno.test("the table has all columns where there is room, and whole texts where nobody looks", () => {
  const [head, first, second, third] = formatTable(ROWS, { columns: Infinity, now: NOW }).split("\n");
  assert.match(head, /^PROTO +CLIENT +DESTINATION +RULE +VIA +STATE +UP +DOWN +AGE +ID$/);
  assert.match(
    first,
    /^tcp4 +anna-laptop +a-long-name-of-a-video-server\.cdn\.example\.net:443 +default +office +open +1\.0 kB +2\.5 MB +1 h +t0\.1\.2$/,
  );
  assert.match(second, /^udp6 +\[2001:db8::7\]:50123 +\[2001:db8:1:2:3:4:5:6\]:443 +default +direct/);
  assert.match(third, /^tcp4 +192\.168\.1\.23:50123 +\? +- +direct +deciding/);
});

Deno.test("no line is wider than the screen from 66 columns up; first the id goes, then rule, age and way", () => {
  const titles = (columns: number) => {
    const lines = formatTable(ROWS, { columns, now: NOW }).trimEnd().split("\n");
    for (const line of lines) assert.ok(line.length <= columns, `${columns}: ${line}`);
    return lines[0].split(/ +/);
  };
  for (let columns = 66; columns < 200; columns++) titles(columns);
  assert.deepEqual(titles(150).slice(-2), ["AGE", "ID"]);
  assert.deepEqual(titles(80), ["PROTO", "CLIENT", "DESTINATION", "VIA", "STATE", "UP", "DOWN", "AGE"]);
  assert.deepEqual(titles(66), ["PROTO", "CLIENT", "DESTINATION", "STATE", "UP", "DOWN"]);
  assert.match(formatTable(ROWS, { columns: 80, now: NOW }), /a-long-name-[^ ]*… /);
});

Deno.test("rows are sorted by amounts from the largest down, by texts from A", () => {
  const rows = [
    row({ id: "a", bytesUp: 5, bytesDown: 0, device: "zoe", started: "2026-01-01T00:30:00.000Z" }),
    row({ id: "b", bytesUp: 1, bytesDown: 9, device: "anna" }),
  ];
  const ids = (order: Parameters<typeof sortRows>[1]) => sortRows(rows, order).map(({ id }) => id).join("");
  assert.deepEqual([ids("bytes"), ids("up"), ids("down"), ids("age"), ids("client"), ids("state")], [
    "ba",
    "ab",
    "ba",
    "ba",
    "ba",
    "ab",
  ]);
});

Deno.test("a line that is no row is none; what a client has named commands no terminal", () => {
  assert.deepEqual(readRow(JSON.stringify(ROWS[0])), ROWS[0]);
  assert.equal(readRow(JSON.stringify(row({ name: "\u001b[2J" })))?.name, "\\u001b[2J");
  for (const line of ["", "null", "[]", "{}", JSON.stringify({ ...ROWS[0], device: "\u001b[2J" })]) {
    assert.equal(readRow(line), undefined, line);
  }
});
