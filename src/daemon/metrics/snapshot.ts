/**
 * The numbers of a proxy at one moment, as plain data.
 * @module
 */
import type { Action } from "../../config/types.ts";
import type { Account } from "../../dataplane/shared/books.ts";
import type { LiveKind } from "../../dataplane/flows/live_kinds.ts";
import type { Unrelayed } from "../../kernel/live/unrelayed.ts";
import type { ObjectStatus } from "../../kernel/backend/object_status.ts";

/** Origin of the program. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly deno: string;
}

/** The process, as the kernel sees it. */
export interface ProcessNumbers {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly openDescriptors: number;
  /** RLIMIT_NOFILE. */
  readonly mostDescriptors: number;
  /** Seconds since 1970. */
  readonly started: number;
}

/** Bytes of payload that were passed on. */
export interface Bytes {
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Those of one protocol and family. */
export type Traffic = Omit<LiveKind, "sessions">;

/** Flows that a rule has decided, live ones too. */
export interface RuleNumbers extends Bytes {
  readonly name: string;
  readonly action: Action;
  readonly flows: number;
}

/** Flows through an upstream that have ended, and the upstream. */
export interface UpstreamNumbers extends Bytes {
  readonly name: string;
  readonly carried: number;
  readonly failed: number;
  readonly isUp: boolean;
  /** Live ones. */
  readonly connections: number;
}

/** See the module. Counts are since the start, and never go back. */
export interface Snapshot {
  readonly build: Build;
  readonly process: ProcessNumbers;
  readonly isDraining: boolean;
  readonly limits: { readonly connections: number; readonly udpSessions: number };
  readonly account: Account;
  readonly traffic: readonly Traffic[];
  /** Those of the config in force, each name once. */
  readonly rules: readonly RuleNumbers[];
  readonly upstreams: readonly UpstreamNumbers[];
  readonly kernel: {
    readonly inForce: boolean;
    readonly healings: Readonly<Record<ObjectStatus["kind"], number>>;
  };
  /** Connections that were forwarded since no proxy could carry their TCP options. */
  readonly unrelayed: Readonly<Unrelayed>;
  readonly reload: {
    readonly isRefused: boolean;
    /** Time at which the config came into force: milliseconds since 1970. */
    readonly since: number;
  };
  readonly lines: {
    /** Lines of the log that were counted instead of written. */
    readonly heldBack: number;
    /** Lines of the log that nobody took in time. */
    readonly lost: number;
    /** Flows without a line in the access log. */
    readonly access: { readonly overTheRate: number; readonly notReadInTime: number };
  };
}
