/**
 * Verdicts: what the client of a dial that has failed is told. Pure.
 * @module
 */
import {
  EACCES,
  ECONNREFUSED,
  EHOSTUNREACH,
  ENETUNREACH,
  IPPROTO_TCP,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
} from "../../../ffi/consts.ts";
import { VERDICT_TTL } from "../../constants.ts";

/** Silence: the client hears nothing, as from a server that does not answer. */
export const SILENCE = 0;

const ICMP_UNREACHABLE = 3;
const ICMP6_UNREACHABLE = 1;
/** Verdicts by the code of "destination unreachable" (RFC 1812, RFC 4443). */
const ICMP_VERDICTS: Readonly<Record<number, number>> = {
  0: VERDICT_TTL.netUnreachable,
  1: VERDICT_TTL.hostUnreachable,
  3: VERDICT_TTL.portUnreachable,
  9: VERDICT_TTL.adminProhibited,
  10: VERDICT_TTL.adminProhibited,
  13: VERDICT_TTL.adminProhibited,
};
const ICMP6_VERDICTS: Readonly<Record<number, number>> = {
  0: VERDICT_TTL.netUnreachable,
  1: VERDICT_TTL.adminProhibited,
  3: VERDICT_TTL.hostUnreachable,
  4: VERDICT_TTL.portUnreachable,
  5: VERDICT_TTL.adminProhibited,
  6: VERDICT_TTL.adminProhibited,
};

/** The verdict on an errno: of VERDICT_TTL, or SILENCE. `protocol`: IP's number. */
export function verdictOfErrno(errno: number, protocol: number): number {
  switch (errno) {
    case ECONNREFUSED:
      return protocol === IPPROTO_TCP ? VERDICT_TTL.reset : VERDICT_TTL.portUnreachable;
    case EHOSTUNREACH:
      return VERDICT_TTL.hostUnreachable;
    case ENETUNREACH:
      return VERDICT_TTL.netUnreachable;
    case EACCES:
      return VERDICT_TTL.adminProhibited;
    default:
      return SILENCE;
  }
}

/** The verdict on an ICMP message (`origin`: SO_EE_ORIGIN_…); SILENCE: it says nothing that is passed on. */
export function verdictOfIcmp(origin: number, type: number, code: number): number {
  if (origin === SO_EE_ORIGIN_ICMP && type === ICMP_UNREACHABLE) return ICMP_VERDICTS[code] ?? SILENCE;
  if (origin === SO_EE_ORIGIN_ICMP6 && type === ICMP6_UNREACHABLE) return ICMP6_VERDICTS[code] ?? SILENCE;
  return SILENCE;
}
