/**
 * The signals of a proxy: the first SIGTERM or SIGINT lets live connections end, a second one does not,
 * SIGHUP reloads.
 * @module
 */

/** Actions that signals bring about. */
export interface SignalActions {
  /** Begins to drain. Returns how long live connections are given, milliseconds. */
  drain(): number;
  /** Drained long enough, or told again. `again`: by a signal. */
  stop(again: boolean): void;
}

const END_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Follows the signals until it is ended. */
export function followSignals(actions: SignalActions): { end(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let draining = false;
  function onEnd(): void {
    if (draining) return actions.stop(true);
    draining = true;
    timer = setTimeout(() => actions.stop(false), actions.drain());
  }
  for (const signal of END_SIGNALS) Deno.addSignalListener(signal, onEnd);
  return {
    end() {
      clearTimeout(timer);
      for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, onEnd);
    },
  };
}

/** SIGHUP, from the first moment of a process on. */
export interface HangUps {
  /** Acts on each from now on, and once on all that have come before. */
  obey(reload: () => void): void;
  end(): void;
}

/**
 * Follows SIGHUP until it is ended. The end of an SSH session sends it to all that was started there, and a
 * service manager may ask a proxy to reload that has not started yet: without a listener it ends the process.
 */
export function followHangUps(): HangUps {
  let waiting = false;
  let act: () => void = () => {
    waiting = true;
  };
  const onHangUp = () => act();
  Deno.addSignalListener("SIGHUP", onHangUp);
  return {
    obey(reload) {
      act = reload;
      if (waiting) reload();
    },
    end: () => Deno.removeSignalListener("SIGHUP", onHangUp),
  };
}
