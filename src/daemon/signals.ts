/**
 * The signals of a running proxy: the first SIGTERM or SIGINT lets live connections end, a second one does
 * not, SIGHUP reloads.
 * @module
 */

/** Actions that signals bring about. */
export interface SignalActions {
  /** Begins to drain. Returns how long live connections are given, milliseconds. */
  drain(): number;
  /** Drained long enough, or told again. `again`: by a signal. */
  stop(again: boolean): void;
  hangUp(): void;
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
  const onHangUp = () => actions.hangUp();
  for (const signal of END_SIGNALS) Deno.addSignalListener(signal, onEnd);
  // The end of an SSH session sends it to all that was started there: without a listener it would end the
  // proxy.
  Deno.addSignalListener("SIGHUP", onHangUp);
  return {
    end() {
      clearTimeout(timer);
      for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, onEnd);
      Deno.removeSignalListener("SIGHUP", onHangUp);
    },
  };
}
