/**
 * Both sides of the control socket.
 * @module
 */
import assert from "node:assert/strict";
import { readRow } from "../../../src/cli/connections/rows.ts";
import { readSettled } from "../../../src/daemon/control/connections/brief.ts";
import { refusalOf, TUNNEL } from "../../../src/daemon/control/guard.ts";
import { chunk, streamHead, wholeAnswer } from "../../../src/daemon/control/http/answer.ts";
import {
  type HttpRefusal,
  type HttpRequest,
  MOST_BODY,
  MOST_HEAD,
  RequestReader,
} from "../../../src/daemon/control/http/request.ts";
import { ResponseReader } from "../../../src/daemon/control/http/response.ts";
import { readNames } from "../../../src/daemon/control/devices/names.ts";
import { joinBytes } from "../../../src/net/bytes.ts";
import type { Parser } from "../parser.ts";
import { bordersOf } from "./support/parts.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const USES = ["opened", "asked", "none"] as const;
const JSON_HEAD = { status: 200, type: "application/json" };

/** Cuts an input at its borders. */
function pieces(input: Uint8Array): Uint8Array[] {
  const borders = [0, ...bordersOf(input), input.length];
  return borders.slice(1).map((border, index) => input.subarray(borders[index], border));
}

function readRequest(parts: readonly Uint8Array[]): HttpRequest | HttpRefusal | undefined {
  const reader = new RequestReader();
  for (const part of parts) {
    const found = reader.add(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A request of anybody who may connect. */
export const controlRequest: Parser = {
  name: "control-request",
  samples: () => [
    encode("GET /v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    encode(
      "POST /v1/x?a=b HTTP/1.1\r\nHost: [::1]:80\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    ),
    encode("GET / HTTP/1.0\r\norigin: http://localhost\r\nsec-fetch-site: cross-site\r\n\r\n"),
    encode(
      "GET /v1/look?settled=15000 HTTP/1.1\r\nhost: localhost:80\r\nsec-fetch-site: same-origin\r\nx-tproxy-page: 1\r\n\r\n",
    ),
  ],
  words: [
    "\r\n",
    "\r\n\r\n",
    "HTTP/1.1",
    "content-length: ",
    "transfer-encoding: chunked\r\n",
    "host: x\r\n",
    "user-agent: Mozilla/5.0\r\n",
    "origin: http://localhost:80\r\n",
    "%",
  ],
  read(input) {
    const request = readRequest([input]);
    assert.deepEqual(readRequest(pieces(input)), request, "it depends on how it is cut");
    if (request === undefined) {
      assert.ok(input.length < MOST_HEAD + MOST_BODY);
      return "more";
    }
    if ("reason" in request) return `${request.status} ${request.reason}`;
    assert.ok(request.path.startsWith("/") && request.body.length <= MOST_BODY);
    return `${request.method} ${request.headers.size} ${USES.map((use) => refusalOf(request, TUNNEL, use))} ${
      readSettled(request.query.get("settled"))
    }`;
  },
};

function readResponse(parts: readonly Uint8Array[]): string {
  const reader = new ResponseReader();
  const body: Uint8Array[] = [];
  for (const part of parts) {
    const more = reader.add(part);
    if (more === undefined) return "none";
    body.push(more);
  }
  return `${reader.status} ${reader.isWhole} ${new TextDecoder().decode(joinBytes(body))}`;
}

const ROW = {
  id: "t0.1.2",
  protocol: "tcp",
  family: "ipv4",
  client: "192.0.2.1",
  clientPort: 1,
  device: null,
  mac: null,
  destination: null,
  destinationPort: null,
  name: "\u001b[2J",
  rule: null,
  upstream: null,
  state: "open",
  bytesUp: 1,
  bytesDown: 2,
  started: "2026-01-01T00:00:00.000Z",
};

/** An answer of whatever listens there. */
export const controlAnswer: Parser = {
  name: "control-answer",
  samples: () => [
    wholeAnswer(JSON_HEAD, JSON.stringify(ROW)),
    joinBytes([streamHead(JSON_HEAD), chunk(JSON.stringify(ROW)), chunk("")]),
    encode(JSON.stringify(ROW)),
  ],
  words: ["\r\n", "0\r\n\r\n", "content-length: ", "ffffff", "null", '"name":', "\\u001b"],
  read(input) {
    const whole = readResponse([input]);
    const parted = readResponse(pieces(input));
    // What is no answer may be seen as late as at its last piece.
    if (whole !== "none" && parted !== "none") assert.equal(parted, whole, "it depends on how it is cut");
    const row = readRow(new TextDecoder().decode(input));
    // Keys that nobody knows, of a later version, are shown by `--json` alone.
    for (const [key, text] of Object.entries(row ?? {})) {
      if (!(key in ROW)) continue;
      assert.doesNotMatch(typeof text === "string" ? text : "", /\p{Cc}/u, "it would disturb a terminal");
    }
    return `${whole.slice(0, 12)} ${row === undefined}`;
  },
};

/** Files that name devices: the devices have chosen the names. */
export const deviceNames: Parser = {
  name: "device-names",
  samples: () =>
    [
      "1700000000 b8:27:eb:00:00:10 192.168.1.23 laptop 01:b8\n",
      "fd00::a\ttv.lan tv\n",
      "address,hwaddr,hostname\n192.168.1.7,02:00:00:00:00:07,new.\n",
    ].map(encode),
  words: ["\n", " ", "*", "#", ",", "192.0.2.1", "02:00:00:00:00:01", "\x1b[2J", "\u2028"],
  read(input) {
    const names = { byAddress: new Map<string, string>(), byMac: new Map<string, string>() };
    for (const form of FORMS) readNames(new TextDecoder().decode(input), form, names);
    for (const name of [...names.byAddress.values(), ...names.byMac.values()]) {
      assert.ok(name !== "" && name.length <= 64);
      assert.doesNotMatch(name, /[\p{Cc}\p{Zl}\p{Zp}]/u, "it would disturb a terminal");
    }
    return `${names.byAddress.size} ${names.byMac.size}`;
  },
};

const FORMS = ["dnsmasq", "hosts", "ethers", "kea"] as const;
