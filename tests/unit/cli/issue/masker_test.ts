/** Masks of a published text. */
import assert from "node:assert/strict";
import { Masker } from "../../../../src/cli/issue/masker.ts";
import { listKnownWords } from "../../../../src/cli/issue/known_words.ts";
import { parseConfig } from "../../../../src/config/load.ts";

const plain = (text: string) => new Masker([]).mask(text);

Deno.test("Masker masks public addresses, each by one mask, and leaves private ones", () => {
  assert.equal(
    plain(
      "8.8.8.8 to 10.0.0.1, 8.8.4.4:53, 8.8.8.8/32 via 100.64.1.1, 172.16.0.1, 172.32.0.1, 192.168.1.0/24, 127.0.0.1",
    ),
    "ipv4-1 to 10.0.0.1, ipv4-2:53, ipv4-1/32 via 100.64.1.1, 172.16.0.1, ipv4-3, 192.168.1.0/24, 127.0.0.1",
  );
  assert.equal(
    plain("2a00:1450:4001::1, [2A00:1450:4001:0::1]:443 fd00::1 fe80::1 ff02::1 :: ::1 64:ff9b::808:808/96"),
    "ipv6-1, [ipv6-1]:443 fd00::1 fe80::1 ff02::1 :: ::1 ipv6-2/96",
  );
  assert.equal(plain("::ffff:8.8.8.8 ip saddr 8.8.8.8-8.8.8.9"), "ipv6-1 ip saddr ipv4-1-ipv4-2");
});

Deno.test("Masker masks hardware addresses, also in IPv6 addresses that are made of them", () => {
  assert.equal(
    plain("ether saddr 02:00:5e:10:00:01, 02-00-5E-10-00-01 fe80::200:5eff:fe10:1 fd00::200:5eff:fe10:1"),
    "ether saddr mac-1, mac-1 ipv6-1 ipv6-2",
  );
});

Deno.test("Masker leaves words of nft that are names of rules too", () => {
  const masker = new Masker(["accept", "ip", "Mark"].map((word) => ({ kind: "rule", word })));
  assert.equal(masker.mask("ip saddr 10.0.0.1 accept; mark"), "ip saddr 10.0.0.1 accept; rule-1");
});

Deno.test("Masker leaves what only looks like an address or a name", () => {
  const text =
    "at 04:30:13.123, kernel 6.1.0-53-amd64, tproxy 0.1.0, net.ipv4.ip_forward=1, mark 0x40000001/0x40000001, " +
    "/etc/tproxy/tproxy.yaml, ads.list, timeouts.udp-dns, inet fw4 forward: ct state established accept, accept.";
  assert.equal(plain(text), text);
});

Deno.test("Masker masks names, users, comments and what a URL knows", () => {
  assert.equal(
    plain(
      'www.Example.com, WWW.example.com. xn--bcher-kva.example and bücher.example; comment "Anna\'s phone" http://me:pw@proxy.example/',
    ),
    "name-1, name-1. name-2 and name-3; comment … http://…@name-4/",
  );
  assert.equal(plain("/home/anna/t.yaml, /home/anna/x"), "/home/user-1/t.yaml, /home/user-1/x");
  assert.equal(plain("-m comment --comment anna -d 8.8.8.8"), "-m comment --comment … -d ipv4-1");
});

Deno.test("Masker masks the words of a config wherever they stand, but for those of every config", () => {
  const config = parseConfig(
    `rules:
  - { name: Annas Tablet, domains: ["*.secret.corp", Bücher.test], action: proxy, upstream: office }
  - { name: direct, action: direct }
upstreams:
  office: { type: socks5, address: "gw:1080", username: anna.smith, password-file: /x }
groups: { away: { members: [office] } }
`,
    "f",
  );
  const masker = new Masker(listKnownWords(config, "nas.home"));
  assert.equal(
    masker.mask(
      "Annas Tablet: upstream office (gw:1080, anna.smith) of away, secret.corp, on nas.home or nas; direct; offices",
    ),
    "rule-1: upstream upstream-1 (name-2:1080, user-1) of upstream-2, name-1, on host-1 or host-2; direct; offices",
  );
});
