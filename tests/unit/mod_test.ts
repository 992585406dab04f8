/** The library as another program sees it. What needs the kernel's rules is in the laboratory. */
import assert from "node:assert/strict";
import {
  closeFd,
  DEFAULT_CONFIG,
  dialTransparent,
  formatEndpoint,
  listLinks,
  loadText,
  type NetworkView,
  openNetlink,
  OperationError,
  parseEndpoint,
  planInstall,
  receive,
  send,
  type TransparentConnection,
  TransparentListener,
} from "../../mod.ts";
import { descriptorTest } from "./ffi/support/descriptors.ts";
import { addressOf, poll } from "./ffi/support/tcp.ts";

/** A listener, or the error of a process that may not have one. */
function openListener(): TransparentListener | OperationError {
  try {
    return new TransparentListener(parseEndpoint("127.0.0.1:0")!);
  } catch (error) {
    assert.ok(error instanceof OperationError);
    return error;
  }
}

descriptorTest("a transparent socket dials from a foreign address, and a listener tells both ends", () => {
  const listener = openListener();
  if (listener instanceof OperationError) {
    assert.equal(listener.code, "EPERM");
    assert.match(listener.message, /need root, or CAP_NET_ADMIN/);
    return;
  }
  using _ = listener;
  assert.equal(listener.accept(), undefined);
  const port = new DataView(addressOf(listener.fd).buffer).getUint16(2);
  const dialled = dialTransparent(parseEndpoint(`127.0.0.1:${port}`)!, parseEndpoint("127.0.0.77:0")!);
  let connection: TransparentConnection | undefined;
  poll(() => (connection = listener.accept()) === undefined ? -11 : 0);
  assert.equal(formatEndpoint(connection!.destination), `127.0.0.1:${port}`);
  assert.match(formatEndpoint(connection!.client), /^127\.0\.0\.77:\d+$/);
  const buffer = new TextEncoder().encode("hello");
  assert.equal(poll(() => send(dialled, buffer, 5)), 5);
  assert.equal(poll(() => receive(connection!.fd, buffer.fill(0), 5)), 5);
  assert.equal(new TextDecoder().decode(buffer), "hello");
  closeFd(dialled);
  closeFd(connection!.fd);
});

descriptorTest("dialTransparent() throws what the kernel says, and closes its socket", () => {
  const [to, from] = [parseEndpoint("127.0.0.1:1")!, parseEndpoint("[::1]:0")!];
  assert.throws(() => dialTransparent(to, from), OperationError);
});

descriptorTest("the netlink client lists links", () => {
  using connection = openNetlink("route");
  const loopback = listLinks(connection).find(({ name }) => name === "lo");
  assert.equal(loopback?.index, 1);
});

Deno.test("planInstall() plans from a config and a view, and touches nothing", () => {
  const view: NetworkView = {
    links: [{ name: "lan0", loopback: false }],
    defaultRouteLinks: [],
    foreignRoutes: [],
    ipv6: "on",
    forwarding: { ipv4: true, ipv6: true },
  };
  const { config } = loadText(
    "version: 1\nintercept: { interfaces: [lan0], families: [ipv4] }\n",
    "example.yaml",
  );
  assert.notDeepEqual(config, DEFAULT_CONFIG);
  const text = JSON.stringify(planInstall(config, view));
  assert.match(text, /"kind":"proxy"/);
  assert.match(text, /lan0/);
});
