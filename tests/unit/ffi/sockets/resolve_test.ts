import assert from "node:assert/strict";
import { AF_INET, AF_INET6, SOCK_STREAM } from "../../../../ffi/consts.ts";
import {
  hostName,
  numericHost,
  type Question,
  resolve,
  serviceName,
} from "../../../../ffi/sockets/resolve.ts";
import {
  makeSockaddr,
  portOf,
  readSockaddr,
  setPort,
  writeSockaddr,
} from "../../../../ffi/sockets/sockaddr.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { formatEndpoint, parseEndpoint } from "../../../../src/net/ip.ts";

function addresses(question: Partial<Question>): string[] {
  const whole = { host: undefined, service: "80", type: SOCK_STREAM, numeric: true, ...question };
  return resolve(whole).map((address) => formatEndpoint(readSockaddr(address)));
}

Deno.test("resolve() takes addresses as they are", () => {
  assert.deepEqual(addresses({ host: "192.0.2.1" }), ["192.0.2.1:80"]);
  assert.deepEqual(addresses({ host: "2001:db8::1", service: "51966" }), ["[2001:db8::1]:51966"]);
});

Deno.test("resolve() without a host gives the wildcards, of the family that is asked for", () => {
  assert.deepEqual(addresses({}).sort(), ["0.0.0.0:80", "[::]:80"]);
  assert.deepEqual(addresses({ family: AF_INET }), ["0.0.0.0:80"]);
  assert.deepEqual(addresses({ family: AF_INET6 }), ["[::]:80"]);
});

Deno.test("resolve() keeps the zone of a link-local address", () => {
  const [address] = resolve({ host: "fe80::1%lo", service: "1", type: SOCK_STREAM, numeric: true });
  assert.equal(new DataView(address.buffer).getUint32(24, true), 1); // lo is the first interface
});

/** A minimal system has no list of services. */
const ignore = (() => {
  try {
    return !Deno.statSync("/etc/services").isFile;
  } catch {
    return true;
  }
})();

Deno.test("resolve() looks names up in /etc/hosts", () => {
  assert.ok(addresses({ host: "localhost", numeric: false, family: AF_INET }).includes("127.0.0.1:80"));
});

Deno.test("resolve() looks services up in /etc/services", { ignore }, () => {
  assert.deepEqual(addresses({ host: "192.0.2.1", service: "http" }), ["192.0.2.1:80"]);
});

Deno.test("resolve() says what was looked for and why there is none", () => {
  const cases: [question: Partial<Question>, said: RegExp][] = [
    [
      { host: "localhost" },
      /^Cannot find "localhost 80": Name or service not known\. Only an address will do here/,
    ],
    [
      { host: "192.0.2.1", service: "no-such-service" },
      /^Cannot find "192\.0\.2\.1 no-such-service": .+\. No such service .* give the number of the port/,
    ],
    [
      { host: "192.0.2.1", family: AF_INET6 },
      /^Cannot find "192\.0\.2\.1 80": .+\. It has no address of IPv6, which -4 or -6 asks for/,
    ],
    [{ host: "2001:db8::1", family: AF_INET }, /: .+\. It has no address of IPv4/],
  ];
  for (const [question, said] of cases) {
    assert.throws(
      () => addresses(question),
      (error) => error instanceof OperationError && said.test(error.message),
    );
  }
});

Deno.test("serviceName() knows the names of ports, by protocol", { ignore }, () => {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint("192.0.2.1:514")!);
  assert.equal(serviceName(address, false), "shell");
  assert.equal(serviceName(address, true), "syslog");
  setPort(address, 51966);
  assert.equal(portOf(address), 51966);
  assert.equal(serviceName(address, false), undefined);
});

Deno.test("numericHost() names the interface of an address that is a link's own", { ignore }, () => {
  const ask = (host: string) =>
    numericHost(resolve({ host, service: "80", type: SOCK_STREAM, numeric: true })[0]);
  for (const host of ["fe80::1%lo", "2001:db8::1", "::ffff:192.0.2.1", "192.0.2.1"]) {
    assert.equal(ask(host), host);
  }
  assert.throws(() => ask("fe80::1%nope"), /What follows % is the name of an interface/);
});

Deno.test("hostName() gives an address that has no name as it is", { ignore }, () => {
  const [address] = resolve({ host: "fe80::1%lo", service: "80", type: SOCK_STREAM, numeric: true });
  assert.equal(hostName(address), "fe80::1%lo");
});
