import assert from "node:assert/strict";
import {
  type DeviceNames,
  type NamesForm,
  readNames,
} from "../../../../../src/daemon/control/devices/names.ts";

function read(form: NamesForm, ...lines: string[]): unknown {
  const names: DeviceNames = { byAddress: new Map(), byMac: new Map() };
  readNames(`${lines.join("\n")}\n`, form, names);
  return [Object.fromEntries(names.byAddress), Object.fromEntries(names.byMac)];
}

Deno.test("readNames() reads leases of dnsmasq, of IPv6 too", () => {
  assert.deepEqual(
    read(
      "dnsmasq",
      "1700000000 B8:27:EB:00:00:10 192.168.1.23 anna-laptop 01:b8:27:eb:00:00:10",
      "1700000000 b8:27:eb:00:00:11 192.168.1.24 * *",
      "duid 00:01:00:01:2c",
      "1700000000 12345 fd00:0::23 anna-laptop 00:01:00:01:2c",
    ),
    [
      { "192.168.1.23": "anna-laptop", "fd00::23": "anna-laptop" },
      { "b8:27:eb:00:00:10": "anna-laptop" },
    ],
  );
});

Deno.test("readNames() reads hosts, as odhcpd writes them too, ethers, and leases of Kea", () => {
  assert.deepEqual(
    read(
      "hosts",
      "# br-lan 0001 33 tv 1 a 128 fd00::a/128",
      "fd00::a\ttv.lan tv",
      "192.168.1.5 nas # here",
      "x y",
    ),
    [{ "fd00::a": "tv.lan", "192.168.1.5": "nas" }, {}],
  );
  assert.deepEqual(read("ethers", "02:00:00:00:00:01 printer", "02:00:00:00:00:02 192.168.1.9", "#"), [
    {},
    { "02:00:00:00:00:01": "printer" },
  ]);
  assert.deepEqual(
    read(
      "kea",
      "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state",
      "192.168.1.7,02:00:00:00:00:07,,3600,1700000000,1,0,0,old,0",
      "192.168.1.7,02:00:00:00:00:07,,3600,1700000500,1,0,0,new.,0",
      "192.168.1.8,02:00:00:00:00:08,,3600,1700000500,1,0,0,,0",
    ),
    [{ "192.168.1.7": "new" }, { "02:00:00:00:00:07": "new" }],
  );
});

Deno.test("a name commands no terminal, and is not longer than a line bears", () => {
  assert.deepEqual(read("hosts", "10.0.0.1 a\x1b[2J", `10.0.0.2 ${"b".repeat(500)}`), [
    { "10.0.0.1": "a\\u001b[2J", "10.0.0.2": "b".repeat(64) },
    {},
  ]);
});
