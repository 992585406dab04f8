/**
 * A random router and random flows from a number.
 * @module
 */
import { type AddressName, FIELD } from "../field/places.ts";
import { Random } from "../proxy/policies.ts";
import type { Flow } from "./calls.ts";
import { iptablesPieces, machinePieces, routingPieces } from "./machine.ts";
import { PORTS } from "./matches.ts";
import { filterPieces, manglePieces, natPieces, ownPieces } from "./pieces.ts";
import type { RandomRouter } from "./router.ts";

/** Flows of a router. */
const FLOWS = 26;
/** The first of the clients' own ports: each flow has its own. */
const FIRST_PORT = 20_000;

const INSIDE = ["client", "guest"] as const;
const OUTSIDE: readonly AddressName[] = [
  "server",
  "other",
  "anycast",
  "anycast",
  "anycast",
  "nowhere",
  "private",
];
const ROUTER: readonly AddressName[] = ["lan", "wan", "wan2", "guests"];

/** Draws the router of a seed. */
export function drawRouter(seed: number): RandomRouter {
  const random = new Random(seed);
  // Neighbouring seeds begin alike.
  for (let skip = 0; skip < 8; skip++) random.below(2);
  return {
    seed,
    pieces: [
      ...machinePieces(random),
      ...routingPieces(random),
      ...iptablesPieces(random),
      ...manglePieces(random),
      ...natPieces(random),
      ...filterPieces(random),
      ...ownPieces(random),
    ],
    flows: Array.from({ length: FLOWS }, (_, index) => drawFlow(random, index)),
    config: random.chance(25)
      ? { rules: [{ name: "others", domains: ["ads.example"], action: "block" }] }
      : {},
  };
}

function drawFlow(random: Random, index: number): Flow {
  const family = random.chance(60) ? 4 : 6;
  const protocol = random.chance(60) ? "tcp" : "udp";
  const [from, to] = drawEnds(random);
  const port = random.chance(70) ? random.one([80, 443, 8080, 22, 53, 21]) : random.one(PORTS);
  // Port 22 resets whom it reads: with a greeting that nobody waits for, it is a matter of moments.
  const acts = port === 22 ? ["echo", "reset"] : ["echo", "echo", "half-close", "reset"];
  const second = protocol === "udp" && random.chance(25) ? [random.one(OUTSIDE)] : [];
  return {
    protocol,
    family,
    from,
    to: [...new Set([to, ...second])].map((name) => FIELD[name][family]),
    port,
    own: FIRST_PORT + index,
    act: protocol === "tcp" ? random.one(acts) : String(1 + random.below(3)),
    bytes: protocol === "tcp"
      ? random.one([1, 500, 3_000, 20_000, 60_000])
      : random.one([1, 100, 500, 1_000, 1_450, 3_000]),
    ...random.chance(15) ? { tos: random.one([0xb8, 0x48, 0x10]) } : {},
    ...random.chance(6) ? { ttl: 1 + random.below(3) } : {},
  };
}

function drawEnds(random: Random): [string, AddressName] {
  const kind = random.below(100);
  if (kind < 70) return [random.one(INSIDE), random.one(OUTSIDE)];
  if (kind < 78) return [random.one(INSIDE), random.one(ROUTER)];
  if (kind < 83) return [random.one(INSIDE), random.one(["guest", "client"] as const)];
  if (kind < 92) {
    return [random.one(["server", "other"]), random.one(["wan", "wan2", "client", "guest"] as const)];
  }
  return ["router", random.one(OUTSIDE)];
}
