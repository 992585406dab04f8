import assert from "node:assert/strict";
import { embedsIpv4 } from "../../../../src/dataplane/sockets/embedded.ts";
import { sockaddr } from "../support/addresses.ts";

Deno.test("embedsIpv4() knows mapped and compatible addresses, and no others", () => {
  const embedded = ["[::ffff:127.0.0.1]:53", "[::ffff:8.8.8.8]:53", "[::127.0.0.1]:53", "[::1.2.3.4]:1"];
  const others = ["127.0.0.1:53", "0.0.0.0:1", "[64:ff9b::8.8.8.8]:53", "[2001:db8::ffff:1.2.3.4]:1"];
  others.push("[::fffe:1.2.3.4]:1", "[1::ffff:1.2.3.4]:1", "[0:0:0:1::1]:1");
  for (const text of embedded) assert.equal(embedsIpv4(sockaddr(text), 0), true, text);
  for (const text of others) assert.equal(embedsIpv4(sockaddr(text), 0), false, text);
});
