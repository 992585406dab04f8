/**
 * The interfaces of a router, divided into the LAN and the others. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import type { NetworkView, ViewedLink } from "./view.ts";

/** The interfaces of a router as an install sees them, names only. */
export interface ChosenInterfaces {
  readonly lan: readonly string[];
  readonly others: readonly string[];
  readonly warnings: readonly string[];
}

/** Options of the choice. */
export interface ChoiceOptions {
  /** A named interface that is not there is taken all the same: rules go by name, and it may come later. */
  readonly absent?: boolean;
}

/**
 * Divides the interfaces into LAN and others; loopback is neither, nor are ports of a bridge or bond, whose
 * packets carry the name of their master. Throws if a named interface does not exist, if none is left, or if
 * nothing tells by itself which side is the LAN.
 */
export function chooseInterfaces(
  wanted: "auto" | readonly string[],
  view: NetworkView,
  options: ChoiceOptions = {},
): ChosenInterfaces {
  const usable = view.links.filter((link) => !link.loopback && link.master === undefined);
  if (wanted === "auto") {
    const lan = chooseAutomatically(usable, view);
    return { lan, others: namesBeside(lan, usable), warnings: [] };
  }
  const patterns = wanted.filter(isPattern);
  const unmatched = patterns.filter((pattern) => matching(pattern, usable).length === 0);
  const named = wanted.flatMap((name) => isPattern(name) ? matching(name, usable) : [name]);
  if (named.length === 0) throw nothingMatches(patterns, usable);
  const lan = [...new Set(named)];
  const warnings = [
    ...unmatched.map((pattern) => `no interface matches ${pattern} yet`),
    ...lan.flatMap((name) => checkNamed(name, view, options)),
  ];
  return { lan, others: namesBeside(lan, usable), warnings };
}

function namesBeside(lan: readonly string[], usable: readonly ViewedLink[]): string[] {
  return usable.map((link) => link.name).filter((name) => !lan.includes(name));
}

/** `ppp*`, `eth0.*`: names that begin so. The interfaces are those that are there when it is planned. */
function isPattern(name: string): boolean {
  return name.endsWith("*");
}

function matching(pattern: string, usable: readonly ViewedLink[]): string[] {
  const beginning = pattern.slice(0, -1);
  return usable.map(({ name }) => name).filter((name) => name.startsWith(beginning));
}

function nothingMatches(patterns: readonly string[], usable: readonly ViewedLink[]): OperationError {
  const existing = usable.map(({ name }) => name).join(", ");
  return new OperationError({
    operation: "intercept on interfaces",
    object: patterns.join(", "),
    reason: "no interface has such a name",
    hint: `This machine has ${existing || "none"}; "tproxy run --install" waits for one`,
  });
}

function chooseAutomatically(usable: readonly ViewedLink[], view: NetworkView): string[] {
  const lan = usable.map((link) => link.name).filter((name) => !view.defaultRouteLinks.includes(name));
  if (lan.length > 0 && view.defaultRouteLinks.length > 0) return lan;
  const reason = usable.length === 0
    ? "there is no interface besides the loopback"
    : view.defaultRouteLinks.length === 0
    ? "there is no default route, which would tell the side of the internet from that of the clients"
    : `every interface holds a default route (${usable.map((link) => link.name).join(", ")})`;
  const named = "Name the LAN interface in the config: intercept: { interfaces: [br-lan] }";
  const waits = view.defaultRouteLinks.length === 0 && usable.length > 0;
  const hint = waits ? `${named}; or start "tproxy run --install", which waits for the route` : named;
  throw new OperationError({ operation: "choose interfaces", object: "auto", reason, hint });
}

function checkNamed(name: string, view: NetworkView, { absent }: ChoiceOptions): string[] {
  const link = view.links.find((link) => link.name === name);
  if (link === undefined && absent === true) return [`${name} is not there yet`];
  if (link === undefined) {
    const existing = view.links.filter((link) => !link.loopback).map((link) => link.name);
    throw new OperationError({
      operation: "intercept on interface",
      object: name,
      reason: "there is no such interface",
      hint: existing.length === 0 ? "This machine has none" : `This machine has ${existing.join(", ")}`,
    });
  }
  if (link.loopback) {
    throw new OperationError({
      operation: "intercept on interface",
      object: name,
      reason: "it is the loopback, no client is behind it",
      hint: "Name the LAN interface in intercept.interfaces",
    });
  }
  if (link.master !== undefined) {
    throw new OperationError({
      operation: "intercept on interface",
      object: name,
      reason: `it is a port of ${link.master}, and its packets carry that name`,
      hint: `Intercept on ${link.master}`,
    });
  }
  if (view.defaultRouteLinks.includes(name)) {
    return [`${name} holds a default route: is it really the side of the clients?`];
  }
  return [];
}
