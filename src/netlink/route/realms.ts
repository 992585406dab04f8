/**
 * Realms: classes for traffic control and accounting, of rules (FRA_FLOW) and of routes (RTA_FLOW). Pure.
 * @module
 */

/** `realms 3/4`. */
export interface Realms {
  /** Of the source; 0: none. */
  readonly source: number;
  /** Of the destination. */
  readonly destination: number;
}

/** The kernel's number of them: the source in its upper half. */
export function realmsNumber({ source, destination }: Realms): number {
  return source * 0x10000 + destination;
}

/** The inverse of {@linkcode realmsNumber}. */
export function realmsOf(number: number): Realms {
  return { source: number >>> 16, destination: number & 0xffff };
}
