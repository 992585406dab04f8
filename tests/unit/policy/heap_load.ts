/**
 * Run by heap_test.ts: asks a policy with every kind of condition as often as its argument says, after
 * warming up.
 */
import { parseConfig } from "../../../src/config/load.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { placeInterfaces } from "../../../src/policy/image.ts";
import { Policy } from "../../../src/policy/policy.ts";
import { flowOf } from "../../laboratory/proxy/decided.ts";
import { Random, randomPacket } from "../../laboratory/proxy/policies.ts";

const LINKS = ["r0", "r2"];
const image = compilePolicy(
  parseConfig(
    `rules:
      - { action: block, from: [10.1.2.128/25, "fd01:2::/127"], protocol: udp }
      - { action: bypass, to: [192.0.2.0/24, 198.51.100.7, "2001:db8:1::/48"], ports: [53, "80-90"] }
      - { action: deliver, deliver-port: 3129, mac: ["02:00:00:00:00:01", "02:00:00:00:01:02"] }
      - { action: direct, in: [r0], ports: ["1024-65535"] }
      - { action: block, domains: [example.org], from: [128.0.0.0/1, "8000::/1"] }`,
    "policy",
  ),
  1,
);
placeInterfaces(image, new Map([["r0", 1], ["r2", 2]]));
const policy = new Policy(image);
const random = new Random(1);
const flows = Array.from({ length: 1000 }, () => flowOf(randomPacket(random, LINKS), LINKS));

function ask(times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    const rule = policy.decide(flows[i % flows.length]);
    sum += rule;
    if (rule >= 0 && policy.route(rule).silent) sum++;
  }
  return sum;
}

ask(100_000);
ask(Number(Deno.args[0]));
Deno.stdout.writeSync(new TextEncoder().encode("ASKED\n"));
Deno.exit(0);
