import assert from "node:assert/strict";
import { namesToAsk, parseResolvConf } from "../../../../../src/daemon/upstreams/dns/resolv_conf.ts";
import { formatIp } from "../../../../../src/net/ip.ts";

const servers = (text: string) => parseResolvConf(text).servers.map(formatIp);

Deno.test("parseResolvConf() takes three servers in their order, and this machine where there is none", () => {
  assert.deepEqual(servers("# nameserver 9.9.9.9\nnameserver 192.0.2.1\n  nameserver\t2001:db8::53\n"), [
    "192.0.2.1",
    "2001:db8::53",
  ]);
  assert.deepEqual(servers("nameserver 1.1.1.1\nnameserver x\nnameserver fe80::1%eth0\noptions edns0"), [
    "1.1.1.1",
  ]);
  assert.equal(servers("nameserver 192.0.2.1\n".repeat(5)).length, 3);
  assert.deepEqual(servers(""), ["127.0.0.1"]);
});

Deno.test("namesToAsk() looks for names without a dot in the domains of the search list first", () => {
  const conf = parseResolvConf("domain old.example\nsearch lan. corp.example\n");
  assert.deepEqual(namesToAsk("proxy", conf), ["proxy.lan", "proxy.corp.example", "proxy"]);
  assert.deepEqual(namesToAsk("proxy.example", conf), ["proxy.example"]);
  assert.deepEqual(namesToAsk("proxy.", conf), ["proxy"]);
});
